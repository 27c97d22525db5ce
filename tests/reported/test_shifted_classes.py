"""A reported fault: where everything is shifted by one, all labels failed and nothing said why."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toyworld
from foible.checks.verify import verify
from foible.hunting.trying import changes
from foible.records import Answered, ClassMap, Draw, Outcome, Request, Treatment
from foible.search.orders import Said, order_hint, said_of

LABELS = toyworld.LABELLED


class Shifted(toyworld.Perfect):
    """Right everywhere, but for a list of classes that is shifted."""

    def __init__(self, by):
        self.by = by
        self.fingerprint = f"shifted by {by}"

    def answer(self, scene):
        """Name another class."""
        return toyworld.PLAIN[(toyworld.PLAIN.index(scene.label) + self.by) % len(toyworld.PLAIN)]


class Sorted(toyworld.Perfect):
    """Trained on folders, which are read in the order of the alphabet; its list is in another order."""

    fingerprint = "sorted"

    def answer(self, scene):
        """Say the place among sorted names."""
        return toyworld.PLAIN[sorted(toyworld.PLAIN).index(scene.label)]


class Shuffled(toyworld.Perfect):
    """Its classes stand in no order that has a name."""

    fingerprint = "shuffled"

    def answer(self, scene):
        """Say another place."""
        return toyworld.PLAIN[[5, 0, 7, 2, 9, 11, 3, 1, 4, 6, 10, 8][toyworld.PLAIN.index(scene.label)]]


class Bad(toyworld.Perfect):
    """Says bucket of everything: no order mends that."""

    fingerprint = "bad"

    def answer(self, scene):
        """Name a bucket."""
        return "bucket"


@pytest.mark.parametrize(
    ("classifier", "kind", "told"),
    [
        (
            Shifted(1),
            "shifted",
            "names the label of 0 % of 30 images; on 100 % it says the class after it: is its list",
        ),
        (Shifted(-1), "shifted", "on 100 % it says the class before it: is its list of classes shifted?"),
        (Shifted(3), "shifted", "on 100 % it says the class 3 after it: is its list of classes shifted?"),
        (Sorted(), "alphabetical", "on 100 % it would with its classes in the order of the alphabet"),
        (
            Shuffled(),
            "order",
            "on 100 % it says one other class for each label: is its list of classes in another order?",
        ),
    ],
    ids=["after", "before", "three", "sorted", "shuffled"],
)
def test_the_first_line_asks_whether_the_classes_are_in_another_order(tmp_path, classifier, kind, told):
    """With counts, in every output; the summary says which class each label is, as it is given."""
    config = {"measure": {"most": 0}, "explain": {"findings": 0}, "budget": 130}
    run = toyworld.hunt(tmp_path / "run", classifier, config=config)
    (hint,) = run.result.pilot.hints
    assert (hint.kind, hint.images, hint.named, hint.would) == (kind, 30, 0, 30)
    scenes = {label: toyworld.read(toyworld.draw([label], [1])[0]) for label in LABELS}
    found = {label: toyworld.PLAIN.index(classifier.answer(scene)) for label, scene in scenes.items()}
    assert dict(hint.classes) == found
    document = json.loads((run.folder / "findings.json").read_text(encoding="utf-8"))
    assert told in document["headline"]
    assert "do not fit each other: 3 of 3 labels fail in most of their draws" in document["headline"]
    given = " ".join(f'--label {found[label]}="{label}"' for label in LABELS)
    assert given in document["summary"]
    assert told in (run.folder / "findings.md").read_text(encoding="utf-8").splitlines()[0]
    assert verify(run.folder).differences == ()


def test_what_the_hint_gives_mends_it(tmp_path):
    """The labels as the summary has them: no hint, and no failure that is not a bug."""
    labels = [f"{toyworld.PLAIN.index(label) + 1}={label}" for label in LABELS]
    run = toyworld.hunt(tmp_path / "run", Shifted(1), labels=labels)
    assert run.result.pilot.hints == ()
    assert run.result.base_failures == ()
    assert len(run.confirmed) == 0


@pytest.mark.parametrize(
    "classifier", [Bad(), toyworld.Classifier(), toyworld.Perfect()], ids=["bad", "biased", "good"]
)
def test_no_hint_where_no_order_mends_it(tmp_path, classifier):
    """A classifier that is bad, and ones that are good, are hunted over without a word about their order."""
    run = toyworld.hunt(tmp_path / "run", classifier, config={"budget": 130})
    assert run.result.pilot.hints == ()
    assert "order" not in json.loads((run.folder / "findings.json").read_text(encoding="utf-8"))["headline"]
    assert verify(run.folder).differences == ()


NAMES = [f"class {letter}" for letter in "jihgfedcba"]


@given(
    order=st.permutations(range(10)),
    labels=st.integers(3, 10),
    wrong=st.integers(0, 1),
)
def test_any_order_is_found_in_predictions(order, labels, wrong):
    """From 12 images a label of which a few are mistaken, the hint holds the true places; the right one has none."""
    classes = ClassMap(classifier="x", names=tuple(NAMES), right={str(i): (i,) for i in range(labels)})
    rows = [(i, row) for i in range(labels) for row in range(12)]
    said = [Said(str(i), order[i] if row >= wrong else order[(i + 1) % 10]) for i, row in rows]
    hint = order_hint(said, classes, 0)
    right = sum(order[i] == i for i in range(labels))
    if right == labels:
        assert hint is None
    if right == 0:
        assert hint is not None
        exact = dict(hint.classes) == {str(i): order[i] for i in range(labels)}
        assert exact or hint.kind in {"shifted", "alphabetical"}  # a plain order that explains nearly as many
        assert hint.would >= (1.0 if exact else 0.75) * labels * (12 - wrong)


def test_each_image_speaks_once():
    """The same photograph drawn on twenty seeds is one observation."""

    def one(seed, image):
        request = Request(
            key=str(seed), label="a", treatment=Treatment(), seed=seed, arm="explore", text="a photograph of an a"
        )
        return Answered(draw=Draw(request=request, image=image), outcomes=(Outcome(status="failed", predicted=3),))

    assert len(said_of([one(seed, "same") for seed in range(20)], 0)) == 1
    assert len(said_of([one(seed, str(seed)) for seed in range(20)], 0)) == 20


def test_only_what_differs_is_tried():
    """Each other range, crop and size that the classifier takes, once; of whole pixels no range; else nothing."""
    accepted = ("name", "channels", "pixel_range", "mean", "std", "crop", "size")
    shown = {"size": [32, 32], "crop": 1.0, "mean": [0.5] * 3, "std": [0.5] * 3, "channels": "bgr"}
    tried = list(changes(accepted, shown))
    assert tried[0] == {"channels": "rgb"}
    assert [one["pixel_range"] for one in tried if "pixel_range" in one] == [[0, 255], [0, 1]]
    assert [one["crop"] for one in tried if "crop" in one] == [0.875, None]
    assert {"size": 32} not in tried
    assert {"size": 224} in tried
    assert not any(
        "mean" in one or "pixel_range" in one for one in changes(accepted, {**shown, "mean": None, "std": None})
    )
    assert list(changes((), {})) == []


class Swapped:
    """Expects its channels as blue, green, red, and takes no argument that says so."""

    labels = ("red thing", "green thing", "blue thing")
    fingerprint = "swapped"

    def classify(self, images):
        """Tell the strongest channel, read the wrong way round."""
        return np.stack([image[..., ::-1].mean(axis=(0, 1)) / 255 for image in images])


def coloured(prompts, seeds):
    """Draw noise around the colour that a prompt names; never green alone, so that most answers change."""
    colours = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}
    found = []
    for prompt, seed in zip(prompts, seeds, strict=True):
        base = next(value for name, value in colours.items() if name in prompt)
        noise = np.random.default_rng(seed).integers(-30, 31, (16, 16, 3))
        found.append(np.clip(np.array(base) + noise, 0, 255).astype(np.uint8))
    return found


def see_colour(images, labels):
    """Say whether an image is of the colour that its label names."""
    names = ("red", "green", "blue")
    return [
        label.name.startswith(names[int(image.mean(axis=(0, 1)).argmax())])
        for image, label in zip(images, labels, strict=True)
    ]


def test_exchanged_channels_are_found_where_no_argument_says_them(tmp_path):
    """Red and blue are taken for each other; exchanged back, their images are named, and the hint says it."""
    parts = {"generator": coloured, "judge": see_colour, "captioner": lambda images: ["a thing"] * len(images)}
    parts["embedder"] = lambda images: np.stack([image.mean(axis=(0, 1)) for image in images])
    # One label alone has no order that could explain it.
    run = toyworld.hunt(tmp_path / "run", Swapped(), labels=["red thing"], config={"budget": 60}, **parts)
    (hint,) = run.result.pilot.hints
    assert (hint.kind, hint.named, hint.would) == ("channels", 0, hint.images)
    headline = json.loads((run.folder / "findings.json").read_text(encoding="utf-8"))["headline"]
    assert "with red and blue exchanged of 100 %: does it expect the channels as BGR?" in headline
    assert verify(run.folder).differences == ()
