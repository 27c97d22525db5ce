"""`foible suite diff`: which bugs and labels of a suite another one has, lacks, or has with other images.

Comes in: two suites. Goes out: what differs, row by row. Nobody is asked anything. Neighbours: `read.py` reads them;
`run.py` says what a classifier makes of one.
"""

from __future__ import annotations

from pathlib import Path

from foible.act.suites.read import read_suite
from foible.suites import RowDiff, RowKind, Suite, SuiteBug, SuiteControl, SuiteDiff

_NO = SuiteControl(label="", images=())
_FACTS = (
    *("classifier", "fingerprint", "generator", "judge", "judge_weights", "failure", "classes", "top", "target"),
    *("level", "unscored"),
)
"""Fields of a suite that decide what a run of it says, or whose bugs they are."""


def diff_suites(before: Path | str, after: Path | str) -> SuiteDiff:
    """Say what one suite has otherwise than another.

    Args:
        before: a suite.
        after: another one.

    Returns:
        For each bug and label of either: added, dropped, changed or same, and how many images differ.

    Raises:
        InputError: one of them cannot be read; one sentence says what to do.
    """
    one, other = read_suite(before), read_suite(after)
    own, new = ({(row.label, row.description): row for row in suite.rows} for suite in (one, other))
    return SuiteDiff(
        before=one.digest,
        after=other.digest,
        facts=tuple((name, was, now) for name, was, now in _facts(one, other) if was != now),
        rows=tuple(_row(own.get(about), new.get(about)) for about in own | new),
    )


def _facts(one: Suite, other: Suite) -> list[tuple[str, str, str]]:
    """Give what both suites say that is no image: (what, the one, the other)."""
    found = [(name, str(getattr(one, name)), str(getattr(other, name))) for name in _FACTS]
    own, new = ({label.name: label for label in suite.labels} for suite in (one, other))
    for name in sorted(own.keys() & new.keys()):
        was, now = (", ".join(label.accepted) or str(label.indices) for label in (own[name], new[name]))
        found.append((f"right for {name}", was, now))
    return found


def _row(one: SuiteBug | SuiteControl | None, other: SuiteBug | SuiteControl | None) -> RowDiff:
    named = one or other
    assert named is not None  # noqa: S101 - one of them has it
    rows = (one or _NO, other or _NO)
    own, new = ({shown.image: shown.status for shown in row.images if shown.image} for row in rows)
    turned = sum(own[image] != new[image] for image in own.keys() & new.keys())
    added, dropped = len(new.keys() - own.keys()), len(own.keys() - new.keys())
    kind: RowKind = "added" if one is None else "dropped" if other is None else "same"
    return RowDiff(
        label=named.label,
        words=named.words if isinstance(named, SuiteBug) else (),
        kind="changed" if kind == "same" and (turned or added or dropped) else kind,
        images_added=added,
        images_dropped=dropped,
        outcomes=turned,
    )
