"""The one table of arms: what a draw can be made for, which seeds it takes, who pays, and whether it is captioned.

Comes in: nothing. Goes out: `ARMS`, read by `draws/request.py` (seeds), `budget.py` (shares) and
`draws/observe.py` (captions). A new arm is a row here and an asker that asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

Arm = Literal[
    "explore", "guide", "follow", "treat", "control", "test", "measure", "explain",
    "train", "validate", "retest", "compare", "collect", "certify",
]  # fmt: skip

Stream = Literal[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
"""What a seed is made from, so that seeds of two streams can never meet. Those from 4 on are of what goes on from a
finished run: they never meet one another, and leave out the seeds of the run that they are told of."""
SUGGEST: Stream = 0
FOLLOW: Stream = 1
TEST: Stream = 2
MEASURE: Stream = 3
TRAIN: Stream = 4
VALIDATE: Stream = 5
RETEST: Stream = 6
COMPARE: Stream = 7
COLLECT: Stream = 8
CERTIFY: Stream = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmRule:
    """What holds for every draw of one arm."""

    stream: Stream
    """Where its seeds come from. Draws that suggest a hypothesis and draws that test one never share a stream."""
    share: float = 1.0
    """At most this share of what the arms before it in the table leave of the budget."""
    captioned: bool = False
    """Whether every draw is captioned as soon as it is made."""
    guided: bool = False
    """Whether a classifier leads the generator: such an image is none that the prompt stands for. It may suggest; no
    rate and no pair has one."""


ARMS: Mapping[Arm, ArmRule] = {
    "explore": ArmRule(stream=SUGGEST, share=0.4),
    # From the noise of explored draws that passed.
    "guide": ArmRule(stream=SUGGEST, share=0.3, guided=True),
    # A suspicion that cannot be tested is worth nothing: two thirds are left for the test.
    "follow": ArmRule(stream=FOLLOW, share=1 / 3, captioned=True),
    "treat": ArmRule(stream=TEST),
    "control": ArmRule(stream=TEST),
    # Of photographs, which bear their attributes already: one look serves every hypothesis, with it or without it.
    "test": ArmRule(stream=TEST),
    # The draws that decide stop when they look good: the rates that are shown come from draws of their own.
    "measure": ArmRule(stream=MEASURE),
    # On the seeds of treat draws: the same scenes in other words.
    "explain": ArmRule(stream=TEST),
    # Of a repair, which no hunt pays for: what a classifier is trained on, what ends the training, what proves it.
    "train": ArmRule(stream=TRAIN),
    "validate": ArmRule(stream=VALIDATE),
    "retest": ArmRule(stream=RETEST),
    # Of a comparison, which no hunt pays for: further images where those of the runs leave it open.
    "compare": ArmRule(stream=COMPARE),
    # Of a data set, which no hunt pays for: further images of a bug, kept where the classifier fails on them.
    "collect": ArmRule(stream=COLLECT),
    # Of a certificate, which no hunt pays for: descriptions that are drawn by chance.
    "certify": ArmRule(stream=CERTIFY),
}

assert tuple(ARMS) == get_args(Arm)  # noqa: S101 - two spellings of one list; mypy reads only the first
