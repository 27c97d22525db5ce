"""Promises of a visual explanation: what changed lies under the mask, and no more is said than was seen."""

from __future__ import annotations

import dataclasses
import itertools
import json
from urllib.error import URLError

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import foible
import painted
import toyworld
from foible import pixels
from foible.act.explain.subject import subject_of
from foible.act.explain.wanted import Wanted
from foible.act.explain.words import changed_words
from foible.counterfactual.figures import apart, cout, l1
from foible.counterfactual.regions import Region, at_random, by_cell, object_of, spread
from foible.counterfactual.search import TEXT, Found, Turn, grow, thin
from foible.errors import InputError
from foible.explaining import Attempt, Search
from foible.findings import Rate
from foible.guiding.aim import Aim
from foible.guiding.objective import Goal, Objective
from foible.guiding.sight import Sight
from foible.parts import registry
from foible.report import explaining as pages
from looks import weights

__all__ = ["weights"]  # a fixture of another file
DEFAULTS = {"classifier": painted.Eye(), "generator": painted.Painter(), **painted.PARTS}


def explained(out, what=None, to="lamp", **given):
    """Explain in silence why a dark mug is no lamp, in two attempts."""
    fields = {one.name for one in dataclasses.fields(Search)}
    looks = {"seeds": 2, "rates": (0.2, 0.6), "words": False, **{k: v for k, v in given.items() if k in fields}}
    own = {"label": "mug", **DEFAULTS, **{k: v for k, v in given.items() if k not in fields}}
    image = painted.image() if what is None else what
    return foible.explain(image, to, search=Search(**looks), out=out, progress=False, **own)


class Recorded(painted.Painter):
    """A painter that tells for which seeds it was asked, and breaks down where it is told to."""

    def repaint(self, prompts, seeds, *given, **named):
        """Repaint, unless it breaks."""
        painted.ASKED.append(list(seeds))
        for breaks in painted.BREAKS:
            breaks(seeds)
        return super().repaint(prompts, seeds, *given, **named)


@pytest.fixture(autouse=True)
def nothing_recorded():
    """Begin each test with a painter that was asked nothing and breaks nowhere."""
    painted.ASKED.clear()
    painted.BREAKS.clear()


# --- what is found ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["attribution", "object", "background", "random"])
def test_nothing_outside_the_mask_is_another_pixel(where, tmp_path):
    """For each way to choose the region, the image after is that before but under its mask, whose area is said."""
    found = explained(tmp_path, where=where, rates=(0.2, 3.0))
    assert len(found.attempts) == 2
    for one in found.attempts:
        assert one.image is not None
        assert one.mask is not None
        assert np.array_equal(one.image[~one.mask], found.image[~one.mask])
        assert not np.array_equal(one.image[one.mask], found.image[one.mask])
        assert one.share == one.mask.mean()
        kept = pixels.read_png((tmp_path / f"seed-{one.seed}-after.png").read_bytes())
        assert kept is not None
        assert np.array_equal(kept, one.image)
        middle = spread(np.pad(np.ones((4, 4), bool), 2), painted.CELL)
        if where in {"object", "background"}:
            assert not (one.mask & (middle if where == "background" else ~middle)).any()


def test_an_attempt_says_how_the_answer_turned(tmp_path):
    """The smallest mask that turns the answer is taken; rates, distances and the interval go with what is counted."""
    found = explained(tmp_path)
    assert [one.status for one in found.attempts] == ["turned", "turned"]
    assert found.validity.value == 1.0
    assert (found.validity.low, found.validity.high) == pytest.approx((0.158, 1.0), abs=0.001)
    one = found.attempts[0]
    assert one.said == "lamp (light)"
    assert one.margin > 0
    assert one.share < 1
    assert one.l1 == pytest.approx(np.abs(one.image.astype(int) - found.image).mean() / 255)
    assert one.shows_label is True
    assert one.control.status in {"turned", "kept"}
    assert -1 <= one.cout <= 1
    assert (found.guidance, found.attribution, found.label_known, found.error) == ("steer", "gradients", True, False)


