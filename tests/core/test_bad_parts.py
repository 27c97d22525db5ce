"""Promises about parts that misbehave: one sentence before anything is spent, or draws that count as unscored."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import Any

import numpy as np
import pytest

import toyworld
from foible.arms import SUGGEST, TEST
from foible.errors import ConfigError, LabelError, PluginError
from foible.identity import seed_stream
from foible.parts.registry import KINDS, METHODS
from foible.parts.steady import FEW
from foible.records import Drawn, Judgement
from foible.report import from_json

GOOD = {**toyworld.PARTS, "classifier": toyworld.Classifier().classify}
LONG = "a red coffee mug on grass, " * 400
HTML = "<script>alert('x')</script> a coffee mug </td><img src=x onerror=alert(1)> on grass &amp; \"quoted\""
NO_WORDS: Any = (1,)
CONTROL = "a red\x00 coffee mug\x1b[31m on grass\r\nat night\u202e\ud800"


class Bad:
    """A part that is good, but for what `spoil` makes of its inputs and its answers."""

    def __init__(self, kind, spoil):
        self.asked = 0

        def answer(*columns):
            self.asked += len(columns[0])
            return spoil(lambda *given: list(GOOD[kind](*given)), *columns)

        setattr(self, METHODS[kind][0], answer)
        self.fingerprint = f"a bad {kind}"
        if kind == "classifier":
            self.labels = toyworld.NAMES


def odd(seed):
    """Tell one draw in four apart, by its seed; the lowest bit only tells the stream."""
    return seed // 2 % 4 == 0


def seed_of(image):
    """Read the seed back that the toy world wrote into an image."""
    return int.from_bytes(image[1, :4, 1].tobytes(), "big")


def hunt(folder, kind, spoil, **options):
    """Hunt with one bad part; give the run and the part."""
    part = Bad(kind, spoil)
    given = {"classifier": part} if kind == "classifier" else {kind: part}
    return toyworld.hunt(folder, **given, **options), part


def refusal(folder, kind, spoil, error=PluginError, **options):
    """Hunt with a part that cannot be used; give the sentence."""
    with pytest.raises(error) as told:
        hunt(folder, kind, spoil, **options)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 500
    return str(told.value)


def instead(value):
    """Answer something else for one image in four: where its seed is odd."""

    def spoil(good, *columns):
        marks = columns[1] if np.ndim(columns[0][0]) == 0 else [seed_of(image) for image in columns[0]]
        answers = good(*columns)
        return [value(one) if odd(mark) else one for one, mark in zip(answers, marks, strict=True)]

    return spoil


def raising(good, *columns):
    """Raise on one image in four, whatever the batch."""
    marks = columns[1] if np.ndim(columns[0][0]) == 0 else [seed_of(image) for image in columns[0]]
    if any(odd(mark) for mark in marks):
        message = "cannot read this one"
        raise ValueError(message)
    return good(*columns)


def always(value):
    """Answer the same whatever is asked."""
    return lambda good, *columns: value(len(columns[0])) if callable(value) else value


def row(value):
    """Give a row of scores with one bad number."""
    return lambda scores: np.where(np.arange(len(scores)) == 3, value, scores)


def unscored(result):
    """Give how many draws are unscored."""
    return sum(count for _, count in result.unscored)


@pytest.mark.parametrize(
    ("kind", "spoil", "reason"),
    [
        ("classifier", instead(row(np.nan)), "not classified: classifier: wanted finite numbers, got NaN"),
        ("classifier", instead(row(np.inf)), "not classified: classifier: wanted finite numbers, got infinity"),
        ("classifier", instead(row(-np.inf)), "not classified: classifier: wanted finite numbers, got infinity"),
        ("classifier", instead(lambda scores: scores[:5]), "not classified: classifier: wanted numbers of shape"),
        ("classifier", raising, "not classified: classifier raised ValueError: cannot read this one"),
        ("judge", instead(lambda answer: "yes"), "not judged: judge: wanted a judgement"),
        ("judge", instead(lambda answer: None), "not judged: judge: wanted a judgement"),
        ("judge", instead(lambda answer: Judgement(answer, float("nan"))), "not judged: judge: wanted a finite score"),
        ("judge", instead(lambda answer: False), "unfaithful: the judge does not see the label in the image"),
        ("judge", raising, "not judged: judge raised ValueError: cannot read this one"),
        ("generator", instead(lambda image: None), "not drawn: generator: wanted a uint8 image"),
        ("generator", instead(lambda image: image[:8]), "not drawn: generator: wanted a uint8 image (16, 16, 3)"),
        ("generator", instead(lambda image: image[:, :, 0]), "not drawn: generator: wanted a uint8 image"),
        ("generator", instead(lambda image: np.dstack([image, image])), "not drawn: generator: wanted a uint8 image"),
        ("generator", instead(lambda image: image / 255.0), "not drawn: generator: wanted a uint8 image"),
        ("generator", instead(lambda image: image[:0]), "not drawn: generator: wanted a uint8 image"),
        (
            "generator",
            instead(lambda image: Drawn(image, NO_WORDS)),
            "not drawn: generator: wanted the ignored words",
        ),
        ("generator", raising, "not drawn: generator raised ValueError: cannot read this one"),
    ],
)
def test_what_a_part_could_not_answer_is_unscored_and_counted(tmp_path, kind, spoil, reason):
    """A part that fails on some images leaves exactly these unscored, counted by reason, never passed or failed."""
    run, _ = hunt(tmp_path / "run", kind, spoil, config={"confirm": {**toyworld.FIXED, "unscored": 1.0}})
    result = run.result
    assert reason in result.unscored[0][0]
    assert unscored(result) == result.unscored[0][1]
    arms = [summary.tally for summary in result.explored] + [t for f in run for t in (f.trial.treat, f.trial.control)]
    planned = expected(run)
    assert [tally.unscored for tally in arms] == planned
    assert sum(planned) > 0
    written = json.loads(toyworld.written(tmp_path / "run")["findings.json"])
    assert [tuple(one) for one in written["unscored"]] == list(result.unscored)
    for finding in run:
        assert sum(finding.trial.pairs) <= 20 - finding.trial.treat.unscored
    for seen in result.observations.values():
        assert odd(seen.request.seed) == (seen.outcomes[0].status == "unscored")


def expected(run):
    """Count the seeds that are odd, per explored label and then per arm of each finding."""

    def count(label, stream, draws):
        return sum(map(odd, islice(seed_stream(0, stream, label), draws)))

    explored = [count(one.label, SUGGEST, one.tally.draws) for one in run.result.explored]
    return explored + [count(f.trial.hypothesis.label, TEST, 20) for f in run for _ in ("treat", "control")]


@pytest.mark.parametrize(
    ("kind", "spoil", "says"),
    [
        ("classifier", always(lambda n: np.zeros((n, 5))), "wanted numbers of shape (1, 12), got (1, 5)"),
        ("classifier", always(lambda n: np.zeros((n, 12, 1))), "wanted numbers of shape (1, 12)"),
        ("classifier", always(lambda n: np.full((n, 12), np.nan)), "wanted finite numbers, got NaN"),
        ("classifier", always(None), "got nothing"),
        ("classifier", always(lambda n: ["mug"] * n), "wanted numbers of shape"),
        ("classifier", always(lambda n: 1 / 0), "ZeroDivisionError"),
        ("generator", always(None), "wanted 1 image, got nothing"),
        ("generator", always([]), "wanted 1 image, got 0"),
        ("generator", always(lambda n: [None] * n), "wanted a uint8 image (height, width, 3), got nothing"),
        ("generator", always(lambda n: np.zeros((n, 16, 16, 4), np.uint8)), "got uint8 (16, 16, 4)"),
        ("generator", always(lambda n: 1 / 0), "ZeroDivisionError"),
        ("judge", always(lambda n: [True] * (n + 1)), "wanted 1 judgement, got 2"),
        ("judge", always(lambda n: [None] * n), "wanted a judgement"),
        ("captioner", always(lambda n: [""] * n), "wanted a caption, got no words"),
        ("captioner", always(lambda n: [" \n\x00"] * n), "wanted a caption, got no words"),
        ("captioner", always(lambda n: [b"a mug"] * n), "wanted text, got bytes"),
        ("embedder", always(lambda n: np.full((n, 3), np.nan)), "wanted finite numbers, got NaN"),
        ("embedder", always(None), "got nothing"),
    ],
)
def test_a_part_that_never_answers_ends_the_hunt_with_one_sentence(tmp_path, kind, spoil, says):
    """A part that answers nothing of its first unit ends the hunt, names itself and why, and writes no findings."""
    sentence = refusal(tmp_path / "run", kind, spoil)
    assert says in sentence
    assert sentence.startswith(f"the {kind} object:")
    assert ".Bad " in sentence
    assert not list((tmp_path / "run").glob("findings*"))


@pytest.mark.parametrize("kind", ["classifier", "generator", "judge"])
def test_a_dead_part_is_found_out_before_much_is_spent(tmp_path, kind):
    """A part that answers nothing is asked about one unit only, as a whole and one by one."""
    part = Bad(kind, always(None))
    with pytest.raises(PluginError):
        toyworld.hunt(tmp_path / "run", **{kind: part})
    assert part.asked == 2 * toyworld.SMALL["batch"]


@pytest.mark.parametrize("caption", [LONG, HTML, CONTROL, "\u202ea mug", "(((", "🦊" * 400, "a" * 10_000])
def test_any_caption_gives_findings_and_a_whole_report(tmp_path, caption):
    """Captions of 10,000 characters, of HTML or of control characters end in files that hold no code of theirs."""
    run, _ = hunt(tmp_path / "run", "captioner", instead(lambda text: caption))
    files = toyworld.written(tmp_path / "run")
    assert from_json(files["findings.json"].decode()) is not None
    assert not any(ord(c) < 32 and c != "\n" for c in files["findings.json"].decode())

    page = files["report.html"].decode()
    assert not re.search(r"<script>alert|<img src=x|\sonerror=", page)
    for finding in run:
        assert len(finding.trial.hypothesis.description) < 200
        assert finding.trial.hypothesis.description.isprintable()


@pytest.mark.parametrize("caption", ["", "\x00\x01", None, 7])
def test_a_failure_that_cannot_be_captioned_is_counted(tmp_path, caption):
    """Explored draws whose caption cannot be used are counted with the reason: they may be in no hypothesis."""
    run, _ = hunt(tmp_path / "run", "captioner", instead(lambda text: caption))
    (reason, count), *rest = run.result.unscored
    assert reason.startswith("not captioned: captioner: wanted ")
    assert not rest
    assert 0 < count < 72
    assert json.loads(toyworld.written(tmp_path / "run")["findings.json"])["unscored"][0][1] == count


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (lambda vector: vector * np.nan, "wanted finite numbers, got NaN"),
        (lambda vector: vector + np.inf, "wanted finite numbers, got infinity"),
        (lambda vector: vector[:2], "wanted numbers of shape"),
    ],
)
def test_a_failure_that_cannot_be_embedded_is_counted(tmp_path, value, says):
    """Explored failures whose vector cannot be used are counted with the reason, and the hunt goes on without it."""
    run, _ = hunt(tmp_path / "run", "embedder", instead(value), seed=1)
    (reason, count), *_ = run.result.unscored
    assert reason.startswith("not embedded: embedder: ")
    assert says in reason
    assert count > 0
    assert run.confirmed


def test_vectors_of_another_length_in_another_batch_are_counted(tmp_path):
    """An embedder that changes its mind about the length between batches loses those vectors, counted, not the hunt."""
    lengths = iter([4, *[5] * 20])

    def spoil(good, images):
        few = len(images) <= FEW  # as many as it is asked about twice, before the hunt
        return np.random.default_rng(0).normal(size=(len(images), 4 if few else next(lengths)))

    run, _ = hunt(tmp_path / "run", "embedder", spoil, labels=[], seed=1, config={"explore": {"draws": 48}})
    assert "not embedded: embedder: wanted 4 numbers, as for other images, got 5" in dict(run.result.unscored)


@pytest.mark.parametrize("scale", [1e300, 1e-300, 0.0])
def test_any_finite_vector_is_grouped(tmp_path, scale):
    """Vectors of any length, too long for single precision or of length zero, group as their directions do."""
    run, _ = hunt(tmp_path / "run", "embedder", lambda good, images: np.array(good(images)) * scale)
    assert run.result.unscored == ()
    assert run.confirmed


def test_an_image_of_another_size_in_another_batch_is_unscored(tmp_path):
    """A generator that draws a later batch at another size leaves these draws unscored: one hunt has one size."""
    batches = iter(range(1000))

    def spoil(good, prompts, seeds):
        images = good(prompts, seeds)
        return [np.pad(image, ((0, 4), (0, 4), (0, 0))) for image in images] if next(batches) == 2 else images

    run, _ = hunt(tmp_path / "run", "generator", spoil)
    reason = "not drawn: generator: wanted a uint8 image (16, 16, 3), got (20, 20, 3)"
    assert run.result.unscored == ((reason, toyworld.SMALL["batch"]),)


def test_a_classifier_without_names_keeps_its_number_of_classes(tmp_path):
    """A classifier that names no class and changes their number between batches is unscored where it does."""
    batches = iter(range(1000))

    def changing(images):
        scores = toyworld.Classifier().classify(images)
        return scores[:, :7] if next(batches) == 1 else scores

    labels = ["0=coffee mug (cup)", "2=water bottle (bottle)"]
    run = toyworld.hunt(tmp_path / "run", changing, labels=labels)
    assert all("wanted numbers of shape (8, 12)" in reason or "(1, 12)" in reason for reason, _ in run.result.unscored)


@pytest.mark.parametrize(("labels", "says"), [(["12=pan"], "needs class 12"), (["0|99=mug"], "needs class 99")])
def test_a_label_beyond_the_outputs_is_found_out_at_the_first_answer(tmp_path, labels, says):
    """Where the classifier names no class, a label beyond its outputs ends the hunt as soon as it answers."""
    with pytest.raises(LabelError, match=says):
        toyworld.hunt(tmp_path / "run", toyworld.Classifier().classify, labels=labels)
    labels = ["0=coffee mug"]
    with pytest.raises(LabelError, match="needs class 40"):
        toyworld.hunt(tmp_path / "other", toyworld.Classifier().classify, labels=labels, target="40=x")
    assert toyworld.hunt(tmp_path / "run", toyworld.Classifier().classify, labels=labels, seed=1).confirmed


@pytest.mark.parametrize("names", ["mug", {0: "mug"}, [], [1, 2], 7, [None]])
def test_names_that_are_no_names_are_refused(tmp_path, names):
    """A classifier whose `labels` are no list of texts is refused before anything is made."""
    classifier = toyworld.Classifier()
    classifier.labels = names
    with pytest.raises(PluginError, match=r"`labels` of the classifier .* must be the names of its classes"):
        toyworld.hunt(tmp_path / "run", classifier, labels=[])
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("accepted", [[1], {0: {99}}, {-1: {0}}, {0: ["mug"]}, {0: 3}])
def test_classes_that_are_as_good_must_be_classes(tmp_path, accepted):
    """A classifier whose `accepted` names what is no class of its own is refused before anything is made."""
    classifier: Any = toyworld.Classifier()
    classifier.accepted = accepted
    with pytest.raises(PluginError, match=r"`accepted` of the classifier .* must map class indices"):
        toyworld.hunt(tmp_path / "run", classifier)
    assert not (tmp_path / "run").exists()


def test_no_classifier_judges_itself(tmp_path):
    """A judge that is the classifier under test is refused: the same object, its method, or the same spec."""
    both, spec = toyworld.Both(), "python:toyworld:Both"
    for classifier, judge in (
        (both, both),
        (both, both.judge),
        (both.classify, both),
        (toyworld.Both(), toyworld.Both()),
    ):
        with pytest.raises(ConfigError, match="is the classifier under test; name another judge"):
            toyworld.hunt(tmp_path / "run", classifier, judge=judge, labels=["0=coffee mug"])
    with pytest.raises(ConfigError, match=f"{spec} is the classifier under test"):
        toyworld.hunt(tmp_path / "run", spec, judge=spec)
    assert not (tmp_path / "run").exists()


def test_two_functions_without_a_name_are_two_functions(tmp_path):
    """A classifier and a judge that are both lambdas are not taken for one another."""
    run = toyworld.hunt(
        tmp_path / "run",
        lambda images: toyworld.Classifier().classify(images),
        judge=lambda images, labels: [*toyworld.judge(images, labels)],
        labels=["0=coffee mug (cup)"],
        seed=1,
    )
    assert run.confirmed


@pytest.mark.parametrize("kind", KINDS)
def test_a_plug_in_that_does_not_load_ends_the_hunt_before_it_starts(tmp_path, kind):
    """Any part that is named and does not load ends the hunt before a run directory is made or an image drawn."""
    drawing = Bad("generator", lambda good, *columns: good(*columns))
    given = {"generator": drawing, kind: "python:toyworld:nothing_here"}
    with pytest.raises(PluginError, match="nothing_here"):
        toyworld.hunt(tmp_path / "run", **given)
    assert drawing.asked == 0
    assert not (tmp_path / "run").exists()
