"""What can be trained: networks of each adapter keep the promises of `Trainable`, and who breaks them is told so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import toytrained
import toyworld
from foible.parts import registry
from foible.parts.protocols import Trainable, offers
from foible.testing.training import trained
from networks import Small, network


class Probabilities(Small):
    """Ends with a softmax."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Give a probability for each class."""
        found: torch.Tensor = super().forward(images).softmax(dim=1)
        return found


class Yes(Small):
    """Has one output, with a sigmoid."""

    def __init__(self) -> None:
        super().__init__(classes=1)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Give the probability of yes."""
        found: torch.Tensor = super().forward(images).sigmoid()
        return found


class Direct(torch.nn.Module):
    """Keeps its last matrix as a parameter of its own, and scales what comes out."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3)
        self.matrix = torch.nn.Parameter(torch.linspace(-1, 1, 24).reshape(3, 8))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Score (n, 3, height, width)."""
        found: torch.Tensor = 4 * self.conv(images).relu().mean(dim=(2, 3)) @ self.matrix.T
        return found


def saved(place, made, name="weights.safetensors"):
    """Write the weights of a network; give the spec."""
    weights = {key: one.contiguous() for key, one in made.state_dict().items()}
    save_file(weights, place / name) if name.endswith("safetensors") else torch.save(weights, place / name)
    return f"torch:{place / name}"


def made(kind):
    """Make a network whose weights are always the same."""
    with torch.random.fork_rng():
        torch.manual_seed(4)
        return kind().eval()


@pytest.mark.parametrize("file", ["weights.safetensors", "weights.pth"])
@pytest.mark.parametrize("kind", [Small, Probabilities, Yes, Direct])
def test_networks_of_ones_own_can_be_trained(kind, file, tmp_path, images):
    """Whatever they end with: logits rank as `classify` does, gradients come, and the same kind of file is written."""
    more = {"threshold": 0.4} if kind is Yes else {}
    last = ["matrix"] if kind is Direct else ["fc.weight", "fc.bias"]
    whole = {"factory": f"{__name__}:{kind.__name__}", "size": 32, **more}
    part = registry.load("classifier", saved(tmp_path, made(kind), file), whole)
    assert list(trained(part, images)) == []
    assert list(part.object.last_layer()) == last
    (tmp_path / "new").mkdir()
    spec = part.object.save(tmp_path / "new")
    assert [path.suffix for path in (tmp_path / "new").iterdir()] == [f".{file.partition('.')[2]}"]
    assert spec.name == f"torch:{tmp_path / 'new' / file}"


def test_logits_of_a_yes_or_no_are_its_own(tmp_path, images):
    """The probability that the logits say is that of the network, seen from the threshold."""
    whole = {"factory": f"{__name__}:Yes", "size": 32, "threshold": 0.4}
    model = registry.load("classifier", saved(tmp_path, made(Yes)), whole).object
    logits = model.logits(model.prepare(images)).detach()
    odds = made(Yes)(model.prepare(images)).logit()[:, 0] - float(np.log(0.4 / 0.6))
    assert torch.allclose(logits[:, 1], odds, atol=1e-4)
    assert torch.allclose(logits[:, 0], -odds, atol=1e-4)


def test_a_program_and_half_precision_cannot_be_trained(tmp_path):
    """Each says why, as a clause that stands behind a colon."""
    example = torch.zeros(1, 3, 32, 32)
    torch.export.save(torch.export.export(network(), (example,)), tmp_path / "program.pt2")
    program = registry.load("classifier", f"torch:{tmp_path / 'program.pt2'}", {"size": 32}).object
    assert "name its weights" in program.untrainable
    whole = {"factory": "networks:Small", "size": 32, "dtype": "bfloat16"}
    half = registry.load("classifier", saved(tmp_path, network()), whole).object
    assert "dtype: float32" in half.untrainable
    assert list(trained(registry.load("classifier", half), [])) == []


def test_a_checkpoint_of_timm_stays_one(tmp_path, images):
    """In the kind of file that it came in, with the name of its architecture."""
    timm = pytest.importorskip("timm")
    with torch.random.fork_rng():
        torch.manual_seed(5)
        weights = timm.create_model("test_resnet", num_classes=3).state_dict()
    torch.save({"state_dict": weights}, tmp_path / "own.pth")
    args = {"checkpoint": str(tmp_path / "own.pth"), "num_classes": 3, "size": 64}
    part = registry.load("classifier", "timm:test_resnet", args)
    assert list(trained(part, images)) == []
    assert all(name.startswith("fc.") for name in part.object.last_layer())
    (tmp_path / "new").mkdir()
    spec = part.object.save(tmp_path / "new")
    assert (spec.name, spec.args["checkpoint"]) == ("timm:test_resnet", str(tmp_path / "new" / "weights.pth"))


def test_classifiers_that_only_answer_are_not_trainable(tiny):
    """One that compares images with texts has no weights of its classes."""
    words = registry.load("classifier", f"transformers:{tiny('clip')}", {"classes": ["cup", "ball"]})
    assert not offers(words.object, Trainable)
    assert list(trained(words, [])) == []


class Deaf(toytrained.Toy):
    """Classifies by weights that nobody trains."""

    def classify(self, images: Any) -> Any:
        """Ask another network."""
        return toytrained.Toy().classify(images)


class Upside(toytrained.Toy):
    """Its logits rank the other way round."""

    def classify(self, images: Any) -> Any:
        """Score each class by the network."""
        with torch.inference_mode():
            return self.network(self.prepare(images)).numpy()

    def logits(self, batch: torch.Tensor) -> torch.Tensor:
        """Turn every score round."""
        return -super().logits(batch)


class Forgetful(toytrained.Toy):
    """Writes the weights that it came with."""

    def save(self, folder: Any) -> Any:
        """Write old weights."""
        return toytrained.Toy().save(folder)


class Awake(toytrained.Toy):
    """Its network is in training mode."""

    def __init__(self, path: str = "") -> None:
        super().__init__(path)
        self.network.train()


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Deaf, "uses the weights of its network"),
        (Upside, "its logits rank the classes"),
        (Forgetful, "answers as it did: loaded again"),
        (Awake, "is in evaluation mode"),
    ],
)
def test_a_broken_promise_is_told(kind, told):
    """By the same check that every plug-in is held to."""
    shown = toyworld.draw(["a coffee mug", "a vase", "a teapot"], [1, 2, 3])
    assert list(trained(registry.load("classifier", toytrained.Toy()), shown)) == []
    broken = list(trained(registry.load("classifier", kind()), shown))
    assert any(told in one for one in broken), broken
