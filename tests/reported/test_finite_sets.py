"""What a finite set of images may claim: one photograph is one observation, however often it is drawn."""

from __future__ import annotations

import pytest

import toyworld
from foible.draws.once import REPEATED, SUGGESTED

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


def test_an_image_that_suggested_is_never_tested(tmp_path):
    """No image of the explored or followed draws is scored in a test, told by its pixels."""
    config = {"explore": {"draws": 48}}
    run = toyworld.hunt(tmp_path / "run", OneWrong(), LABELS, generator=Photographs(20), config=config)
    reasons = dict(run.result.unscored)
    assert reasons.keys() <= {REPEATED, SUGGESTED}
    assert SUGGESTED in reasons
