"""For every test: one thread a process, no hub, and Ctrl-C as in a terminal."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

# Before anything imports torch or numpy: several processes on several threads each slow one another down tenfold.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

# What a script puts into the background ignores Ctrl-C, and would hand that on to every hunt that it starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Before a test imports transformers itself: beside a torchvision that does not match its torch it would not import.
import foible.adapters  # noqa: F401 - importing it is what is wanted

# How fast examples come depends on what else the machine does: no promise of the project.
settings.register_profile("any machine", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("any machine")
