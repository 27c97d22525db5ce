"""A hunt whose every part is a model of a public library, loaded from a local folder or file by an ordinary spec."""

from __future__ import annotations

import json

import pytest

import foible
from plugins.test_draw_diffusers import pipelines  # noqa: F401 - a fixture

onnx = pytest.importorskip("onnx")
pytest.importorskip("diffusers")

DRAWS = 16
LABELS = ["cup", "ball"]


@pytest.fixture
def settings(pipelines, tiny, tmp_path):  # noqa: F811 - the fixture that was imported
    """A config that names diffusers, onnx, and transformers three times; untrained, they know nothing."""
    from plugins.test_classify_onnx import onnx_file

    file = onnx_file(tmp_path / "small.onnx", metadata={"names": str({0: "cup", 1: "ball", 2: "vase"})})
    return {
        "generator": {"spec": f"diffusers:{pipelines('sd')}", "args": {"steps": 2, "size": 32}},
        "classifier": f"onnx:{file}",
        "captioner": {"spec": f"transformers:{tiny('git')}", "args": {"max_new_tokens": 8}},
        "embedder": f"transformers:{tiny('clip')}",
        "judge": {"spec": f"clip:{tiny('siglip')}", "args": {"template": "a photo of a {name}", "threshold": 0.0}},
        "labels": LABELS,
        "batch": 8,
        "explore": {"draws": DRAWS},
        "pilot": {"misfit": "say"},  # nothing here was trained: the judge sees what chance has it see
        "describe": {"screen": 1.0, "failures": 1},
        "confirm": {"method": "fixed", "draws": 8, "unscored": 1.0},
        "explain": {"draws": 4},
        "archive": tmp_path / "archive",
    }


def unscored(run):
    """How many draws are unscored, by the result's own count."""
    return sum(count for reason, count in run.result.unscored if not reason.startswith(("not captioned", "not emb")))


def test_it_runs_to_its_end_and_counts_everything(settings, tmp_path):
    """Every draw is failed, passed or unscored; each part says what it is; the report is written."""
    run = foible.hunt(config=settings, out=tmp_path / "run", progress=False)
    result = run.result
    assert [label.tally.draws for label in result.explored] == [DRAWS] * len(LABELS)
    assert result.draws["explore"] == DRAWS * len(LABELS)
    parts = [*result.parts.values(), *(one.identity for one in result.classifiers)]
    families = [str(part["spec"]).partition(":")[0] for part in parts]
    assert sorted(families) == ["clip", "diffusers", "onnx", "transformers", "transformers"]
    explored = sum(label.tally.unscored for label in result.explored)
    assert sum(count for label in result.explored for _, count in label.unscored_reasons) == explored
    assert unscored(run) >= explored
    assert run.report.is_file()
    written = json.loads((run.folder / "findings.json").read_text())
    assert written["draws"]["explore"] == DRAWS * len(LABELS)


def test_a_description_of_ones_own_is_tested(settings, tmp_path):
    """A probe draws treat and control with the same parts, and comes to a verdict."""
    probe = {key: value for key, value in settings.items() if key not in {"captioner", "embedder", "labels"}}
    run = foible.probe(label="cup", description="on grass", config=probe, out=tmp_path / "run", progress=False)
    (finding,) = run
    assert (finding.trial.treat.draws, finding.trial.control.draws) == (8, 8)
    assert finding.verdict in {"refuted", "undecided"}  # eight pairs of noise confirm nothing


def test_it_goes_on_to_the_same_bytes(settings, tmp_path):
    """Its parts loaded a second time: on the same archive, and from nothing, the hunt ends with the same findings."""
    first = foible.hunt(config=settings, out=tmp_path / "a", progress=False)
    again = foible.hunt(config=settings, out=tmp_path / "b", progress=False)
    anew = {**settings, "archive": tmp_path / "other"}
    fresh = foible.hunt(config=anew, out=tmp_path / "c", progress=False)
    told = [(run.folder / "findings.json").read_bytes() for run in (first, again, fresh)]
    assert told[0] == told[1] == told[2]


def test_what_the_safety_checker_takes_is_unscored(settings, pipelines, tmp_path):  # noqa: F811 - as above
    """A generator that draws nothing at all ends the hunt at once, and says why."""
    settings["generator"] = {**settings["generator"], "spec": f"diffusers:{pipelines('checked')}"}
    with pytest.raises(foible.InputError, match=r"drew none of the first 8 images: .*safety checker"):
        foible.hunt(config=settings, out=tmp_path / "run", progress=False)
