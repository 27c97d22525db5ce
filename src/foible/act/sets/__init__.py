"""Data sets of the images that the bugs of a run were seen in."""
