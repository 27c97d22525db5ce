"""Guided generation: a generator is led by a classifier's scores to images that it gets wrong."""
