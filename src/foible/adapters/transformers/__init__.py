"""Classifiers, captioners, embedders and judges of the `transformers` library."""
