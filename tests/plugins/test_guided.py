"""Guided generation over real pipelines and networks, built tiny: gradients, what is moved, and what is refused."""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from foible.adapters.diffusers import sampling
from foible.adapters.diffusers.pipelines import silent
from foible.adapters.diffusers.sampling import foretold
from foible.config import GuideOptions
from foible.errors import PartError, PluginError
from foible.guiding.aim import Aim, margins
from foible.guiding.embedding import Embedding
from foible.guiding.evolve import Evolve
from foible.guiding.generator import guided
from foible.guiding.noise import Noise
from foible.guiding.objective import Goal, Objective, disturb
from foible.guiding.select import Select
from foible.guiding.sight import Sight
from foible.guiding.steer import Steer
from foible.parts import registry
from foible.parts.moving import norms
from foible.records import ClassMap, Drawn
from foible.testing.noise import sampled
from networks import network
from plugins.test_draw_diffusers import PROMPT, load, pipelines
from plugins.test_trainable import saved

__all__ = ["pipelines"]  # a fixture of the other file
FAMILIES = ["sd", "sdxl", "sd3", "flux"]
PAIR = [PROMPT, PROMPT]
SEEDS = [3, 4]


def bright(images):
    """Score images by how bright they are."""
    return images.mean(dim=(1, 2, 3))


