"""`foible verify`: are the findings of a run directory what its rows say, and are the images those that were judged?

Comes in: a run directory and its archive, neither trusted. Goes out: every difference, one line each. No part is loaded
and nothing is written: what the parts said stands in the store, and from there on a hunt is a pure function, which is
worked out again here: outcomes, pairs, rates, intervals, evidence, multiplicity, verdicts, counterfactuals. Neighbour:
`hunting.py` runs the same stages with parts that answer.

What it cannot tell: whether a part would answer the same today. Whoever can write the whole directory can make one that
agrees with itself.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from foible import report
from foible._version import __version__
from foible.archive import Archive
from foible.errors import FoibleError, StoreError, brief
from foible.identity import draw_key
from foible.recall import Recall, damaged, hypotheses, listed, probed, remember
from foible.records import Counterfactual, Finding, HuntResult, Hypothesis, LabelSummary, Observation
from foible.registry import KINDS
from foible.results import ARMS, counted, result_settings, summarise, unscored_reasons
from foible.stages.context import Context
from foible.stages.decide import decide, rate, skill
from foible.stages.fixed import count_pairs
from foible.stages.pairs import Tested, tally
from foible.stages.prompts import on_seeds, plan_draws
from foible.stages.sequential import retrace
from foible.store import DrawRow, Store

DESCRIBING = ("not captioned: ", "not embedded: ")
"""How reasons begin that belong to no draw's outcome; they are taken as `findings.json` has them."""
MOST = 200
"""Differences of one kind that are listed; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of it."""

    differences: tuple[str, ...]
    """One line each; empty where everything agrees."""
    draws: int
    """Draws that the store knows."""
    findings: int
    """Findings that were worked out again."""


def verify(folder: Path, archive: Path | None = None) -> Verified:
    """Work out every number of every finding again, and hash every image again.

    Args:
        folder: the run directory.
        archive: where its images lie; None for `archive` beside it.

    Raises:
        StoreError: there is no run in the folder, or its store cannot be opened.
    """
    with Store(folder, write=False) as store:
        differences: list[str] = []
        recomputed = 0
        try:
            context = remember(store, Archive(folder.parent / "archive" if archive is None else archive))
            rows = store.all_draws()
            differences += _images(rows, context)
            text, read, said = _read(folder / "findings.json")
            differences += said
            recall = Recall(context, {row.key: row for row in rows})
            found = _recompute(read, recall)
            differences += dict.fromkeys(recall.differences)
            if read is not None:
                differences += _compare(text, report.to_json(found))
            recomputed = len(found.findings)
        except (FoibleError, RecursionError) as problem:
            return Verified((*differences, f"the run cannot be worked out again: {brief(problem, 300)}"), 0, 0)
        return Verified(tuple(differences), len(rows), recomputed)


def _images(rows: Sequence[DrawRow], context: Context) -> Iterator[str]:
    """Hash every image again, and hold each row against its key."""
    for row in rows:
        who = f"draw {brief(row.key, 40)}"
        if draw_key(context.generator.identity, row.text, row.seed) != row.key:
            yield f"{who}: its prompt or seed is not the one that it was drawn with"
        elif not row.fault:
            try:
                data = context.archive.read(row.key)
                kept = data is not None and context.archive.get(row.key, row.image_sha256)
            except StoreError as problem:
                yield f"{who}: {problem}"
                continue
            if data is None:
                yield f"{who}: its image has gone from the archive"
            elif not kept or not row.image_sha256:
                yield f"{who}: its image is not the one that was judged (another hash)"


def _read(path: Path) -> tuple[str, HuntResult | None, list[str]]:
    """Read `findings.json`; no result, and why, where that cannot be done."""
    try:
        text = path.read_text("utf-8")
        return text, report.from_json(text), []
    except OSError as problem:
        return "", None, [f"findings.json cannot be read ({problem.strerror}); the same hunt writes it again"]
    except (StoreError, UnicodeDecodeError) as problem:
        return "", None, [brief(problem, 300)]


def _recompute(read: HuntResult | None, recall: Recall) -> HuntResult:
    """Work the result out again; what no row holds (names, captions that led nowhere) is taken from the file."""
    context, config = recall.context, recall.context.config
    tried = hypotheses(context)
    explored = _explored(recall)
    tested = _tested(tried, explored, recall)
    findings = [f for f in decide(tested, config.confirm, config.report.examples, skill(config)) if f.trial.treat.draws]
    before = read if read is not None else _EMPTY
    parts = {kind: part for kind in KINDS if (part := getattr(context, kind)) is not None}
    explained, extra = _explained(findings, tested, before, recall)
    observed = {o.draw.key: o for o in (*explored, *_narrowed(recall), *extra)}
    observed |= {o.draw.key: o for t in tested for o in (*t.control, *t.treat)}
    sequential = config.confirm.method == "sequential"
    arms = Counter(o.draw.arm for o in observed.values())
    reasons = Counter(unscored_reasons(observed.values()))
    reasons.update({reason: count for reason, count in before.unscored if reason.startswith(DESCRIBING)})
    untested = [t.trial.hypothesis for t in tested if not t.treat]
    return replace(
        before,
        settings={**result_settings(config, parts), "labels": before.settings.get("labels")},
        parts={kind: part.identity for kind, part in parts.items()},
        labels=tuple(context.labels.values()),
        findings=tuple(explained),
        untested=tuple(untested) if sequential else before.untested,
        explored=_summaries(explored, findings, context) if explored else (),
        unscored=counted(reasons),
        draws={arm: arms[arm] for arm in ARMS if arms[arm]},
        observations={key: observed.get(key, seen) for key, seen in before.observations.items()},
        captions={key: recall.captions([key]).get(key, "(the store has none)") for key in before.captions},
    )