@pytest.mark.usefixtures("weights")
def test_how_far_the_changed_image_looks_is_said_where_that_is_asked_for(tmp_path):
    """LPIPS is in the record, the page and the lines; who goes on keeps it; without asking it is nowhere."""
    found = explained(tmp_path / "asked", lpips="squeeze")
    numbers = [one.lpips for one in found.attempts]
    assert all(one is not None and one > 0 for one in numbers)
    assert numbers == [
        one["lpips"] for one in json.loads((tmp_path / "asked/explain.json").read_text("utf-8"))["attempts"]
    ]
    assert ", LPIPS 0." in (tmp_path / "asked" / "explain.html").read_text("utf-8")
    assert ", LPIPS is 0." in " ".join(pages.lines(found))
    assert [one.lpips for one in explained(tmp_path / "asked", lpips="squeeze").attempts] == numbers
    assert [one.lpips for one in explained(tmp_path / "plain").attempts] == [None, None]


@pytest.mark.parametrize(
    ("network", "told"),
    [("resnet", "lpips is one of a few words.*squeeze"), ("alex", "weights of LPIPS's network 'alex'|takes no images")],
)
@pytest.mark.usefixtures("weights")
def test_a_distance_that_cannot_be_had_is_refused_before_anything_is_drawn(network, told, tmp_path, monkeypatch):
    """Another network, or one without weights: one sentence, and nothing is written."""

    def unreachable(*_, **__):
        reason = "no route"
        raise URLError(reason)

    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    with pytest.raises(InputError, match=told):
        explained(tmp_path / "out", lpips=network)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("guidance", ["steer", "select"])
def test_a_mask_that_turned_the_answer_is_thinned_while_it_does(guidance):
    """The thinned mask lies within the grown one and still turns the answer; by gradients little else is left."""

    class Corner(painted.Eye):
        """Looks at four cells in a corner alone."""

        def logits(self, batch):
            return super().logits(batch[:, :, : 2 * painted.CELL, : 2 * painted.CELL])

    class Spotlight(painted.Painter):
        """Draws whatever is free as bright as it can."""

        def repaint(self, prompts, seeds, images, masks, strength, steer=None, rates=()):  # noqa: PLR0913, PLR0917 - as its protocol
            given = torch.from_numpy(np.stack(images).transpose(0, 3, 1, 2).astype(np.float32) / 255)
            return torch.where(torch.from_numpy(np.stack(masks)[:, None]), 1.0, given)

    sight = Sight(registry.load("classifier", Corner()))
    turn = Turn(
        image=painted.image(),
        generator=Spotlight(),
        objective=Objective([Goal(sight=sight, aims={TEXT: Aim(right=(), into=(1,))})]),
        prompt="",
        strengths=(0.6,),
        rates=(1.0,),
        guidance=guidance,
    )
    region = Region(ranking=at_random((8, 8), 0), allowed=np.ones((8, 8), bool), cell=painted.CELL)
    grown = grow(turn, region, 0)
    assert isinstance(grown, Found)
    assert grown.turned
    thinned = thin(turn, grown, 0)
    assert thinned.turned
    assert not (thinned.mask & ~grown.mask).any()
    assert thinned.mask.sum() < grown.mask.sum()
    assert np.array_equal(thinned.image[~thinned.mask], turn.image[~thinned.mask])
    assert thinned.sampled > grown.sampled
    if guidance == "steer":
        assert thinned.mask.sum() <= 5 * painted.CELL**2  # four cells are looked at


def test_a_mask_is_left_as_it_grew_where_that_is_asked_for(tmp_path):
    """Without thinning fewer images are drawn, no mask is smaller, and the page speaks of none that was thinned."""
    thinned, grown = explained(tmp_path / "thin"), explained(tmp_path / "grown", thin=False)
    for one, other in zip(thinned.attempts, grown.attempts, strict=True):
        assert one.share <= other.share
        assert one.sampled > other.sampled
    told = [(tmp_path / name / "explain.html").read_text("utf-8") for name in ("thin", "grown")]
    assert ["is thinned to the cells" in page for page in told] == [True, False]


