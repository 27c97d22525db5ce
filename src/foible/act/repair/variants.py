"""Other treatments of the same cause: what a repair is tested with beside the words that it learned.

Comes in: a run and its bugs. Goes out: for each bug, treatments that hold its cause and were not trained on.
Neighbours: `lessons.py` says what is trained on; `prove.py` has these drawn.

A classifier can learn one prompt by heart. So its bug is tested with the same words beside further ones; with fewer,
where the run has shown that the rest carries the failure; and with a person's own. Further words come from the captions
of the run: a phrase that was said together with each phrase of the bug does not contradict it, as "on sand" would "on
grass".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from foible.draws.questions import CAPTIONER
from foible.errors import ConfigError, brief
from foible.findings import Finding
from foible.hunting.replay import Reread
from foible.records import Treatment
from foible.search.naming import words_of
from foible.search.phrases import cut

MOST = 8
"""Treatments of one bug, at most: draws are shared out among them."""
NONE = (
    "no other words for its cause are known: nothing was said together with it in the captions of the run; give some "
    "as --variant '{}=other words'"
)
"""Why a bug is not tested with other words."""


def variants(
    read: Reread, bugs: Mapping[int, Finding], own: Mapping[int, Sequence[Treatment]]
) -> dict[int, list[Treatment]]:
    """Give other treatments of the cause of each bug, a person's own first.

    Args:
        read: the run, whose archive is open.
        bugs: by number.
        own: a person's, by number.
    """
    spoken = _spoken(read)
    found = {}
    for number, finding in bugs.items():
        words = finding.trial.hypothesis.treatment.words
        treatments = [*own.get(number, ()), *_fewer(finding)]
        treatments += [Treatment(words=(*words, other)) for other in _beside(words, spoken)]
        different = [one for one in dict.fromkeys(treatments) if set(one.words) != set(words)]
        found[number] = different[: max(MOST, len(own.get(number, ())))]
    return found


def read_variants(texts: Sequence[str], bugs: Mapping[int, Finding]) -> dict[int, list[Treatment]]:
    """Read a person's own: "1=in a meadow, at night".

    Raises:
        ConfigError: a text has another form, or is about a bug that is not chosen.
    """
    found: dict[int, list[Treatment]] = {}
    for text in texts:
        number, equals, said = text.partition("=")
        words = tuple(dict.fromkeys(" ".join(part.split()) for part in said.split(",") if part.strip()))
        place = int(number) if number.strip().isdecimal() and len(number) < 10 else 0  # noqa: PLR2004 - of any run
        if not equals or not words or not said.isprintable() or place not in bugs:
            known = ", ".join(map(str, bugs))
            message = f"--variant wants the number of a bug ({known}) and other words for it, as in '1=in a meadow'"
            raise ConfigError(f"{message}, but got {brief(text)!r}")
        found.setdefault(place, []).append(Treatment(words=words))
    return found


def _fewer(finding: Finding) -> list[Treatment]:
    """Give the part of a description that carries the failure by itself."""
    carrier = finding.carrier
    return [carrier.treatment] if carrier is not None and carrier.kind == "alone" else []


def _spoken(read: Reread) -> list[frozenset[str]]:
    """Cut the captions of a run into phrases; none where nobody captioned."""
    if CAPTIONER not in read.study.identities:
        return []
    captions, _ = read.loop.caption([one.draw for one in read.answered.values() if one.draw.image])
    label_of = {key: one.request.label for key, one in read.answered.items()}
    names = list(read.study.labels)
    return [frozenset(cut(text, [label_of[key]], names)) for key, text in captions.items()]


def _beside(words: Sequence[str], spoken: Sequence[frozenset[str]]) -> list[str]:
    """Give phrases that were said together with each phrase of a description, the most frequent first."""
    together = [Counter(p for said in spoken if word in said for p in said) for word in words]
    common = set.intersection(*(set(counts) for counts in together)) - set(words)
    own = {word for phrase in words for word in words_of(phrase)}
    # What says a word of the description again says nothing else.
    other = [phrase for phrase in common if not _content(phrase) & own]
    return sorted(other, key=lambda phrase: (-min(counts[phrase] for counts in together), phrase))


_SMALL = frozenset({"a", "an", "the", "on", "in", "at", "of", "from", "with", "beside", "and", "by"})


def _content(phrase: str) -> set[str]:
    return set(words_of(phrase)) - _SMALL
