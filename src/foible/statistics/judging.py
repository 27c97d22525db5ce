"""Rates behind an imperfect judge: corrected for its errors, or from a few human verdicts joined with many of its own.

Comes in: counts of verdicts, and how often the judge was right on images whose truth is known. Goes out: an estimate
and an interval that carries the uncertainty of the judge's own figures too. Neighbours: `intervals.py` takes every
outcome at its word.

Each interval covers at least its level less a point, also at 0 % and 100 % and with few images. The corrected ones hold
the rates that a score test does not reject: at every rate the spread is the one it would have if that rate were true,
so that no interval shrinks to a point; and each sample is allowed half an image, since counts are whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

from foible.statistics.evidence import rate_sequence
from foible.statistics.intervals import clopper_pearson

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike


class Estimate(NamedTuple):
    """A rate or mean, with an interval."""

    value: float
    """The best guess."""
    low: float
    """Lower end, at most `value`."""
    high: float
    """Upper end, at least `value`."""


class Skill(NamedTuple):
    """How often a judge was right on images whose truth is known, all of one kind."""

    right: int
    """How many it called right, 0 .. `of`."""
    of: int
    """How many there were, at least 1."""

    @property
    def rate(self) -> float:
        """The share that it called right."""
        return self.right / self.of

    @property
    def wary(self) -> float:
        """The share with one right and one wrong added, so that a perfect record does not count as certainty."""
        return (self.right + 1) / (self.of + 2)

    @property
    def variance(self) -> float:
        """Of the share, from the wary one."""
        return self.wary * (1 - self.wary) / self.of


def rogan_gladen(positive: int, n: int, sensitivity: Skill, specificity: Skill, level: float = 0.95) -> Estimate:
    """Estimate how many images are truly positive, from a judge's verdicts on all of them.

    A judge says yes to a true yes with its sensitivity and to a true no with 1 - specificity; the observed share mixes
    both, and the mixture is undone.

    Args:
        positive: images to which the judge said yes, 0 .. n.
        n: images judged, at least 0.
        sensitivity: of the judge, on images that are truly a yes.
        specificity: of the judge, on images that are truly a no.
        level: wanted coverage, between 0 and 1.

    Returns:
        Estimate in 0 .. 1; (1/2, 0, 1) without images, or where the judge is no better than a coin.

    Raises:
        ValueError: a count or the level is out of range.

    Source: Rogan and Gladen, "Estimating prevalence from the results of a screening test", American Journal of
    Epidemiology 107 (1978); for the judge's own uncertainty, Lang and Reiczigel, "Confidence limits for prevalence of
    disease adjusted for estimated sensitivity and specificity", Preventive Veterinary Medicine 113 (2014).
    """
    z = _z(level)
    _check_counts(positive, n - positive)
    _check_skill(sensitivity, specificity)
    se, sp = sensitivity.rate, specificity.rate
    if n == 0 or se + sp <= 1.0:
        return Estimate(0.5, 0.0, 1.0)

    def score(rate: float) -> float:
        gap = positive / n - rate * se - (1 - rate) * (1 - sp)
        seen = rate * sensitivity.wary + (1 - rate) * (1 - specificity.wary)
        spread = seen * (1 - seen) / n + rate**2 * sensitivity.variance + (1 - rate) ** 2 * specificity.variance
        return _standardise(gap, 0.5 / n + 0.5 * rate / sensitivity.of + 0.5 * (1 - rate) / specificity.of, spread)

    return _invert(score, (positive / n + sp - 1) / (se + sp - 1), z)


def corrected_failure_rate(
    failed: tuple[int, int],
    passed: tuple[int, int],
    sensitivity: Skill,
    specificity: Skill,
    level: float = 0.95,
) -> Estimate:
    """Estimate how often the classifier fails on faithful images, where the judge of faithfulness errs.

    Images that the judge took for faithful, though they were not, count as failures of a classifier that was right. If
    the judge's errors do not depend on what the classifier said, given whether the image is faithful, then the mean of
    (W - w) (J - 1 + specificity) is 0 at the true rate w, for W whether the classifier failed and J whether the judge
    said faithful; solved for w, and inverted as a score test.

    Args:
        failed: images on which the classifier failed: (judged faithful, judged unfaithful).
        passed: images on which it passed: (judged faithful, judged unfaithful).
        sensitivity: of the judge, on images that are truly faithful.
        specificity: of the judge, on images that are truly unfaithful.
        level: wanted coverage, between 0 and 1.

    Returns:
        Estimate in 0 .. 1; (1/2, 0, 1) where the verdicts leave no faithful image, or the judge is no better than a
        coin. With a judge that never errs, the estimate is the share of failures among the images judged faithful.

    Raises:
        ValueError: a count or the level is out of range.

    Source: the estimating equation is that of Rogan and Gladen (1978), for a ratio; inverted as in Fieller, "Some
    problems in interval estimation", JRSS B 16 (1954).
    """
    z = _z(level)
    _check_counts(*failed, *passed)
    _check_skill(sensitivity, specificity)
    n = sum(failed) + sum(passed)
    se, sp = sensitivity.rate, specificity.rate
    if n == 0 or se + sp <= 1.0 or (failed[0] + passed[0]) / n <= 1 - sp:
        return Estimate(0.5, 0.0, 1.0)
    wrong = sum(failed) / n
    top = failed[0] / n - (1 - sp) * wrong
    bottom = (failed[0] + passed[0]) / n - (1 - sp)
    se, sp = sensitivity.wary, specificity.wary  # for the spread
    faithful = min(max((bottom + specificity.rate - sp) / (se + sp - 1), 0.5 / n), 1.0) if se + sp > 1.0 else 1.0
    noise = se * sp**2 + (1 - se) * (1 - sp) ** 2

    def score(rate: float) -> float:
        elsewhere = min(max(wrong - faithful * rate, 0.0), 1.0 - faithful)  # failed and unfaithful, as it seems
        off = (elsewhere + 1 / n) * (1 - rate) ** 2 + (1 - faithful - elsewhere + 1 / n) * rate**2
        drawn = faithful * rate * (1 - rate) * noise + off * sp * (1 - sp)
        spread = drawn / n + (wrong - rate) ** 2 * specificity.variance
        return _standardise(top - rate * bottom, 0.5 / n + 0.5 * abs(wrong - rate) / specificity.of, spread)

    return _invert(score, top / bottom, z)


def unpolluted_rate(
    counts: tuple[int, int, int], judge: tuple[Skill, Skill], level: float = 0.95, *, sequential: bool = False
) -> Estimate | None:
    """Estimate how often the classifier fails on faithful images, where an unfaithful one is failed almost surely.

    An image without its label that the judge lets through counts as a failure of a classifier that was right. Passes
    are clean: judge and classifier both saw the label. So of n images n b are judged faithful, of which n b (1 - r)
    pass; a share phi = (b - 1 + specificity) / (sensitivity + specificity - 1) of the n is faithful, and sensitivity
    times that is also judged so. The rate is 1 - b (1 - r) / (sensitivity phi), at most r. Where some unfaithful images
    pass, it is too small by about their share: a classifier is never blamed for them.

    The rate rises with r, b and the specificity, and falls with the sensitivity. The interval has exact limits of these
    four, each with a quarter of the error, at its two corners: it holds whenever they do, whatever the numbers.

    Args:
        counts: images judged faithful on which the classifier failed, those on which it passed, images judged
            unfaithful.
        judge: its sensitivity, on images that are truly faithful, and specificity, on those that are not.
        level: least coverage, between 0 and 1.
        sequential: whether the number of images depended on what was seen: then the interval holds at all times.

    Returns:
        Estimate in 0 .. 1; None where the judge is no better than a coin, or leaves no faithful image.

    Raises:
        ValueError: a count or the level is out of range.

    Source: the share of faithful images is that of Rogan and Gladen (1978).
    """
    failed, passed, unfaithful = counts
    sensitivity, specificity = judge
    _check_counts(*counts)
    _check_skill(*judge)
    each = 1.0 - (1.0 - level) / 4
    limits = rate_sequence if sequential else clopper_pearson
    judged, faithful = failed + passed + unfaithful, failed + passed
    if faithful == 0:
        return None
    share, rate = faithful / judged, failed / faithful
    share_limits, rate_limits = limits(faithful, judged, each), limits(failed, faithful, each)
    sees, rejects = (clopper_pearson(skill.right, skill.of, each) for skill in (sensitivity, specificity))
    value = _unpolluted(rate, share, sensitivity.rate, specificity.rate)
    if value is None:
        return None
    low = _unpolluted(rate_limits[0], share_limits[0], sees[1], rejects[0])
    high = _unpolluted(rate_limits[1], share_limits[1], sees[0], rejects[1])
    return Estimate(value, min(low or 0.0, value), max(rate_limits[1] if high is None else high, value))


def _unpolluted(rate: float, share: float, sensitivity: float, specificity: float) -> float | None:
    """Give the failure rate of faithful images; None where all that is judged faithful could be the judge's errors."""
    if sensitivity + specificity <= 1.0 or share + specificity <= 1.0:
        return None
    faithful = (share - 1.0 + specificity) / (sensitivity + specificity - 1.0)
    cleaned = max(share / (sensitivity * faithful), 1.0)  # below 1 where more is judged faithful than could be: all is
    return min(max(1.0 - (1.0 - rate) * cleaned, 0.0), 1.0)


