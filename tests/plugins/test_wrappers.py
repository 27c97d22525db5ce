"""Whatever a part answers, a hunt gets one entry per element: the value, or the fault with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from foible.parts import asking as wrappers
from foible.parts import registry
from foible.parts.asking import ask_captioner, ask_classifier, ask_embedder, ask_generator, ask_judge
from foible.records import Drawn, Fault, Judgement, Label

if TYPE_CHECKING:
    from collections.abc import Sequence

IMAGES = [np.full((4, 4, 3), level, np.uint8) for level in (0, 1, 2)]
GOOD = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
LABELS = [Label(name) for name in ("cup", "ball", "vase")]


def reasons(entries):
    """Give the reasons of the faults, None where there is a value."""
    return [entry.reason if isinstance(entry, Fault) else None for entry in entries]


def drawn(*images, size=None):
    """Give what becomes of a batch that a generator answers with these images."""
    count = len(images)

    def draw(prompts, seeds):
        return [images[seed] for seed in seeds]

    return ask_generator(draw, ["a cup"] * count, range(count), size)


# --- one bad element costs itself ----------------------------------------------------------------------------------


def test_a_part_that_raises_on_one_image_costs_that_image_only():
    """The batch is asked again one by one; the reason names the exception, without addresses."""

    def classify(images):
        if any(image.max() == 1 for image in images):
            message = f"cannot\nread {object()!r}"
            raise ValueError(message)
        return [[0.25, 0.75]] * len(images)

    answers = ask_classifier(classify, IMAGES, 2)
    assert reasons(answers) == [None, "classifier raised ValueError: cannot read <object object at 0x…>", None]
    assert answers[0].tolist() == [0.25, 0.75]


def test_an_interrupt_is_no_fault():
    """Ctrl-C and a deliberate exit pass through."""
    for stop in (KeyboardInterrupt, SystemExit):

        def classify(images, stop=stop):
            raise stop

        with pytest.raises(stop):
            ask_classifier(classify, IMAGES, 2)


def test_each_element_is_asked_for_at_most_twice():
    """Once in the batch and once alone; a batch of one is not asked again."""
    calls = []

    def classify(images):
        calls.append(len(images))
        raise RuntimeError

    assert reasons(ask_classifier(classify, IMAGES, 2)) == ["classifier raised RuntimeError"] * 3
    assert calls == [3, 1, 1, 1]
    calls.clear()
    ask_classifier(classify, IMAGES[:1], 2)
    assert calls == [1]


def test_an_empty_batch_asks_nobody():
    """No elements, no call."""
    assert ask_classifier(None, [], 2) == ask_generator(None, [], []) == ask_judge(None, [], []) == []


def test_columns_of_different_length_are_the_callers_mistake():
    """Prompts without seeds are a bug of the caller, not an answer of the part."""
    with pytest.raises(ValueError, match="differ in length"):
        ask_generator(lambda prompts, seeds: [], ["a"], [])


def test_a_part_cannot_spoil_the_images_for_others():
    """A part that writes into its input writes into a copy."""

    def classify(images):
        for image in images:
            image[:] = 9
        return [[1, 2]] * len(images)

    mine = [image.copy() for image in IMAGES]
    ask_classifier(classify, mine, 2)
    assert all(np.array_equal(one, other) for one, other in zip(mine, IMAGES, strict=True))


def test_a_part_and_its_bare_object_are_asked_alike():
    """`ask_…` takes what `registry.load` gives, or the object inside."""
    part = registry.load("classifier", lambda images: [[1, 2]] * len(images))
    assert reasons(ask_classifier(part, IMAGES, 2)) == reasons(ask_classifier(part.object, IMAGES, 2)) == [None] * 3


# --- scores and vectors --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (lambda images: None, "wanted numbers of shape (1, 2), got nothing"),
        (lambda images: np.zeros((len(images), 3)), "wanted numbers of shape (1, 2), got (1, 3)"),
        (lambda images: np.zeros(len(images)), "wanted numbers of shape (1, 2), got (1,)"),
        (lambda images: np.zeros((1, len(images), 2)), "wanted numbers of shape (1, 2), got (1, 1, 2)"),
        (lambda images: np.zeros((len(images) + 1, 2)), "wanted numbers of shape (1, 2), got (2, 2)"),
        (lambda images: 0.5, "wanted numbers of shape (1, 2), got ()"),
        (lambda images: "cup", "wanted numbers of shape (1, 2), got text"),
        (lambda images: [["a", "b"]] * len(images), "wanted numbers of shape (1, 2), got text"),
        (lambda images: [[1, 2j]] * len(images), "wanted numbers of shape (1, 2), got complex numbers"),
        (lambda images: [[True, False]] * len(images), "wanted numbers of shape (1, 2), got booleans"),
        (lambda images: [{"cup": 1.0}] * len(images), "wanted numbers of shape (1, 2), got objects"),
        (lambda images: [[np.nan, 0.0]] * len(images), "wanted finite numbers, got NaN"),
        (lambda images: [[np.inf, 0.0]] * len(images), "wanted finite numbers, got infinity"),
        (lambda images: [[1.0], [1.0, 2.0]], "wanted numbers of shape (1, 2), got list"),
    ],
)
def test_scores_of_the_wrong_kind_are_faults(answer, reason):
    """Wrong shape, wrong type, NaN and infinities each have their reason."""
    assert reasons(ask_classifier(answer, IMAGES, 2)) == [f"classifier: {reason}"] * 3


def test_a_row_that_is_not_finite_costs_that_row_only():
    """One NaN does not unscore its neighbours, nor ask for them again."""
    calls = []

    def classify(images):
        calls.append(len(images))
        return [[1.0, 2.0], [np.nan, 1.0], [3.0, -np.inf]][: len(images)]

    assert reasons(ask_classifier(classify, IMAGES, 2)) == [
        None,
        "classifier: wanted finite numbers, got NaN",
        "classifier: wanted finite numbers, got infinity",
    ]
    assert calls == [3]


def test_a_batch_of_the_wrong_count_is_asked_one_by_one():
    """A classifier that answers only the first image of a batch still scores them all."""
    answers = ask_classifier(lambda images: [[float(images[0].max()), 0.0]], IMAGES, 2)
    assert [answer.tolist() for answer in answers] == [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]


def test_vectors_must_agree_in_length():
    """Where the number of classes is not known, the first answer tells, and others are faults."""
    answers = ask_embedder(lambda images: [[1.0] * (1 + image.max()) for image in images], IMAGES)
    assert reasons(answers) == [None, *(f"embedder: wanted numbers of shape (1, 1), got (1, {n})" for n in (2, 3))]


def test_tensors_lists_integers_and_iterators_are_scores():
    """Any array of numbers will do, also a tensor with a gradient or in bfloat16."""
    torch = pytest.importorskip("torch")
    answers = (
        lambda images: torch.ones(len(images), 2, requires_grad=True),
        lambda images: torch.ones(len(images), 2, dtype=torch.bfloat16),
        lambda images: [torch.ones(2)] * len(images),
        lambda images: ([1, 1] for _ in images),
        lambda images: np.ones((len(images), 2), np.int8),
        lambda images: np.ones((len(images), 2), np.float16),
    )
    for answer in answers:
        entries = ask_classifier(answer, IMAGES, 2)
        assert [entry.tolist() for entry in entries] == [[1.0, 1.0]] * 3
        assert all(entry.dtype == np.float64 for entry in entries)


def test_an_endless_iterator_ends():
    """No more is taken than was asked for."""
    from itertools import repeat

    assert (
        reasons(ask_captioner(lambda images: (word for word in repeat("a cup")), IMAGES))
        == ["captioner: wanted 1 caption, got 2"] * 3
    )


# --- images --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (None, "wanted a uint8 image (height, width, 3), got nothing"),
        ("a.png", "wanted a uint8 image (height, width, 3), got str"),
        (GOOD.astype(float), "wanted a uint8 image (height, width, 3), got float64 (4, 4, 3)"),
        (GOOD[:, :, 0], "wanted a uint8 image (height, width, 3), got uint8 (4, 4)"),
        (np.zeros((4, 4, 4), np.uint8), "wanted a uint8 image (height, width, 3), got uint8 (4, 4, 4)"),
        (np.zeros((0, 4, 3), np.uint8), "wanted a uint8 image (height, width, 3), got uint8 (0, 4, 3)"),
        (GOOD[:3], "wanted a uint8 image (4, 4, 3), got (3, 4, 3)"),
        (Image.new("RGBA", (4, 4)), "wanted an RGB image, got mode RGBA"),
        (Image.new("L", (4, 4)), "wanted an RGB image, got mode L"),
        (Image.linear_gradient("L").resize((5, 4)).convert("RGB"), "wanted a uint8 image (4, 4, 3), got (4, 5, 3)"),
        (np.full((4, 4, 3), 7, np.uint8), "wanted a picture, got an image of one colour"),
        (Image.new("RGB", (4, 4), "red"), "wanted a picture, got an image of one colour"),
        (np.zeros((1, 4097, 3), np.uint8), "wanted sides of at most 4096 pixels, got (1, 4097, 3)"),
        (Drawn(GOOD, "red"), "wanted the ignored words as texts"),  # type: ignore[arg-type]  # wrong on purpose
        (
            Drawn(None),  # type: ignore[arg-type]  # wrong on purpose
            "wanted a uint8 image (height, width, 3), got nothing",
        ),
    ],
)
def test_an_image_of_the_wrong_kind_is_a_fault_of_its_own(image, reason):
    """Nothing, the wrong type, mode or size, one colour: one draw is lost; its neighbours stay; none is converted."""
    assert reasons(drawn(GOOD, image, GOOD, size=4)) == [None, f"generator: {reason}", None]


def test_arrays_drawn_records_and_rgb_pictures_are_images():
    """The three ways to give an image, and an array of images."""
    entries = drawn(GOOD, Drawn(GOOD, ("blue\n",)), Image.fromarray(GOOD), size=(4, 4))
    assert all(entry.image.shape == (4, 4, 3) and entry.image.dtype == np.uint8 for entry in entries)
    assert entries[1].ignored == ("blue·",)
    assert (
        reasons(ask_generator(lambda prompts, seeds: np.stack([GOOD] * len(prompts)), ["a"] * 3, [1, 2, 3]))
        == [None] * 3
    )


def test_where_no_size_is_asked_for_the_first_image_tells():
    """Images of two sizes in one batch are not taken for one experiment."""
    assert reasons(drawn(None, GOOD, GOOD[:2])) == [
        "generator: wanted a uint8 image (height, width, 3), got nothing",
        None,
        "generator: wanted a uint8 image (4, 4, 3), got (2, 4, 3)",
    ]


def test_one_picture_for_a_whole_batch_is_a_fault():
    """A generator that forgets the list is told so."""
    entries = ask_generator(lambda prompts, seeds: Image.new("RGB", (4, 4)), ["a"] * 2, [1, 2])
    assert reasons(entries) == ["generator: wanted a list of 1, got one image"] * 2


# --- captions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caption", "line"),
    [
        ("a red  cup\n", "a red cup"),
        ("a\x00red\x1b[31m\tcup", "a red [31m cup"),
        ("a \u202ecup\u200b", "a cup"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("x" * 10_000, "x" * 300),
        ("été \u4e2d\u6587", "été \u4e2d\u6587"),
    ],
)
def test_a_caption_becomes_one_clean_line(caption, line):
    """Control and direction characters go, 300 characters stay; markup is text like any other."""
    assert ask_captioner(lambda images: [caption], IMAGES[:1]) == [line]


@pytest.mark.parametrize(
    ("caption", "reason"),
    [
        ("", "wanted a caption, got no words"),
        (" \x00\n\u200b", "wanted a caption, got no words"),
        (b"a cup", "wanted text, got bytes"),
        (None, "wanted text, got nothing"),
        (["a cup"], "wanted text, got list"),
    ],
)
def test_no_caption_is_a_fault(caption, reason):
    """Empty text, or no text, is a fault of that image alone."""
    entries = ask_captioner(lambda images: ["a cup" if image.max() else caption for image in images], IMAGES)
    assert reasons(entries) == [f"captioner: {reason}", None, None]


def test_one_caption_is_not_taken_for_one_per_letter():
    """A text of three letters is no batch of three captions."""
    assert (
        reasons(ask_captioner(lambda images: "cup", IMAGES)) == ["captioner: wanted 1 caption in a list, got str"] * 3
    )


# --- judgements ----------------------------------------------------------------------------------------------------


def test_judgements_and_booleans_are_judgements():
    """A judge may say yes or no; what comes out has plain Python values."""
    foreign: Any = {"faithful": np.True_, "score": np.float32(0.5)}
    entries = ask_judge(lambda images, labels: [True, np.False_, Judgement(**foreign)], IMAGES, LABELS)
    assert entries == [
        Judgement(faithful=True, score=1.0),
        Judgement(faithful=False, score=0.0),
        Judgement(faithful=True, score=0.5),
    ]
    assert type(entries[2].faithful) is bool
    assert type(entries[2].score) is float


@pytest.mark.parametrize(
    ("judgement", "reason"),
    [
        (0.7, "wanted a judgement or true or false, got float"),
        (None, "wanted a judgement or true or false, got nothing"),
        (
            Judgement(faithful=1, score=0.5),  # type: ignore[arg-type]  # wrong on purpose
            "wanted a judgement or true or false, got Judgement",
        ),
        (Judgement(faithful=True, score=float("nan")), "wanted a finite score, got NaN"),
        (Judgement(faithful=True, score=float("-inf")), "wanted a finite score, got infinity"),
        (
            Judgement(faithful=True, score="high"),  # type: ignore[arg-type]  # wrong on purpose
            "wanted a number as score, got str",
        ),
    ],
)
def test_no_judgement_is_a_fault(judgement, reason):
    """A number is no verdict, and a verdict without a finite score none either."""
    entries = ask_judge(lambda images, labels: [judgement, True, True], IMAGES, LABELS)
    assert reasons(entries) == [f"judge: {reason}", None, None]


# --- anything ------------------------------------------------------------------------------------------------------

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.complex_numbers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(answer=ANYTHING)
def test_whatever_comes_back_there_is_one_entry_per_element(answer):
    """No answer crashes the asking, shifts a neighbour's answer or leaves a gap; every reason is one short line."""
    asked: list[Sequence[object]] = [
        ask_classifier(lambda images: answer, IMAGES, 2),
        ask_embedder(lambda images: answer, IMAGES),
        ask_captioner(lambda images: answer, IMAGES),
        ask_generator(lambda prompts, seeds: answer, ["a"] * 3, [1, 2, 3]),
        ask_judge(lambda images, labels: answer, IMAGES, LABELS),
    ]
    for entries in asked:
        assert len(entries) == 3
        for entry in entries:
            if isinstance(entry, Fault):
                assert entry.reason.isprintable()
                assert 0 < len(entry.reason) <= 160
            elif isinstance(entry, str):
                assert entry.isprintable()
                assert 0 < len(entry) <= wrappers.LONGEST_CAPTION
