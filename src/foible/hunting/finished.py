"""A finished run in Python: its findings, its images, every draw as a table.

Comes in: a result, and where run and archive lie. Goes out: what a person asks of them. Nothing here loads a part, and
what a run directory holds is not trusted: whatever of it is shown as HTML is escaped. Neighbours: `api.py` makes one by
hunting, `opening.py` from what is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from foible.findings import Finding, HuntResult
from foible.run.archive import Archive

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from matplotlib.figure import Figure
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Run:
    """A finished hunt or probe."""

    folder: Path
    """The run directory."""
    archive: Path
    """Where its images and answers lie."""
    result: HuntResult
    """Everything that was found, and under which settings."""
    seconds: float
    """Wall time of this call, loading of the parts left out."""
    spent: Mapping[str, tuple[int, float]]
    """Per part: items answered and seconds taken, over every call on this run directory."""

    def __repr__(self) -> str:
        """Say in a line how many bugs of how many hypotheses were confirmed, from how many draws, and where."""
        draws = sum(self.result.draws.values())
        return f"<Run {str(self.folder)!r}: {len(self.confirmed)} of {len(self)} confirmed, {draws:,} draws>"

    def __iter__(self) -> Iterator[RunFinding]:
        """Iterate over all findings: confirmed, undecided, refuted."""
        return (_of(finding, self) for finding in self.result.findings)

    def __len__(self) -> int:
        """Count the findings."""
        return len(self.result.findings)

    @property
    def confirmed(self) -> tuple[RunFinding, ...]:
        """The findings that are bugs."""
        return tuple(finding for finding in self if finding.verdict == "confirmed")

    @property
    def report(self) -> Path:
        """The page to open in a browser."""
        return self.folder / "report.html"

    def table(self) -> pa.Table:
        """Return every draw as a table of Arrow, a row for each draw and classifier (`.to_pandas()` gives a frame).

        Columns: key, classifier, label, description, prompt, seed, arm, image (hash of its pixels), outcome, reason,
        predicted (class, null where none alone has the highest score), predicted_name, score (the highest), scores (the
        highest scores, best first: one for each class), classes (theirs), caption.

        Raises:
            InputError: pyarrow is not installed, or run or archive cannot be read.
        """
        from foible.hunting.table import table_of

        return table_of(self.folder, self.archive)

    def figure(self, most: int = 30) -> Figure:
        """Draw how often each finding fails with its description and without, with intervals.

        `run.figure().savefig("bugs.pdf")` writes it; a notebook shows it.

        Args:
            most: findings that are drawn, confirmed ones first.

        Raises:
            InputError: matplotlib is not installed, or `most` is below 1.
        """
        from foible.report.figure import figure

        return figure(self.result, most)

    def _repr_html_(self) -> str:
        """Show the run in a notebook: headline, summary, and a line for each finding."""
        from foible.report.notebook import run_html

        return run_html(self.result)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunFinding(Finding):
    """A finding that knows the run it belongs to."""

    run: Run = field(repr=False)

    def __eq__(self, other: object) -> bool:
        """Tell whether two findings say the same, whichever run they belong to."""
        return isinstance(other, Finding) and all(
            getattr(self, one.name) == getattr(other, one.name) for one in fields(Finding)
        )

    __hash__ = Finding.__hash__

    @property
    def sentence(self) -> str:
        """The finding in one plain sentence."""
        from foible.report import sentence

        return sentence(self, self.run.result)

    def images(self, which: Literal["failing", "passing", "paired"] = "failing") -> list[NDArray[np.uint8]]:
        """Return the images of its examples: uint8 (height, width, 3), RGB; those that have gone are left out.

        Args:
            which: draws with the description that failed, or passed, or the control draws of the failing ones' seeds.
        """
        seen = [self.run.result.observations.get(key) for key in getattr(self, which)]
        with Archive(self.run.archive, write=False) as kept:
            found = [kept.images.get(one.draw.image) for one in seen if one is not None and one.draw.image]
        return [image for image in found if image is not None]

    def _repr_html_(self) -> str:
        """Show the finding in a notebook: its sentence, and small images of its failing examples."""
        from foible.report.notebook import finding_html

        with Archive(self.run.archive, write=False) as kept:
            return finding_html(self, self.run.result, kept.images.bytes)


def _of(finding: Finding, run: Run) -> RunFinding:
    return RunFinding(**{one.name: getattr(finding, one.name) for one in fields(Finding)}, run=run)
