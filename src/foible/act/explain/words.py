"""What captions say that changed with the answer, and whether these words matter on fresh draws.

Comes in: an image, the attempts that turned the answer. Goes out: phrases that are new or gone, and the findings of a
probe of them. Neighbours: `search/phrases.py` cuts captions; `hunting/` carries the probe out, in a run directory of
its own, which goes on where it stopped and which `foible verify` checks.

The words that are tested are those of the images on which the classifier fails: of an image that it got right the new
ones, which should bring the wanted wrong answer; of one that it got wrong those that are gone, which should bring the
failure back. No probe draws the explained image: its seeds are others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from foible.act.explain.subject import BESIDE, Subject, class_said
from foible.errors import FoibleError, OutOfTime, brief
from foible.explaining import Attempt, Word, Words
from foible.identity import digest
from foible.labels import split_name
from foible.parts.again import load_again
from foible.parts.asking import ask_captioner
from foible.records import Fault
from foible.search.phrases import cut

if TYPE_CHECKING:
    from foible.progress import Progress

MOST = 3
"""Phrases that are tested: each costs draws, and weakens the others."""


def changed_words(subject: Subject, attempts: Sequence[Attempt]) -> Words:
    """Say which phrases came and went with the answer, and why they are not tested yet."""
    if "captioner" not in subject.parts:
        return Words(untested="nobody describes the images: name a captioner with --captioner")
    (said,) = ask_captioner(subject.parts["captioner"], [subject.image])
    if isinstance(said, Fault):
        return Words(untested=f"the captioner says nothing of the image: {brief(said.reason, 120)}")
    names = [subject.label.name, subject.to.name, split_name(class_said(subject.said, subject.names))[0]]
    before = set(cut(said, names))
    turned = [one for one in attempts if one.status == "turned" and one.caption]
    counts: Counter[tuple[str, str]] = Counter()
    for one in turned:
        after = set(cut(one.caption, names))
        counts.update([(phrase, "new") for phrase in sorted(after - before)])
        counts.update([(phrase, "gone") for phrase in sorted(before - after)])
    changed = tuple(
        Word(phrase=phrase, side="new" if side == "new" else "gone", attempts=number)
        for (phrase, side), number in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    )
    why = "" if turned else "no attempt turned the answer"
    return Words(before=said, changed=changed, untested=why or "they were not asked for")


def tested_words(  # noqa: PLR0913 - words, and everything that a test of them hangs on
    words: Words, subject: Subject, attempts: Sequence[Attempt], folder: Path, progress: Progress, *, code: bool
) -> Words:
    """Test the words that go with failing on fresh draws.

    Whatever goes wrong is said in `untested`: it costs nothing that is finished.

    Raises:
        OutOfTime: `max_minutes` or `max_requests` is used up.
    """
    error = subject.label_known and subject.to.name == subject.label.name
    side = "gone" if error else "new"
    phrases = [one.phrase for one in words.changed if one.side == side][:MOST]
    if not words.before or not any(one.status == "turned" for one in attempts):
        return words
    if not phrases:
        return replace(words, untested=f"no words are {side} in the captions of the images that turned the answer")
    if "judge" not in subject.parts:
        return replace(words, untested="nobody says whether fresh draws show the label: name a judge with --judge")
    try:
        return _probed(words, phrases, subject, folder, progress, error=error, code=code)
    except OutOfTime:
        raise
    except FoibleError as problem:
        return replace(words, untested=brief(str(problem), 300))


def _probed(  # noqa: PLR0913 - a probe, and what it is of
    words: Words,
    phrases: Sequence[str],
    subject: Subject,
    folder: Path,
    progress: Progress,
    *,
    error: bool,
    code: bool,
) -> Words:
    from foible.hunting.api import carry_out
    from foible.hunting.prepare import prepare

    config, read = subject.config, subject.read
    generator = subject.parts["generator"]
    if read is not None and generator.identity["spec"] != read.study.identities["generator"]["spec"]:
        # What the run draws is what its findings are about.
        generator = load_again("generator", read.study.identities["generator"], code=code)
    seed = (config.seed if read is None else read.study.config.seed) + 1
    text = f"{'|'.join(map(str, subject.right))}={subject.label.name}"
    name = f"probe-{digest([phrases, seed, text, subject.to.name, generator.identity])[:8]}"
    own = {
        "labels": (text + (f" ({subject.label.kind})" if subject.label.kind else ""),),
        "seed": seed,
        "out": folder / name,
        "archive": config.archive if config.archive is not None else folder / "archive",
        "failure": config.failure.model_copy(update={"target": "" if error else subject.to.name}),
        "other_classifiers": (),
    }
    parts = {kind: [subject.parts[kind]] for kind in ("classifier", *BESIDE) if kind in subject.parts}
    probe = prepare(config.model_copy(update=own), {**parts, "generator": [generator]}, list(phrases))
    run = carry_out(probe, progress)
    return replace(words, tested=tuple(run.result.findings), folder=name, untested="")
