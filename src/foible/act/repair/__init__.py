"""`foible repair`: a classifier is trained further on the images of its bugs, and tested anew."""
