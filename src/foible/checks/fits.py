"""How many photographs fit the prompts of a hunt, where a generator chooses among those that are there.

Comes in: a generator, and the prompt of each label. Goes out: one sentence, which `forecast.py` and `doctor.py` show.
"""

from __future__ import annotations

from collections.abc import Mapping

from foible.errors import brief
from foible.parts.protocols import CountsFitting, offers
from foible.parts.registry import Part

_NAMED = 5
"""Labels that are named, those of the fewest first."""


def fits(generator: Part, prompts: Mapping[str, str]) -> str:
    """Say how many photographs fit each label's prompt; empty where the generator draws new images.

    Args:
        generator: that is asked.
        prompts: by label.

    Raises:
        PartError: it cannot read a prompt.
    """
    if not prompts or not offers(generator.object, CountsFitting):
        return ""
    counts = dict(zip(prompts, generator.object.fitting(list(prompts.values())), strict=True))
    fewest = sorted(counts, key=lambda label: (counts[label], label))
    named = ", ".join(f"{counts[label]:,} for {brief(label, 60)!r}" for label in fewest[:_NAMED])
    if left := fewest[_NAMED:]:
        named += f", {counts[left[0]]:,} or more for {len(left):,} further"
    return f"photographs that fit the prompt of a label: {named}; its draws show no more different images than these"
