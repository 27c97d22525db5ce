"""Before and after a hunt: what it may cost, whether its parts work, whether its findings are what was seen."""
