"""Terms that are weighed while an image is led: read, measured along their gradients, weighed, and refused."""

from __future__ import annotations

from contextlib import suppress
from urllib.error import URLError

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from foible.config import GuideOptions
from foible.errors import ConfigError, FoibleError, PluginError
from foible.guiding.asked import KINDS, read_term
from foible.guiding.evolve import Evolve
from foible.guiding.generator import Onlookers, guided
from foible.guiding.lpips import lpips
from foible.guiding.noise import Noise
from foible.guiding.steer import Steer
from foible.guiding.terms import Terms
from foible.parts import registry
from foible.records import ClassMap, Label, Spec
from looks import weights
from plugins.test_draw_diffusers import PROMPT, load, pipelines
from plugins.test_guided import PAIR, SEEDS, _offset, classifier, objective

__all__ = ["pipelines", "weights"]  # fixtures of other files
CLASSES = ClassMap(classifier="small", names=("cup (mug)", "ball", "vase"), right={"cup": (0,)})


@pytest.fixture(scope="module")
def embedder():
    """Load one with gradients, which reads texts."""
    return registry.load("embedder", "diorama:embedder")


def terms(texts, part, embedder=None):
    """Load terms."""
    return Terms([read_term(text) for text in texts], (part, CLASSES), embedder)