def ppi_rate(
    said_yes: tuple[int, int], said_no: tuple[int, int], more_yes: int, more_no: int, level: float = 0.95
) -> Estimate:
    """Estimate a rate from a few human verdicts and many of a model, whatever the model's errors.

    Humans tell how often the model's yes, and its no, are truly a yes; the model tells how frequent its yes and no
    are. Which images humans see may depend on the model's verdict, and on nothing else. This is prediction-powered
    inference with the best weight for verdicts of two kinds. Its usual normal interval would shrink to a point when
    humans and model agree on every image; here the three rates have exact limits, joined as the square root of squares.

    Args:
        said_yes: images that humans saw and the model said yes to: (truly yes, truly no).
        said_no: images that humans saw and the model said no to: (truly yes, truly no).
        more_yes: further images, like those, that only the model saw, and said yes to.
        more_no: further images that only the model saw, and said no to.
        level: wanted coverage, between 0 and 1.

    Returns:
        Estimate in 0 .. 1; (1/2, 0, 1) without images.

    Raises:
        ValueError: a count or the level is out of range.

    Source: Angelopoulos, Bates, Fannjiang, Jordan and Zrnic, "Prediction-powered inference", Science 382 (2023); Fisch
    et al., "Stratified prediction-powered inference for hybrid language model evaluation" (2024); Zou and Donner,
    "Construction of confidence limits about effect measures", Statistics in Medicine 27 (2008), for joining limits.
    """
    _check_counts(*said_yes, *said_no, more_yes, more_no)
    yes, no = sum(said_yes), sum(said_no)
    total = yes + no + more_yes + more_no
    if total == 0:
        return Estimate(0.5, 0.0, 1.0)
    share = (yes + more_yes) / total
    on_yes = said_yes[0] / yes if yes else 0.5
    on_no = said_no[0] / no if no else 0.5
    value = share * on_yes + (1 - share) * on_no
    share_limits = clopper_pearson(yes + more_yes, total, level)
    yes_limits = clopper_pearson(said_yes[0], yes, level)
    no_limits = clopper_pearson(said_no[0], no, level)
    gain = on_yes - on_no
    fewer, more = (share_limits[0] - share) * gain, (share_limits[1] - share) * gain
    below = _join(share * (on_yes - yes_limits[0]), (1 - share) * (on_no - no_limits[0]), min(fewer, more))
    above = _join(share * (yes_limits[1] - on_yes), (1 - share) * (no_limits[1] - on_no), max(fewer, more))
    return Estimate(value, max(0.0, value - below), min(1.0, value + above))


