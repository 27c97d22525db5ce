"""Classifiers and embedders of the `timm` library."""
