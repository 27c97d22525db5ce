"""The judge of photographs that somebody labelled: it takes each for what its annotation says.

Comes in: photographs. Goes out: that each is faithful. Whoever doubts the annotations names a judge that looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foible.records import Judgement

if TYPE_CHECKING:
    from foible.parts.protocols import Image
    from foible.records import Label


class Annotation:
    """Believes the annotation."""

    fingerprint = "believes the annotation"
    version = "1"

    def judge(self, images: Sequence[Image], labels: Sequence[Label]) -> list[Judgement]:  # noqa: ARG002 - a judge's signature
        """Say of n photographs that each shows its label."""
        return [Judgement(faithful=True, score=1.0)] * len(images)