def ppi_mean(truth: ArrayLike, guess: ArrayLike, more: ArrayLike, level: float = 0.95) -> Estimate:
    """Estimate a mean from a few true values and many guesses, whatever the errors of the guesses.

    The mean of the guesses is corrected by what they miss where the truth is known, and weighted so that useless
    guesses are left out. Normal limits: for some 30 true values or more. For yes and no use `ppi_rate`.

    Args:
        truth: n true values, at least 2.
        guess: the guesses for the same n.
        more: N guesses without truth, at least 2; images of the same kind.
        level: wanted coverage, between 0 and 1.

    Returns:
        Estimate on the scale of the values.

    Raises:
        ValueError: the lengths differ, are too small, or a value is not finite; or the level is out of range.

    Source: Angelopoulos, Duchi and Zrnic, "PPI++: Efficient prediction-powered inference" (2023).
    """
    z = _z(level)
    y, f, g = (np.asarray(values, dtype=np.float64) for values in (truth, guess, more))
    if not (y.ndim == f.ndim == g.ndim == 1 and len(y) == len(f) and min(len(y), len(g)) > 1):
        message = f"expected at least 2 values each, as many guesses as truths, got {y.shape}, {f.shape}, {g.shape}"
        raise ValueError(message)
    if not all(np.all(np.isfinite(values)) for values in (y, f, g)):
        message = "expected finite values"
        raise ValueError(message)
    n, many = len(y), len(g)
    spread = np.var(np.concatenate([f, g]), ddof=1)
    covariance = np.cov(y, f, ddof=1)[0, 1]
    weight = np.clip(covariance / (spread * (1 + n / many)), 0.0, 1.0) if spread > 0 else 0.0
    value = float(y.mean() + weight * (g.mean() - f.mean()))
    error = float(np.sqrt(np.var(y - weight * f, ddof=1) / n + weight**2 * np.var(g, ddof=1) / many))
    return Estimate(value, value - z * error, value + z * error)


