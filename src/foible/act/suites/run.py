"""`foible suite run`: another classifier over all images of a suite. Which bugs are there, and what became worse?

Comes in: a suite, and a classifier. Goes out: for each bug and each label both failure rates, their difference, what
may be said of it, and one verdict. Nothing is kept: neither run nor archive is needed. Neighbours: `paired.py` says
what differs, `gate.py` what the verdict is, `report/suites.py` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from foible._version import __version__
from foible.act.gates import gated, read_gates
from foible.act.others import refuse_silence
from foible.act.paired import Sides, refuse_share, weigh
from foible.act.sought import Known, Other, Sought, find_labels, refuse_weights, subject_of
from foible.act.suites.read import Held, held
from foible.draws.outcome import outcome
from foible.draws.questions import KEPT
from foible.draws.values import read_prediction, write_scores
from foible.errors import ConfigError, OutOfRequests, brief
from foible.hunting.classes import classes_of, unique_names
from foible.labels import check_classes
from foible.parts.asking import ask_classifier
from foible.parts.ceiling import Ceiling
from foible.parts.registry import load
from foible.records import Draw, Fault, Judgement, Observation, Outcome, Prediction, Request, Treatment
from foible.suites import Rechecked, Suite, SuiteBug, SuiteControl, SuiteImage, SuiteRun

BATCH = 32
"""Images that the classifier sees at once, by default."""
_SEEN = Judgement(faithful=True, score=1.0)
"""The judge saw the label in every image that a suite keeps."""


def run_suite(  # noqa: PLR0913 - the public call: each is something a user sets by name
    suite: Path | str,
    classifier: object,
    *,
    same: float = 0.1,
    labels: Sequence[str] = (),
    fail_on: str = "never",
    batch: int = BATCH,
    max_requests: int | None = None,
) -> SuiteRun:
    """Ask a classifier about all images of a suite: which bugs does it have, and what is worse than when it was saved?

    Args:
        suite: the folder, or the zip file, that `save_suite` made.
        classifier: a spec, a `Spec` record, an object with `classify(images)` or a plain function.
        same: between 0 and 1, ends excluded: rates that surely differ by less are called the same.
        labels: "504|968=coffee mug", for labels of the suite that the classifier calls otherwise, or whose classes have
            no names.
        fail_on: the gate: "never"; "worse": a bug or a label surely fails more often than when it was saved; "open":
            that, or it is not shown to be the same or better; "rate>0.2" or "rate>20%": a bug surely fails more often.
            Several have commas between them: "worse,rate>20%".
        batch: images that it sees at once.
        max_requests: at most this many requests to servers.

    Returns:
        For each bug and each label both rates, their difference with its interval, and what the gate says of it.

    Raises:
        InputError: the suite or the classifier cannot be used; one sentence says what to do.
    """
    refuse_share(same)
    if batch < 1:
        message = f"a classifier is shown at least 1 image at once, but got a batch of {batch}"
        raise ConfigError(message)
    gates = read_gates(fail_on)
    with held(suite) as kept:
        own = kept.suite
        part = load("classifier", classifier, ceiling=Ceiling(max_requests))
        refuse_weights(part, own.judge_weights, f"the suite ({brief(own.judge)})")
        name = unique_names([own.classifier, str(part.identity["spec"])])[-1]
        other = find_labels(part, classes_of(part, name), _sought(own), labels)
        said = _ask(other, kept, batch)
    rows = [_row(one, _sides(one, other, said)) for one in own.rows]
    weighed = weigh(rows, level=own.level, unscored=own.unscored, same=same)
    return SuiteRun(
        foible_version=__version__,
        suite=own.digest,
        before=own.classifier,
        after=subject_of(other.classes, other.part.identity),
        level=own.level,
        same=same,
        fail_on=fail_on,
        rows=tuple(gated(weighed, gates, own.level, "when the suite was saved")),
    )


def _sought(suite: Suite) -> Sought:
    right = {one.name: one.indices for one in suite.labels}
    return Sought(
        labels=suite.by_name,
        accepted={one.name: one.accepted for one in suite.labels},
        known=[Known(classes=suite.classes, right=right)],
        top=suite.top,
        target=suite.target,
        whose="the suite",
    )


def _ask(other: Other, kept: Held, batch: int) -> dict[str, Prediction | Fault]:
    """Ask about each image once, in batches: by hash, what the classifier says.

    Raises:
        PluginError: it gives no usable answer at all.
        ConfigError: the requests to servers are used up before the last image.
    """
    rows = [row for row in kept.suite.rows if row.label in other.classes.right]
    wanted = list(dict.fromkeys(one.image for row in rows for one in row.images if one.image))
    said: dict[str, Prediction | Fault] = {}
    classes: int | None = None
    for start in range(0, len(wanted), batch):
        some = wanted[start : start + batch]
        try:
            answers = ask_classifier(other.part, [kept.image(one) for one in some], classes)
        except OutOfRequests as stop:  # nothing is kept that the same command could go on from
            message = f"the requests were used up after {start} of {len(wanted)} images, and a part of a suite says "
            raise ConfigError(message + "nothing; raise --max-requests, or leave it away") from stop
        if classes is None:
            classes = next((len(one) for one in answers if not isinstance(one, Fault)), None)
            if classes is not None:
                check_classes(other.classes, classes)
        said |= {
            image: one if isinstance(one, Fault) else read_prediction(write_scores(one, max(KEPT, other.classes.top)))
            for image, one in zip(some, answers, strict=True)
        }
    refuse_silence(other, [one.reason for one in said.values() if isinstance(one, Fault)], len(said))
    return said


def _sides(one: SuiteBug | SuiteControl, other: Other, said: Mapping[str, Prediction | Fault]) -> Sides | str:
    """Give the images of a row as either classifier sees them."""
    if one.label in other.unknown:
        return other.unknown[one.label]
    before, after = [], []
    for shown in one.images:
        draw = _draw(shown, one)
        saved = Outcome(status=shown.status, reason=shown.reason)
        now = outcome(draw, said[shown.image], _SEEN, other.classes) if shown.image else saved
        before.append(Observation(draw=draw, outcome=saved))
        after.append(Observation(draw=draw, outcome=now))
    return Sides(before=before, after=after)


def _row(one: SuiteBug | SuiteControl, sides: Sides | str) -> tuple[Rechecked, Sides | str]:
    """Name a row."""
    return Rechecked(label=one.label, words=_words(one)), sides


def _words(one: SuiteBug | SuiteControl) -> tuple[str, ...]:
    return one.words if isinstance(one, SuiteBug) else ()


def _draw(one: SuiteImage, row: SuiteBug | SuiteControl) -> Draw:
    request = Request(
        key=one.image,
        label=row.label,
        treatment=Treatment(words=_words(row)),
        seed=one.seed,
        arm="measure" if _words(row) else "explore",
        text=one.prompt,
    )
    return Draw(request=request, image=one.image)
