"""Every plug-in that ships keeps the promises of its kind; and the suite sees those who do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from foible import testing
from foible.checks import plugins
from foible.records import Drawn, Judgement

BUILT_IN = [row for row in plugins.listing() if row.spec.startswith("diorama:")]
TINY = [
    ("classifier", "resnet", {}),
    ("classifier", "vit", {}),
    ("captioner", "encoder-decoder", {"max_new_tokens": 4}),
    ("captioner", "git", {"max_new_tokens": 4}),
    ("captioner", "blip", {"max_new_tokens": 4}),
    ("captioner", "vlm", {"max_new_tokens": 4, "prompt": "Does this image show a cup?"}),
    ("embedder", "clip", {}),
    ("embedder", "resnet", {}),
    ("embedder", "vit", {}),
    ("embedder", "siglip", {}),
    ("embedder", "dinov2", {}),
]
TRIVIAL = [
    ("generator", testing.NoiseGenerator),
    ("classifier", testing.ColourClassifier),
    ("captioner", testing.ConstantCaptioner),
    ("embedder", testing.MeanEmbedder),
    ("judge", testing.YesJudge),
]


@pytest.mark.parametrize("row", BUILT_IN, ids=lambda row: f"{row.kind}-{row.spec}")
def test_the_diorama_conforms(row):
    """Every name of the diorama family keeps the promises of its kind."""
    if row.missing:
        pytest.skip(row.missing)
    assert testing.check(row.kind, row.spec) == []


@pytest.mark.parametrize(("kind", "name", "args"), TINY, ids=str)
def test_the_transformers_adapters_conform(kind, name, args, tiny):
    """Real model classes, saved and loaded again, keep the promises of their kind."""
    assert testing.check(kind, f"transformers:{tiny(name)}", args, size=32) == []


@pytest.mark.parametrize(("kind", "plugin"), TRIVIAL, ids=[kind for kind, _ in TRIVIAL])
def test_the_trivial_plugins_conform(kind, plugin):
    """The plug-ins that ship for tests conform, as objects and by their `python:` spec."""
    assert testing.check(kind, plugin()) == []
    assert testing.check(kind, f"python:foible.testing:{plugin.__name__}") == []


CALLS: list[int] = []


def never_the_same(images):
    """Answer by how often it was called."""
    CALLS.append(1)
    return [[float(len(CALLS)), 1.0]] * len(images)


def normalised_over_the_batch(images):
    """Answer by what else is in the batch."""
    means = np.stack([image.mean(axis=(0, 1)) for image in images])
    return means - means.mean()


def backwards(images):
    """Answer in reverse."""
    return testing.ColourClassifier().classify(images)[::-1]


def writes_into_its_input(images):
    """Blacken the images."""
    for image in images:
        image[:] = 0
    return [[1, 2]] * len(images)


def blind_to_black(images):
    """Divide by zero on black."""
    means = np.stack([image.mean(axis=(0, 1)) for image in images])
    with np.errstate(all="ignore"):
        return means / means.sum(axis=1, keepdims=True)


def classes_not_scores(images):
    """Give the class instead of scores."""
    return np.zeros(len(images), int)


def one_row_for_all(images):
    """Forget the batch."""
    return [[0.0, 1.0]]


def fails_on_white(images):
    """Raise where the image is white."""
    if any(image.min() == 255 for image in images):
        message = "too bright"
        raise ValueError(message)
    return [[1, 2]] * len(images)


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (never_the_same, "the same input gets the same answer"),
        (normalised_over_the_batch, "does not depend on the rest of the batch"),
        (backwards, "does not depend on the rest of the batch"),
        (writes_into_its_input, "images are left as they are"),
        (blind_to_black, "a black image gets an answer: classifier: wanted finite numbers, got NaN"),
        (classes_not_scores, "a batch of 3 gets 3 answers: classifier: wanted numbers of shape (3, n), got (3,)"),
        (one_row_for_all, "a batch of 3 gets 3 answers: classifier: wanted numbers of shape (3, n), got (1, 2)"),
        (fails_on_white, "a white image gets an answer: classifier raised ValueError: too bright"),
    ],
)
def test_a_broken_classifier_is_told_which_promise_it_breaks(function, told):
    """Each way in which classifiers go wrong is seen, and named."""
    assert any(told in sentence for sentence in testing.check("classifier", function))


def unseeded(prompts, seeds):
    """Draw from the global random state."""
    return [np.random.randint(0, 256, (16, 16, 3)).astype(np.uint8) for _ in prompts]  # noqa: NPY002 - the fault itself


def deaf_to_its_seed(prompts, seeds):
    """Draw the same for every seed."""
    return [255 * np.eye(16, dtype=np.uint8)[:, :, None].repeat(3, axis=2) for _ in prompts]


def of_all_sizes(prompts, seeds):
    """Draw in two sizes."""
    return [255 * np.eye(16 + seed % 2, 16, dtype=np.uint8)[:, :, None].repeat(3, axis=2) for seed in seeds]


def wants_words(prompts, seeds):
    """Raise on an empty prompt."""
    if not all(prompts):
        message = "no prompt"
        raise ValueError(message)
    return testing.NoiseGenerator().draw(prompts, seeds)


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (unseeded, "the same input gets the same answer"),
        (deaf_to_its_seed, "another seed gives another image"),
        (of_all_sizes, "all images have one size"),
        (wants_words, "an empty prompt gets an answer"),
    ],
)
def test_a_broken_generator_is_told_which_promise_it_breaks(function, told):
    """Each way in which generators go wrong is seen, and named."""
    assert any(told in sentence for sentence in testing.check("generator", function))


def test_judges_captioners_and_embedders_are_held_to_it_too():
    """One text for a whole batch, a judge that reads one label for all, vectors with infinities: all are seen."""
    assert "got str" in testing.check("captioner", lambda images: "a cup")[0]
    assert "infinity" in testing.check("embedder", lambda images: [[np.inf, 0.0]] * len(images))[0]
    first = testing.check("judge", lambda images, labels: [Judgement(labels[0].name == "cup", 0.0)] * len(images))
    assert any("does not depend on the rest of the batch" in sentence for sentence in first)


def test_labels_must_match_the_scores():
    """Names that are fewer than the scores, or no names at all, are a broken promise."""

    class Misnamed(testing.ColourClassifier):
        labels = ("red", "")  # type: ignore[assignment]  # wrong on purpose

    sentences = testing.check("classifier", Misnamed())
    assert "`labels` is a list of names: it holds something else, or an empty name" in sentences
    assert "`labels` names every class: there are 2 names and 3 scores" in sentences


class Named:
    """A classifier by the mean of each channel, with names of a test's own."""

    labels: Any = ("red", "green", "blue")

    def __init__(self, labels=None, **more):
        """Take names, and whatever else a test wants it to say."""
        if labels is not None:
            self.labels = labels
        vars(self).update(more)

    def classify(self, images):
        """Score as the trivial one does."""
        return testing.ColourClassifier().classify(images)


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (("LABEL_0", "LABEL_1", "LABEL_2"), "names are words that can be drawn: class 0 is called 'LABEL_0'"),
        (("red", "0: green", "blue"), "class 1 is called '0: green'"),
        (("red", "green", "n00000003 blue"), "class 2 is called 'n00000003 blue'"),
        (("red", "gr\u202een", "blue"), "class 1 is called"),
        (("crane", "heron", "Crane"), "no two classes are called the same: 'crane' are [0, 2]"),
        (("crane (bird)", "crane  (bird)", "heron"), "no two classes are called the same"),
    ],
)
def test_names_that_cannot_be_drawn_or_told_apart_are_seen(labels, told):
    """Numbers, codes, marks that nobody sees, and names that a report would write alike are each a broken promise."""
    (sentence,) = testing.check("classifier", Named(labels))
    assert told in sentence


