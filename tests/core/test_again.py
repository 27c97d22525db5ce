"""Promises of parts that are loaded again: other weights are refused, other versions of libraries are told."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

import foible
from foible.adapters.transformers import models
from foible.errors import PluginError
from foible.parts.again import LIBRARIES, libraries_alone, load_again
from foible.parts.registry import load

OLD = "adapter 1; transformers 5.0.0; torch 2.0.0; pillow 11.0.0"
WORDS = st.sampled_from([*sorted(LIBRARIES), "adapter", "answers", "server", "question"])


@pytest.fixture(scope="module")
def part():
    """Give a classifier that comes with foible."""
    return load("classifier", "diorama:biased-convnext")


def test_the_same_weights_under_other_libraries_are_loaded_and_told(part, caplog):
    """What it answers is kept under the versions of now, never under those of the run."""
    with caplog.at_level(logging.WARNING):
        again = load_again("classifier", {**part.identity, "version": OLD})
    assert again.identity == part.identity
    assert "under other libraries" in caplog.text
    assert "torch 2.0.0" in caplog.text
    caplog.clear()
    assert load_again("classifier", part.identity).identity == part.identity
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"fingerprint": "0" * 64}, "fingerprint"),
        ({"fingerprint": "0" * 64, "version": OLD}, "fingerprint"),
        ({"version": OLD.replace("adapter 1", "adapter 0")}, "version"),
        ({"version": OLD + "; answers 2"}, "version"),
        ({"version": "1.2.3"}, "version"),
    ],
)
def test_what_decides_answers_by_itself_is_refused(part, changed, told):
    """Other weights, another adapter or another way of asking are another part, whatever else differs."""
    with pytest.raises(PluginError, match=f"not the one of the run any more: its {told} was"):
        load_again("classifier", {**part.identity, **changed})


@given(st.lists(st.tuples(WORDS, st.sampled_from("12"), st.sampled_from("12")), max_size=4))
def test_versions_differ_by_libraries_alone_where_nothing_else_does(parts):
    """A version that names a library otherwise is tolerated; one of anything else, or of another thing, is not."""
    before, now = ("; ".join(f"{name} {one[at]}" for name, *one in parts) for at in (0, 1))
    assert libraries_alone(before, now) == all(was == is_ or name in LIBRARIES for name, was, is_ in parts)
    assert not libraries_alone(before, f"{now}; torch 2")
    assert libraries_alone(before, before)


def test_a_run_of_older_libraries_is_gone_on_from(tmp_path, monkeypatch, caplog):
    """An adversarial set is made, by parts of now; what the run has of the old ones stays as it was."""
    with monkeypatch.context() as earlier:
        earlier.setattr(models, "VERSION", OLD)
        run = foible.probe(
            "diorama:biased-convnext",
            "bucket",
            "at sunset",
            out=tmp_path / "run",
            progress=False,
            config={"measure.most": 0, "confirm.method": "fixed", "confirm.draws": 24, "explain.draws": 0},
        )
    assert len(run.confirmed) == 1
    with caplog.at_level(logging.WARNING):
        found = foible.export_adversarial(run, tmp_path / "set", size=6, progress=False)
    assert found.exported.images == 6
    assert caplog.text.count("under other libraries") == 2  # classifier and judge
    again = foible.open(run.folder)
    assert str(again.result.classifiers[0].identity["version"]) == OLD
