"""What several adapters need: names, recipes, scores, devices, batches."""
