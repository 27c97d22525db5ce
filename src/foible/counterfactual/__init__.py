"""Visual counterfactuals: which region of an image, drawn anew by a generator, turns a classifier's answer?"""
