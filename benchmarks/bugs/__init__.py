"""The planted-bug benchmark: several ways to find bugs, on the same images, where the truth is known."""
