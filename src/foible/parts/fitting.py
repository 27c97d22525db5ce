"""Do the parts of a hunt fit each other, as far as they say so themselves, before anything is drawn?

Comes in: parts that are loaded, or their specs alone, and labels. Goes out: nothing, or one sentence that says what to
give instead. Neighbours: `protocols.py` has the capabilities that are asked here; `hunting/pilot.py` sees on the first
draws what no part says of itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from foible.errors import ConfigError, LabelError, brief
from foible.parts.families import BUILT_IN, WORLDS
from foible.parts.protocols import DrawsSome, EmbedsTexts, OfOneWorld, offers
from foible.parts.registry import Part
from foible.records import Label

LOOKING = {"captioner": "transformers:MODEL", "embedder": "transformers:MODEL", "judge": "clip:MODEL"}
"""Kinds that look at images without being under test -> a spec of one that knows photographs."""
_LISTED = 20


def world(part: Part) -> str:
    """Give the one world that a part knows; empty where it says nothing of the kind."""
    if offers(part.object, OfOneWorld):
        return str(part.object.world)
    return _world_of(part.identity["spec"])


def reads_text(part: Part) -> bool:
    """Tell whether an embedder places texts among images."""
    return offers(part.object, EmbedsTexts) and bool(part.object.reads_text)


def refuse_other_worlds(parts: Sequence[Part]) -> None:
    """Refuse captioner, embedder and judge that know another world than the generator's images are of.

    The classifier may come from anywhere: it is what is tried. Without a generator nothing is refused.

    Raises:
        ConfigError: the sentence names what to give.
    """
    drawing = next((part for part in parts if part.kind == "generator"), None)
    if drawing is not None:
        known = {part.kind: (str(part.identity["spec"]), world(part)) for part in parts if part.kind in LOOKING}
        _refuse(str(drawing.identity["spec"]), world(drawing), known)


def refuse_other_worlds_by_spec(specs: Mapping[str, str]) -> None:
    """Refuse the same by specs alone, as far as they tell: what `python:` or a package draws is not known yet.

    Args:
        specs: by kind; those of the generator and of any others.

    Raises:
        ConfigError: as above.
    """
    family = _family(specs.get("generator", ""))
    if family in BUILT_IN["generator"] and family != "python":
        known = {kind: (specs[kind], _world_of(specs[kind])) for kind in LOOKING if kind in specs}
        _refuse(specs["generator"], _world_of(specs["generator"]), known)


def refuse_undrawable(generator: Part, labels: Sequence[Label]) -> None:
    """Refuse labels that the generator says it cannot draw: nothing is spent yet, and the others can be hunted over.

    Raises:
        LabelError: the sentence names what it can draw.
    """
    if not offers(generator.object, DrawsSome):
        return
    lacking = [label.name for label in labels if not generator.object.can_draw(label)]
    if lacking:
        able = list(generator.object.drawable)
        drawn = _listed(able[:_LISTED]) + (f" and {len(able) - _LISTED} more" if len(able) > _LISTED else "")
        rest = [label.name for label in labels if label.name not in lacking]
        others = f"; leave {'it' if len(lacking) == 1 else 'them'} out, or" if rest else "; name such labels, or"
        message = (
            f"the generator {brief(generator.identity['spec'])} cannot draw {_listed(lacking[:_LISTED])}, but {drawn}"
            f"{others} give another generator, with a captioner, an embedder and a judge that know its images"
        )
        raise LabelError(message)


def _refuse(generator: str, drawn: str, known: Mapping[str, tuple[str, str]]) -> None:
    strangers = {kind: (spec, of) for kind, (spec, of) in known.items() if of and of != drawn}
    if not strangers:
        return
    named = _listed([f"the {kind} {brief(spec)}" for kind, (spec, _) in strangers.items()], quoted=False)
    of = next(iter(strangers.values()))[1]
    one = len(strangers) == 1
    give = " ".join(f"--{kind} {LOOKING[kind]}" for kind in strangers)
    message = (
        f"the generator {brief(generator)} gives images that {named} {'does' if one else 'do'} not know: "
        f"{'it was' if one else 'they were'} trained on the {of} alone; give {'one' if one else 'others'} for those "
        f"images, such as {give}"
    )
    raise ConfigError(message)


def _world_of(spec: object) -> str:
    return WORLDS.get(str(spec)) or WORLDS.get(_family(spec), "")


def _family(spec: object) -> str:
    return str(spec).partition(":")[0]


def _listed(names: Sequence[str], *, quoted: bool = True) -> str:
    shown = [repr(brief(name, 60)) if quoted else name for name in names]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
