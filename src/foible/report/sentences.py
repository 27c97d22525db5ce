"""The English of a finding: what failed, how often, against what, and how sure that is.

Comes in: a finding and the result that it belongs to. Goes out: one sentence, either as plain text or as spans whose
roles say what to set apart. Neighbours: `words.py` writes single numbers, `taken.py` says what failures are taken for;
`notes.py` says what else is known of its rates; `markdown.py` and `html.py` lay sentences out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from foible.records import ANY
from foible.report.afterwards import afterwards_sentence
from foible.report.bases import base_headline, base_summary
from foible.report.claims import apart
from foible.report.pilots import pilot_headline, pilot_summary, seen_words
from foible.report.taken import FEW, clear, confusions, foremost, into_name, scattered, shared_highest, ties
from foible.report.terms import DRAWS, OF_ANY, Terms, terms
from foible.report.words import (
    as_sentence,
    by,
    count,
    interval,
    label_name,
    listed,
    margin,
    percent,
    points,
    printable,
    shorten,
    subject,
    with_article,
)

if TYPE_CHECKING:
    from foible.findings import Finding, HuntResult, LabelSummary, Rate
    from foible.records import Hypothesis, Tally

_LONGEST = 160
"""Characters of a description or name inside a sentence; findings.json holds the whole."""
_ALMOST_ALL = 0.8


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a sentence."""

    text: str
    """One printable line; untrusted where it has a role."""
    role: Literal["", "label", "description", "confusion", "classifier"] = ""
    """What the piece names; empty for plain words."""


def sentence(finding: Finding, result: HuntResult) -> str:
    """Say a finding in one plain sentence; the description stands in “quotes”."""
    return "".join(f"“{s.text}”" if s.role == "description" else s.text for s in spans(finding, result))


def spans(finding: Finding, result: HuntResult) -> tuple[Span, ...]:
    """Say a finding in one sentence, in pieces.

    Confirmed: what it is taken for, and both rates. Refuted and undecided: that, and both rates, never what it is taken
    for. Rates are over scored draws; unscored ones are named.
    """
    who = by(finding.trial.hypothesis.classifier, result)
    lead = [Span(who, "classifier"), Span(": ")] if who else []
    if finding.trial.hypothesis.into:
        return (*lead, *_into(finding, result), Span(_rates(finding) + _unscored(finding) + "."))
    if finding.verdict == "confirmed":
        pieces = [*_subject(finding, result, "A "), *_taken_for(finding, result), Span(": it ")]
        return (*lead, *pieces, Span(f"{_rates(finding)}{_by_points(finding, result)}{_unscored(finding)}."))
    if finding.verdict == "refuted":
        pieces = [*_subject(finding, result, "A "), Span(f" does not fail {_more(result)}: it ")]
    else:
        pieces = [Span("It is open whether "), *_subject(finding, result, "a "), Span(f" fails {_more(result)}: it ")]
    return (*lead, *pieces, Span(_rates(finding) + _unscored(finding) + "."))


def _into(finding: Finding, result: HuntResult) -> list[Span]:
    """Say that photographs with an attribute are taken for one thing more often, are not, or may be."""
    taken, verdict = into_name(finding.trial.hypothesis, result), finding.verdict
    how = {"confirmed": f" is {_often(finding.treat)}taken for ", "refuted": " is not taken more often for "}
    pieces = [Span("It is open whether "), *_subject(finding, result, "a ")]
    pieces = pieces if verdict == "undecided" else _subject(finding, result, "A ")
    said = Span(how.get(verdict, " is taken more often for ") + _lead(taken))
    return [*pieces, said, Span(taken, "confusion"), Span(": it ")]


def title(finding: Finding, result: HuntResult) -> tuple[Span, ...]:
    """Name a finding in a few words: label, description, and for a confirmed one what it is taken for.

    What heads it has a clear share of the failures (see `taken.py`).
    """
    return (*headed(finding, result), *_by(finding.trial.hypothesis, result))


def headed(finding: Finding, result: HuntResult) -> tuple[Span, ...]:
    """Give the title of a finding without its classifier."""
    pieces = name_of(finding.trial.hypothesis, result)
    if finding.verdict != "confirmed":
        return pieces
    names = foremost(finding, result)
    for place, name in enumerate(names):
        joint = " → " if not place else " or " if place == len(names) - 1 else ", "
        pieces = (*pieces, Span(joint), Span(name, "confusion"))
    said = "" if names else scattered(finding, result)
    return (*pieces, Span(f" → {said}")) if said else pieces


