"""Strategies that draw any `HuntResult` at all, and texts that try to break out. Neighbour: `results.py`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from hypothesis import strategies as st

from foible.records import (
    Arm,
    Counterfactual,
    Draw,
    Finding,
    HuntResult,
    Hypothesis,
    Label,
    LabelSummary,
    Observation,
    Outcome,
    Prompt,
    Rate,
    Ratio,
    Spec,
    Status,
    Tally,
    Trial,
    Verdict,
)
from report.results import sample

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def rounded(number: float) -> float:
    """Round as `findings.json` does."""
    return float(f"{number:.10g}") + 0.0


text = st.text(max_size=12)
key = st.text("0123456789abcdef", min_size=1, max_size=6)
counts = st.integers(0, 10**6)
indices = st.integers(0, 10**4)
numbers = st.floats(-1e12, 1e12).map(rounded)
shares = st.floats(0, 1).map(rounded)
differences = st.floats(-1, 1).map(rounded)
verdicts: SearchStrategy[Verdict] = st.sampled_from(get_args(Verdict))
arms: SearchStrategy[Arm] = st.sampled_from(get_args(Arm))
statuses: SearchStrategy[Status] = st.sampled_from(get_args(Status))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)


def tuples(of: SearchStrategy[object], size: int = 3) -> SearchStrategy[tuple[object, ...]]:
    """Draw tuples of any length up to `size`."""
    return st.lists(of, max_size=size).map(tuple)


rates = st.builds(Rate, st.none() | shares, shares, shares)
rate_differences = st.builds(Rate, st.none() | differences, differences, differences)
tallies = st.builds(Tally, counts, counts, counts, counts)
hypotheses = st.builds(Hypothesis, text, tuples(text), st.none() | indices, numbers | st.just(float("inf")))
reasons = st.tuples(text, counts)
labels = st.builds(Label, indices, text, text, st.frozensets(indices, max_size=3))
changes = st.sampled_from(("drop", "swap"))
counterfactuals = st.builds(Counterfactual, changes, text, text, tallies, rates, tuples(key))
factors = st.floats(0, 1e6).map(rounded)
ratios = st.builds(Ratio, st.none() | factors, factors, st.none() | factors)
findings = (
    st.builds(
        Finding,
        st.builds(Trial, hypotheses, tallies, tallies, st.tuples(counts, counts, counts, counts)),
        verdicts,
        text,
        shares,
        shares,
        rates,
        rates,
        rate_differences,
        tuples(st.tuples(indices, counts)),
        tuples(key),
        tuples(key),
        tuples(key),
        tuples(counterfactuals, 2),
    )
    .flatmap(lambda finding: (st.none() | ratios).map(lambda ratio: replace(finding, ratio=ratio)))
    .flatmap(
        lambda finding: (st.none() | st.tuples(rates, rates)).map(
            lambda both: replace(finding, treat_corrected=both[0], control_corrected=both[1]) if both else finding
        )
    )
)
prompts = st.builds(Prompt, text, text, text)
outcomes = st.builds(Outcome, statuses, st.none() | indices, text)
draws = st.builds(Draw, key, prompts, st.integers(0, 2**32 - 1), arms)
observations = st.lists(st.builds(Observation, draws, outcomes, text, tuples(text)), max_size=3).map(
    lambda seen: {one.draw.key: one for one in seen}
)
results: SearchStrategy[HuntResult] = st.builds(
    HuntResult,
    foible_version=text,
    settings=st.dictionaries(text, json_values, max_size=3),
    parts=st.dictionaries(text, st.dictionaries(text, json_values, max_size=2), max_size=2),
    labels=tuples(labels),
    class_names=st.dictionaries(indices, text, max_size=3),
    failure=text,
    findings=tuples(findings, 3),
    untested=tuples(hypotheses, 2),
    explored=tuples(
        st.builds(LabelSummary, text, tallies, rates, tuples(reasons, 2), shares, st.none() | differences), 2
    ),
    unscored=tuples(reasons, 2),
    draws=st.dictionaries(arms, counts),
    observations=observations,
    captions=st.dictionaries(key, text, max_size=2),
)

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style><style>*{display:none}</style>",
    "{{ 7 * 7 }}{% raw %}",
    "[click](http://evil.example/x) ![](http://evil.example/y.png) <http://evil.example>",
    "http://evil.example/ www.evil.example",
    "**bold** _em_ `code` ~~gone~~ # head | cell \\",
    "# head\n- item\n1. one\n> quote\n```\ncode\n```\n---\n===",
    "*",
    "a\x00b\x07c\x1b[31mred\x1b[0m\x7f\x9b",
    "\u202eright to left\u2066 \u200b\ufeff\u2028\u2029",
    "lone \ud800 surrogate",
    "on grass " * 1200,
    "x" * 10_000,
    "   ",
    "",
)


def poisoned(evil: str) -> HuntResult:
    """Put a text everywhere that a model or a stranger can write."""
    result = sample()
    finding = result.findings[0]
    hypothesis = Hypothesis(evil, (evil, "on grass"), 463, 1.0)
    changed = tuple(replace(one, phrase=evil, description=evil) for one in finding.counterfactuals)
    bad = replace(finding, trial=replace(finding.trial, hypothesis=hypothesis), reason=evil, counterfactuals=changed)
    seen = {
        k: replace(
            o,
            draw=replace(o.draw, prompt=Prompt(evil, evil, evil)),
            outcome=Outcome("unscored", 463, evil),
            ignored=(evil, evil),
        )
        for k, o in result.observations.items()
    }
    return replace(
        result,
        foible_version=evil,
        settings={"classifier.spec": evil, evil: [evil]},
        parts={"classifier": {"spec": Spec(evil, {evil: evil}), evil: evil}, evil: {"version": evil}},
        labels=(Label(1, evil, evil, frozenset({1})),),
        class_names={463: evil},
        failure=evil,
        findings=(bad, replace(bad, verdict="undecided"), replace(bad, verdict="refuted")),
        untested=(hypothesis,),
        explored=(LabelSummary(evil, Tally(3, 1, 1), Rate(0.5, 0.1, 0.9), ((evil, 1),)),),
        unscored=((evil, 1),),
        observations=seen,
        captions=dict.fromkeys(list(seen)[:3], evil),
    )
