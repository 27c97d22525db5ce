"""`foible explain`: which region of an image, changed as a generator would draw it, turns a classifier's answer?

Comes in: an image file, or a draw of a run; the wanted answer. Goes out: for each seed the smallest region that turned
it, how near the changed image is, what a random region of the same size does, and which words changed. Neighbours:
`foible.counterfactual` searches; `kept.py` keeps each seed; `words.py` tests the words; `report/explaining.py` writes.

A region that *can* turn an answer need not be one that the classifier goes by: so a random one of equal area is tried
beside, and the words that changed are tested on fresh draws like any hypothesis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from foible._version import __version__
from foible.act.explain.kept import Kept
from foible.act.explain.region import prepared_region
from foible.act.explain.subject import Subject, class_said, subject_of
from foible.act.explain.wanted import Wanted
from foible.act.explain.words import changed_words, tested_words
from foible.config import HuntConfig
from foible.counterfactual.figures import apart, cout, l1, lpips_of
from foible.counterfactual.regions import Region, at_random
from foible.counterfactual.search import TEXT, Found, Guidance, Turn, best_of, grow, thin, tried
from foible.errors import PluginError, brief
from foible.explaining import Attempt, Control, Search, VisualExplanation, Where, Words
from foible.findings import Rate
from foible.guiding.aim import Aim
from foible.guiding.objective import Goal, Objective
from foible.hunting.prepare import layers_of
from foible.identity import digest
from foible.parts.asking import ask_captioner, ask_embedder, ask_judge
from foible.pixels import content_hash
from foible.progress import Bars, Progress, Silent
from foible.records import Fault, Label, Spec
from foible.statistics import clopper_pearson

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from foible.parts.protocols import Image

VERSION = 2
"""Raised when the same search gives other images."""
SEARCH = Search()
WITHOUT = "look by occlusion and guide by select, which need none"


def explain(  # noqa: PLR0913 - the public call: each is something a user sets by name
    what: Path | str | NDArray[np.uint8],
    to: str = "",
    *,
    label: str = "",
    finding: int | None = None,
    draw: str = "",
    classifier: object = None,
    generator: object = None,
    judge: object = None,
    captioner: object = None,
    embedder: object = None,
    where: Where = "attribution",
    search: Search = SEARCH,
    code: bool = False,
    seed: int | None = None,
    out: Path | str | None = None,
    archive: Path | str | None = None,
    config: HuntConfig | Mapping[str, Any] | Path | str | None = None,
    progress: bool = True,
) -> VisualExplanation:
    """Find the region of an image that, drawn anew by a generator, turns a classifier's answer.

    Args:
        what: an image file, the directory of a finished run, or a uint8 array (height, width, 3).
        to: the wanted answer. By default, for an image on which the classifier fails, what the image shows: what would
            have had to change.
        label: what the image shows; of a draw it is known.
        finding: of a run: the confirmed finding whose first failing draw is explained; by default the first.
        draw: of a run: the key of a draw, or how it begins.
        classifier: a spec or an object; of a run, by default that of the finding, or its first.
        generator: a spec or an object that repaints images (`diffusers:…`).
        judge: a spec or an object: says whether the image still shows its label.
        captioner: a spec or an object: says what changed in words.
        embedder: a spec or an object: says how near images are.
        where: "attribution": all may change, what the answer hangs on first. "object", "background": only the object,
            or all but the object. "random": all may change, in an order of chance.
        search: seeds, guidance, and whatever else decides how it is looked for.
        code: load what a run names though it runs code of its own, asks a server or reads a folder of images.
        seed: where the randomness comes from.
        out: the folder of pictures and page; by default a new one in `explained`, named by what decides it.
        archive: where the images of a run, and of fresh draws, lie; `archive` beside the run, or in the folder.
        config: any other option, as for `hunt`.
        progress: show bars on stderr.

    Returns:
        One attempt for each seed, and how many turned the answer.

    Raises:
        InputError: something given cannot be used; one sentence says what to do.
    """
    parts = {"classifier": classifier, "generator": generator, "judge": judge}
    parts |= {"captioner": captioner, "embedder": embedder}
    named = {"seed": seed, "out": out, "archive": archive}
    objects = {kind: one for kind, one in parts.items() if not isinstance(one, str | Spec | None)}
    layers = layers_of(config, {kind: [one] for kind, one in parts.items()}, named, None)
    asked: dict[str, Any] = {"to": to, "label": label, "finding": finding, "draw": draw, "where": where, "code": code}
    image = Path(what) if isinstance(what, str) else what
    wanted = Wanted(what=image, search=search, layers=layers, objects=objects, **asked)
    return explain_wanted(wanted, Bars() if progress else Silent())[0]


def explain_wanted(wanted: Wanted, progress: Progress) -> tuple[VisualExplanation, Path]:
    """Explain what is wanted, as `explain`, and give the folder.

    Raises:
        InputError: as `explain`.
    """
    from foible.report import explaining as pages

    subject = subject_of(wanted)
    case = _case(wanted, subject)
    folder = _folder(wanted, subject, case.key)
    kept = Kept(folder, case.key)
    with progress.stage("explain") as show:
        attempts = []
        for at in range(wanted.search.seeds):
            seed = (subject.config.seed + at) % 2**32
            attempts.append(kept.attempt(seed) or kept.keep(_attempt(case, seed)))
            show(at + 1, wanted.search.seeds, sum(one.sampled for one in attempts))
    words = changed_words(subject, attempts)
    found = _explained(case, attempts, words)
    pages.write(found, folder)
    if wanted.search.words:
        # Fresh draws take their time; what is finished is written by now.
        words = tested_words(words, subject, attempts, folder, progress, code=wanted.code)
        found = _explained(case, attempts, words)
        pages.write(found, folder)
    return found, folder


@dataclass(frozen=True, kw_only=True)
class _Case:
    """Everything that an attempt hangs on."""

    wanted: Wanted
    subject: Subject
    turn: Turn
    region: Region | None
    """None where each seed has an order of its own."""
    attribution: Literal["gradients", "occlusion", ""]
    key: str


def _case(wanted: Wanted, subject: Subject) -> _Case:
    guidance: Guidance = wanted.search.guidance or ("steer" if subject.differentiable else "select")
    if guidance == "steer" and not subject.differentiable:
        spec = brief(str(subject.parts["classifier"].identity["spec"]))
        message = f"the classifier {spec} has no gradients to steer by; {WITHOUT}"
        raise PluginError(message)
    if wanted.search.lpips is not None:  # what is missing is said before anything is drawn
        lpips_of(wanted.search.lpips, subject.image, subject.image)
    own = subject.label if wanted.where == "background" else subject.to
    prompt = wanted.search.prompt or _prompt(own, subject.config)
    aim = Aim(right=(), into=subject.wanted)
    turn = Turn(
        image=subject.image,
        generator=subject.generator,
        objective=Objective([Goal(sight=subject.sight, aims={TEXT: aim})]),
        prompt=prompt,
        strengths=wanted.strengths,
        rates=wanted.rates,
        guidance=guidance,
    )
    region, how = prepared_region(wanted, subject, aim)
    key = digest(
        {
            "version": VERSION,
            "image": content_hash(subject.image),
            "parts": {kind: part.identity for kind, part in subject.parts.items()},
            "labels": [subject.label.name, subject.right, subject.to.name, subject.wanted],
            "prompt": prompt,
            "guidance": guidance,
            "attribution": how,
            "options": {name: value for name, value in wanted.options.items() if name != "seeds"},
        }
    )
    return _Case(wanted=wanted, subject=subject, turn=turn, region=region, attribution=how, key=key)


def _prompt(label: Label, config: HuntConfig) -> str:
    text = config.explore.template.format(name=label.name, kind=label.kind)
    return text if label.kind else text.replace(" ()", "")


def _folder(wanted: Wanted, subject: Subject, key: str) -> Path:
    if subject.config.out is not None:
        return subject.config.out
    name = f"{subject.to.name} {wanted.where}"
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in name)[:40].strip("-")
    home = Path("explained")
    if isinstance(wanted.what, Path) and wanted.what.is_dir():
        home = wanted.what.with_name(f"{wanted.what.name}-explained")
    return home / f"{plain}-{key[:8]}"


# --- one seed ---------------------------------------------------------------------------------------------------------


def _attempt(case: _Case, seed: int) -> Attempt:
    """Search with one seed, and say all that is known of what came out."""
    subject = case.subject
    cell = subject.generator.cell
    shape = (subject.image.shape[0] // cell, subject.image.shape[1] // cell)
    region = case.region or _by_chance(shape, cell, seed)
    found = grow(case.turn, region, seed)
    if isinstance(found, Fault):
        return Attempt(seed=seed, status="unscored", reason=found.reason)
    if found.turned and case.wanted.search.thin and case.region is not None:
        found = thin(case.turn, found, seed)  # an order of chance is not to become another one
    control = None
    if found.turned and case.wanted.search.control and case.wanted.where != "random":
        control = _control(case, found, shape, seed)
    scores = subject.sight.exact([found.image])[0]
    return Attempt(
        seed=seed,
        status="turned" if found.turned else "kept",
        image=found.image,
        mask=found.mask,
        said=class_said(int(scores.argmax()), subject.names),
        margin=found.margin,
        rate=found.rate,
        strength=found.strength,
        sampled=found.sampled,
        unscored=found.unscored,
        l1=l1(subject.image, found.image),
        distance=_distance(subject, found),
        lpips=_looks(case, found.image),
        cout=cout(subject.sight, subject.image, found.image, ((subject.said,), subject.wanted)),
        shows_label=_shows(subject, found.image),
        caption=_caption(subject, found),
        control=control,
    )


def _by_chance(shape: tuple[int, int], cell: int, seed: int) -> Region:
    import numpy as np

    return Region(ranking=at_random(shape, seed), allowed=np.ones(shape, bool), cell=cell)


def _control(case: _Case, found: Found, shape: tuple[int, int], seed: int) -> Control:
    """Try a random mask of the same area, in as many ways as the last mask of the search."""
    region = _by_chance(shape, case.subject.generator.cell, seed)
    other = best_of(tried(case.turn, region.mask(float(found.mask.mean())), seed, found.strength))
    if isinstance(other, Fault):
        return Control(status="unscored", reason=other.reason)
    return Control(status="turned" if other.turned else "kept", margin=other.margin)


def _distance(subject: Subject, found: Found) -> float | None:
    if "embedder" not in subject.parts:
        return None
    one, two = ask_embedder(subject.parts["embedder"], [subject.image, found.image])
    return None if isinstance(one, Fault) or isinstance(two, Fault) else apart(one, two)


def _looks(case: _Case, image: Image) -> float | None:
    """Say how far it looks by LPIPS, where that is wanted."""
    network = case.wanted.search.lpips
    return None if network is None else lpips_of(network, case.subject.image, image)


def _shows(subject: Subject, image: Image) -> bool | None:
    if "judge" not in subject.parts:
        return None
    (said,) = ask_judge(subject.parts["judge"], [image], [subject.label])
    return None if isinstance(said, Fault) else said.faithful


def _caption(subject: Subject, found: Found) -> str:
    if "captioner" not in subject.parts:
        return ""
    (said,) = ask_captioner(subject.parts["captioner"], [found.image])
    return "" if isinstance(said, Fault) else said


# --- all of them ------------------------------------------------------------------------------------------------------


def _explained(case: _Case, attempts: Sequence[Attempt], words: Words) -> VisualExplanation:
    subject, wanted = case.subject, case.wanted
    controls = [one.control for one in attempts if one.control is not None and one.control.status != "unscored"]
    return VisualExplanation(
        foible_version=__version__,
        about=subject.about,
        image=subject.image,
        said=class_said(subject.said, subject.names),
        label=subject.label.name,
        label_known=subject.label_known,
        label_seen=_shows(subject, subject.image),
        to=subject.to.name,
        where=wanted.where,
        guidance=case.turn.guidance,
        attribution=case.attribution,
        prompt=case.turn.prompt,
        options={**wanted.options, "seed": subject.config.seed},
        parts={kind: part.identity for kind, part in subject.parts.items()},
        attempts=tuple(attempts),
        validity=_rate([one.status == "turned" for one in attempts if one.status != "unscored"]),
        control=_rate([one.status == "turned" for one in controls]),
        words=words,
        notes=subject.notes,
    )


def _rate(hits: Sequence[bool]) -> Rate:
    low, high = clopper_pearson(sum(hits), len(hits))
    return Rate(value=sum(hits) / len(hits) if hits else None, low=low, high=high)