def test_names_that_a_kind_tells_apart_are_two():
    """A crane is a bird or a machine: with kinds in parentheses both are named, as in the report."""
    assert testing.check("classifier", Named(("crane (bird)", "crane (machine)", "747 jet"))) == []


def test_names_that_change_are_seen():
    """Names in another order after a question, or in another object of the plug-in, would move every score."""

    class Turning(Named):
        def classify(self, images):
            self.labels = (*self.labels[1:], self.labels[0])
            return super().classify(images)

    assert any("they changed while it answered" in one for one in testing.check("classifier", Turning()))
    (sentence,) = testing.check("classifier", f"python:{__name__}:Shuffled")
    assert "they changed when it was loaded again" in sentence


LOADED: list[object] = []


class Shuffled(Named):
    """Names its classes anew each time it is made."""

    fingerprint = "shuffled"

    def __init__(self):
        """Turn the names by as many places as there are others of it."""
        LOADED.append(self)
        turn = len(LOADED) % 3
        super().__init__((*Named.labels[turn:], *Named.labels[:turn]))


class RandomHead:
    """A network whose last layer no weights fill."""

    fingerprint = "random"

    def __init__(self):
        """Make the layer by chance."""
        self.head = np.random.default_rng().normal(size=(3, 4))

    def classify(self, images):
        """Score by it."""
        return np.stack([image.mean(axis=(0, 1)) for image in images]) @ self.head


def test_weights_made_by_chance_are_seen():
    """What answers the same twice, and otherwise when it is loaded again, has weights that no file fills."""
    (sentence,) = testing.check("classifier", f"python:{__name__}:RandomHead")
    assert sentence.startswith("loaded again, it gives the same answers")


def test_ties_at_the_top_are_counted():
    """Scores of which most images have several highest say nothing of them; a few ties are let pass."""
    (sentence,) = testing.check("classifier", lambda images: [[1.0, 1.0, 0.0]] * len(images))
    assert "for 3 of 3 images several classes have it" in sentence
    flat = np.full((16, 16, 3), 90, np.uint8)
    images = [*testing.patterns(16), flat]
    assert testing.check("classifier", testing.ColourClassifier(), images=images) == []


