"""A hunt, from one end to the other: the stages in order over the store. The whole of resume is here and in the store.

Comes in: a config and, from Python, objects in place of specs. Goes out: a `Run`: findings that can be iterated, and
the folder with `findings.json`, `findings.md` and `report.html`. Every stage does only what the store lacks, so the
same call goes on where an interrupted one stopped. Neighbours: `stages/` do the work, `report/` writes, `cli.py`
prints.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from foible import report
from foible.config import HuntConfig
from foible.prepare import make_config, prepare
from foible.progress import Bars, Progress, Silent, Until
from foible.records import Finding, HuntResult, Hypothesis, Label, Observation
from foible.results import Work, make_result
from foible.stages.confirm import confirm
from foible.stages.context import Context
from foible.stages.decide import decide, skill
from foible.stages.explain import explain
from foible.stages.observe import observe
from foible.stages.prompts import plan_draws
from foible.stages.propose import Proposed, propose
from foible.store import Store

LED = 3
"""For each finding, at most this many of the explored failures that led to it are shown with their captions."""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished hunt or probe."""

    folder: Path
    """The run directory."""
    result: HuntResult
    """Everything that was found, and under which settings."""
    seconds: float
    """Wall time of this call, loading of the parts left out."""
    spent: Mapping[str, tuple[int, float]]
    """Per part: items answered and seconds taken, over every call on this run directory."""

    def __iter__(self) -> Iterator[Finding]:
        """Iterate over all findings: confirmed, undecided, refuted."""
        return iter(self.result.findings)

    def __len__(self) -> int:
        """Count the findings."""
        return len(self.result.findings)

    @property
    def confirmed(self) -> tuple[Finding, ...]:
        """The findings that are bugs."""
        return tuple(f for f in self.result.findings if f.verdict == "confirmed")

    @property
    def report(self) -> Path:
        """The page to open in a browser."""
        return self.folder / "report.html"


