"""What is done about bugs that were found: everything here goes on from a finished run."""