def _invert(score: Callable[[float], float], solution: float, z: float) -> Estimate:
    """Find the rates that the test does not reject, on both sides of the solution brought into 0 .. 1."""
    value = float(np.clip(solution, 0.0, 1.0))
    return Estimate(
        value, _end(lambda rate: score(rate) > z, 0.0, value), _end(lambda rate: score(rate) < -z, 1.0, value)
    )


def _end(rejected: Callable[[float], bool], outside: float, inside: float) -> float:
    """Bisect between an end of 0 .. 1 and the solution for where the test begins to reject; keep what is outside."""
    if not rejected(outside):
        return outside
    for _ in range(50):
        middle = (outside + inside) / 2
        outside, inside = (middle, inside) if rejected(middle) else (outside, middle)
    return outside


def _standardise(gap: float, allowed: float, spread: float) -> float:
    """Give a gap in standard errors, after half an image of each sample is allowed for."""
    return float(np.sign(gap) * max(abs(gap) - allowed, 0.0) / np.sqrt(spread))


def _join(*distances: float) -> float:
    """Join independent distances as the square root of their squares."""
    return float(np.sqrt(sum(distance**2 for distance in distances)))


def _z(level: float) -> float:
    """Give the two-sided normal quantile of a level, or say why not."""
    if not 0.0 < level < 1.0:
        message = f"a level must lie between 0 and 1, got {level!r}; 0.95 is usual"
        raise ValueError(message)
    return float(special.ndtri((1.0 + level) / 2))


def _check_counts(*counts: int) -> None:
    """Say which counts cannot be."""
    if min(counts) < 0:
        message = f"counts must be at least 0 and no part above its whole, got {counts}"
        raise ValueError(message)


def _check_skill(*skills: Skill) -> None:
    """Say which record of a judge cannot be."""
    for skill in skills:
        if not (skill.of >= 1 and 0 <= skill.right <= skill.of):
            message = f"a judge's record must be right 0 .. of, on at least 1 image, got {skill.right} of {skill.of}"
            raise ValueError(message)
