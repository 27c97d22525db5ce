"""What may be claimed: hypotheses tested on fresh images, in pairs of the same seed, and their verdicts."""
