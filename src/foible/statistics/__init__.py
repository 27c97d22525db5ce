"""Pure functions from counts to what a finding may claim, what to draw next, and what a hunt can show.

Comes in: whole numbers and arrays. Goes out: numbers and arrays. Nothing here knows of images, stores or stages.
"""

from foible.statistics.allocation import Aim, Outlook, Tally, choose, expected_left, given_up, outlook
from foible.statistics.assigned import Kind, TrueRates, true_rates
from foible.statistics.certificate import UNCLEARED, clearance, log_evidence_below, weight_at_most
from foible.statistics.evidence import (
    difference_lower,
    difference_sequence,
    growth,
    log_evidence,
    log_futility,
    rate_sequence,
)
from foible.statistics.exceeding import higher_p, holm, surely_above
from foible.statistics.finite import (
    Sample,
    Stratum,
    log_association,
    log_association_beyond,
    log_difference,
    set_difference,
    set_rate,
)
from foible.statistics.intervals import (
    clopper_pearson,
    independent_difference,
    newcombe_paired,
    paired_difference,
    paired_ratio,
    wilson,
)
from foible.statistics.judging import (
    Estimate,
    Skill,
    corrected_failure_rate,
    ppi_mean,
    ppi_rate,
    rogan_gladen,
    unpolluted_rate,
)
from foible.statistics.multiplicity import benjamini_hochberg, e_adjusted, e_benjamini_hochberg
from foible.statistics.neighbours import disagreeing
from foible.statistics.paired import mcnemar_p, paired_lower, paired_margin_p
from foible.statistics.planning import bound_without_failure, expected_pairs, pairs_needed, power, smallest_effect
from foible.statistics.suspicion import Suspicion, most_telling, phrase_sets, suspect, with_whole

__all__ = [
    "UNCLEARED",
    "Aim",
    "Estimate",
    "Kind",
    "Outlook",
    "Sample",
    "Skill",
    "Stratum",
    "Suspicion",
    "Tally",
    "TrueRates",
    "benjamini_hochberg",
    "bound_without_failure",
    "choose",
    "clearance",
    "clopper_pearson",
    "corrected_failure_rate",
    "difference_lower",
    "difference_sequence",
    "disagreeing",
    "e_adjusted",
    "e_benjamini_hochberg",
    "expected_left",
    "expected_pairs",
    "given_up",
    "growth",
    "higher_p",
    "holm",
    "independent_difference",
    "log_association",
    "log_association_beyond",
    "log_difference",
    "log_evidence",
    "log_evidence_below",
    "log_futility",
    "mcnemar_p",
    "most_telling",
    "newcombe_paired",
    "outlook",
    "paired_difference",
    "paired_lower",
    "paired_margin_p",
    "paired_ratio",
    "pairs_needed",
    "phrase_sets",
    "power",
    "ppi_mean",
    "ppi_rate",
    "rate_sequence",
    "rogan_gladen",
    "set_difference",
    "set_rate",
    "smallest_effect",
    "surely_above",
    "suspect",
    "true_rates",
    "unpolluted_rate",
    "weight_at_most",
    "wilson",
    "with_whole",
]
