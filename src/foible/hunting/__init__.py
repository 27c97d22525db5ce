"""The hunt: what it needs, the one loop that draws for its stages, and the path from the first draw to the result."""