def left_out(hypothesis: Hypothesis, result: HuntResult) -> tuple[Span, ...]:
    """Name a hypothesis that was not tried, and its classifier where there are several."""
    return (*name_of(hypothesis, result), *_by(hypothesis, result))


def name_of(hypothesis: Hypothesis, result: HuntResult | None = None) -> tuple[Span, ...]:
    """Name a hypothesis: label and description; with a result, the label is told apart from classes that read alike."""
    label = Span(label_name(hypothesis, result, _LONGEST) if result else shorten(hypothesis.label, _LONGEST), "label")
    description = shorten(hypothesis.description, _LONGEST)
    if result and hypothesis.into:  # the whole claim: what it is taken for is a part of it
        taken = into_name(hypothesis, result)
        return (label, Span(" "), Span(description, "description"), Span(" taken for "), Span(taken, "confusion"))
    return (label, Span(" "), Span(description, "description")) if description else (label,)


def _by(hypothesis: Hypothesis, result: HuntResult) -> tuple[Span, ...]:
    who = by(hypothesis.classifier, result)
    return (Span(" ("), Span(who, "classifier"), Span(")")) if who else ()


def headline(result: HuntResult) -> str:
    """Give the verdict of the whole in one line; before it, what the first draws showed where the parts do not fit."""
    first = pilot_headline(result)
    return f"{as_sentence(first)} {as_sentence(_verdict(result))}" if first else _verdict(result)


def _verdict(result: HuntResult) -> str:
    who = subject(result)
    confirmed = sum(f.verdict == "confirmed" for f in result.findings)
    bases = base_headline(result)
    if confirmed:
        bugs = f"{count(confirmed, 'confirmed bug')} of {who}"
        return f"{bases}; {bugs}" if bases else bugs
    if bases:
        return bases
    if not result.explored and len(result.findings) == 1:
        return f"The hypothesis about {who} is {result.findings[0].verdict}"
    overall = _overall(result)
    return f"No bug confirmed in {who}: {overall}" if overall else f"No bug confirmed in {who}"


def _overall(result: HuntResult) -> str:
    """Say how often the one classifier fails over all labels alike; of photographs the accuracy stands apart."""
    scored = sum(one.tally.scored for one in result.explored)
    if len(result.classifiers) > 1 or result.photographs is not None or not scored:
        return ""
    failures = sum(one.tally.failures for one in result.explored)
    return f"{failures:,} of {count(scored, 'draw')} under the base prompt fail"


def summary(result: HuntResult) -> str:
    """Say what fails by itself, what was tried and what came of it, in a few sentences."""
    said = (pilot_summary(result), base_summary(result), _findings_summary(result), ties(result))
    return " ".join(one for one in (*said, afterwards_sentence(result)) if one)


def _findings_summary(result: HuntResult) -> str:
    if not any(f.verdict == "confirmed" for f in result.findings):
        return no_bug_sentence(result)
    tried, fresh = len(result.findings), terms(result).fresh
    if tried == 1:
        return f"One hypothesis was tried on {fresh}, and it was confirmed.{_untested(result)}"
    kinds = [
        f"{n if n < tried else 'all'} {'is' if n == 1 else 'are'} {verdict}" for verdict, n in _verdicts(result) if n
    ]
    return f"{tried} hypotheses were tried on {fresh}: {listed(kinds)}.{_untested(result)}"


def no_bug_sentence(result: HuntResult) -> str:
    """Say that no bug was found, and the upper bounds that the draws support."""
    pieces = [_tried(result) + _untested(result)]
    words = terms(result)
    scored = [s for s in result.explored if s.rate.value is not None]
    if result.explored and not scored:
        pieces.append(
            "None of the draws under the base prompt could be scored, so they bound nothing."
            if words is DRAWS
            else "None of the photographs could be scored, so they bound nothing."
        )
    elif any(not s.base_failure for s in scored):  # what fails more often than is tolerated is said without a bound
        pieces.append(_base_bound([s for s in scored if not s.base_failure], result))
    bounded = [f for f in result.findings if f.difference.value is not None]
    if bounded:
        together = [s.raises for s in result.explored if s.raises is not None]
        # Nothing fails more often than always: what the base prompt leaves is a bound too.
        worst = max(together or [min(f.difference.high, 1.0 - f.control.low) for f in bounded])
        what = f"The {words.treatment} raises" if len(result.findings) == 1 else f"No {words.treatment} tried raises"
        limit = max(worst, 0.0)
        adverb = "at most" if len(result.findings) == 1 else "more than"
        pieces.append(
            f"{what} the failure rate by {adverb} {points(limit).lstrip('+')} points, "
            f"as far as the {words.image}s show."
        )
    if result.explored:
        pieces.append(f"{with_article(words.treatment).capitalize()} that was not tried may still fail.")
    return " ".join(pieces)


