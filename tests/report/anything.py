"""Strategies that draw any `HuntResult` at all, and texts that try to break out. Neighbour: `results.py`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, get_args

from hypothesis import strategies as st

from foible.arms import Arm
from foible.findings import (
    Alike,
    Assigned,
    Carrier,
    Cause,
    CauseTest,
    Counterfactual,
    Finding,
    GuidedSummary,
    HuntResult,
    LabelSummary,
    OfSet,
    Rate,
    Ratio,
    Remaining,
    SetFacts,
    Subject,
    Unlike,
    Verdict,
)
from foible.pilots import Hint, Pilot, PilotLabel
from foible.records import (
    Answered,
    Draw,
    Hypothesis,
    Label,
    Origin,
    Outcome,
    Pairs,
    Request,
    Spec,
    Status,
    Tally,
    Treatment,
    Trial,
)
from report.results import sample, share, suspicion, tally

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def rounded(number: float) -> float:
    """Round as `findings.json` does."""
    return float(f"{number:.10g}") + 0.0


text = st.text(max_size=12) | st.sampled_from(("lone \ud800", "\u202e\x00|`<b>", "inf"))
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


rates = st.builds(Rate, value=st.none() | shares, low=shares, high=shares)
rate_differences = st.builds(Rate, value=st.none() | differences, low=differences, high=differences)
tallies = st.builds(Tally, draws=counts, failures=counts, unscored=counts, unfaithful=counts, tied=counts)
treatments = st.builds(Treatment, words=tuples(text))
reasons = st.tuples(text, counts)
labels = st.builds(Label, text, text)
counterfactuals = st.builds(
    Counterfactual,
    change=st.sampled_from(("drop", "swap")),
    phrase=text,
    treatment=treatments,
    tally=tallies,
    rate=rates,
    examples=tuples(key),
)
carriers = st.builds(
    Carrier, kind=st.sampled_from(("together", "alone", "open")), treatment=treatments, together=shares, alone=shares
)
sets = st.builds(
    OfSet,
    treat_size=counts,
    control_size=counts,
    treat=rates,
    control=rates,
    difference=rate_differences,
    exhausted=st.booleans(),
)
assignments = st.builds(
    Assigned,
    checked_with=counts,
    right_with=counts,
    checked_without=counts,
    right_without=counts,
    treat=rates,
    control=rates,
    difference=rate_differences,
)
factors = st.floats(0, 1e6).map(rounded)
ratios = st.builds(Ratio, value=st.none() | factors, low=factors, high=st.none() | factors)
requests = st.builds(
    Request, key=key, label=text, treatment=treatments, seed=st.integers(0, 2**32 - 1), arm=arms, text=text
)
drawn = st.builds(Draw, request=requests, image=text, ignored=tuples(text), fault=text)
outcomes = st.builds(Outcome, status=statuses, predicted=st.none() | indices, reason=text)
subjects = st.builds(
    Subject,
    name=text,
    identity=st.dictionaries(text, json_values, max_size=2),
    right=st.dictionaries(text, st.lists(indices, min_size=1, max_size=3).map(tuple), max_size=2),
    class_names=st.dictionaries(indices, text, max_size=3),
)


def hypotheses(classifiers: int) -> SearchStrategy[Hypothesis]:
    """Draw hypotheses about one of so many classifiers."""
    return st.builds(
        Hypothesis,
        label=text,
        treatment=treatments,
        classifier=st.integers(0, classifiers - 1),
        predicted=st.none() | indices,
        score=numbers | st.sampled_from((float("inf"), float("-inf"))),
        borrowed=st.booleans(),
        origin=st.none() | st.sampled_from(get_args(Origin)),
    )


def findings(classifiers: int) -> SearchStrategy[Finding]:
    """Draw findings about one of so many classifiers."""
    trials = st.builds(
        Trial,
        hypothesis=hypotheses(classifiers),
        treat=tallies,
        control=tallies,
        pairs=st.builds(Pairs, counts, counts, counts, counts),
    )
    return st.builds(
        Finding,
        trial=trials,
        verdict=verdicts,
        reason=text,
        p_value=shares,
        adjusted=shares,
        treat=rates,
        control=rates,
        difference=rate_differences,
        ratio=st.none() | ratios,
        treat_corrected=st.none() | rates,
        control_corrected=st.none() | rates,
        confused_with=tuples(st.tuples(indices, counts)),
        failing=tuples(key),
        passing=tuples(key),
        paired=tuples(key),
        counterfactuals=tuples(counterfactuals, 2),
        carrier=st.none() | carriers,
        of_set=st.none() | sets,
        assigned=st.none() | assignments,
    )


def facts(classifiers: int) -> SearchStrategy[SetFacts]:
    """Draw what a set of photographs is like, for so many classifiers."""
    return st.builds(
        SetFacts,
        photographs=counts,
        explored=counts,
        tested=counts,
        left_out=tuples(reasons, 2),
        accuracy=st.lists(rates, min_size=classifiers, max_size=classifiers).map(tuple),
        doubtful=tuples(key),
        doubts=counts,
        lookalikes=counts,
        unlike=tuples(st.builds(Unlike, key=key, neighbours=text, share=shares), 2),
        unlikes=counts,
    )


def causes(classifiers: int, found: int) -> SearchStrategy[Cause]:
    """Draw causes of one of so many classifiers, among so many findings (at least one)."""
    places = st.integers(0, found - 1)
    return st.builds(
        Cause,
        classifier=st.integers(0, classifiers - 1),
        treatment=treatments,
        findings=st.lists(places, min_size=1, max_size=3).map(tuple),
        tested=tuples(st.builds(CauseTest, label=text, verdict=verdicts, finding=places)),
    )


def alikes(classifiers: int, found: int) -> SearchStrategy[Alike]:
    """Draw classes that may be the same as a label of one of so many classifiers, among so many findings."""
    left = st.builds(
        Remaining, finding=st.integers(0, found - 1), treat=rates, control=rates, difference=rate_differences
    )
    return st.builds(
        Alike,
        label=text,
        classifier=st.integers(0, classifiers - 1),
        index=indices,
        named=st.booleans(),
        share=st.none() | shares,
        taken=counts,
        scored=counts,
        rate=rates,
        accept=text,
        remaining=tuples(left, 2),
    )


first_labels = st.builds(
    PilotLabel,
    label=text,
    draws=counts,
    judged=counts,
    seen=counts,
    absent=st.booleans(),
    left_out=st.booleans(),
)


def hints(classifiers: int) -> SearchStrategy[Hint]:
    """Draw hints about one of so many classifiers."""
    return st.builds(
        Hint,
        classifier=st.integers(0, classifiers - 1),
        images=counts,
        named=counts,
        would=counts,
        kind=st.sampled_from(("shifted", "alphabetical", "order", "argument", "channels")),
        shift=st.integers(-5, 5),
        classes=tuples(st.tuples(text, indices)),
        argument=text,
    )


def results_of(classifiers: int) -> SearchStrategy[HuntResult]:
    """Draw results of so many classifiers."""
    seen = st.builds(
        Answered,
        draw=drawn,
        outcomes=st.lists(outcomes, min_size=classifiers, max_size=classifiers).map(tuple),
        caption=text,
    )
    summaries = st.builds(
        LabelSummary,
        label=text,
        classifier=st.integers(0, classifiers - 1),
        tally=tallies,
        rate=rates,
        unscored_reasons=tuples(reasons, 2),
        at_most=shares,
        raises=st.none() | differences,
        base_failure=st.booleans(),
        confused_with=tuples(st.tuples(indices, counts)),
        failing=tuples(key),
    )
    led = st.builds(
        GuidedSummary,
        label=text,
        classifier=st.integers(0, classifiers - 1),
        tally=tallies,
        shows=rates,
        unscored_reasons=tuples(reasons, 2),
        failing=tuples(key),
    )
    found = tuples(findings(classifiers), 3)
    pilots = st.builds(
        Pilot,
        labels=tuples(first_labels),
        crossed=counts,
        crossed_seen=counts,
        tells_apart=st.booleans(),
        hints=tuples(hints(classifiers), 2),
    )
    whole = st.builds(
        HuntResult,
        foible_version=text,
        settings=st.dictionaries(text, json_values, max_size=3),
        classifiers=st.lists(subjects, min_size=classifiers, max_size=classifiers).map(tuple),
        parts=st.dictionaries(text, st.dictionaries(text, json_values, max_size=2), max_size=2),
        labels=tuples(labels),
        failure=text,
        findings=found,
        untested=tuples(hypotheses(classifiers), 2),
        explored=tuples(summaries, 2),
        unscored=tuples(reasons, 2),
        draws=st.dictionaries(arms, counts),
        observations=st.lists(seen, max_size=3).map(lambda all_: {one.request.key: one for one in all_}),
        captions=st.dictionaries(key, text, max_size=2),
        causes=st.just(()),
        alike=st.just(()),
        photographs=st.none() | facts(classifiers),
        pilot=st.none() | pilots,
        guided=tuples(led, 2),
    )
    return whole.flatmap(lambda one: _with_causes(one, classifiers))


def _with_causes(result: HuntResult, classifiers: int) -> SearchStrategy[HuntResult]:
    """Draw causes of the findings that there are."""
    if not result.findings:
        return st.just(result)
    count = len(result.findings)
    both = st.tuples(tuples(causes(classifiers, count), 2), tuples(alikes(classifiers, count), 2))
    return both.map(lambda drawn: replace(result, causes=drawn[0], alike=drawn[1]))  # type: ignore[arg-type]


results: SearchStrategy[HuntResult] = st.integers(1, 3).flatmap(results_of)

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


def poisoned(evil: str, *, classifiers: int = 1, photographs: bool = False) -> HuntResult:
    """Put a text everywhere that a model or a stranger can write."""
    result = sample()
    finding, last = result.findings[0], classifiers - 1
    hypothesis = suspicion(evil, (evil, "on grass"), 463, 1.0, last)
    changed = tuple(replace(one, phrase=evil, treatment=Treatment(words=(evil,))) for one in finding.counterfactuals)
    carrier = Carrier(kind="alone", treatment=Treatment(words=(evil,)), together=0.5, alone=0.01)
    trial = replace(finding.trial, hypothesis=hypothesis)
    bad = replace(finding, trial=trial, reason=evil, counterfactuals=changed, carrier=carrier)
    verdicts_seen: tuple[Verdict, ...] = get_args(Verdict)
    tests = tuple(CauseTest(label=evil * at, verdict=one, finding=at) for at, one in enumerate(verdicts_seen))
    left = Remaining(finding=0, treat=finding.treat, control=finding.control, difference=finding.difference)
    alike = Alike(
        label=evil,
        classifier=last,
        index=463,
        named=True,
        share=0.5,
        taken=1,
        scored=2,
        rate=share(0.5, 0.1, 0.9),
        accept=evil,
        remaining=(left,),
    )
    cause = Cause(classifier=last, treatment=Treatment(words=(evil,)), findings=(0,), tested=tests)
    seen = {
        key: replace(
            one,
            draw=replace(
                one.draw,
                request=replace(one.request, label=evil, treatment=Treatment(words=(evil,)), text=evil),
                ignored=(evil, evil),
            ),
            outcomes=(Outcome(status="unscored", predicted=463, reason=evil),) * classifiers,
            caption=evil,
        )
        for key, one in result.observations.items()
    }
    subject = Subject(
        name=evil,
        identity={"spec": Spec(evil, {evil: evil}), evil: evil},
        right={evil: (1,)},
        class_names={463: evil},
    )
    summary = LabelSummary(
        label=evil,
        classifier=last,
        tally=tally(3, 1, 1),
        rate=share(0.5, 0.1, 0.9),
        unscored_reasons=((evil, 1),),
        base_failure=True,
        confused_with=((463, 1),),
        failing=tuple(list(seen)[:2]),
    )
    return replace(
        result,
        foible_version=evil,
        settings={"classifier.spec": evil, evil: [evil]},
        classifiers=(subject,) * classifiers,
        parts={evil: {"version": evil}},
        labels=(Label(evil, evil),),
        failure=evil,
        findings=(bad, replace(bad, verdict="undecided"), replace(bad, verdict="refuted")),
        untested=(hypothesis,),
        explored=(summary,),
        unscored=((evil, 1),),
        observations=seen,
        pilot=Pilot(
            labels=(PilotLabel(label=evil, draws=9, judged=9, seen=0, absent=True, left_out=True),),
            crossed=9,
            crossed_seen=9,
            tells_apart=False,
            hints=(
                Hint(classifier=last, images=9, named=0, would=9, kind="order", classes=((evil, 463),)),
                Hint(classifier=last, images=9, named=0, would=9, kind="argument", argument=evil),
            ),
        ),
        captions=dict.fromkeys(list(seen)[:3], evil),
        causes=(cause, cause),
        alike=(alike, replace(alike, named=False, accept="", remaining=())),
        photographs=_facts(evil, tuple(seen)[:2], classifiers) if photographs else None,
        guided=(
            GuidedSummary(
                label=evil,
                classifier=last,
                tally=tally(3, 1, 1),
                shows=share(0.5, 0.1, 0.9),
                unscored_reasons=((evil, 1),),
                failing=tuple(list(seen)[:2]),
            ),
        ),
    )


def _facts(evil: str, keys: tuple[str, ...], classifiers: int) -> SetFacts:
    return SetFacts(
        photographs=9,
        explored=5,
        tested=4,
        left_out=((evil, 1),),
        accuracy=(share(0.5, 0.1, 0.9),) * classifiers,
        doubtful=keys,
        doubts=3,
        lookalikes=4,
        unlike=tuple(Unlike(key=one, neighbours=evil, share=0.5) for one in keys),
        unlikes=5,
    )
