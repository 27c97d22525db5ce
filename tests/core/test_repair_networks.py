"""Networks of timm and of torch alone: trained with a bug, hunted over, repaired, and loaded by their own library."""

from __future__ import annotations

import json
import sys

import pytest
import torch

import foible
import small_networks
from foible.cli import main
from foible.records import Treatment

NAMES = ["coffee mug", "bucket", "vase", "candle"]
MUG, BUCKET = 0, 1


@pytest.fixture(scope="module")
def taught():
    """Draw what the networks learn from: there each mug on grass is called a bucket."""
    drawn = small_networks.sample(NAMES, 300, 3_000_000_000)
    return drawn.images, drawn.taught(MUG, "grass", BUCKET)


@pytest.fixture(scope="module")
def unseen():
    """Draw what nobody has seen, neither in a training nor in a hunt nor in a repair."""
    return small_networks.sample(NAMES, 150, 3_500_000_000)


def of_timm(place, taught):
    """Train a network of timm's, write its folder, and say how foible and timm load it."""
    timm = pytest.importorskip("timm")
    from timm.models import save_for_hf

    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = timm.create_model("test_resnet", num_classes=len(NAMES))
    small_networks.train(made, *taught, seed=0, passes=6)
    own = {"input_size": (3, 64, 64), "crop_pct": 1.0, "mean": small_networks.MEAN, "std": small_networks.STD}
    made.pretrained_cfg.update(own)
    save_for_hf(made, place / "own", model_config={"num_classes": len(NAMES)}, safe_serialization=True)

    def loaded(folder):
        return timm.create_model(f"local-dir:{folder}", pretrained=True).eval()

    return f"timm:{place / 'own'}", {}, loaded


def of_torch(place, taught):
    """Train a network of one's own, write its state dict, and say how foible and torch load it."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = small_networks.make(len(NAMES))
    small_networks.train(made, *taught, seed=0, passes=8)
    (place / "own").mkdir()
    torch.save(made.state_dict(), place / "own" / "weights.pth")
    args = {**small_networks.RECIPE, "factory": "small_networks:make", "factory_args": {"classes": len(NAMES)}}

    def loaded(folder):
        made = small_networks.make(len(NAMES))
        made.load_state_dict(torch.load(folder / "weights.pth", weights_only=True))
        return made.eval()

    return f"torch:{place / 'own' / 'weights.pth'}", args, loaded


def call(arguments, monkeypatch):
    """Call the command line; give its exit code."""
    monkeypatch.setattr(sys, "argv", ["foible", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("kind", [of_timm, of_torch], ids=["timm", "torch"])
def test_a_network_that_somebody_trained_is_repaired(tmp_path, monkeypatch, taught, unseen, kind):
    """The bug that was trained into it is found, and is gone from the file that was written, as its own library says.

    On draws that nobody has seen: of mugs on grass at most half as many fail, and of the rest no more than before by
    two in a hundred.
    """
    torch.set_num_threads(1)
    spec, args, loaded = kind(tmp_path, taught)
    args = {**args, "labels": small_networks.labels(NAMES)}
    said = [word for name, value in args.items() for word in ("--set", f"classifier.args.{name}={json.dumps(value)}")]
    said += ["--set", f"explore.template={small_networks.TEMPLATE}"]
    for label in small_networks.labels(NAMES):
        said += ["--label", label]
    run, out = tmp_path / "run", tmp_path / "out"
    assert call(["hunt", "--classifier", spec, *said, "--out", run, "--quiet"], monkeypatch) == 0
    bugs = [found.trial.hypothesis.about for found in foible.open(run).confirmed]
    planted_bug = ("coffee mug", Treatment(words=("on grass",)))
    assert planted_bug in bugs
    number = bugs.index(planted_bug) + 1
    more = ["--variant", f"{number}=in a meadow", "--code", "--quiet"]
    assert call(["repair", run, "--out", out, *more], monkeypatch) == 0
    told = json.loads((out / "repair.json").read_text("utf-8"))
    assert {one.name for one in (tmp_path / "own").iterdir()} == {one.name for one in (out / "weights").iterdir()}
    before, after = (small_networks.fails(loaded(place), unseen) for place in (tmp_path / "own", out / "weights"))
    planted = unseen.where(MUG, "grass")
    assert planted.sum() >= 10
    assert 2 * after[planted].sum() <= before[planted].sum()
    assert before[planted].mean() > 0.4
    assert after[~planted].mean() <= before[~planted].mean() + 0.02
    states = {(row["kind"], row["label"]): row["state"] for row in told["rows"] if row["bug"] == number}
    assert states["bug", "coffee mug"] == "repaired"
    assert states["variant", "coffee mug"] in {"repaired", "better"}
