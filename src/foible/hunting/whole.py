"""The path of a hunt over labelled photographs: explore one half of the set, suspect, test on the other, decide.

Comes in: what the run is about, and the loop that looks for its stages. Goes out: the result. Neighbours: `path.py` is
the path of drawn images, of which this keeps what photographs allow: they bear their attributes already, cannot be
drawn again with other words, and run out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from foible.draws.photograph import PhotographRequests
from foible.draws.questions import EMBEDDER
from foible.findings import HuntResult, SetFacts, Unlike
from foible.hunting.bearing import Bearer
from foible.hunting.loop import Loop
from foible.hunting.pilot import hints
from foible.hunting.result import Work, make_result
from foible.hunting.study import Study
from foible.hunting.suspect import Suspected, for_all
from foible.photographs import PhotographSet
from foible.pilots import Pilot
from foible.records import UNFAITHFUL, Answered, Hypothesis
from foible.search.contrast import describe
from foible.search.group import group
from foible.search.look import Look
from foible.search.pool import pool
from foible.statistics import disagreeing
from foible.trial.decide import rate, skill
from foible.trial.pairs import tally
from foible.trial.whole import Half, decide_set

UNKNOWN = "of an annotation that is not hunted over"
"""Why a photograph is left out, in words that follow a number."""
_DOUBTFUL = 24
"""Photographs that may be annotated wrongly, of which so many are shown."""


def walk_set(study: Study, photographs: PhotographSet, loop: Loop) -> HuntResult:
    """Walk a hunt over photographs, from the first to the result; what was done before is not done again.

    Raises:
        OutOfTime: the minutes or the requests are used up; the same call goes on.
        InputError: a part, the archive or the journal cannot be used.
    """
    requests = study.over(photographs)
    exploring, testing = requests.halves
    explore = Look("explore", "explore", requests, exploring)
    loop.run(explore)
    loop.ask_twice(explore.answered)
    found = hints(explore.answered, study, loop)
    bearer = Bearer(photographs=photographs, study=study, loop=loop)
    suspected = [_propose(explore.answered, place, study, bearer, loop) for place in range(len(study.maps))]
    own = [h for one in suspected for h in one.hypotheses]
    pooled = [h for place in range(len(study.maps)) for h in _pooled(explore.answered, place, study, bearer)]
    tried = loop.try_all([*for_all(sorted(own, key=_telling), len(study.maps)), *pooled])
    test = Look("test", "test", requests, _in_turn(testing, tried))
    loop.run(test)
    half = _half(test.answered, requests, testing, bearer)
    options, examples = study.config.confirm, study.config.report.examples
    findings = decide_set(tried, half, options, examples, skill(study.config))
    seen = [*explore.answered, *test.answered]
    unlike = _unlike(seen, study, loop)
    work = Work(
        findings=findings,
        tried=tried,
        explored=seen,
        answered=loop.answered,
        draws=dict(loop.budget.draws.items()),
        undescribed=[fault for one in suspected for fault in one.faults],
        pilot=Pilot(labels=(), hints=found) if found else None,
        photographs=_facts(study, requests, explore.answered, test.answered, unlike),
    )
    loop.restore([one.draw for one in loop.answered.values()])
    return make_result(work, study)


def _telling(hypothesis: Hypothesis) -> tuple[float, str, tuple[str, ...]]:
    return -hypothesis.score, hypothesis.label, hypothesis.treatment.words


def _propose(explored: Sequence[Answered], classifier: int, study: Study, bearer: Bearer, loop: Loop) -> Suspected:
    """Turn what exploration saw into hypotheses about one classifier: which attributes set its failures apart."""
    seen = [one.seen_by(classifier) for one in explored]
    failing = {o.request.label for o in seen if o.outcome.status == "failed"}
    told = [one for one in explored if one.request.label in failing]
    bearing = bearer.of(told)
    vectors: Mapping[str, Any] = {}
    lost: Sequence[str] = ()
    if EMBEDDER in study.identities:
        vectors, lost = loop.embed([o.draw for o in seen if o.outcome.status == "failed"])
    options = study.config.describe
    groups = group(seen, vectors, study.config.group)
    method = options if options.method == "captions" else options.model_copy(update={"method": "contrast"})
    found = describe(groups, seen, bearing.attributes, method, classifier)
    return Suspected(hypotheses=found, phrases=bearing.attributes, faults=(*bearing.faults, *lost))


def _pooled(explored: Sequence[Answered], classifier: int, study: Study, bearer: Bearer) -> list[Hypothesis]:
    """Say which attributes go with failing, or with being taken for one of the labels, whatever the label is."""
    classes = study.maps[classifier]
    ways = [(), *(classes.right[label] for label in study.labels)]
    bearing = bearer.of(explored)
    seen = [one.seen_by(classifier) for one in explored]
    return pool(seen, bearing.attributes, ways, classifier, study.config.describe)


def _in_turn(testing: Mapping[str, Sequence[int]], tried: Sequence[Hypothesis]) -> Mapping[str, Sequence[int]]:
    """Put the labels of hypotheses first: what a budget leaves out then tests nothing."""
    first = dict.fromkeys(h.label for h in tried if h.label in testing)
    return {label: testing[label] for label in dict.fromkeys([*first, *testing])}


def _half(
    tested: Sequence[Answered], requests: PhotographRequests, testing: Mapping[str, Sequence[int]], bearer: Bearer
) -> Half:
    """Say of every photograph of the half that tests which attributes it has, looked at or not."""
    bearing = bearer.of(tested)
    if bearer.known_when_seen:
        testing = {label: [one.request.seed for one in tested if one.request.label == label] for label in testing}
    whole = [(label, request) for label in testing for request in requests.on(label, "test", testing[label])]
    photographs = requests.source.photographs
    known = {
        r.key: bearing.attributes[r.key] if r.key in bearing.attributes else bearer.unseen(photographs[r.seed], label)
        for label, r in whole
    }
    words = requests.source.vocabulary
    return Half(
        seen=tested,
        bearing=known,
        labels={r.key: label for label, r in whole},
        unsure=bearing.unsure,
        embedded=frozenset(group.name for group in words.groups) if words is not None else frozenset(),
        truth={r.key: photographs[r.seed].truth for _, r in whole if photographs[r.seed].truth},
    )


def _unlike(seen: Sequence[Answered], study: Study, loop: Loop) -> list[Unlike]:
    """Name the photographs whose nearest neighbours are annotated otherwise, where an embedder was named."""
    if EMBEDDER not in study.identities:
        return []
    vectors, _ = loop.embed([one.draw for one in seen if one.draw.image])
    known = [one.request for one in seen if one.request.key in vectors]
    if not known:
        return []
    stacked = np.stack([vectors[request.key] for request in known])
    found = disagreeing(stacked, [request.label for request in known])
    return [Unlike(key=known[number].key, neighbours=label, share=share) for number, label, share in found]


def _facts(
    study: Study,
    requests: PhotographRequests,
    explored: Sequence[Answered],
    tested: Sequence[Answered],
    unlike: Sequence[Unlike],
) -> SetFacts:
    """Say what the set is like, before any hypothesis."""
    seen = [*explored, *tested]
    hunted = sum(one.label in requests.annotated for one in requests.source.photographs)
    strangers = len(requests.source.photographs) - hunted
    left_out = [*requests.source.left_out, *([(UNKNOWN, strangers)] if strangers else [])]
    doubtful = [one.request.key for one in seen if one.outcomes[0].reason == UNFAITHFUL]
    counts = [tally([one.seen_by(place) for one in seen]) for place in range(len(study.maps))]
    passed = [rate(replace(one, failures=one.scored - one.failures)) for one in counts]
    return SetFacts(
        photographs=hunted,
        explored=len(explored),
        tested=len(tested),
        left_out=tuple(left_out),
        accuracy=tuple(passed),
        doubtful=tuple(doubtful[:_DOUBTFUL]),
        doubts=len(doubtful),
        lookalikes=requests.source.lookalikes,
        unlike=tuple(unlike[:_DOUBTFUL]),
        unlikes=len(unlike),
    )
