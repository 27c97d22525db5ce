"""Bugs of photographs are sought in drawn images: what the photographs suggested is probed with a generator.

Comes in: a run over photographs, its bugs, and the parts that draw and judge. Goes out: for each bug both rates, and an
answer. The probe is a run of its own, which goes on where it stopped, and which `foible verify` checks. Neighbours:
`said.py` says what attributes are called; `looking.py` is the other direction; `hunting/` carries the probe out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from foible.act.lookers import load_named
from foible.act.said import read_phrases, said, unsaid
from foible.config import HuntConfig
from foible.draws.questions import GENERATOR
from foible.errors import brief
from foible.findings import Finding
from foible.hunting.api import carry_out
from foible.hunting.prepare import prepare
from foible.hunting.replay import Reread, reread_whole
from foible.labels import accepting
from foible.parts.ceiling import Ceiling
from foible.parts.protocols import DrawsSome, offers
from foible.parts.registry import Part
from foible.progress import Progress
from foible.records import ANY, Answered, Label
from foible.run.archive import Archive
from foible.run.journal import Journal
from foible.seeking import Answer, Seen, Sought, seen_in

ANY_LABEL = "it is about photographs of any label together, and a generator draws one label at a time"
"""Why nothing can be drawn for a bug."""
UNTESTED = "the budget of the probe left it out"
ANSWERS: Mapping[str, Answer] = {"confirmed": "there", "refuted": "within", "undecided": "open"}
"""What a verdict in the other images answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What the probe came to."""

    rows: tuple[Sought, ...]
    parts: Mapping[str, Mapping[str, Any]]
    """Identities of those that drew and judged; none where nothing could be said."""


def attributes_of(bugs: Sequence[Finding]) -> list[str]:
    """List the attributes that bugs of photographs are about."""
    return list(dict.fromkeys(word for bug in bugs for word in bug.trial.hypothesis.treatment.words))


def draw(  # noqa: PLR0913 - everything that a probe hangs on
    read: Reread,
    bugs: Sequence[Finding],
    *,
    config: HuntConfig,
    classifiers: Sequence[Part],
    objects: Mapping[str, object],
    phrases: Sequence[str],
    progress: Progress,
) -> Drawn:
    """Probe bugs of photographs with a generator.

    Args:
        read: the run over photographs.
        bugs: confirmed findings of it.
        config: of the probe; its labels are set here.
        classifiers: of the run, loaded again.
        objects: kind -> an object in place of the config's spec.
        phrases: "ground=grass=on grass": how attributes are said.
        progress: who is told.

    Raises:
        InputError: a phrase, a part or the run directory cannot be used.
        OutOfTime: the minutes or the requests are used up; the same call goes on.
    """
    given = read_phrases(phrases, attributes_of(bugs))
    ceiling = Ceiling(config.max_requests)
    generator = load_named(GENERATOR, config, objects, ceiling)
    asked = [_asked(bug, given, generator, read) for bug in bugs]
    descriptions: dict[str, list[str]] = {}
    for bug, (words, reason) in zip(bugs, asked, strict=True):
        if not reason:
            descriptions.setdefault(bug.trial.hypothesis.label, []).append(words)
    if not descriptions:
        return Drawn(rows=tuple(_lost(bug, *one) for bug, one in zip(bugs, asked, strict=True)), parts={})
    labels = tuple(label_text(read.study.labels[name], read) for name in descriptions)
    parts: dict[str, Sequence[object]] = {
        GENERATOR: [generator],
        "classifier": list(classifiers),
        "judge": [objects.get("judge")],
    }
    prepared = prepare(config.model_copy(update={"labels": labels}), parts, descriptions)
    run = carry_out(prepared, progress)
    with Journal(run.folder, write=False) as journal, Archive(run.archive, write=False) as archive:
        drawn = list(reread_whole(journal, archive).answered.values())
    found = {(f.trial.hypothesis.about, f.trial.hypothesis.classifier): f for f in run.result.findings}
    by_about = {(label, ", ".join(t.words), place): f for ((label, t), place), f in found.items()}
    rows = [
        _lost(bug, words, reason) if reason else _row(bug, words, by_about, drawn)
        for bug, (words, reason) in zip(bugs, asked, strict=True)
    ]
    return Drawn(rows=tuple(rows), parts=run.result.parts)


def _asked(bug: Finding, given: Mapping[str, str], generator: Part, read: Reread) -> tuple[str, str]:
    """Give what is asked of the generator, and why it cannot be; one of the two is empty."""
    hypothesis = bug.trial.hypothesis
    if hypothesis.label == ANY:
        return "", ANY_LABEL
    lacking = [word for word in hypothesis.treatment.words if said(word, given) is None]
    if lacking:
        return "", unsaid(lacking)
    words = ", ".join(said(word, given) or "" for word in hypothesis.treatment.words)
    words = ", ".join(dict.fromkeys(" ".join(part.split()) for part in words.split(",") if part.strip()))
    label = read.study.labels[hypothesis.label]
    if offers(generator.object, DrawsSome) and not generator.object.can_draw(label):
        return "", f"the generator {brief(generator.identity['spec'], 80)} cannot draw {brief(label.name, 60)!r}"
    return words, ""


def label_text(label: Label, read: Reread) -> str:
    """Write a label as a hunt takes it, with its classes where they are the same for every classifier."""
    right = {m.right[label.name] for m in read.study.maps}
    plain = f"{label.name} ({label.kind})" if label.kind else label.name
    return (accepting(label, next(iter(right))) if len(right) == 1 else "") or plain


def _lost(bug: Finding, words: str, reason: str) -> Sought:
    return Sought(found=bug, words=words, answer="unknown", reason=reason, drawn=Seen(), photographs=seen_in(bug))


def _row(
    bug: Finding, words: str, by_about: Mapping[tuple[str, str, int], Finding], drawn: Sequence[Answered]
) -> Sought:
    hypothesis = bug.trial.hypothesis
    found = by_about.get((hypothesis.label, words, hypothesis.classifier))
    if found is None:
        return replace(_lost(bug, words, UNTESTED), answer="open", by="generator")
    unused = _ignored(found, drawn)
    if unused:
        return _lost(bug, words, f"the generator did not use {brief(unused, 60)!r} of what it was told")
    return Sought(
        found=bug,
        words=words,
        answer=ANSWERS[found.verdict],
        reason=found.reason,
        by="generator",
        adjusted=found.adjusted,
        drawn=seen_in(found),
        photographs=seen_in(bug),
    )


def _ignored(found: Finding, drawn: Sequence[Answered]) -> str:
    """Give a word of a description that the generator says it did not use; empty where it says nothing of the kind."""
    label, treatment = found.trial.hypothesis.about
    own = {word for text in treatment.words for word in text.casefold().split()}
    draws = (one.draw for one in drawn if one.request.label == label and one.request.treatment == treatment)
    unused = {word for one in draws for text in one.ignored for word in text.casefold().split()}
    return min(own & unused, default="")
