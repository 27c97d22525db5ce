"""Where hypotheses come from: explored, grouped, cut into phrases, set apart, followed."""
