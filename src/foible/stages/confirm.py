"""Hypotheses are tested on fresh images: with the description (treat) and without (control), on the same seeds.

Comes in: hypotheses, what exploration saw, and how many draws are left. Goes out: `Tested` hypotheses. Neighbours:
`sequential.py` (the default) and `fixed.py` are the two ways; `decide.py` gives verdicts.
"""

from __future__ import annotations

from collections.abc import Sequence

from foible.records import Hypothesis, Observation
from foible.stages.context import Context
from foible.stages.fixed import confirm_fixed
from foible.stages.pairs import Tested
from foible.stages.sequential import confirm_sequential


def confirm(
    hypotheses: Sequence[Hypothesis], explored: Sequence[Observation], context: Context, left: int | None
) -> list[Tested]:
    """Test hypotheses the way the config names.

    Args:
        hypotheses: the most telling first.
        explored: the explore arm; it may steer where draws are spent, and is no evidence.
        context: the parts and the options.
        left: at most this many draws; None for no limit.

    Returns:
        The hypotheses that were tried; those missing were left out by the budget.
    """
    if context.config.confirm.method == "fixed":
        return confirm_fixed(hypotheses, context, left)
    return confirm_sequential(hypotheses, explored, context, left)
