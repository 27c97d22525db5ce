"""Who looks at photographs in which bugs of drawn images are sought: source, classifiers, judge and embedder.

Comes in: a run over drawn images, and what a user names. Goes out: parts that are ready, and what the annotations of
the photographs say. Neighbour: `looking.py` asks them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from foible.act.fitting import IMAGES_ALONE, Annotated, annotated
from foible.act.said import read_phrases
from foible.config import HuntConfig
from foible.draws.questions import EMBEDDER, GENERATOR, JUDGE
from foible.draws.questions import classifier as classifier_named
from foible.errors import PluginError, brief
from foible.findings import Finding
from foible.hunting.prepare import refuse_self_judging
from foible.hunting.replay import Reread
from foible.hunting.sources import load_source
from foible.labels import labels_of
from foible.parts.again import load_again
from foible.parts.ceiling import Ceiling
from foible.parts.fitting import reads_text
from foible.parts.registry import Part, load
from foible.photographs import PhotographSet


@dataclass(frozen=True, kw_only=True)
class Lookers:
    """Who looks, and at what."""

    photographs: PhotographSet
    parts: Mapping[str, Part]
    """By what a run calls them; the source of the photographs stands in the place of the generator."""
    told: Annotated
    """Which phrases of the bugs the annotations say."""
    labels: Mapping[str, str]
    """Annotation -> name of the label."""

    @property
    def judges(self) -> bool:
        """Whether the judge looks at photographs, and does not believe what it is told."""
        return str(self.parts[JUDGE].identity["spec"]).partition(":")[0] != "annotation"


@dataclass(frozen=True, kw_only=True)
class Named:
    """What a user names."""

    config: HuntConfig
    kinds: Collection[str]
    """Kinds of parts that are named: those of the run do not count then."""
    objects: Mapping[str, object]
    """Kind -> an object in the place of the config's spec."""
    phrases: Sequence[str]


def lookers(
    read: Reread, bugs: Sequence[Finding], named: Named, classifiers: Sequence[Part], ceiling: Ceiling
) -> Lookers:
    """Load whoever looks; the embedder where the annotations do not say of every bug who shows it.

    Args:
        read: the run.
        bugs: confirmed findings of it.
        named: what a user names in the place of the run's parts.
        classifiers: of the run, loaded again.
        ceiling: from which parts take their requests to servers.

    Raises:
        InputError: something named cannot be used, or a part of the run does not load again.
    """
    judge = _judge(read, named, ceiling)
    refuse_self_judging(classifiers, judge)
    source, photographs = load_source(named.config, ceiling)
    labels = labels_of(photographs.labels(), read.study.labels, read.study.maps[0])
    attributes = list(dict.fromkeys(one for photograph in photographs.photographs for one in photograph.attributes))
    given = read_phrases(named.phrases, attributes)
    words = [frozenset(bug.trial.hypothesis.treatment.words) for bug in bugs]
    told = annotated(frozenset().union(*words), photographs, labels, given)
    parts = {GENERATOR: source, JUDGE: judge, **{classifier_named(at): one for at, one in enumerate(classifiers)}}
    if not all(own <= told.known for own in words) and (embedder := _embedder(read, named, ceiling)) is not None:
        parts[EMBEDDER] = embedder
    return Lookers(photographs=photographs, parts=parts, told=told, labels=labels)


def _judge(read: Reread, named: Named, ceiling: Ceiling) -> Part:
    if JUDGE in named.kinds:
        return load_named(JUDGE, named.config, named.objects, ceiling)
    try:
        return load_again(JUDGE, read.study.identities[JUDGE], ceiling=ceiling)
    except PluginError as problem:
        message = f"{problem}; or name another by --judge, of which 'annotation' believes the annotations"
        raise PluginError(message) from None


def _embedder(read: Reread, named: Named, ceiling: Ceiling) -> Part | None:
    """Load what places images and texts together; None where nothing of the kind is known."""
    if EMBEDDER in named.kinds:
        part = load_named(EMBEDDER, named.config, named.objects, ceiling)
        if not reads_text(part):
            raise PluginError(IMAGES_ALONE.format(brief(part.identity["spec"])))
        return part
    noted = read.study.identities.get(EMBEDDER)
    if noted is None or str(noted["spec"]).startswith("object:"):
        return None
    part = load_again(EMBEDDER, noted, ceiling=ceiling)
    return part if reads_text(part) else None


def load_named(kind: str, config: HuntConfig, objects: Mapping[str, object], ceiling: Ceiling) -> Part:
    """Load a part that a user names: the object, or else the spec of the config.

    Raises:
        PluginError: it does not load.
    """
    if kind in objects:
        return load(kind, objects[kind], ceiling=ceiling)
    options = config.parts(kind)[0]
    return load(kind, options.spec, options.args, ceiling=ceiling)
