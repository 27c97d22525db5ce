"""From a request to an outcome: drawn or found, classified, judged, captioned, one unit of work at a time."""
