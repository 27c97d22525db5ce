"""The plug-ins that come with foible: one foreign library per file. `registry.py` names them; nothing imports them."""

from foible.adapters.shared.torchvision import watch

watch()
