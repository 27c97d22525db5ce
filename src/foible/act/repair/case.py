"""What is repaired: bugs of one classifier of a finished run, and the parts of that run, loaded again.

Comes in: a run, and what a person chose. Goes out: a `Case`, and its parts; whatever cannot be repaired has been
refused by one sentence, before anything is drawn or written. Neighbours: `repair.py` goes on; `parts/again.py` loads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from foible.act.chosen import chosen
from foible.act.repair.variants import read_variants, variants
from foible.draws.questions import GENERATOR, JUDGE, classifier
from foible.errors import ConfigError, PluginError, brief, near
from foible.findings import Finding
from foible.hunting.replay import Reread, reread_whole
from foible.parts.again import load_again
from foible.parts.ceiling import Ceiling
from foible.parts.protocols import Trainable, offers
from foible.parts.registry import Part, load, taken
from foible.records import ClassMap, Spec, Treatment
from foible.run.archive import Archive
from foible.run.journal import Journal

_KINDS = ("classifier", GENERATOR, JUDGE)
_TRAINED = "diorama:, torch: (weights with their factory), timm: and transformers: with classes of its own"
"""The families whose classifiers can be trained."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A run, and what of it is repaired."""

    read: Reread
    place: int
    bugs: Mapping[int, Finding]
    """The chosen ones, by number."""
    known: Mapping[int, Finding]
    """All that were confirmed for the classifier."""
    variants: Mapping[int, Sequence[Treatment]]
    size: tuple[int, int] | None
    """(height, width) of the run's images."""

    @property
    def classes(self) -> ClassMap:
        """What the classes of the classifier mean."""
        return self.read.study.maps[self.place]


def open_case(folder: Path, where: Path, *, against: str, findings: Sequence[int], texts: Sequence[str]) -> Case:
    """Read a run, and choose what is repaired.

    Args:
        folder: the run directory.
        where: its archive.
        against: the name of a classifier; empty for the first.
        findings: numbers of confirmed findings; empty for all of the classifier.
        texts: a person's own variants.

    Raises:
        ConfigError: the run is over photographs, has no confirmed bug of the classifier, or none of a number.
        StoreError: run or archive cannot be read.
    """
    with Journal(folder, write=False) as journal, Archive(where, write=False) as kept:
        size = journal.learned.size if journal.learned is not None else None
        return _case(reread_whole(journal, kept), size, against, findings, texts)


def _case(
    read: Reread, size: tuple[int, int] | None, against: str, findings: Sequence[int], texts: Sequence[str]
) -> Case:
    if read.study.photographs is not None:
        message = "the run is over photographs, and no generator draws more of them to train on and to test with"
        raise ConfigError(f"{message}; hunt over drawn images of the same labels, and repair what that finds")
    names = [m.classifier for m in read.study.maps]
    if against and against not in names:
        message = f"the run has no classifier {brief(against)!r}: {near(against, names)}"
        raise ConfigError(message)
    place = names.index(against) if against else 0
    known = {n: f for n, f in chosen(read.result, ()).items() if f.trial.hypothesis.classifier == place}
    if wrong := [number for number in chosen(read.result, findings) if findings and number not in known]:
        message = (
            f"the confirmed finding {wrong[0]} is no bug of {brief(names[place])!r}; say --against, or choose others"
        )
        raise ConfigError(message)
    if not known:
        message = f"the run has no confirmed bug of {brief(names[place])}, so there is nothing to repair"
        raise ConfigError(message)
    bugs = {number: known[number] for number in findings} if findings else known
    own = read_variants(texts, bugs)
    return Case(size=size, read=read, place=place, bugs=bugs, known=known, variants=variants(read, bugs, own))


def load_case(case: Case, given: Mapping[str, object], ceiling: Ceiling, *, code: bool) -> dict[str, Part]:
    """Load the parts of a run again; the classifier in numbers that can be trained.

    Args:
        case: what is repaired.
        given: by kind: objects in place of what the run noted.
        ceiling: from which parts that ask servers take their requests.
        code: whether what the run noted may run code of its own, ask a server or read a folder of images.

    Returns:
        By what a run over one classifier calls them.

    Raises:
        PluginError: one does not load, is another one by now, or cannot be trained.
        ConfigError: a kind that is none.
    """
    if strange := sorted(given.keys() - set(_KINDS)):
        message = f"a repair takes no part {brief(strange[0])!r}: {near(strange[0], _KINDS)}"
        raise ConfigError(message)
    identities = case.read.study.identities
    own = load_again(
        "classifier", identities[classifier(case.place)], given.get("classifier"), ceiling=ceiling, code=code
    )
    own = _in_float32(own) if given.get("classifier") is None else own
    spec = brief(own.identity["spec"], 120)
    if not offers(own.object, Trainable):
        message = f"the classifier {spec} cannot be trained: those of {_TRAINED} can, and objects that are Trainable"
        raise PluginError(message)
    if own.object.untrainable:
        message = f"the classifier {spec} cannot be trained: {own.object.untrainable}"
        raise PluginError(message)
    rest = {
        kind: load_again(kind, identities[kind], given.get(kind), ceiling=ceiling, code=code)
        for kind in (GENERATOR, JUDGE)
    }
    return {classifier(0): own, **rest}


def _in_float32(part: Part) -> Part:
    """Load a classifier of half precision once more, in numbers that can be trained: its weights are the same."""
    spec, args = str(part.identity["spec"]), part.identity["args"]
    if args.get("dtype", "float32") == "float32":
        return part
    known = taken("classifier", spec)
    own = {name: value for name, value in args.items() if known is None or name in known}
    return load("classifier", Spec(spec, {**own, "dtype": "float32"}))