def weighted(images):
    """Score images by fixed weights, in float64."""
    weights = torch.randn(images.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return (images.double() * weights).sum()


# --- the sampling of a pipeline --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
def test_from_the_noise_of_a_seed_its_own_image_is_sampled(name, pipelines):
    """In four families, sampling from the noise that a seed gives ends in the pixels that the generator draws."""
    generator = load(pipelines(name)).object
    images = generator.sample(PAIR, SEEDS, generator.noise(PAIR, SEEDS))
    kept = (images.detach().permute(0, 2, 3, 1).numpy() * 255).round().astype(np.uint8)
    drawn = [one.image for one in generator.draw(PAIR, SEEDS)]
    assert all(np.array_equal(*both) for both in zip(kept, drawn, strict=True))


@pytest.mark.parametrize("name", FAMILIES)
def test_gradients_of_the_noise_agree_with_finite_differences(name, pipelines):
    """In four families, in float64, the gradient foretells what a small step of the noise does."""
    generator = load(pipelines(name)).object
    for part in generator._pipe.components.values():
        if isinstance(part, torch.nn.Module):
            part.double()
    noise = generator.noise(PAIR, SEEDS).double().requires_grad_()
    (gradient,) = torch.autograd.grad(weighted(generator.sample(PAIR, SEEDS, noise)), noise)
    # Some pipelines compute a step in float32, whatever their weights are: along the gradient, the change stands out.
    step = 1e-2 * gradient / gradient.norm()
    with torch.no_grad():
        up, down = (float(weighted(generator.sample(PAIR, SEEDS, noise + sign * step))) for sign in (1, -1))
    assert (up - down) / 2 == pytest.approx(float((gradient * step).sum()), rel=2e-3)


TIMES = {"sd": (2, 2), "sdxl": (2, 2), "sd3": (2, 2), "flux": (2, 1)}
"""How often the denoiser reads in two steps, and whether a null text beside the prompt's."""


@pytest.mark.parametrize("name", FAMILIES)
def test_from_the_embeddings_of_a_prompt_its_own_image_is_sampled(name, pipelines):
    """In four families, what each step reads is found, and given back it changes no pixel."""
    generator = load(pipelines(name)).object
    prompts = [PROMPT, "a photo of a blue ball"]
    read, noise = generator.embeddings(prompts, SEEDS), generator.noise(prompts, SEEDS)
    assert (len(read), *read.shape[1:3]) == (2, *TIMES[name])
    images = generator.sample_read(prompts, SEEDS, noise, read)
    assert torch.equal(images, generator.sample(prompts, SEEDS, noise))
    assert not generator.unreadable


@pytest.mark.parametrize("name", FAMILIES)
def test_gradients_of_the_embeddings_agree_with_finite_differences(name, pipelines):
    """In four families, in float64, each step's gradient foretells what a small step of its embedding does."""
    generator = load(pipelines(name)).object
    for part in generator._pipe.components.values():
        if isinstance(part, torch.nn.Module):
            part.double()
    noise = generator.noise(PAIR, SEEDS).double()
    read = generator.embeddings(PAIR, SEEDS).double().requires_grad_()
    (gradient,) = torch.autograd.grad(weighted(generator.sample_read(PAIR, SEEDS, noise, read)), read)
    for number in range(read.shape[1]):
        step = torch.zeros_like(gradient)
        step[:, number] = gradient[:, number]
        assert step.any()
        # Along the gradient the change stands out of steps that the library computes in float32.
        step = 0.1 * step / step.norm()
        with torch.no_grad():
            up, down = (
                float(weighted(generator.sample_read(PAIR, SEEDS, noise, read + sign * step))) for sign in (1, -1)
            )
        assert (up - down) / 2 == pytest.approx(float((gradient * step).sum()), rel=1e-2)


@pytest.mark.parametrize("name", FAMILIES)
def test_asking_the_denoiser_again_on_the_way_back_changes_no_gradient(name, pipelines, monkeypatch):
    """In four families, in float64, gradients are those of a graph that keeps all; nothing is left wrapped."""
    generator = load(pipelines(name), steps=3).object
    for part in generator._pipe.components.values():
        if isinstance(part, torch.nn.Module):
            part.double()
    noise = generator.noise(PAIR, SEEDS).double().requires_grad_()

    def gradient():
        images = generator.sample(PAIR, SEEDS, noise)
        return torch.autograd.grad(weighted(images), noise)[0], images.detach()

    found, image = gradient()
    assert all("forward" not in vars(part) for part in generator._pipe.components.values() if hasattr(part, "forward"))
    monkeypatch.setattr(sampling, "recomputed", lambda own: own)
    whole, same = gradient()
    assert torch.equal(image, same)
    assert float((found - whole).norm() / whole.norm()) < 1e-6


def kept_by_graph(generator, noise):
    """Give the bytes that a graph keeps of a sampling, each block of memory once."""
    blocks = {}

    def keep(tensor):
        blocks[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        images = generator.sample(PAIR, SEEDS, noise)
    assert images.requires_grad
    return sum(block.nbytes() for block in blocks.values())


@pytest.mark.parametrize("name", FAMILIES)
def test_a_further_step_of_sampling_keeps_what_goes_into_the_denoiser_alone(name, pipelines):
    """In four families, the memory of a gradient grows with each step by some latents, and by no activations."""
    kept = {}
    for steps in (2, 8):
        generator = load(pipelines(name), steps=steps, dtype="float32").object
        noise = generator.noise(PAIR, SEEDS).requires_grad_()
        kept[steps] = kept_by_graph(generator, noise)
    each = (kept[8] - kept[2]) / 6
    # With and without the prompt a sample goes in twice; schedulers keep a sample of their own.
    assert each < 6 * noise.nbytes


def test_a_network_that_is_moved_about_stays_so(pipelines):
    """What another library has put in the place of a denoiser's forward pass is there again after a sampling."""
    generator = load(pipelines("sd")).object
    denoiser = generator._pipe.unet
    asked = []
    own = denoiser.forward

    def moved_about(*given, **named):
        asked.append(1)
        return own(*given, **named)

    denoiser.forward = moved_about
    noise = generator.noise(PAIR, SEEDS).requires_grad_()
    torch.autograd.grad(weighted(generator.sample(PAIR, SEEDS, noise)), noise)
    assert denoiser.forward is moved_about
    assert len(asked) == 4, "two steps, there and back"


@pytest.mark.parametrize("name", FAMILIES)
def test_a_steered_sampling_moves_images_up_the_score(name, pipelines):
    """In four families, each image is brighter when sampling is steered to brightness, and more so by more."""
    generator = load(pipelines(name)).object
    noise = generator.noise(PAIR, SEEDS)
    plain, mild, more = (
        bright(generator.sample(PAIR, SEEDS, noise, bright, rate).detach()) for rate in (0.0, 0.05, 0.2)
    )
    assert bool((plain < mild).all())
    assert bool((mild < more).all())
    again = generator.draw(PAIR, SEEDS)
    assert np.array_equal(again[0].image, load(pipelines(name)).object.draw(PAIR, SEEDS)[0].image), "nothing is left"


KINDS = [
    *(("DDIMScheduler", kind, {"clip_sample": False}) for kind in ("epsilon", "v_prediction", "sample")),
    *(("EulerDiscreteScheduler", kind, {}) for kind in ("epsilon", "v_prediction", "sample")),
    *(("DPMSolverMultistepScheduler", kind, {}) for kind in ("epsilon", "v_prediction", "sample")),
    *(("UniPCMultistepScheduler", kind, {}) for kind in ("epsilon", "v_prediction")),
    *((f"{name}MultistepScheduler", "flow_prediction", {"use_flow_sigmas": True}) for name in ("DPMSolver", "UniPC")),
]


@pytest.mark.parametrize(("scheduler", "kind", "more"), KINDS, ids=str)
def test_the_foretold_image_is_what_the_scheduler_itself_foretells(scheduler, kind, more):
    """What steering moves is the library's own clean image, and its slope is that of the denoiser's output."""
    import diffusers

    made = getattr(diffusers, scheduler)(prediction_type=kind, **more)
    with silent(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of numpy, in the library
        made.set_timesteps(4)
    dice = torch.Generator().manual_seed(0)
    output, sample = (torch.randn((1, 4, 8, 8), generator=dice) for _ in range(2))
    for t in made.timesteps:
        clean, slope = foretold(made, output, t, sample)
        moved, _ = foretold(made, output + 0.1, t, sample)
        near = 1e-4 * max(abs(slope), 1)
        assert torch.allclose(moved - clean, torch.full_like(clean, 0.1 * slope), atol=near)
        if hasattr(made, "convert_model_output"):
            made._step_index = None
            made._init_step_index(t)
            own = made.convert_model_output(output, sample=sample)
        else:
            own = made.step(output, t, sample).pred_original_sample
        assert torch.allclose(clean, own, rtol=1e-4, atol=near)


# --- what the classifier sees ----------------------------------------------------------------------------------------

RECIPES = [
    {"size": 32, "crop": None},
    {"size": 24, "crop": 0.75},
    {"size": [20, 28], "crop": None, "channels": "bgr", "interpolation": "bicubic"},
    {"size": 48, "crop": 1.0, "mean": [0.0] * 3, "std": [1.0] * 3},
    {"size": 16, "crop": None, "layout": "nhwc", "factory": "plugins.test_guided:Last"},
]


class Last(torch.nn.Module):
    """The small network, for channels that stand last."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3)
        self.fc = torch.nn.Linear(8, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Score (n, height, width, 3)."""
        found: torch.Tensor = self.fc(self.conv(images.permute(0, 3, 1, 2)).relu().mean(dim=(2, 3)))
        return found


def classifier(folder, **recipe):
    """Load the small network with a recipe."""
    said = {"factory": "networks:Small", "mean": [0.5] * 3, "std": [0.25] * 3, **recipe}
    return registry.load("classifier", saved(folder, network()), said)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: f"{recipe['size']}")
def test_scores_with_gradients_are_the_classifiers_own(recipe, tmp_path):
    """However a classifier prepares images, its own scores guide, and small changes do as they foretell."""
    part = classifier(tmp_path, **recipe)
    sight = Sight(part)
    dice = np.random.default_rng(1)
    start = np.kron(dice.integers(40, 200, (8, 12, 3)), np.ones((6, 6, 1))).astype(np.uint8)
    images = torch.from_numpy(start.transpose(2, 0, 1)[None].astype(np.float32) / 255).requires_grad_()
    scores = sight.scores(images)
    assert np.allclose(scores.detach().numpy(), part.object.classify([start]), atol=1e-5)
    (gradient,) = torch.autograd.grad(scores[0, 0] - scores[0, 1], images)
    change = np.kron(dice.integers(-12, 13, (8, 12, 3)), np.ones((6, 6, 1)))
    after, before = part.object.classify([(start + change).astype(np.uint8), (start - change).astype(np.uint8)])
    foreseen = float((gradient[0].numpy() * change.transpose(2, 0, 1) / 255).sum())
    seen = float((after[0] - after[1]) - (before[0] - before[1])) / 2
    assert foreseen == pytest.approx(seen, rel=0.15, abs=2e-3)


def test_a_margin_is_above_zero_exactly_where_the_classifier_fails():
    """For any wrong class, for the best few, and for one class that it should be taken for."""
    scores = torch.tensor([[3.0, 1.0, 2.0], [1.0, 3.0, 2.0]])
    assert margins(scores, [Aim(right=(0,))] * 2).tolist() == [-1.0, 2.0]
    assert margins(scores, [Aim(right=(1, 2))] * 2).tolist() == [1.0, -2.0]
    assert margins(scores, [Aim(right=(0,), top=2)] * 2).tolist() == [-2.0, 1.0]
    assert margins(scores, [Aim(right=(0,), into=(2,))] * 2).tolist() == [-1.0, -1.0]


@given(seed=st.integers(0, 2**32 - 1), more=st.integers(0, 2**32 - 1))
def test_a_disturbance_hangs_on_its_own_seed_alone(seed, more):
    """An image is disturbed alike whatever else is in its batch, and stays an image."""
    images = torch.rand((2, 3, 16, 16), generator=torch.Generator().manual_seed(0))
    own, other = (torch.Generator().manual_seed(one) for one in (seed, more))
    both = disturb(images, [own, other])
    alone = disturb(images[:1], [torch.Generator().manual_seed(seed)])
    assert torch.allclose(both[:1], alone, atol=1e-6)
    assert 0 <= float(both.min()) <= float(both.max()) <= 1


def test_of_probabilities_sure_is_told_from_surer():
    """Near certainty, where probabilities hardly differ, their logarithms do; scores that are none are left alone."""
    sure = registry.load("classifier", lambda images: np.array([[1 - 1e-9, 1e-9], [1 - 1e-12, 1e-12]]))
    found = margins(Sight(sure).exact([np.zeros((8, 8, 3), np.uint8)] * 2), [Aim(right=(0,))] * 2)
    assert found.tolist() == pytest.approx([np.log(1e-9), np.log(1e-12)], rel=1e-3)
    plain = registry.load("classifier", lambda images: np.array([[3.0, 1.0]] * len(images)))
    assert Sight(plain).exact([np.zeros((8, 8, 3), np.uint8)]).tolist() == [[3.0, 1.0]]


# --- methods ---------------------------------------------------------------------------------------------------------


def objective(part, fails=True):
    """Say that the classifier should not see what it sees."""
    return Objective([Goal(sight=Sight(part), aims={PROMPT: Aim(right=(0,))}, fails=fails)])


def reached(goal, drawn):
    """Give how far images reach an objective."""
    assert all(isinstance(one, Drawn) for one in drawn), drawn
    return goal.exact([one.image for one in drawn], [PROMPT] * len(drawn)).numpy()


@pytest.mark.parametrize("method", [Select, Noise, Steer, Embedding, Evolve])
def test_each_method_comes_nearer_to_failing_and_draws_the_same_again(method, pipelines, tmp_path):
    """From the same noise, what is found is nearer to failing than what is drawn, each time alike."""
    part, generator = classifier(tmp_path, size=32, crop=None), load(pipelines("sd"))
    goal = objective(_offset(part))  # which the pipeline does not reach: the search goes on to its end
    own = {"generator": generator if method is Select else generator.object, "objective": goal}
    made = method(**own, steps=9, **({} if method is Select else {"rate": 0.1}))
    found = made.search(PAIR, SEEDS)
    plain = generator.object.draw(PAIR, SEEDS)
    nearer = reached(goal, found) - reached(goal, plain)
    assert (nearer >= 0).all()
    # Of several draws the first may be the best; what moves noise moves each.
    assert (nearer > 0).any() if method is Select else (nearer > 0).all()
    again = made.search(PAIR, SEEDS)
    assert all(np.array_equal(one.image, other.image) for one, other in zip(found, again, strict=True))


class Offset:
    """A classifier that is surer of its first class, by much."""

    def __init__(self, inner):
        self.inner = inner
        self.network = inner.network

    def classify(self, images):
        """Add to the first score."""
        return self.inner.classify(images) + np.array([100.0, 0.0, 0.0])

    def prepare(self, images):
        """Prepare as the other does."""
        return self.inner.prepare(images)

    def logits(self, batch):
        """Add to the first score."""
        return self.inner.logits(batch) + torch.tensor([100.0, 0.0, 0.0])


def _offset(part):
    return registry.load("classifier", Offset(part.object))


def test_the_noise_keeps_its_norm(pipelines, tmp_path, monkeypatch):
    """Whatever the gradient, the noise that is sampled from is as long as that of the seed."""
    part, generator = classifier(tmp_path, size=32, crop=None), load(pipelines("sd")).object
    seen = []
    own = generator.sample

    def sample(prompts, seeds, noise):
        seen.append(noise.detach())
        return own(prompts, seeds, noise)

    monkeypatch.setattr(generator, "sample", sample)
    Noise(generator=generator, objective=objective(_offset(part)), steps=5, rate=0.3).search(PAIR, SEEDS)
    assert len(seen) == 5
    assert all(torch.allclose(norms(one), norms(seen[0]), rtol=1e-4) for one in seen)
    assert not torch.allclose(seen[0], seen[-1], atol=0.1)


def test_a_search_ends_with_the_first_image_that_fails(pipelines, tmp_path):
    """What fails from the start is given as it is, after one sampling."""
    part, generator = classifier(tmp_path, size=32, crop=None), load(pipelines("sd"))
    plain = generator.object.draw(PAIR, SEEDS)
    wrong = Objective(
        [Goal(sight=Sight(part), aims={PROMPT: Aim(right=(int(part.object.classify([plain[0].image])[0].argmin()),))})]
    )
    found = Noise(generator=generator.object, objective=wrong, steps=50, rate=0.1).search([PROMPT], [3])
    assert np.array_equal(found[0].image, generator.object.draw([PROMPT], [3])[0].image)


def _guide(generator, part, **options):
    classes = ClassMap(classifier="small", names=("cup", "ball", "vase"), right={"cup": (0,)})
    return guided(generator, [(part, classes)], {"cup": PROMPT}, GuideOptions(**options))


def test_the_identity_of_a_guide_covers_all_that_decides_its_images(pipelines, tmp_path):
    """Another method, number, classifier, generator or meaning of a class makes another identity."""
    generator, part = load(pipelines("sd")), classifier(tmp_path, size=32, crop=None)
    (tmp_path / "other").mkdir()
    made = [
        _guide(generator, part, method="noise"),
        _guide(generator, part, method="noise", steps=4),
        _guide(generator, part, method="noise", rate=0.1),
        _guide(generator, part, method="steer"),
        _guide(generator, part, method="embedding"),
        _guide(generator, part, method="embedding", rate=0.1),
        _guide(load(pipelines("sd"), steps=3), part, method="noise"),
        _guide(generator, classifier(tmp_path / "other", size=24, crop=None), method="noise"),
    ]
    assert len({str(one.identity) for one in made}) == len(made)
    assert _guide(generator, part, method="noise").identity == made[0].identity


class Noisy:
    """A generator of which only the noise can be moved."""

    unsteerable = ""

    def __init__(self, inner):
        self.draw, self.noise, self.sample = inner.draw, inner.noise, inner.sample


def test_what_cannot_be_guided_is_told_what_can(pipelines, tmp_path):
    """A generator without noise, a scheduler that is not known, a classifier without gradients: one sentence each."""
    part, generator = classifier(tmp_path, size=32, crop=None), load(pipelines("sd"))
    plain = registry.load("generator", lambda prompts, seeds: [np.zeros((32, 32, 3), np.uint8) for _ in seeds])
    with pytest.raises(PluginError, match="shows no noise that could be moved; guide by select"):
        _guide(plain, part, method="noise")
    with pytest.raises(PluginError, match=r"its scheduler is HeunDiscreteScheduler.*guide by noise or select"):
        _guide(load(pipelines("sd"), scheduler="heundiscrete"), part, method="steer")
    black_box = registry.load("classifier", lambda images: np.tile([2.0, 1.0, 0.0], (len(images), 1)))
    with pytest.raises(PluginError, match="has no gradients; the methods select and evolve need none"):
        _guide(generator, black_box, method="noise").object.draw([PROMPT], [0])
    assert isinstance(_guide(generator, black_box, method="evolve").object.draw([PROMPT], [0])[0], Drawn)
    noisy = registry.load("generator", Noisy(generator.object))
    with pytest.raises(PluginError, match="shows no text embedding that could be moved; guide by noise or select"):
        _guide(noisy, part, method="embedding")
    with pytest.raises(PluginError, match="has no gradients; the methods select and evolve need none"):
        _guide(generator, black_box, method="embedding")
    with pytest.raises(PluginError, match="wants two classifiers"):
        _guide(generator, part, method="select", objective="disagree")


def test_a_gradient_that_is_not_finite_costs_its_draw_and_says_why(pipelines, tmp_path):
    """NaN on the way back is the draw's fault, in one sentence, and no image of noise."""

    class Broken(Offset):
        def logits(self, batch):
            scores = super().logits(batch)
            return scores + (scores - scores.detach()).sqrt() * torch.nan

    broken = registry.load("classifier", Broken(classifier(tmp_path, size=32, crop=None).object))
    guide = _guide(load(pipelines("sd")), broken, method="noise")
    with pytest.raises(PartError, match="the gradient is not finite"):
        guide.object.draw([PROMPT], [0])


def test_a_classifier_that_gives_no_answer_leaves_its_draw_without_an_image():
    """Where nothing could be scored, there is no image that could be taken for a find."""

    def refuse(images):
        message = "no"
        raise PartError(message)

    black = registry.load("generator", lambda prompts, seeds: [np.full((8, 8, 3), 90, np.uint8) for _ in seeds])
    part = SimpleNamespace(object=registry.load("classifier", refuse).object, kind="classifier", identity={"spec": "x"})
    found = Select(generator=black, objective=objective(part), steps=3).search([PROMPT], [0])
    assert isinstance(found[0], PartError)


def test_a_generator_that_breaks_the_promises_of_its_noise_is_told_so(pipelines):
    """Another image than the seed's, or an image that does not hang on the noise: the conformance suite says which."""

    class Other:
        def __init__(self, inner):
            self.inner, self.unsteerable = inner, ""

        def draw(self, prompts, seeds):
            return self.inner.draw(prompts, seeds)

        def noise(self, prompts, seeds):
            return -self.inner.noise(prompts, seeds)

        def sample(self, prompts, seeds, noise, steer=None, rate=0.0):
            return self.inner.sample(prompts, seeds, noise, steer, rate)

    class Fixed(Other):
        def sample(self, prompts, seeds, noise, steer=None, rate=0.0):
            return self.inner.sample(prompts, seeds, self.inner.noise(prompts, seeds)) + 0 * noise.sum()

    inner = load(pipelines("sd")).object
    assert not list(sampled(registry.load("generator", inner)))
    assert "sampled as it is drawn" in " ".join(sampled(registry.load("generator", Other(inner))))
    assert "these are zero" in " ".join(sampled(registry.load("generator", Fixed(inner))))
