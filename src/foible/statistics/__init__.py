"""Pure functions from counts to what a finding may claim: intervals, tests, and corrections for many hypotheses.

Comes in: whole numbers and arrays. Goes out: numbers and arrays. Nothing here knows of images, stores or stages.
"""

from foible.statistics.intervals import clopper_pearson, newcombe_paired, wilson
from foible.statistics.multiplicity import benjamini_hochberg, e_benjamini_hochberg
from foible.statistics.paired import mcnemar_p, paired_margin_p

__all__ = [
    "benjamini_hochberg",
    "clopper_pearson",
    "e_benjamini_hochberg",
    "mcnemar_p",
    "newcombe_paired",
    "paired_margin_p",
    "wilson",
]
