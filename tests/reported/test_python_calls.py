"""Reported faults of the Python calls: what `dir` shows, one label alone, a config by its path, dotted fields."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import foible
import toyworld
from foible.errors import ConfigError
from foible.layers import resolve

FIELDS = {"explore": {"draws": 8}, "confirm": {"draws": 8}, "budget": 60}


def small(out, labels, config=FIELDS):
    """Hunt over few draws of the toy world."""
    parts: dict[str, Any] = toyworld.PARTS
    return foible.hunt(toyworld.Classifier(), labels, out=out, config=config, progress=False, **parts)


def test_dir_shows_the_public_names():
    """Before any of them was used, too."""
    assert {"hunt", "probe", "Run", "HuntConfig"} <= set(dir(foible))
    assert dir(foible) == sorted(foible.__all__)


def test_one_label_may_stand_alone(tmp_path):
    """A string is one label, and so is a record; neither is read letter by letter."""
    for name, label in (("text", "coffee mug"), ("record", foible.Label("coffee mug"))):
        assert [one.name for one in small(tmp_path / name / "run", label).result.labels] == ["coffee mug"]


def test_a_config_may_be_a_path(tmp_path):
    """The fields of a YAML file are those of the mapping that it holds; a text is a path as well."""
    file = tmp_path / "fields.yaml"
    file.write_text(yaml.safe_dump(FIELDS), encoding="utf-8")
    made = [small(tmp_path / str(n) / "run", "coffee mug", how) for n, how in enumerate([FIELDS, file, str(file)])]
    assert [run.result.draws for run in made] == [made[0].result.draws] * 3


@pytest.mark.parametrize("config", [3, ["budget"], object()])
def test_a_config_that_is_none_is_refused(tmp_path, config):
    """The sentence says what is wanted, and nothing is made."""
    with pytest.raises(ConfigError, match="config wants fields, a HuntConfig or the path of a YAML file, but got a"):
        small(tmp_path / "run", "coffee mug", config)
    with pytest.raises(ConfigError, match=r"nowhere\.yaml cannot be read"):
        small(tmp_path / "run", "coffee mug", "nowhere.yaml")
    assert not (tmp_path / "run").exists()


@given(draws=st.integers(1, 500), margin=st.floats(0.01, 0.5))
def test_a_dotted_field_is_the_nested_one(draws, margin):
    """`{"explore.draws": 10}` is `{"explore": {"draws": 10}}`; the names of arguments keep their dots."""
    nested = {"explore": {"draws": draws}, "confirm": {"margin": margin}}
    flat = {"explore.draws": draws, "confirm.margin": margin}
    assert resolve([("a", flat)])[0] == resolve([("a", nested)])[0]
    part = {"classifier": {"spec": "python:x", "args": {"layer.1": draws}}}
    assert resolve([("a", part)])[0].classifier.args == {"layer.1": draws}


def test_the_repr_of_a_run_is_a_line(tmp_path):
    """It says where the run lies, how many bugs were confirmed, and from how many draws."""
    run = small(tmp_path / "run", "coffee mug")
    shown = repr(run)
    assert len(shown) < 200 + len(str(run.folder))
    assert str(run.folder) in shown
    assert f"{len(run.confirmed)} of {len(run)} confirmed, {sum(run.result.draws.values())} draws" in shown
