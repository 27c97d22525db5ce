"""The English of what the first draws showed: labels that are left out, parts that do not fit, what may mend them.

Comes in: a result. Goes out: plain printable text, empty where there is nothing to say. Neighbours: `sentences.py` puts
it before everything else; `hunting/pilot.py` says what the draws showed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foible.report.words import by, class_name, count, listed, percent, shorten, spec_name, subject

if TYPE_CHECKING:
    from foible.findings import HuntResult
    from foible.pilots import Hint, PilotLabel

_NAMED = 3
"""Labels that a sentence names."""
_LONGEST = 80
_EXAMPLES = 3
_AFTER = ("before", "after")


def pilot_headline(result: HuntResult) -> str:
    """Say what a reader must know before the verdicts: a hint, a judge that sees everything, labels left out."""
    if result.pilot is None:
        return ""
    said = [hint_line(hint, result) for hint in result.pilot.hints]
    if not result.pilot.tells_apart:
        said.append(f"{_judge(result)} does not tell labels apart.")
    absent = [one for one in result.pilot.labels if one.absent]
    if absent:
        some = listed([shorten(one.label, _LONGEST) for one in absent[:_NAMED]])
        more = f" and {len(absent) - _NAMED} more" if len(absent) > _NAMED else ""
        out = f"{'is' if len(absent) == 1 else 'are'} {'left out' if result.pilot.left_out else 'hardly drawn'}"
        said.append(
            f"{len(absent)} of {count(len(result.pilot.labels), 'label')} {out}, {some}{more}: {_judge(result)} sees "
            f"{'it' if len(absent) == 1 else 'them'} in almost none of the images."
        )
    return " ".join(said)


def pilot_summary(result: HuntResult) -> str:
    """Say the counts behind that, and what to do."""
    if result.pilot is None:
        return ""
    said = [hint_advice(hint, result) for hint in result.pilot.hints]
    if not result.pilot.tells_apart:
        said.append(
            f"Of {result.pilot.crossed} images in which the judge sees their label it sees another one in "
            f"{result.pilot.crossed_seen}, too, so that what it lets pass says little: set its thresholds with foible "
            "calibrate-judge, or give another one."
        )
    absent = [one for one in result.pilot.labels if one.absent]
    if absent:
        named = [f"{shorten(one.label, _LONGEST)} in {seen_words(one)}" for one in absent[: 2 * _NAMED]]
        more = [f"{len(absent) - 2 * _NAMED} more"] if len(absent) > 2 * _NAMED else []
        said.append(
            f"The judge sees {listed([*named, *more])} of the first images, so nothing is claimed of "
            f"{'that label' if len(absent) == 1 else 'those labels'}: look at the images, and give labels that can be "
            "drawn, or another generator or judge."
        )
    return " ".join(said)


def pilot_line(result: HuntResult) -> str:
    """Count what the first draws showed, on one line; empty where there were none."""
    pilot = result.pilot
    if pilot is None or not pilot.labels:
        return ""
    draws, judged, seen = (sum(getattr(one, name) for one in pilot.labels) for name in ("draws", "judged", "seen"))
    crossed = f", and another label in {pilot.crossed_seen:,} of {pilot.crossed:,}" if pilot.crossed else ""
    return (
        f"The first {draws:,} of the explored draws were the pilot: the judge sees the label in {seen:,} of "
        f"{count(judged, 'different image')}{crossed}."
    )


def seen_words(one: PilotLabel) -> str:
    """Say in how many of its first images a label is seen: "1 of 12"."""
    return f"{one.seen:,} of {one.judged:,}"


def hint_line(hint: Hint, result: HuntResult) -> str:
    """Say what a classifier says in place of the labels, and ask what that suggests."""
    who = by(hint.classifier, result) or subject(result)
    now, then = (percent(part / hint.images if hint.images else None) for part in (hint.named, hint.would))
    of = f"{who} names the label of {now} of {count(hint.images, 'image')}"
    if hint.kind == "shifted":
        far = "" if abs(hint.shift) == 1 else f"{abs(hint.shift)} "
        return f"{of}; on {then} it says the class {far}{_AFTER[hint.shift > 0]} it: is its list of classes shifted?"
    if hint.kind == "alphabetical":
        return f"{of}; on {then} it would with its classes in the order of the alphabet: is its list in another order?"
    if hint.kind == "order":
        return f"{of}; on {then} it says one other class for each label: is its list of classes in another order?"
    if hint.kind == "argument":
        return f"{of}, and with {shorten(hint.argument, _LONGEST)} of {then}: was it trained so?"
    return f"{of}, and with red and blue exchanged of {then}: does it expect the channels as BGR?"


def hint_advice(hint: Hint, result: HuntResult) -> str:
    """Say what to give, were the hint true."""
    found = f"{hint.would} of {hint.images} images, against {hint.named} as it is"
    if hint.kind == "channels":
        return f"With red and blue exchanged it would be right about {found}: exchange them in the code around it."
    if hint.kind == "argument":
        part = "classifier" if hint.classifier == 0 else f"other_classifiers.{hint.classifier - 1}"
        given = " ".join(f"--set {part}.args.{one}" for one in _arguments(shorten(hint.argument, 2 * _LONGEST)))
        return f"With {given} it would be right about {found}."
    few = [(shorten(label, _LONGEST), index) for label, index in hint.classes[:_EXAMPLES]]
    labels = " ".join(f'--label {index}="{label}"' for label, index in few)
    says = [f"{label} {class_name(index, result, hint.classifier, _LONGEST)}" for label, index in few]
    rest = len(hint.classes) - _EXAMPLES
    more = f", and so on for {count(rest, 'more label')}" if rest > 0 else ""
    return (
        f"It calls a {listed(says)}, and would so be right about {found}: give its classes in the order in which the "
        f"network was trained, or name the labels by their place, as in {labels}{more}."
    )


def _arguments(text: str) -> list[str]:
    """Part 'mean=[0.5, 0.5] std=[1, 1]' into arguments."""
    found: list[str] = []
    for piece in text.split(" "):
        if "=" in piece or not found:
            found.append(piece)
        else:
            found[-1] += piece
    return found


def _judge(result: HuntResult) -> str:
    return f"the judge {spec_name(result.parts.get('judge'))}".rstrip()
