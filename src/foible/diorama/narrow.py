"""The narrow diorama, which the trained diffusion pipeline draws: any text in, a text that it was trained on out.

In: prompts. Out: the same request in the words of the pipeline's training, or a sentence why it cannot be drawn.
Twelve labels, eight colours, four grounds, by day or at night; everything else that words can say is fixed. A network
draws *something* for any text; what it was never shown is refused here instead. Neighbours: `grammar` reads the words;
`training/` holds the scripts that made the weights.
"""

from __future__ import annotations

from collections.abc import Collection

from foible.errors import PartError, brief

from .grammar import parse
from .scene import Scene
from .vocabulary import LABELS, phrase, words

OPEN: dict[str, tuple[str, ...]] = {
    "colour": words("colour"),
    "ground": ("grass", "sand", "snow", "asphalt"),
    "light": ("daylight", "night"),
}
"""What a prompt may say of an object, and with which words; what it leaves unsaid is left to the seed."""
FIXED: dict[str, str] = {
    "texture": "plain",
    "weather": "clear",
    "viewpoint": "eye level",
    "distance": "close",
    "companion": "none",
}
"""What is the same in every picture: it may be said, and changes nothing."""
STEPS, GUIDANCE = 4, 2.0
"""How the pipeline draws where nothing else is asked for: steps of denoising, and the weight of the prompt."""


def narrow_caption(scene: Scene, said: Collection[str] = tuple(OPEN)) -> str:
    """Put the label and the attributes in `said` (names of `OPEN`) into words: "a red vase on grass at night"."""
    parts = [scene.colour if "colour" in said else "", scene.label]
    parts += [phrase(name, getattr(scene, name)) for name in ("ground", "light") if name in said]
    text = " ".join(part for part in parts if part)
    return f"{'an' if text[0] in 'aeiou' else 'a'} {text}"


def hear(prompt: str) -> tuple[str, tuple[str, ...]] | PartError:
    """Read any text.

    Returns:
        The request in the words of the training, and the words of the prompt that had no part in it; or a `PartError`
        where no object is named, or something is asked for that the pipeline was never shown.
    """
    heard = parse(prompt)
    if heard.label is None:
        return PartError(f"the prompt {brief(prompt, 80)!r} names none of the {len(LABELS)} objects of the diorama")
    for name, word in heard.attributes.items():
        known = OPEN.get(name) or (FIXED[name],)
        if word not in known:
            shown = ", ".join(phrase(name, one) for one in known)
            message = (
                f"the pipeline was never shown {phrase(name, word)!r}, so it cannot draw it; of the {name} it knows "
            )
            return PartError(f"{message}{shown}")
    said = {name: word for name, word in heard.attributes.items() if name in OPEN}
    whole = {name: said.get(name, among[0]) for name, among in OPEN.items()}
    return narrow_caption(Scene(heard.label, **whole, **FIXED), said), heard.ignored
