"""Networks of one's own: what nobody told is asked for or told as a guess, and training mode is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from foible import testing
from foible.errors import ArgumentError, PluginError
from foible.parts import registry
from networks import network


class Tiles(nn.Module):
    """Says which of four quarters of a 32-pixel image is the brightest: at another size its tiles lie elsewhere."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images):
        """Score (n, 3, 32, 32): (n, 4)."""
        light = images.mean(dim=1)
        quarters = [light[:, top : top + 16, left : left + 16] for top in (0, 16) for left in (0, 16)]
        return torch.stack([quarter.mean(dim=(1, 2)) for quarter in quarters], dim=1) * self.scale


class Chance(nn.Module):
    """Drops values in its own `forward`, which `.eval()` does not reach."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 4)

    def forward(self, images):
        """Score (n, 3, height, width): (n, 4)."""
        return self.fc(nn.functional.dropout(images.mean(dim=(2, 3)), 0.5))


class Ends(nn.Module):
    """A network whose last step can be chosen."""

    def __init__(self, end="none"):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.end = end

    def forward(self, images):
        """Score (n, 3, height, width): (n, 3)."""
        scores = images.mean(dim=(2, 3)) * self.scale
        last = {
            "sigmoid": lambda: torch.sigmoid(scores)[:, :, None].flatten(1),
            "middle": lambda: torch.sigmoid(scores) @ torch.eye(3),
            "topk": lambda: scores.topk(3).values.softmax(1) * 100,
            "sort": lambda: scores.sort(descending=True).values,
            "none": lambda: scores,
        }
        return last[self.end]()


class One(nn.Module):
    """One probability: how red an image is."""

    def forward(self, images):
        """Score (n, 3, height, width): (n, 1)."""
        return torch.sigmoid(4 * (images[:, :1] - images[:, 1:2]).mean(dim=(2, 3)))


def exported(module, file, shape=(2, 3, 32, 32), free=(0,)):
    """Write a module as a program, with some sides of its input free."""
    sides = {side: torch.export.Dim(f"side{side}", min=4 if side else 2, max=1024) for side in free}
    program = torch.export.export(module, (torch.rand(*shape),), dynamic_shapes=(sides,))
    torch.export.save(program, file)
    return file


@pytest.fixture
def weights(tmp_path):
    """The weights of `Tiles`, and how to load them."""
    torch.save(Tiles().state_dict(), tmp_path / "tiles.pth")
    return tmp_path / "tiles.pth", {"factory": f"{__name__}:Tiles"}


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """Let a factory be named by this module."""
    import sys

    monkeypatch.setitem(sys.modules, __name__.rpartition(".")[2], sys.modules.get(__name__))


def load(file, **args):
    """Load a file."""
    return registry.load("classifier", f"torch:{file}", args)


def refused(file, error=PluginError, **args):
    """Give the sentence of the error."""
    with pytest.raises(error) as caught:
        load(file, **args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def bright():
    """Thirty-two images with a bright pixel in a corner each, and which corner."""
    images, places = [], []
    for place in range(4):
        for shift in range(8):
            image = np.full((32, 32, 3), 60 + shift, np.uint8)
            image[31 * (place // 2), 31 * (place % 2)] = 255
            images.append(image)
            places.append(place)
    return images, np.array(places)


def test_a_size_that_nobody_told_is_asked_for(weights):
    """A7: weights say no size, so it is asked for, with everything else that may differ, and nothing is assumed."""
    file, factory = weights
    sentence = refused(file, ArgumentError, **factory)
    for argument in ("size", "crop", "mean", "std", "pixel_range", "channels", "interpolation"):
        assert argument in sentence
    images, places = bright()
    right = load(file, **factory, size=32, crop=None).object.classify(images).argmax(axis=1) == places
    assert right.all()
    assert (load(file, **factory, size=32).object.classify(images).argmax(axis=1) == places).mean() < 0.5


def test_guesses_are_told(weights):
    """A7: the recipe in use stands in the identity, and so does which parts of it nobody told."""
    file, factory = weights
    told = load(file, **factory, size=32).identity["args"]
    assert told["guessed"] == ["crop", "mean", "std", "channels", "interpolation"]
    assert (told["crop"], told["channels"]) == (0.875, "rgb")
    said = {"crop": None, "pixel_range": [0, 1], "channels": "bgr", "interpolation": "bicubic"}
    assert load(file, **factory, size=32, **said).identity["args"]["guessed"] == []
    assert load(file, **factory, size=32, crop=None).identity["args"]["guessed"] == [
        "mean",
        "std",
        "channels",
        "interpolation",
    ]


def test_a_program_that_fixes_its_size_tells_it(tmp_path):
    """A7: an exported program with a fixed input needs no size, in either layout; one that takes any size does."""
    fixed = exported(network(), tmp_path / "fixed.pt2", (2, 3, 24, 40))
    assert load(fixed).identity["args"]["size"] == [24, 40]

    class Last(nn.Module):
        def forward(self, images):
            return images.mean(dim=(1, 2))

    last = load(exported(Last(), tmp_path / "last.pt2", (2, 24, 40, 3))).identity["args"]
    assert (last["size"], last["layout"]) == ([24, 40], "nhwc")
    free = exported(network(), tmp_path / "free.pt2", free=(0, 2, 3))
    assert "does not say how large" in refused(free, ArgumentError)
    assert load(free, size=48).identity["args"]["size"] == [48, 48]


def test_bgr_can_be_said(weights):
    """C29: a network that was trained on BGR is given BGR, and mean and std are of its channels."""
    file, _ = weights
    part = load(file, factory=f"{__name__}:Tiles", size=32, crop=None, channels="bgr", mean=[0.5, 0, 0], std=[1, 1, 1])
    image = np.zeros((32, 32, 3), np.uint8)
    image[..., 2] = 255  # blue is the first channel of such a network
    assert np.allclose(part.object.classify([image]), (1 - 0.5) / 3, atol=1e-6)
    assert part.identity["args"]["channels"] == "bgr"


@pytest.mark.filterwarnings("ignore:.*treespec, LeafSpec.*:FutureWarning")  # torch warns of its own code
@pytest.mark.parametrize("decomposed", [False, True])
@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (lambda: nn.Dropout(0.5), "dropout"),
        (lambda: nn.Dropout2d(0.5), "dropout|bernoulli"),
        (lambda: nn.AlphaDropout(0.5), "dropout|bernoulli"),
        (lambda: nn.BatchNorm2d(3), "batch statistics"),
        (nn.RReLU, "rrelu"),
        (lambda: nn.InstanceNorm2d(3, track_running_stats=True), "batch statistics"),
    ],
    ids=["dropout", "dropout2d", "alpha", "batchnorm", "rrelu", "instancenorm"],
)
def test_a_program_in_training_mode_is_refused(layer, why, decomposed, tmp_path):
    """A6: what drops values, or uses the statistics of its batch, is in the graph: refused, and the remedy works."""
    network = nn.Sequential(layer(), nn.AdaptiveAvgPool2d(1), nn.Flatten())

    def save(file):
        program = torch.export.export(
            network, (torch.rand(2, 3, 32, 32),), dynamic_shapes=({0: torch.export.Dim("n")},)
        )
        torch.export.save(program.run_decompositions() if decomposed else program, file)
        return file

    sentence = refused(save(tmp_path / "train.pt2"))
    assert "was exported in training mode" in sentence
    assert any(word in sentence for word in why.split("|"))
    assert ".eval()" in sentence
    network.eval()
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    assert load(save(tmp_path / "eval.pt2")).object.classify([image]).shape == (1, 3)


@pytest.mark.filterwarnings("ignore:.*treespec, LeafSpec.*:FutureWarning")  # torch warns of its own code
@pytest.mark.parametrize("decomposed", [False, True])
def test_what_only_looks_like_training_is_not_refused(decomposed, tmp_path):
    """A6: attention without dropout, a dropout of none, a norm without statistics of its own: as in evaluation."""

    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.drop, self.norm = nn.Dropout(0.0), nn.InstanceNorm2d(3)

        def forward(self, images):
            rows = self.norm(self.drop(images)).flatten(2)
            return nn.functional.scaled_dot_product_attention(rows, rows, rows).mean(dim=2)

    program = torch.export.export(Plain(), (torch.rand(2, 3, 8, 8),), dynamic_shapes=({0: torch.export.Dim("n")},))
    torch.export.save(program.run_decompositions() if decomposed else program, tmp_path / "plain.pt2")
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    assert load(tmp_path / "plain.pt2").object.classify([image]).shape == (1, 3)


def test_a_network_that_works_by_chance_is_refused(tmp_path):
    """A6: dropout that `.eval()` does not reach is found, though it often drops the same of three values again."""
    torch.save(Chance().state_dict(), tmp_path / "chance.pth")
    for seed in range(30):
        torch.manual_seed(seed)
        assert "gives other answers" in refused(tmp_path / "chance.pth", factory=f"{__name__}:Chance", size=32)


def test_one_output_is_a_yes_or_no(tmp_path):
    """A12: one sigmoid output is refused with a sentence that says so; with its threshold it is two classes."""
    file = exported(One(), tmp_path / "one.pt2")
    assert "give threshold, the output from which the answer is yes (0.5 for a probability" in refused(
        file, ArgumentError
    )
    part = load(file, threshold=0.5, labels=["not red", "red"], pixel_range=[0, 1])
    red, green = np.zeros((2, 32, 32, 3), np.uint8)
    red[..., 0], green[..., 1] = 200, 200
    assert part.object.classify([red, green]).argmax(axis=1).tolist() == [1, 0]
    assert part.object.labels == ("not red", "red")
    assert "ranked: leave the argument threshold out" in refused(
        exported(network(), tmp_path / "three.pt2"), ArgumentError, threshold=0.5
    )


@pytest.mark.parametrize("form", ["program", "weights"])
@pytest.mark.parametrize("end", ["sigmoid", "middle", "topk", "sort", "none"])
def test_what_the_last_step_makes_of_scores_is_seen(end, form, tmp_path):
    """A5, A12: a sigmoid for each class, and scores by rank, are refused where they end a network, not within it."""
    if form == "program":
        file, args = exported(Ends(end), tmp_path / "m.pt2"), {}
    else:
        file = tmp_path / "m.pth"
        torch.save(Ends(end).state_dict(), file)
        args = {"factory": f"{__name__}:Ends", "factory_args": {"end": end}, "size": 32}
    if end == "sigmoid":
        assert "says of each class for itself" in refused(file, ArgumentError, **args)
        assert load(file, **args, single_label=True).object.classify(testing.patterns()).shape[1] == 3
    elif end in {"topk", "sort"}:
        assert f"leave the last step, {end}, out" in refused(file, **args)
    else:
        assert load(file, **args).object.classify(testing.patterns()).shape[1] == 3
        assert "no multi-label model" in refused(file, ArgumentError, **args, single_label=True)
