"""What a finite set of images may claim: one photograph is one observation, however often it is drawn."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toyworld
from foible.arms import ARMS
from foible.draws.once import REPEATED, SUGGESTED, Once
from foible.records import Answered, Draw, Outcome, Request, Treatment

LABELS = ["coffee mug", "water bottle", "teapot"]


class Photographs:
    """Chooses one of a few images of the label, among those whose caption says most of the words that are asked for."""

    fingerprint = "a few photographs"

    def __init__(self, each):
        self.photos = {
            label: toyworld.draw([f"a realistic photograph of a {label}"] * each, range(each)) for label in LABELS
        }

    def draw(self, prompts, seeds):
        """Give a photograph for each prompt; the seed chooses among those that fit alike."""
        return [self.fit(prompt, seed) for prompt, seed in zip(prompts, seeds, strict=True)]

    def fit(self, prompt, seed):
        """Choose one photograph."""
        photos = next(photos for label, photos in self.photos.items() if label in prompt)
        said = toyworld.describe(photos)
        words = prompt.split(", ")[1:]
        scores = [sum(word in caption for word in words) for caption in said]
        best = [photo for photo, score in zip(photos, scores, strict=True) if score == max(scores)]
        return best[seed // 4 % len(best)].copy()


class OneWrong(toyworld.Perfect):
    """Right everywhere but on one image of the mug, as if that one were mislabelled."""

    fingerprint = "one photograph is mislabelled"

    def classify(self, images):
        """Take one mug for a bucket."""
        scores = super().classify(images)
        odd = toyworld.draw(["a realistic photograph of a coffee mug"] * 4, range(4))[3]
        for row, image in enumerate(images):
            if (image == odd).all():
                scores[row] = 0
                scores[row, toyworld.PLAIN.index("bucket")] = 1
        return scores


@pytest.mark.parametrize("method", ["sequential", "fixed"])
@pytest.mark.parametrize("seed", [0, 2])
def test_one_mislabelled_photograph_of_sixty_is_no_bug(tmp_path, seed, method):
    """Case 28: sixty photographs, one mislabelled, a perfect classifier: nothing is confirmed, by any seed."""
    config = {"explore": {"draws": 48}, "confirm": {"method": method, "draws": 20}}
    parts = {"generator": Photographs(20), "seed": seed, "config": config}
    run = toyworld.hunt(tmp_path / "run", OneWrong(), LABELS, **parts)
    assert not run.confirmed
    assert {reason for reason, _ in run.result.unscored} <= {REPEATED, SUGGESTED}


def test_a_rate_counts_different_images(tmp_path):
    """Of 24 draws of five photographs five count, and what is excluded is what five images exclude."""
    run = toyworld.hunt(tmp_path / "run", toyworld.Perfect(), LABELS, generator=Photographs(5))
    for one in run.result.explored:
        assert one.tally.scored <= 5
        assert one.tally.draws == 24
        assert one.at_most > 0.4


def answered(arm, label, words, image, seed):
    """Give a draw that passed."""
    key = f"{label} {words} {seed}"
    request = Request(
        key=key, label=label, treatment=Treatment(words=words), seed=seed, arm=arm, text=f"{label} {words}"
    )
    return Answered(draw=Draw(request=request, image=image), outcomes=(Outcome(status="passed", predicted=0),))


draws = st.builds(
    answered,
    st.sampled_from(list(ARMS)),
    st.sampled_from(["mug", "vase"]),
    st.sampled_from([(), ("on grass",)]),
    st.sampled_from("abc"),
    st.integers(0, 9),
)


@given(st.lists(draws, max_size=40))
def test_no_image_counts_twice_or_for_what_it_suggested(before):
    """Of equal pixels one draw counts for a label and treatment, and none in a test that suggested something."""
    marked = Once().mark(before)
    suggesting = set()
    counted: dict[tuple[bool, str, Treatment, str], str] = {}
    for one in marked:
        request, image = one.request, one.draw.image
        suggests = request.arm in {"explore", "guide", "follow"}
        if one.outcomes[0].status == "passed":
            place = suggests, request.label, request.treatment, image
            assert counted.setdefault(place, request.key) == request.key
            assert suggests or image not in suggesting
        else:
            assert one.outcomes[0].reason in {REPEATED, SUGGESTED}
        suggesting |= {image} if suggests else set()