def test_accepted_classes_are_classes():
    """A table of accepted classes that speaks of others than there are is seen."""
    assert testing.check("classifier", Named(accepted={0: {1}})) == []
    (sentence,) = testing.check("classifier", Named(accepted={0: {3}}))
    assert "`accepted` speaks of its 3 classes" in sentence


def coloured(*channels):
    """Make noise that has most of one channel each."""
    dice = np.random.default_rng(1)
    made = []
    for channel in channels:
        image = dice.integers(0, 90, (16, 16, 3))
        image[..., channel] += 120
        made.append(image.astype(np.uint8))
    return made


def test_images_of_known_labels_find_a_wrong_recipe():
    """Another order of channels or of classes, another output, another size: on labelled images it is mostly wrong."""
    images, shows = coloured(0, 1, 2, 0, 2), ["red", "green", "blue", "red", "blue"]
    assert testing.check("classifier", Named(), images=images, shows=shows) == []
    (sentence,) = testing.check("classifier", Named(("blue", "red", "green")), images=images, shows=shows)
    assert sentence.startswith("it names what the images show: it is right about 0 of 5")
    (sentence,) = testing.check("classifier", Named().classify, images=images, shows=shows)
    assert sentence.startswith("it has a class for what the images show: the classifier does not name its classes")
    shows = [f"{Named.labels.index(name)}={name}" for name in shows]
    assert testing.check("classifier", Named().classify, images=images, shows=shows) == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("I'm sorry, but I can't help with that.", "the model refused to describe the image"),
        ("<think>a wall, perhaps, or a mug", "the model was cut off while it thought aloud"),
        ('{"objects": ["mug"], "colours": ["red"]}', "the model answered with a document"),
    ],
)
def test_captions_that_are_no_descriptions_are_seen(text, told):
    """Refusals, thoughts without an answer and documents would become words of prompts."""
    sentences = testing.check("captioner", testing.ConstantCaptioner(text))
    assert sentences
    assert all(told in sentence for sentence in sentences)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, "constant"])
def test_images_that_a_hunt_cannot_use_are_seen(dtype):
    """Sixteen bits, floats and one colour alone are no images: a hunt would leave every draw unscored."""

    def draw(prompts, seeds):
        if dtype == "constant":
            return [np.zeros((16, 16, 3), np.uint8)] * len(prompts)
        return [np.repeat(np.eye(16)[:, :, None] * 60_000, 3, axis=2).astype(dtype)] * len(prompts)

    said = testing.check("generator", draw)
    assert any("wanted a uint8 image" in one or "wanted a picture" in one for one in said)


def test_an_identity_that_changes_is_a_broken_promise():
    """A fingerprint with an address in it, or one that differs from load to load, would make every key a new one."""

    class Restless(testing.ColourClassifier):
        fingerprint = property(lambda self: f"{object()!r}")

    assert any("no memory address" in sentence for sentence in testing.check("classifier", Restless()))


def test_what_does_not_load_breaks_the_first_promise():
    """`check` returns the sentence; it does not raise."""
    assert testing.check("classifier", "python:nowhere:nothing")[0].startswith("it loads: 'python:nowhere:nothing'")


def test_checking_leaves_the_global_random_state_alone():
    """The suite disturbs the global random states on purpose, and puts them back."""
    np.random.seed(5)  # noqa: NPY002 - the old global state is what is tried here
    expected = np.random.random()  # noqa: NPY002 - as above
    np.random.seed(5)  # noqa: NPY002 - as above
    testing.check("classifier", testing.ColourClassifier())
    assert np.random.random() == expected  # noqa: NPY002 - as above


def test_the_noise_generator_hears_its_prompt_and_its_seed():
    """Another prompt or another seed is another image; the same are the same bytes."""
    draw = testing.NoiseGenerator(size=8).draw
    one, two, three, four = draw(["a cup", "a cup", "a ball", "a cup"], [1, 1, 1, 2])
    assert isinstance(one, Drawn)
    assert one.image.tobytes() == two.image.tobytes()
    assert len({one.image.tobytes(), three.image.tobytes(), four.image.tobytes()}) == 3


class Texts(testing.MeanEmbedder):
    """Places texts, in a way."""

    reads_text = True
    scale = (1.0, None)

    def __init__(self, place):
        super().__init__()
        self._place = place

    def embed_texts(self, texts):
        """Give what is tried."""
        return self._place(texts)


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (lambda texts: np.eye(6)[: len(texts)], ""),
        (lambda texts: np.eye(7)[: len(texts)], "in the space of images"),
        (lambda texts: np.full((len(texts), 6), np.nan), "in the space of images"),
        (lambda texts: 2 * np.eye(6)[: len(texts)], "length 1"),
        (lambda texts: np.eye(6)[::-1][-len(texts) :], "alone or with others"),
    ],
    ids=["well", "another space", "no numbers", "another length", "neighbours"],
)
def test_texts_have_a_place_among_images(place, told):
    """An embedder that reads texts places each in the space of its images, whoever comes with it."""
    broken = testing.check("embedder", Texts(place))
    assert any(told in one for one in broken) if told else broken == []