def bound_of(one: LabelSummary, result: HuntResult) -> str:
    """Say what the draws exclude for a label of which no bug was confirmed; empty for one of which a bug was."""
    own = ((f.verdict, f.trial.hypothesis) for f in result.findings)
    if any(v == "confirmed" and (h.label, h.classifier) == (one.label, one.classifier) for v, h in own):
        return "fails by itself, see above" if one.base_failure else ""
    if one.rate.value is None:
        return "no bug confirmed; nothing was scored, so nothing is excluded"
    words = terms(result)
    first = next((p for p in result.pilot.labels if p.label == one.label), None) if result.pilot else None
    if first is not None and first.left_out:
        return f"left out: the judge sees it in {seen_words(first)} images"
    base = f"no bug confirmed; fails in at most {percent(one.at_most)} of {words.image}s"
    if one.base_failure:
        base = "fails by itself, see above"
    if one.raises is None:
        return f"{base}; no {words.treatment} was tried"
    return f"{base}; no {words.treatment} tried adds more than {points(max(one.raises, 0.0)).lstrip('+')} points"


def _untested(result: HuntResult) -> str:
    left = len(result.untested)
    if not left:
        return ""
    return f" {count(left, 'hypothesis', 'hypotheses')} {'was' if left == 1 else 'were'} left out by the budget."


def _tried(result: HuntResult) -> str:
    tried = len(result.findings)
    found = "No further bug found" if result.base_failures else "No bug found"
    if not tried:
        return f"{found}: no hypothesis came up to be tried."
    if tried == 1:
        return f"{found}: the one hypothesis tried is {result.findings[0].verdict}."
    kinds = [f"{n} {verdict}" for verdict, n in _verdicts(result) if n]
    return f"{found}: {tried} hypotheses were tried and none was confirmed ({listed(kinds)})."


def _base_bound(scored: list[LabelSummary], result: HuntResult) -> str:
    worst, words = max(scored, key=lambda s: s.at_most), terms(result)
    high, who = percent(worst.at_most), by(worst.classifier, result)
    name = _called(worst, result)
    missing = len({s.label for s in result.explored if s.rate.value is None})
    rest = f" {count(missing, 'label')} could not be scored {'for every classifier' if who else 'at all'}."
    rest = rest if missing else ""
    # A bound alone would sound like good news where a label fails often.
    most = max(scored, key=lambda s: s.rate.value or 0.0)
    often = f"{percent(most.rate.value)} of {words.image}s {interval(most.rate)}"
    fails = "fails by itself in" if len(scored) == 1 else "fails most often by itself, in"
    lead = f"{_called(most, result)} {fails} {often}. " if most.rate.value else ""
    if len(scored) == 1:
        return lead + (
            f"{words.base} {name} fails in at most {high} of {words.image}s, as far as the {words.image}s show.{rest}"
        )
    each = "each other label" if result.base_failures else "each label"
    return lead + (
        f"{words.base} {each}, taken alone{' and for each classifier' if who else ''}, fails in at most "
        f"{high} of {words.image}s (the largest upper bound, of {name}).{rest}"
    )


def _called(one: LabelSummary, result: HuntResult) -> str:
    """Name a label, with its classifier where there are several."""
    name, who = shorten(one.label, _LONGEST), by(one.classifier, result)
    return f"{name} ({who})" if who else name


def _verdicts(result: HuntResult) -> list[tuple[str, int]]:
    return [(v, sum(f.verdict == v for f in result.findings)) for v in ("confirmed", "undecided", "refuted")]


