"""Suites: frozen bugs with the images that measured them, which any classifier can be run against."""
