"""The plug-ins that come with foible: one foreign library per file. `registry.py` names them; nothing imports them."""

from foible.models._torchvision import watch

watch()
