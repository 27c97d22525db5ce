"""For the statistics: properties have no deadline, since a busy machine is not a broken promise."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
