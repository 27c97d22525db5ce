"""The plug-ins that come with foible: one foreign library per file. `registry.py` names them; nothing imports them."""