def test_what_no_mask_turns_is_drawn_from_more_noise(tmp_path):
    """A form that stays at little noise goes at more: that is tried, and said; a strength that was given is kept to."""

    class Stubborn(painted.Painter):
        def repaint(self, prompts, seeds, images, masks, strength, steer=None, rates=()):  # noqa: PLR0913, PLR0917 - as its protocol
            own = rates if strength > 0.7 else [0.001] * len(rates)
            return super().repaint(prompts, seeds, images, masks, strength, steer, own)

    found = explained(tmp_path / "all", generator=Stubborn())
    assert [(one.status, one.strength) for one in found.attempts] == [("turned", 0.8), ("turned", 0.8)]
    assert "noise 0.8" in (tmp_path / "all" / "explain.html").read_text("utf-8")
    mild = explained(tmp_path / "mild", generator=Stubborn(), strength=0.6)
    assert [one.status for one in mild.attempts] == ["kept", "kept"]


def test_what_cannot_turn_is_counted_as_not_turned(tmp_path):
    """With too mild a guidance no attempt turns: the best is shown, validity is 0, and no control is claimed."""
    found = explained(tmp_path, rates=(0.001,))
    assert [one.status for one in found.attempts] == ["kept", "kept"]
    assert (found.validity.value, found.validity.low) == (0.0, 0.0)
    assert found.control.value is None
    assert all(one.control is None and one.margin < 0 for one in found.attempts)
    assert "0 of 2 attempts" in pages.headline(found)


def test_a_failing_image_is_turned_back_by_default(tmp_path):
    """Of a bright mug, which is taken for a lamp, it is asked what would have had to change."""
    found = explained(tmp_path, painted.image(painted.BRIGHT), to="")
    assert found.error
    assert (found.said, found.to) == ("lamp (light)", "mug")
    assert found.validity.value == 1.0
    assert found.attempts[0].image.mean() < found.image.mean()


def test_without_gradients_it_looks_by_occlusion_and_selects(tmp_path):
    """A plain function is explained too: several seeds are drawn for each mask, and nothing is steered."""
    found = explained(tmp_path, painted.image(110), classifier=painted.look, generator=Recorded())
    assert (found.guidance, found.attribution) == ("select", "occlusion")
    assert all(one.rate == 0 for one in found.attempts)
    assert len(set(painted.ASKED[0])) == 2


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_gradient_that_is_not_finite_leaves_the_attempt_unscored(tmp_path):
    """NaN while steering is counted as unscored, with its reason, and not as a failure to turn."""

    class Broken(painted.Eye):
        def logits(self, batch):
            found = super().logits(batch)
            return found * torch.sqrt(batch.sum() - batch.sum().detach()) if batch.requires_grad else found

    found = explained(tmp_path, classifier=Broken(), attribution="occlusion")
    assert [one.status for one in found.attempts] == ["unscored", "unscored"]
    assert "not finite" in found.attempts[0].reason
    assert found.validity.value is None
    assert "nothing is known" in pages.headline(found)
    with pytest.raises(InputError, match="occlusion"):
        explained(tmp_path, classifier=Broken())


@pytest.mark.parametrize("breaks", ["answers", "gradients"])
def test_an_image_without_an_answer_hides_no_other(breaks, tmp_path):
    """Of two rates the stronger gives no answer, or no gradient: the milder one's image is shown, the other counted."""

    class Dazzled(painted.Eye):
        def logits(self, batch):
            found = super().logits(batch)
            dazzled = batch.mean(dim=(1, 2, 3), keepdim=True)[:, :, 0, 0] > 0.44
            return torch.where(dazzled, torch.nan, found)

    class Weak(painted.Painter):
        def repaint(self, prompts, seeds, images, masks, strength, steer=None, rates=()):  # noqa: PLR0913, PLR0917 - as its protocol
            if max(rates) > 0.5:
                message = "the gradient is not finite (NaN)"
                raise FloatingPointError(message)
            return super().repaint(prompts, seeds, images, masks, strength, steer, rates)

    parts = {"classifier": Dazzled()} if breaks == "answers" else {"generator": Weak()}
    found = explained(tmp_path, rates=(0.001, 0.6), attribution="occlusion", **parts)
    assert [one.status for one in found.attempts] == ["kept", "kept"]
    assert all(0 < one.unscored < one.sampled for one in found.attempts)
    assert found.validity.value == 0.0
    assert "of these unscored" in (tmp_path / "explain.html").read_text("utf-8")


def test_a_batch_without_any_answer_reaches_nothing():
    """Where a classifier answers no image at all, each reaches minus infinity, whatever classes are aimed at."""
    blind = registry.load("classifier", lambda images: np.full((len(images), 2), np.nan))
    objective = Objective([Goal(sight=Sight(blind), aims={"": Aim(right=(0,), into=(1,))})])
    assert objective.exact([painted.image()] * 2, ["", ""]).tolist() == [-np.inf, -np.inf]


