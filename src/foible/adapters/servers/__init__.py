"""Parts behind an address: one exchange, one deadline, requests that are counted."""
