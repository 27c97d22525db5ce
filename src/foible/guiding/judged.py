"""What the generator gets wrong: an image is to lose its label in the eyes of a judge, or of an ensemble of judges.

Comes in: a judge, images and the prompts they were drawn for. Goes out: a number for each, above 0 where the judge does
not see the label. Neighbours: `objective.py` asks classifiers in its place; `act/guide.py` lets the classifiers, which
stand in no such objective, say whether they agree.

As in SAGE (Liu and others, "Discovering failure modes of text-guided diffusion models via adversarial search", 2023,
arXiv 2306.00974), with judges that have no gradients: so it serves the methods that need none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch

from foible.guiding.objective import Objective
from foible.parts.asking import ask_judge
from foible.parts.members import members_of
from foible.records import Fault, Judgement, Label

if TYPE_CHECKING:
    from torch import Tensor

    from foible.parts.protocols import Image
    from foible.parts.registry import Part

WITHOUT = "the objective generator asks judges, which have no gradients; guide by select or evolve"


class Unseen(Objective):
    """The judge does not see the label of an image."""

    def __init__(self, judge: Part, labels: Mapping[str, Label]) -> None:
        """Take the judge, and by prompt the label that an image should show."""
        super().__init__(())
        self._judge, self._labels = judge, labels
        # Of an ensemble the share of its judges is a staircase; their own scores are a slope.
        self._members = [one for one in members_of(judge.object) if one.kind == "judge"] or [judge]

    def exact(self, images: Sequence[Image], prompts: Sequence[str]) -> Tensor:
        """Say how far images are from showing their label: (n,); minus infinity without an answer.

        Above 0 the judge does not see it, below 0 it does; the lower the judges' scores, the larger.
        """
        labels = [self._labels[prompt] for prompt in prompts]
        said = ask_judge(self._judge, images, labels)
        scores = [said] if self._members == [self._judge] else [ask_judge(one, images, labels) for one in self._members]
        reached = []
        for place, one in enumerate(said):
            known = [answer.score for row in scores if isinstance(answer := row[place], Judgement)]
            share = sum(math.atan(score) / math.pi + 0.5 for score in known) / max(len(known), 1)
            reached.append(-math.inf if isinstance(one, Fault) else -share if one.faithful else 1 - share)
        return torch.tensor(reached, dtype=torch.float64)