def _subject(finding: Finding, result: HuntResult, article: Literal["A ", "a "]) -> list[Span]:
    if finding.trial.hypothesis.label == ANY:
        return [Span(f"{article}photograph of "), *name_of(finding.trial.hypothesis)]
    pieces = name_of(finding.trial.hypothesis, result)
    lead = _lead(pieces[0].text)
    return [Span(lead.capitalize() if article == "A " else lead), *pieces]


def _taken_for(finding: Finding, result: HuntResult) -> list[Span]:
    often = _often(finding.treat)
    names = confusions(finding, result)
    if not names:
        return [Span(f" {often}fails")] if often else [Span(" fails")]
    none_alone = shared_highest(finding)
    if names[0][1] >= _ALMOST_ALL * (sum(n for _, n in names) + none_alone):
        return [Span(f" is {often}taken for {_lead(names[0][0])}"), Span(names[0][0], "confusion")]
    shown = clear(finding, result)
    if not shown:
        return [Span(f" {often}fails, its answers {scattered(finding, result)}")]
    said = [[Span(_lead(name)), Span(name, "confusion")] for name, _ in shown]
    said += [[Span(count(len(names) - FEW, "other label"))]] if len(names) > FEW else []
    said += [[Span("several classes at once (equal scores)")]] if none_alone else []
    pieces = [Span(f" is {often}taken for ")]
    for place, one in enumerate(said):
        pieces += [Span("" if not place else " or " if place == len(said) - 1 else ", "), *one]
    return pieces


def _lead(name: str) -> str:
    """Give the article that stands before a name; none before "class 504"."""
    return "" if name.startswith("class ") and name[6:].isdigit() else with_article(name).removesuffix(name)


def _often(rate: Rate) -> str:
    value = rate.value if rate.value is not None else 0.0
    if value >= _ALMOST_ALL:
        return ""
    return "often " if value >= 0.4 else "sometimes "  # noqa: PLR2004


def _more(result: HuntResult) -> str:
    limit = margin(result)
    return f"more often by over {points(limit).lstrip('+')} points" if limit else "more often"


def _rates(finding: Finding) -> str:
    treat, control, words = finding.rated.treat, finding.rated.control, terms(finding)
    of = finding.trial.hypothesis
    against, fails = OF_ANY if of.label == ANY else words.against, "is so in" if of.into else "fails in"
    pair = f"{fails} {_rate(finding.treat)} of {words.image}s {interval(finding.treat)}"
    if treat.scored and control.scored:
        return f"{pair} against {_rate(finding.control)} {interval(finding.control)} {against}"
    if treat.scored:
        return f"{pair}, but {_nothing(control, words)} without the {words.treatment}"
    if control.scored:
        return (
            f"has no rate {words.treat} ({_nothing(treat, words)}), and fails in {_rate(finding.control)} of "
            f"{words.image}s {interval(finding.control)} without it"
        )
    return f"has no rate, {words.treat} ({_nothing(treat, words)}) or without it ({_nothing(control, words)})"


def _by_points(finding: Finding, result: HuntResult) -> str:
    """Say by how much a confirmed one fails more often, as far as its verdict goes."""
    bound = apart(finding, result).replace("+", "")
    return f", {bound} points more often" if finding.rated.treat.scored and finding.rated.control.scored else ""


def _rate(rate: Rate) -> str:
    return percent(rate.value)


def _nothing(tally: Tally, words: Terms) -> str:
    if not tally.draws:
        return "no draw was made" if words is DRAWS else "there is no photograph"
    one = f"the one {words.image} is unscored"
    return one if tally.draws == 1 else f"all {tally.draws:,} {words.image}s are unscored"


def _unscored(finding: Finding) -> str:
    """Name the unscored draws, unless the sentence already says that an arm has nothing else."""
    treat, control = finding.rated.treat, finding.rated.control
    if not (treat.scored and control.scored) or not treat.unscored + control.unscored:
        return ""
    sides = [(treat, "with it"), (control, "without it")]
    image = terms(finding).image
    said = [
        f"{tally.unscored:,} of {tally.draws:,} {image}s {side}{f' ({tally.tied:,} tied)' if tally.tied else ''}"
        for tally, side in sides
        if tally.unscored
    ]
    lone = len(said) == 1 and treat.unscored + control.unscored == 1
    return f"; {listed(said)} {'is' if lone else 'are'} unscored"


def plain(pieces: tuple[Span, ...]) -> str:
    """Join spans without marks."""
    return printable("".join(s.text for s in pieces))
