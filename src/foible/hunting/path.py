"""The path of a hunt: pilot, explore, guide, suspect, test, decide, measure, explain. The table of contents.

Comes in: what the run is about, and the loop that draws for its stages. Goes out: the result. Neighbours: each stage is
a file of `search/`, `trial/` or `explanation/`; `api.py` opens what is needed, and `checks/verify.py` walks this same
path over what is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from foible.draws.request import BASE
from foible.explanation.causes import with_carriers
from foible.explanation.words import ExplainWords
from foible.findings import Finding, HuntResult
from foible.hunting.loop import Loop
from foible.hunting.pilot import Piloted, pilot
from foible.hunting.result import Work, led_to, make_result
from foible.hunting.study import Study
from foible.hunting.suspect import Suspected, for_all, propose
from foible.hunting.whole import walk_set
from foible.parts.steady import FEW
from foible.records import Answered, Hypothesis
from foible.search.explore import Explore
from foible.search.guided import Guide
from foible.trial.accepting import Again, Explored, likenesses
from foible.trial.decide import decide, skill
from foible.trial.fixed import Fixed
from foible.trial.measure import Measure
from foible.trial.pairs import Tested
from foible.trial.sequential import Sequential


def walk(study: Study, loop: Loop) -> HuntResult:
    """Walk a hunt, or a probe, from the first draw to the result; what was done before is not done again.

    Over photographs, which cannot be drawn again with other words, the path is another: `whole.py`.

    Raises:
        OutOfTime: the minutes or the requests are used up; the same call goes on.
        InputError: a part, the archive or the journal cannot be used.
    """
    if study.photographs is not None:
        return walk_set(study, study.photographs, loop)
    piloted = _pilot(study, loop)
    explored = _explore(piloted, study, loop)
    left_out = {one.label for one in piloted.found.left_out} if piloted is not None else set()
    hunted = [one for one in explored if one.request.label not in left_out]
    guided = _guide(hunted, study, loop)
    suspected = [propose(hunted, place, study, loop, guided) for place in range(len(study.maps))] if hunted else []
    own = study.own if study.own is not None else _foremost(suspected)
    tried = loop.try_all(for_all(own, len(study.maps)))
    tested = _test(tried, hunted, study, loop)
    findings = verdicts(tested, study)
    measure = Measure(
        findings, study.requests, study.config.measure, study.config.confirm, narrows=not study.afterwards
    )
    loop.run(measure)
    findings = measure.measured(skill(study.config))
    captions = [phrases for one in suspected for phrases in one.phrases.values()]
    explain = ExplainWords(findings, tested, captions, study.requests, study.config.explain)
    loop.run(explain)
    confirm = study.config.confirm
    findings = with_carriers(explain.explained(), confirm.level, confirm.unscored)
    by_hypothesis = {t.trial.hypothesis: t for t in tested}
    again = Again(
        findings=findings,
        rated=[measure.seen(f) or by_hypothesis[f.trial.hypothesis] for f in findings],
        under=loop.under,
        sequential=confirm.method == "sequential",
    )
    seen = Explored(answered=explored, phrases=[one.phrases for one in suspected])
    work = Work(
        findings=findings,
        alike=likenesses(seen, study.maps, study.labels, again),
        tried=tried,
        explored=explored,
        pilot=None if piloted is None else piloted.found,
        guided=guided,
        answered=loop.answered,
        draws=dict(loop.budget.draws.items()),
        undescribed=[fault for one in suspected for fault in one.faults],
        captions=led_to(findings, [*hunted, *guided], suspected, study.config.report.examples),
    )
    loop.restore([one.draw for one in loop.answered.values()])
    return make_result(work, study)


def verdicts(tested: Sequence[Tested], study: Study) -> list[Finding]:
    """Decide what was tested; what got no draw counts in the multiplicity, and nothing is claimed of it.

    Args:
        tested: every hypothesis that was tried.
        study: what the run is about.
    """
    findings = decide(tested, study.config.confirm, study.config.report.examples, skill(study.config))
    return [f for f in findings if f.trial.treat.draws]


def _pilot(study: Study, loop: Loop) -> Piloted | None:
    """See whether the parts fit; a person who brings a hypothesis explores nothing, but parts are asked twice."""
    if study.own is not None:
        label, requests = next(iter(study.labels)), study.requests
        seeds = list(islice(requests.seeds(label, "explore"), FEW))  # which a probe uses for nothing else
        loop.ask_twice((), requests.on(label, BASE, "explore", seeds))
        return None
    return pilot(study, loop)


def _explore(piloted: Piloted | None, study: Study, loop: Loop) -> list[Answered]:
    """Draw base prompts, after the pilot's."""
    if piloted is None:
        return []
    left_out = [one.label for one in piloted.found.left_out]
    explore = Explore(study.requests, study.config.explore.draws, piloted.answered, left_out)
    loop.run(explore)
    return explore.answered


def _guide(explored: Sequence[Answered], study: Study, loop: Loop) -> list[Answered]:
    """Lead explored draws that passed to fail, where the config names a way."""
    if study.config.guide.method == "none" or study.own is not None:
        return []
    guide = Guide(study.requests, explored, study.config.guide)
    loop.run(guide)
    return guide.answered


def _foremost(suspected: Sequence[Suspected]) -> list[Hypothesis]:
    """List the most telling first, of whatever classifier: what a budget leaves out must not hang on their order."""
    found = (h for one in suspected for h in one.hypotheses)
    return sorted(found, key=lambda h: (-h.score, h.label, h.treatment.words))


def _test(tried: Sequence[Hypothesis], explored: Sequence[Answered], study: Study, loop: Loop) -> Sequence[Tested]:
    """Test hypotheses the way the config names."""
    options = study.config.confirm
    if options.method == "fixed":
        test: Fixed | Sequential = Fixed(tried, study.requests, options.draws)
    else:
        test = Sequential(tried, explored, study.requests, options)
    loop.run(test)
    return test.tested()
