"""What a hunt is likely to draw, beside the most that it can.

Comes in: a config, how many labels there are, and the most of each stage. Goes out: draws by stage. Neighbour:
`forecast.py`, which counts the most. Nothing is known of the classifier yet, so the figure says what it supposes
(`SUPPOSED`); exploration is exact, and what follows it hangs on how many bugs there are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from foible.budget import foretold
from foible.config import HuntConfig
from foible.records import Tally
from foible.trial.measure import draws_for

SHARE, WITH, WITHOUT = 0.5, 0.9, 0.2
"""Bugs for each label, and how often one fails with and without its description."""
SUPPOSED = "if every other label has one bug, which fails 9 times of 10, and 2 of 10 without its description"
EDITS = 1.5
"""Edits that explain a bug: a swap where its description has one phrase; one in six or so has two, and four edits."""
_SEEN = 12
"""Pairs of a decision, from which the number of measuring pairs follows."""


def likely_draws(
    config: HuntConfig, labels: int, explore: int, most: Mapping[str, int], share: float = SHARE
) -> dict[str, int]:
    """Return the draws that are likely, by stage: never more than the most of a stage, nor than the budget.

    Args:
        config: every option.
        labels: how many there are.
        explore: draws of each in exploration.
        most: by stage, at most.
        share: bugs for each label and classifier.
    """
    bugs = round(share * labels * len(config.parts("classifier")))
    edits = EDITS if config.describe.phrases > 1 else 1.0
    wanted = {
        # What is behind the failures of a label takes about as many draws as one failure of it may.
        "explore": labels * explore,
        "guide": most.get("guide", 0),
        "follow": bugs * min(config.describe.each, config.describe.draws) if config.describe.method == "follow" else 0,
        "confirm": 2 * bugs * _pairs(config),
        "measure": 2 * bugs * _measured(config),
        "explain": round(min(bugs, config.explain.findings) * edits * min(config.explain.draws, _pairs(config))),
    }
    found: dict[str, int] = {}
    for stage, number in wanted.items():
        own = min(number, most.get(stage, 0))
        if stage == "follow":
            own = foretold("follow", own, found["explore"] + found["guide"], config.budget)
        left = own if config.budget is None else config.budget - sum(found.values())
        found[stage] = max(min(own, left), 0)
    if "guide" not in most:
        del found["guide"]
    return found


def _pairs(config: HuntConfig) -> int:
    """Count the pairs that decide one bug, in whole steps."""
    from foible.statistics import expected_pairs

    options = config.confirm
    if options.method == "fixed":
        return options.draws
    if options.margin >= WITH - WITHOUT:  # nothing is confirmed then, and all are given up
        return min(options.least, options.most)
    pairs = expected_pairs(WITH, WITHOUT, options.margin, 1 / options.level)
    return int(min(math.ceil(pairs / options.step) * options.step, options.most))


def _measured(config: HuntConfig) -> int:
    """Count the pairs that measure one bug."""
    if not config.measure.most:
        return 0
    arms = [Tally(draws=_SEEN, failures=round(rate * _SEEN), unscored=0) for rate in (WITH, WITHOUT)]
    return max(draws_for(arm, config.measure.width, config.measure.most) for arm in arms)