def noisy(seed=0, count=2):
    """Give images (count, 3, 64, 64), 0..1, coarse, so that no preparation of them loses much."""
    coarse = torch.rand((count, 3, 8, 8), generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.interpolate(coarse, (64, 64), mode="bilinear")


# --- what is read ----------------------------------------------------------------------------------------------------


@given(
    st.sampled_from(["l1", "l2", "embedder", "lpips", "text", "text:a cup = a mug", "class:cup", "unit:body.1:17"]),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_a_term_is_read_as_it_was_written(name, weight):
    """Kind, argument and weight are what stands there, also where a text has the signs that part them."""
    found = read_term(f"{name}={weight!r}")
    assert (f"{found.kind}:{found.argument}".rstrip(":"), found.weight) == (name, weight)
    assert found.needs_embedder == (found.kind in {"embedder", "text"})


@given(st.text())
def test_any_text_is_a_term_or_one_sentence(text):
    """Nothing else is raised, and no sentence has two lines."""
    with suppress(ConfigError):
        assert read_term(text).kind in KINDS
        return
    with pytest.raises(ConfigError, match=r"\A[^\n]+\Z"):
        read_term(text)


# --- what is weighed -------------------------------------------------------------------------------------------------

EACH = ["l1", "l2", "embedder", "lpips", "text", "text:a red vase", "class:cup", "class:ball", "unit:conv:3"]


@pytest.mark.parametrize("name", EACH)
@pytest.mark.usefixtures("weights")
def test_a_small_step_along_the_gradient_raises_a_term(name, embedder, tmp_path):
    """Each term has a finite gradient, each image its own, and a step along it does what it says."""
    pull = terms([f"{name}=2"], classifier(tmp_path, size=32, crop=None), embedder)
    starts, images = noisy(1), noisy(2).requires_grad_()
    before = pull(images, PAIR, starts)
    (gradient,) = torch.autograd.grad(before.sum(), images)
    assert gradient.isfinite().all()
    with torch.no_grad():
        after = pull(images + 0.5 * gradient / gradient.flatten(1).norm(dim=1)[:, None, None, None], PAIR, starts)
    assert (after > before).all()


@pytest.mark.parametrize("name", ["l1", "l2", "embedder", "lpips"])
@pytest.mark.usefixtures("weights")
def test_a_distance_is_nothing_where_an_image_began(name, embedder, tmp_path):
    """It is 0 there, its gradient is finite, and the distance of another image is above 0."""
    pull = terms([f"{name}=1"], classifier(tmp_path, size=32, crop=None), embedder)
    starts = noisy()
    images = starts.clone().requires_grad_()
    own = pull(images, PAIR, starts)
    (gradient,) = torch.autograd.grad(own.sum(), images)
    assert own.detach().numpy() == pytest.approx([0.0, 0.0], abs=2e-6)
    assert gradient.isfinite().all()
    assert (pull(noisy(2), PAIR, starts) > 1e-4).all()


def test_weights_add_up(embedder, tmp_path):
    """Several terms are the sum of each, by its weight."""
    part = classifier(tmp_path, size=32, crop=None)
    images, starts = noisy(2), noisy(1)
    both = terms(["l1=-20", "text=0.5"], part, embedder)(images, PAIR, starts)
    one, other = (terms([text], part, embedder)(images, PAIR, starts) for text in ("l1=1", "text=1"))
    assert torch.allclose(both, -20 * one + 0.5 * other, atol=1e-5)


def test_the_text_of_a_draw_is_its_own_prompt(embedder, tmp_path):
    """Without words of its own the term text asks for what each draw was drawn for, as the embedder's logits do."""
    part = classifier(tmp_path, size=32, crop=None)
    images, prompts = noisy(2), ["a red vase", "a candle at night"]
    found = terms(["text=1"], part, embedder)(images, prompts, images)
    pictures = [(one * 255).round().byte().permute(1, 2, 0).numpy() for one in images]
    vectors, words = embedder.object.embed(pictures), embedder.object.embed_texts(prompts)
    assert found.numpy() == pytest.approx(embedder.object.scale[0] * (vectors * words).sum(1), rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("method", [Noise, Steer, Evolve])
def test_what_is_kept_near_ends_nearer_to_its_start(method, pipelines, tmp_path):
    """Whatever moves the noise, a distance with a weight below 0 keeps the last image nearer; and decides nothing."""
    part, generator = classifier(tmp_path, size=32, crop=None), load(pipelines("sd"))
    starts = generator.object.draw(PAIR, SEEDS)
    moved = []
    for pull in (None, terms(["l2=-10000"], part)):
        goal = objective(_offset(part))  # which the pipeline does not reach: the search goes on to its end
        goal.pull, own = pull, goal.exact
        last: list[list[np.ndarray]] = []
        goal.exact = lambda images, prompts, own=own, last=last: (last.append(images), own(images, prompts))[1]
        method(generator=generator.object, objective=goal, steps=9, rate=0.3).search(PAIR, SEEDS)
        whole = [images for images in last[1:] if len(images) % len(PAIR) == 0]
        moved.append(np.mean([_apart(images, starts) for images in whole[-3:]]))
    assert moved[1] < moved[0]


def _apart(images, starts):
    pairs = [(one, starts[at * len(starts) // len(images)].image) for at, one in enumerate(images)]
    return np.mean([np.abs(one.astype(float) - other).mean() for one, other in pairs])


# --- identity, and what is refused -----------------------------------------------------------------------------------


def _yes(images, labels):
    return [True] * len(images)


def guide(generator, part, *, embedder=None, judge=_yes, **options):
    """Put a guided generator together."""
    own = [(part, CLASSES)]
    onlookers = Onlookers(registry.load("judge", judge), {"cup": Label("cup")}, embedder)
    return guided(generator, own, {"cup": PROMPT}, GuideOptions(**options), onlookers)


def test_the_identity_of_a_guide_covers_its_terms(pipelines, embedder, tmp_path):
    """Other terms, another weight or another embedder make other images, and so another identity."""
    generator, part = load(pipelines("sd")), classifier(tmp_path, size=32, crop=None)
    other = registry.load("embedder", "diorama:embedder")
    other.identity["fingerprint"] = "another"
    made = [
        guide(generator, part, method="noise"),
        guide(generator, part, method="noise", terms=("l1=-1",)),
        guide(generator, part, method="noise", terms=("l1=-2",)),
        guide(generator, part, method="noise", terms=("l2=-1",)),
        guide(generator, part, method="noise", terms=("text=1",), embedder=embedder),
        guide(generator, part, method="noise", terms=("text=1",), embedder=other),
    ]
    assert len({str(one.identity) for one in made}) == len(made)
    # An embedder that nobody asks decides nothing.
    asked, unasked = (guide(generator, part, method="noise", embedder=one) for one in (embedder, None))
    assert asked.identity == unasked.identity == made[0].identity


class Blind:
    """An embedder without gradients."""

    def embed(self, images):
        """Embed."""
        return np.ones((len(images), 3), np.float32)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"method": "select", "terms": ("l1=-1",)}, "select moves none: guide by another method"),
        ({"method": "evolve", "objective": "generator", "terms": ("l1=-1",)}, "takes no terms"),
        ({"terms": ("l3=1",)}, "no term 'l3': "),
        ({"terms": ("l1",)}, "wants NAME=WEIGHT, such as l2=-20, but got 'l1'"),
        ({"terms": ("l1=much",)}, "wants NAME=WEIGHT"),
        ({"terms": ("l1=nan",)}, "wants NAME=WEIGHT"),
        ({"terms": ("l1:x=1",)}, "takes no argument"),
        ({"terms": ("class=1",)}, "takes an argument"),
        ({"terms": ("class:cupp=1",)}, "no class 'cupp': did you mean 'cup'"),
        ({"terms": ("unit:conv=1",)}, "LAYER:INDEX"),
        ({"terms": ("unit:cnv:1=1",)}, "no layer 'cnv'"),
        ({"terms": ("lpips:resnet=1",)}, "no network 'resnet'"),
        ({"terms": ("text=1",)}, "the term text asks an embedder: name one"),
        ({"terms": ("embedder=-1",), "embedder": "blind"}, "has no gradients, which the term embedder wants"),
    ],
)
def test_what_cannot_be_weighed_is_refused_in_a_sentence(options, sentence, pipelines, tmp_path):
    """Each says what was wanted and what came, before anything is drawn."""
    part = classifier(tmp_path, size=32, crop=None)
    if options.get("embedder") == "blind":
        options = {**options, "embedder": registry.load("embedder", Blind())}
    with pytest.raises(FoibleError, match=sentence) as caught:
        guide(load(pipelines("sd")), part, **{"method": "noise", **options})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("judge", ["diorama:judge", Spec("ensemble", {"judges": ["diorama:judge"] * 2, "needed": 1})])
def test_no_judge_judges_what_its_own_weights_led_to(judge, pipelines, embedder, tmp_path):
    """A text that is read by what the judge is made of is refused; how far it is from there may be asked of it."""
    generator, part = load(pipelines("sd")), classifier(tmp_path, size=32, crop=None)
    own = {"embedder": embedder, "judge": judge, "method": "noise"}
    with pytest.raises(ConfigError, match=r"of whose weights the judge .* is made: .* name another of either"):
        guide(generator, part, **own, terms=("text=1",))
    assert guide(generator, part, **own, terms=("embedder=-1",)).kind == "generator"


def test_weights_that_cannot_be_fetched_are_said_to_be_missing(tmp_path, monkeypatch):
    """Without them or the internet one sentence says what to do."""

    def unreachable(*_, **__):
        reason = "no route"
        raise URLError(reason)

    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path / "empty"))
    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    lpips.cache_clear()
    with pytest.raises(PluginError, match=r"weights of LPIPS's network 'squeeze' .* leave LPIPS out") as caught:
        lpips("squeeze")
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("weights")
def test_images_too_small_for_lpips_are_refused():
    """What its network cannot take is one sentence, with the size that came."""
    small = torch.zeros((1, 3, 8, 12))
    with pytest.raises(PluginError, match=r"takes no images of 12 by 8 pixels .*name another network") as caught:
        lpips("squeeze")(small, small)
    assert "\n" not in str(caught.value)
