"""Classifiers in one file: ONNX, LiteRT, torch."""