def test_a_batch_that_memory_does_not_hold_is_asked_one_by_one(tmp_path):
    """What fits one by one gives the same; what does not fit at all is unscored, in a sentence."""

    def holds(most):
        def breaks(seeds):
            if len(seeds) > most:
                message = "out of memory"
                raise MemoryError(message)

        return breaks

    plain = explained(tmp_path / "plain")
    painted.BREAKS[:] = [holds(1)]
    tight = explained(tmp_path / "tight", generator=Recorded())
    assert [one.margin for one in tight.attempts] == pytest.approx([one.margin for one in plain.attempts])
    painted.BREAKS[:] = [holds(0)]
    none = explained(tmp_path / "none", generator=Recorded())
    assert {one.status for one in none.attempts} == {"unscored"}
    assert "out of memory" in none.attempts[0].reason


def test_an_interrupt_costs_one_seed_and_the_same_call_goes_on(tmp_path):
    """After Ctrl-C the first attempt is kept and not drawn again; the result is the same to the byte."""

    def stops(seeds):
        if seeds[0] == 1:
            raise KeyboardInterrupt

    explained(tmp_path / "whole", generator=Recorded())
    painted.BREAKS[:] = [stops]
    with pytest.raises(KeyboardInterrupt):
        explained(tmp_path / "cut", generator=Recorded())
    assert (tmp_path / "cut" / "seed-0.json").is_file()
    painted.ASKED.clear()
    painted.BREAKS.clear()
    explained(tmp_path / "cut", generator=Recorded())
    assert {seed for seeds in painted.ASKED for seed in seeds} == {1}
    for name in ("explain.json", "explain.html", "seed-1-after.png"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_damaged_or_foreign_attempt_is_made_again(tmp_path):
    """A picture that was replaced, a torn file, and the attempts of another call are not taken for this one's."""
    first = explained(tmp_path, generator=Recorded())
    (tmp_path / "seed-0-after.png").write_bytes((tmp_path / "seed-1-mask.png").read_bytes())
    (tmp_path / "seed-1.json").write_text("{", encoding="utf-8")
    painted.ASKED.clear()
    assert pages.to_json(explained(tmp_path, generator=Recorded())) == pages.to_json(first)
    assert {seed for seeds in painted.ASKED for seed in seeds} == {0, 1}
    painted.ASKED.clear()
    explained(tmp_path, generator=Recorded(), rates=(0.3,))
    assert painted.ASKED


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"to": "bucket"}, "no label 'bucket'"),
        ({"to": "mug"}, "already"),
        ({"to": ""}, "--to"),
        ({"label": "", "to": ""}, "--label"),
        ({"what": np.zeros((16, 16, 3), np.uint8)}, "16 by 16 pixels.*32 by 32.*--resize"),
        ({"what": np.zeros((32, 32), np.uint8)}, "height, width, 3"),
        ({"classifier": painted.look, "guidance": "steer"}, "no gradients.*select"),
        ({"classifier": painted.look, "attribution": "gradients"}, "no gradients"),
        ({"generator": painted.Painter().draw}, "repaints no image"),
        ({"classifier": lambda images: [[np.nan, 1.0]] * len(images)}, "INDEX|no answer"),
        ({"where": "sky"}, "known: attribution"),
        ({"seeds": 0}, "seeds"),
        ({"strength": 1.5}, "strength"),
        ({"rates": (0.5, -1.0)}, "rate"),
        ({"finding": 1}, "directory"),
        ({"judge": DEFAULTS["classifier"]}, "judge"),
    ],
    ids=lambda one: "-".join(one) if isinstance(one, dict) else "",
)
def test_what_cannot_be_used_is_one_sentence_and_nothing_is_written(given, told, tmp_path):
    """A label of another classifier, another size, a part that cannot, a value that is none: each is refused so."""
    with pytest.raises(InputError, match=told):
        explained(tmp_path / "out", **{"what": tmp_path / "no.png" if "finding" in given else None, **given})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["missing.png", "text.png", "a\x1b[2J.png"])
