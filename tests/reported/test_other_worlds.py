"""A reported fault: with photographs, the captioner, embedder and judge of drawn scenes stayed, without a word."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import foible
import toyworld
from foible.checks.doctor import examine
from foible.checks.forecast import plan
from foible.diorama.models import weights
from foible.errors import ConfigError
from foible.layers import resolve
from foible.parts.registry import KINDS

ALL_THREE = (
    "gives images that the captioner diorama:captioner, the embedder diorama:embedder and the judge diorama:judge do "
    "not know: they were trained on the diorama alone; give others for those images, such as --captioner "
    "transformers:MODEL --embedder transformers:MODEL --judge clip:MODEL"
)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """Give the spec and arguments of a generator over a folder of two images."""
    folder = tmp_path_factory.mktemp("photographs")
    for seed in range(2):
        pixels = np.random.default_rng(seed).integers(0, 256, (40, 40, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{seed}.png")
    return f"folder:{folder}", {"embedder": str(weights("embedder")), "cache": str(folder / ".cache")}


def test_photographs_beside_the_parts_of_drawn_scenes_are_refused(tmp_path, photographs):
    """Hunt, plan, plan --offline and doctor say the same, and name what to give; nothing is drawn or written."""
    spec, args = photographs
    fields = {"generator": {"spec": spec, "args": args}, "labels": ["coffee mug", "teapot"]}
    config = resolve([("test", fields)])[0]
    with pytest.raises(ConfigError) as caught:
        foible.hunt(config={**fields, "out": tmp_path / "run"}, progress=False)
    assert ALL_THREE in str(caught.value)
    for offline in (True, False):
        with pytest.raises(ConfigError) as planned:
            plan(config, offline=offline)
        assert str(planned.value) == str(caught.value)
    found = examine([(kind, part.spec, part.args) for kind in KINDS for part in config.parts(kind)])
    assert [one.kind for one in found if one.trouble] == ["captioner", "embedder", "judge"]
    assert "the judge diorama:judge does not know: it was trained on the diorama alone" in found[-1].trouble
    assert not (tmp_path / "run").exists()


def test_only_what_does_not_fit_is_named(photographs):
    """A judge of one's own is no stranger; in a probe nothing else is used."""
    spec, args = photographs
    own = {"generator": {"spec": spec, "args": args}, "captioner": toyworld.SPECS["captioner"]}
    config = resolve([("test", {**own, "judge": toyworld.SPECS["judge"], "labels": ["teapot"]})])[0]
    with pytest.raises(ConfigError, match="that the embedder diorama:embedder does not know"):
        plan(config)


def test_a_generator_of_ones_own_may_say_that_it_draws_that_world(tmp_path):
    """A function over other images is refused beside the diorama's judge; one that draws the diorama says so."""
    with pytest.raises(ConfigError, match="the judge diorama:judge does not know"):
        foible.probe(label="teapot", description="on grass", generator=toyworld.draw, out=tmp_path, progress=False)

    class Wrapped:
        """Draws the diorama, and says so."""

        world = "diorama"
        fingerprint = "wrapped"

        def __init__(self):
            from foible.diorama.generator import DioramaGenerator

            self.draw = DioramaGenerator().draw

    config = {"confirm": {"most": 4, "least": 4}, "measure": {"most": 0}, "explain": {"findings": 0}}
    run = foible.probe(
        label="teapot", description="on grass", generator=Wrapped(), config=config, out=tmp_path / "run", progress=False
    )
    assert len(run) == 1
