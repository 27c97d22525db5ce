"""Generators of the `diffusers` library."""
