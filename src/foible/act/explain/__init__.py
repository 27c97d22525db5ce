"""`foible explain`: which region of an image, changed as a generator would draw it, turns a classifier's answer?"""