def test_a_file_that_is_no_image_is_one_sentence(name, tmp_path):
    """The sentence names the file, and can move no cursor."""
    if name == "text.png":
        (tmp_path / name).write_text("no image", encoding="utf-8")
    with pytest.raises(InputError) as problem:
        explained(tmp_path / "out", tmp_path / name)
    assert "\x1b" not in str(problem.value)
    assert ".png" in str(problem.value)


def test_an_image_of_another_size_is_scaled_where_that_is_asked_for(tmp_path):
    """It is cut and scaled to the generator's size, and that image is the one that is explained."""
    found = explained(tmp_path, np.repeat(np.repeat(painted.image(), 2, 0), 2, 1), resize=True)
    assert found.image.shape == (32, 32, 3)


def test_of_an_unknown_label_no_more_is_said_than_is_known(tmp_path):
    """Without --label the label is the classifier's word, the page says so, and calls no answer wrong for it alone."""
    told = "\n".join(pages.lines(explained(tmp_path / "known")))
    assert "these are wrong answers" in told
    assert "--label" not in told
    for sees, said in ((True, "sees that, too"), (False, "does not see that")):
        judge = lambda images, labels, sees=sees: [sees] * len(images)  # noqa: E731 - a part
        found = explained(tmp_path / str(sees), label="", judge=judge)
        told = "\n".join(pages.lines(found))
        assert (found.label, found.label_known, found.label_seen) == ("mug", False, sees)
        assert f"is the classifier's word: name what it shows with --label. The judge {said}." in told
        assert ": these are wrong answers" not in told
    assert explained(tmp_path / "alone", label="", judge=None).label_seen is None


# --- words ------------------------------------------------------------------------------------------------------------


def test_a_background_that_turns_few_attempts_is_called_no_shortcut(tmp_path):
    """Where more than half of the attempts turn, the answer is said to hang on the background; else that it can."""
    found = explained(tmp_path, where="background", rates=(3.0,))
    assert found.count("turned") == 2
    assert any(one.endswith(": the answer hangs on what is beside the object.") for one in pages.lines(found))
    half = dataclasses.replace(found, validity=Rate(value=0.5, low=0.0, high=1.0))
    assert not any("the answer hangs on" in one for one in pages.lines(half))
    assert any("as may happen where there is no shortcut" in one for one in pages.lines(half))


def test_words_that_came_with_the_answer_are_tested_on_fresh_draws(tmp_path):
    """A dark mug turned into a lamp gets "in bright light"; fresh draws with these words are lamps, and confirm it."""
    found = explained(tmp_path, words=True, config={"confirm.method": "fixed", "confirm.draws": 20, "measure.most": 0})
    new = {one.phrase: one.attempts for one in found.words.changed if one.side == "new"}
    assert new == {"in bright light": 2}
    assert [one.verdict for one in found.words.tested] == ["confirmed"]
    assert found.words.tested[0].trial.hypothesis.description == "in bright light"
    assert found.words.untested == ""
    assert "confirmed" in (tmp_path / "explain.html").read_text("utf-8")
    document = json.loads((tmp_path / "explain.json").read_text("utf-8"))
    assert document["words"]["tested"][0]["treat"]["value"] > 0.9


def test_words_that_nobody_can_test_are_called_untested(tmp_path):
    """Without a captioner, a judge, a turned answer or a new word there is a reason, and no verdict."""
    reasons = []
    changes: list[dict[str, object]] = [
        {"captioner": None},
        {"judge": None},
        {"rates": (0.001,)},
        {"captioner": lambda images: ["a mug"] * len(images)},
        {"words": False},
    ]
    for number, change in enumerate(changes):
        found = explained(tmp_path / str(number), **{"words": True, **change})
        assert found.words.tested == ()
        reasons.append(found.words.untested)
    told = ["--captioner", "--judge", "no attempt", "no words", "not asked for"]
    assert all(piece in reason for piece, reason in zip(told, reasons, strict=True))


def test_of_a_failing_image_the_words_that_went_are_what_is_tested(tmp_path):
    """What brings the failure back is what was there before: "in bright light" is gone, and is tested."""
    given = {"words": True, "config": {"confirm.method": "fixed", "confirm.draws": 20, "measure.most": 0}}
    found = explained(tmp_path, painted.image(painted.BRIGHT), to="", **given)
    assert [one.trial.hypothesis.description for one in found.words.tested] == ["in bright light"]
    assert found.words.tested[0].verdict == "confirmed"


