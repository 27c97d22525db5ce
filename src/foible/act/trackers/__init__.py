"""Sends a finished run to the tracker of a team: MLflow, Weights & Biases, TensorBoard."""
