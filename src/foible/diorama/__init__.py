"""The embedded world: text in, pictures of small things out, without any download."""