def test_words_are_counted_over_the_attempts_that_turned(tmp_path):
    """A caption of an attempt that did not turn the answer counts for nothing."""
    wanted = Wanted(what=painted.image(), to="lamp", label="mug", objects=DEFAULTS, layers=[("out", {"out": tmp_path})])
    subject = subject_of(wanted)
    attempts = [
        Attempt(seed=0, status="turned", caption="a lamp on snow"),
        Attempt(seed=1, status="turned", caption="a mug on snow, at night"),
        Attempt(seed=2, status="kept", caption="a mug on grass"),
    ]
    changed = changed_words(subject, attempts).changed
    told = {(one.phrase, one.side, one.attempts) for one in changed}
    assert told == {("on snow", "new", 2), ("at night", "new", 1), ("in the dark", "gone", 2)}


# --- masks and figures ------------------------------------------------------------------------------------------------

SIDES = st.tuples(st.integers(2, 9), st.integers(2, 9))


@given(st.data(), SIDES, st.integers(1, 4))
def test_masks_grow_by_whole_cells_that_are_allowed(data, sides, cell):
    """A larger share holds the smaller one; a mask is as large as its share says, and lies where it may."""
    numbers = st.lists(st.floats(0, 1), min_size=sides[0] * sides[1], max_size=sides[0] * sides[1])
    ranking = np.array(data.draw(numbers)).reshape(sides)
    allowed = np.array(data.draw(numbers)).reshape(sides) < 0.5
    allowed[0, 0] = True
    region = Region(ranking=ranking, allowed=allowed, cell=cell)
    shares = sorted(data.draw(st.lists(st.floats(0.01, 1), min_size=2, max_size=4)))
    masks = [region.mask(share) for share in shares]
    for share, mask in zip(shares, masks, strict=True):
        cells = mask[::cell, ::cell]
        assert np.array_equal(spread(cells, cell), mask)
        assert not (cells & ~allowed).any()
        assert cells.sum() == max(1, round(share * int(allowed.sum())))
        assert ranking[cells].min() >= ranking[allowed & ~cells].max(initial=-1)
    assert all((small <= large).all() for small, large in itertools.pairwise(masks))


@given(st.integers(0, 2**32 - 1))
def test_an_order_of_chance_is_that_of_its_seed(seed):
    """The same seed gives the same order, and no two cells the same place."""
    order = at_random((8, 8), seed)
    assert np.array_equal(order, at_random((8, 8), seed))
    assert len(np.unique(order)) == 64


def test_the_object_is_what_stands_out_without_holes():
    """A ring is filled; where nothing or everything stands out there is no object."""
    ring = np.zeros((64, 64), np.float32)
    ring[16:48, 16:48] = 1
    ring[28:36, 28:36] = 0
    whole = np.zeros((16, 16), bool)
    whole[4:12, 4:12] = True
    found = object_of(ring, 4)
    assert found is not None
    assert np.array_equal(found, whole)
    assert object_of(np.zeros((64, 64), np.float32), 4) is None
    assert object_of(np.ones((64, 64), np.float32), 4) is None


def test_numbers_are_averaged_by_cell():
    """A cell with larger numbers ranks before its neighbours."""
    numbers = np.zeros((8, 8))
    numbers[4:, :4] = 1
    assert int(by_cell(numbers, 4).argmax()) == 2


def test_figures_of_known_images():
    """L1 of black and white is 1, of an image and itself 0; COUT is larger where few pixels turn the answer."""
    dark, light = painted.image(), painted.image(painted.BRIGHT)
    assert l1(np.zeros_like(dark), np.full_like(dark, 255)) == 1.0
    assert l1(dark, dark) == 0.0
    sight = Sight(registry.load("classifier", painted.Eye()))
    slow = cout(sight, dark, light, ((0,), (1,)))
    odds = torch.softmax(torch.from_numpy(painted.Eye().classify([light]))[0], 0)
    whole = cout(sight, light, light, ((0,), (1,)))
    assert whole == pytest.approx(float(odds[1] - odds[0]), abs=1e-4)
    assert -1 < slow < whole
    assert apart(np.array([1.0, 0.0]), np.array([0.0, 2.0])) == pytest.approx(1.0)
    assert apart(np.zeros(2), np.ones(2)) == 0.0