def hunt(  # noqa: PLR0913 - the public call: each is something a user sets by name
    classifier: object = None,
    labels: Sequence[str | Label] | None = None,
    *,
    generator: object = None,
    captioner: object = None,
    embedder: object = None,
    judge: object = None,
    budget: int | None = None,
    target: str | None = None,
    seed: int | None = None,
    out: Path | str | None = None,
    config: HuntConfig | Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Run:
    """Find, name and prove the systematic failures of a classifier.

    Args:
        classifier: a spec ("transformers:…"), an object with `classify(images)`, or a plain function that takes a batch
            of uint8 images (height, width, 3) and returns scores (n, classes).
        labels: what to hunt over: names of classes, "504=coffee mug (cup)", or `Label` records. None: every class.
        generator: as `classifier`; `draw(prompts, seeds)` gives images.
        captioner: as `classifier`; `caption(images)` gives texts.
        embedder: as `classifier`; `embed(images)` gives vectors.
        judge: as `classifier`; `judge(images, labels)` says whether each image shows its label.
        budget: at most this many draws in all; it may be raised later, on the same directory.
        target: only failures into this wrong label count.
        seed: where all randomness comes from.
        out: the run directory; the same call on the same directory goes on where it stopped.
        config: every other option (see `HuntConfig`); the arguments above win over it.
        progress: show bars on stderr.

    Returns:
        The findings, and where the report lies.

    Raises:
        InputError: something given cannot be used; one sentence says what to do.
    """
    given = {"generator": generator, "captioner": captioner, "embedder": embedder, "judge": judge}
    parts = {"classifier": classifier, **given}
    named = {"budget": budget, "seed": seed, "out": out, "failure": {"target": target} if target else None}
    resolved = make_config(config, parts, named, labels)
    return run(resolved, parts, progress=Bars() if progress else Silent())


def probe(  # noqa: PLR0913 - as `hunt`
    classifier: object = None,
    label: str | Label = "",
    description: str | Sequence[str] = "",
    *,
    generator: object = None,
    judge: object = None,
    target: str | None = None,
    seed: int | None = None,
    out: Path | str | None = None,
    config: HuntConfig | Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Run:
    """Test a person's own hypothesis the way a hunt does, without exploring.

    Args:
        classifier: as in `hunt`.
        label: the label it is about.
        description: what is added to the base prompt, such as "on grass, at night"; several are tested together, with
            the multiplicity that costs.
        generator: as in `hunt`.
        judge: as in `hunt`.
        target: as in `hunt`.
        seed: as in `hunt`.
        out: as in `hunt`.
        config: as in `hunt`.
        progress: as in `hunt`.

    Raises:
        InputError: something given cannot be used; one sentence says what to do.
    """
    parts = {"classifier": classifier, "generator": generator, "judge": judge}
    named = {"seed": seed, "out": out, "failure": {"target": target} if target else None}
    resolved = make_config(config, parts, named, [label])
    descriptions = [description] if isinstance(description, str) else list(description)
    return run(resolved, parts, progress=Bars() if progress else Silent(), descriptions=descriptions)


def run(
    config: HuntConfig,
    objects: Mapping[str, object] | None = None,
    *,
    progress: Progress,
    descriptions: Sequence[str] | None = None,
) -> Run:
    """Hunt or, where descriptions are given, probe; from a resolved config.

    Args:
        config: every option.
        objects: kind -> object to use in place of the config's spec.
        progress: who is told.
        descriptions: a person's hypotheses about the one label of the config.

    Raises:
        InputError: something given cannot be used.
        OutOfTime: `max_minutes` or `max_requests` is used up; the same call goes on.
    """
    prepared = prepare(config, objects, descriptions)
    with Store(prepared.folder) as store:
        if config.max_minutes is not None:
            progress = Until(progress, config.max_minutes, lambda: store.worked)
        context = prepared.context(store, progress)
        began = time.perf_counter()
        work = _hunt(context, prepared.explore) if descriptions is None else _probe(prepared.hypotheses, context)
        result = make_result(work, context)
        report.write(result, context.archive.read, prepared.folder)
        return Run(prepared.folder, result, time.perf_counter() - began, store.spent())


def _hunt(context: Context, per_label: int) -> Work:
    """Explore, propose, test, explain."""
    count = _explore_count(per_label, context)
    plans = [plan_draws(label, (), "explore", count, context) for label in context.labels.values()]
    explored = observe(plans, context, "explore")
    proposed = propose(explored, context)
    hypotheses = _with_earlier(proposed.hypotheses, context.store)
    work = _test(hypotheses, context, explored, proposed.phrases.values())
    return replace(
        work,
        explored=explored,
        observed={o.draw.key: o for o in (*explored, *proposed.narrowed)} | dict(work.observed),
        undescribed=proposed.faults,
        captions=_led(work.findings, explored, proposed, min(LED, context.config.report.examples)),
    )


def _explore_count(per_label: int, context: Context) -> int:
    """Return how many draws of each label are explored; more under a larger budget, where earlier tests leave room.

    What it was is noted, so that a hunt that goes on under the same budget explores the same.
    """
    store, budget = context.store, context.config.budget
    noted = store.about("explored")
    usable = isinstance(noted, list) and len(noted) == 2 and type(noted[1]) is int and noted[1] > 0  # noqa: PLR2004
    earlier = noted[1] if usable else 0
    if usable and noted[0] == budget:
        return int(earlier)
    count = per_label
    if budget is not None:
        room = budget - len(store.keys("narrow", "treat", "control", "counterfactual"))
        count = max(min(per_label, room // len(context.labels)), earlier)
    store.note("explored", [budget, count])
    return count


def _probe(hypotheses: Sequence[Hypothesis], context: Context) -> Work:
    """Test a person's own hypotheses."""
    return _test(hypotheses, context, (), ())


def _with_earlier(hypotheses: Sequence[Hypothesis], store: Store) -> list[Hypothesis]:
    """Put first what was tried before the budget was raised: a hypothesis once tried counts in the multiplicity."""
    earlier = [Hypothesis(label, tuple(phrases), *rest) for label, phrases, *rest in store.about("tried") or ()]
    known = {(h.label, h.phrases) for h in earlier}
    return [*earlier, *(h for h in hypotheses if (h.label, h.phrases) not in known)]


def _test(
    hypotheses: Sequence[Hypothesis],
    context: Context,
    explored: Sequence[Observation],
    captions: Iterable[frozenset[str]],
) -> Work:
    """Confirm, decide, explain.

    Args:
        hypotheses: what may be tested, the most telling first.
        context: the parts, and the budget.
        explored: the explore arm; the budget has paid for it already, and for following its failures.
        captions: the phrases of each explored caption.
    """
    config = context.config
    left = None if config.budget is None else config.budget - len(explored) - len(context.store.keys("narrow"))
    tested = confirm(hypotheses, explored, context, left)
    # What got no draw counts in the multiplicity, and is shown as left out: nothing is claimed of it.
    findings = [f for f in decide(tested, config.confirm, config.report.examples, skill(config)) if f.trial.treat.draws]
    observed = {o.draw.key: o for t in tested for o in (*t.control, *t.treat)}
    edited = context.store.keys("counterfactual") - observed.keys()
    allowed = None if left is None else left - len(observed) - len(edited)
    explained, extra = explain(findings, tested, captions, context, allowed)
    # An edited description may be a hypothesis of its own: its draws count once, where they were made.
    observed = {o.draw.key: o for o in extra} | observed
    tried = {f.trial.hypothesis for f in findings}
    return Work(explained, [h for h in hypotheses if h not in tried], observed)


def _led(findings: Sequence[Finding], explored: Sequence[Observation], proposed: Proposed, most: int) -> dict[str, str]:
    """Return, by draw key, the captions of the first explored failures that led to each finding."""
    failed = [o for o in explored if o.outcome.status == "failed" and o.draw.key in proposed.phrases]
    captions: dict[str, str] = {}
    for hypothesis in (f.trial.hypothesis for f in findings):
        wanted, label = frozenset(hypothesis.phrases), hypothesis.label
        led = [o.draw.key for o in failed if o.draw.prompt.label == label and wanted <= proposed.phrases[o.draw.key]]
        captions |= {key: proposed.captions[key] for key in led[:most]}
    return captions
