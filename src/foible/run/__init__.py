"""What is kept: the archive of pixels and answers that runs share, and the journal of each run."""