# --- what is written --------------------------------------------------------------------------------------------------


def test_the_page_escapes_whatever_it_is_told(tmp_path):
    """Names of classes, captions, prompts and file names can write no markup into the page, and load nothing."""
    evil = "<script>alert(1)</script>"

    class Evil(painted.Eye):
        labels = ("mug (cup)", f"lamp {evil}")

    (tmp_path / "sub").mkdir()
    path = tmp_path / "sub" / "<img src=x>.png"
    path.write_bytes(pixels.write_png(painted.image()))
    given = {"classifier": Evil(), "prompt": evil, "captioner": lambda images: [f"a mug {evil}"] * len(images)}
    explained(tmp_path / "out", path, to="1=lamp", **given)
    page = (tmp_path / "out" / "explain.html").read_text("utf-8")
    assert evil not in page
    assert "<img src=x>" not in page
    assert "&lt;script&gt;" in page
    assert page.count("<img ") == page.count('<img src="data:image/webp;base64,') == 8
    assert "default-src 'none'; img-src data:; style-src" in page


@pytest.mark.slow
def test_a_planted_shortcut_turns_the_answer_beside_the_object(tmp_path):
    """The classifier that takes mugs on grass for buckets is turned by the background; the object stays as it is."""
    (drawn,) = registry.load("generator", "diffusers:diorama").object.draw(["a coffee mug on sand"], [500])
    found = foible.explain(
        drawn.image,
        "bucket",
        label="coffee mug",
        where="background",
        search=Search(seeds=2, words=False),
        out=tmp_path,
        progress=False,
    )
    assert found.count("turned") > 0
    assert found.words.before
    for one in found.attempts:
        assert one.image is not None
        assert one.mask is not None
        assert np.array_equal(one.image[~one.mask], drawn.image[~one.mask])
        assert one.mask.mean() < 0.7


def test_the_command_explains_an_image_file(tmp_path):
    """The verb prints what it found and where the page is; --json is the file it wrote; a typo ends with code 2."""
    path = tmp_path / "mug.png"
    path.write_bytes(pixels.write_png(painted.image()))
    parts = ["--classifier", "python:painted:Eye", "--generator", "python:painted:Painter"]
    asked = ["explain", path, "--to", "lamp", "--label", "mug", "--seeds", "1", "--rate", "0.6", "--quiet", *parts]
    code, out, err = toyworld.called(*asked, "--out", tmp_path / "out")
    assert (code, err) == (0, "")
    assert "1 of 1 attempt" in out
    assert str(tmp_path / "out" / "explain.html") in out.replace("\n", "")
    code, out, err = toyworld.called(*asked, "--out", tmp_path / "out", "--json")
    assert (code, err) == (0, "")
    assert out == (tmp_path / "out" / "explain.json").read_text("utf-8")
    code, out, err = toyworld.called(*[one if one != "lamp" else "lmap" for one in asked], "--out", tmp_path / "other")
    assert (code, out) == (2, "")
    assert "did you mean 'lamp'" in err


@pytest.mark.slow
def test_a_failing_draw_of_a_run_is_turned_back(tmp_path):
    """Of a finding the first failing draw is explained, for the classifier that it is about."""
    run = foible.probe(
        ["diorama:reference", "diorama:biased-resnet"],
        "coffee mug",
        "on grass",
        generator="diffusers:diorama",
        out=tmp_path / "run",
        config={"confirm.method": "fixed", "confirm.draws": 12, "measure.most": 0},
        progress=False,
    )
    number = [one.trial.hypothesis.classifier for one in run.confirmed].index(1) + 1
    search = Search(seeds=1, words=False, control=False)
    found = foible.explain(run.folder, finding=number, search=search, out=tmp_path / "out", progress=False)
    assert (found.error, found.label, found.to) == (True, "coffee mug", "coffee mug")
    assert found.parts["classifier"]["spec"] == "diorama:biased-resnet"
    key = run.confirmed[number - 1].failing[0]
    assert key[:8] in found.about
    with pytest.raises(InputError, match="no draw of that key"):
        foible.explain(run.folder, draw="0" * 33, out=tmp_path / "other", progress=False)
    with pytest.raises(InputError, match="no confirmed finding 9"):
        foible.explain(run.folder, finding=9, out=tmp_path / "other", progress=False)