def _explored(recall: Recall) -> list[Observation]:
    context = recall.context
    if probed(context):
        return []
    noted = context.store.about("explored")
    count = noted[1] if isinstance(noted, list) and len(noted) == 2 else None  # noqa: PLR2004 - budget, draws
    if type(count) is not int or count < 0:
        raise damaged("explored")
    _check_count(count, recall)
    plans = (plan_draws(label, (), "explore", count, context) for label in context.labels.values())
    return [o for plan in plans for o in recall(plan)]


def _narrowed(recall: Recall) -> list[Observation]:
    """Give what became of the draws that following failures took."""
    context = recall.context
    draws = []
    for noted in listed(context.store.about("narrowed") or [], "narrowed"):
        row = noted if isinstance(noted, list) and len(noted) == 3 else [None] * 3  # noqa: PLR2004 - label, words, seed
        label, description, seed = row
        if not (isinstance(label, str) and label in context.labels and isinstance(description, str)):
            raise damaged("narrowed")
        if type(seed) is not int or not 0 <= seed < 2**32:
            raise damaged("narrowed")
        draws += on_seeds(context.labels[label], (description,), "narrow", [seed], context)
    return recall(draws)


def _tested(tried: Sequence[Hypothesis], explored: Sequence[Observation], recall: Recall) -> list[Tested]:
    context = recall.context
    if context.config.confirm.method == "sequential":
        return retrace(tried, explored, context, recall)
    if tried:
        _check_count(context.config.confirm.draws, recall)
    return count_pairs(tried, context, lambda plans: [o for plan in plans for o in recall(plan)])


def _check_count(wanted: int, recall: Recall) -> None:
    """Refuse to plan more draws than could have been made: settings are not trusted."""
    if wanted > len(recall.rows):
        message = f"its settings ask for {wanted} draws of one prompt, and the store has {len(recall.rows)} in all"
        raise StoreError(message)


def _explained(
    findings: Sequence[Finding], tested: Sequence[Tested], before: HuntResult, recall: Recall
) -> tuple[list[Finding], list[Observation]]:
    """Count again, on the seeds of each confirmed finding, the edited descriptions that `findings.json` names."""
    edits = {(f.trial.hypothesis.label, f.trial.hypothesis.phrases): f.counterfactuals for f in before.findings}
    treats = {t.trial.hypothesis: t.treat[: recall.context.config.explain.draws] for t in tested}
    explained, extra = [], []
    for finding in findings:
        hypothesis = finding.trial.hypothesis
        again: list[Counterfactual] = []
        for edit in edits.get((hypothesis.label, hypothesis.phrases), ()) if finding.verdict == "confirmed" else ():
            one, seen = _edited(finding, edit, treats[hypothesis], recall)
            again.append(one)
            extra += seen
        explained.append(replace(finding, counterfactuals=tuple(again)))
    return explained, extra


def _edited(
    finding: Finding, edit: Counterfactual, treat: Sequence[Observation], recall: Recall
) -> tuple[Counterfactual, list[Observation]]:
    label = recall.context.labels[finding.trial.hypothesis.label]
    seeds = [o.draw.seed for o in treat]
    failing = {o.draw.seed for o in treat if o.draw.key in finding.failing}
    seen = recall(on_seeds(label, (edit.description,), "counterfactual", seeds, recall.context))
    counts = tally(seen)
    keys = tuple(o.draw.key for o in seen if o.draw.seed in failing)
    return replace(edit, tally=counts, rate=rate(counts), examples=keys), seen


def _summaries(
    explored: Sequence[Observation], findings: Sequence[Finding], context: Context
) -> tuple[LabelSummary, ...]:
    sequential = context.config.confirm.method == "sequential"
    own = {name: [o for o in explored if o.draw.prompt.label == name] for name in context.labels}
    return tuple(
        summarise(name, tally(seen), unscored_reasons(seen), findings, sequential=sequential)
        for name, seen in own.items()
    )


def _compare(said: str, again: str) -> list[str]:
    """List where two texts of `findings.json` differ."""
    found = list(_walk(json.loads(said), json.loads(again), ""))
    more = [f"and {len(found) - MOST} more differences of findings.json"] if len(found) > MOST else []
    return [*found[:MOST], *more]


def _walk(said: object, again: object, where: str) -> Iterator[str]:
    if isinstance(said, dict) and isinstance(again, dict):
        for name in dict.fromkeys([*said, *again]):
            yield from _walk(said.get(name), again.get(name), f"{where}.{name}" if where else name)
    elif isinstance(said, list) and isinstance(again, list) and len(said) == len(again):
        for place, (one, other) in enumerate(zip(said, again, strict=True)):
            yield from _walk(one, other, f"{where}[{place}]")
    elif isinstance(said, list) and isinstance(again, list):
        yield f"{brief(where)}: findings.json has {len(said)} entries, the store gives {len(again)}"
    elif said != again:
        yield f"{brief(where)}: findings.json says {_short(said)}, the store {_short(again)}"


def _short(value: object) -> str:
    return brief(json.dumps(value, ensure_ascii=False), 80)


_EMPTY = HuntResult(__version__, {}, {}, (), {}, "", (), (), (), (), {}, {}, {})
"""What stands in place of a `findings.json` that cannot be read."""
