"""A calibration keeps the share of wrong labels that it was asked to keep out, and counts what set nothing."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from foible.checks.calibrate import Shown, calibrate, choose, read_folder
from foible.cli import main
from foible.diorama.generator import DioramaGenerator
from foible.errors import InputError
from foible.parts import registry
from foible.parts.asking import ask_judge

LABELS = ("ball", "vase", "teapot")
EACH = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve drawn images of each of three labels, in folders that are called after them."""
    root = tmp_path_factory.mktemp("labelled")
    for number, name in enumerate(LABELS):
        (root / name).mkdir()
        prompts = [f"a realistic photograph of a {name}"] * EACH
        for row, drawn in enumerate(DioramaGenerator().draw(prompts, range(100 * number, 100 * number + EACH))):
            Image.fromarray(drawn.image).save(root / name / f"{row}.png")
    return root


@pytest.fixture(scope="module")
def embedder():
    """The folder of a real joint model: the diorama's."""
    from foible.diorama.models import weights

    if not (weights("embedder") / "config.json").is_file():
        pytest.skip("the diorama's embedder has no weights here")
    return weights("embedder")


def brute(yes, no, needed, thresholds):
    """Count by hand: shares of right yes and of right no."""
    said = [[sum(s >= t for s, t in zip(row, thresholds, strict=True)) >= needed for row in each] for each in (yes, no)]
    return np.mean(said[0]), 1 - np.mean(said[1])


SCORES = arrays.arrays(float, st.tuples(st.integers(3, 12), st.just(3)), elements=st.floats(-1, 1, width=16))


@settings(deadline=None, max_examples=150)
@given(yes=SCORES, no=SCORES, needed=st.integers(1, 3), specificity=st.sampled_from([0.5, 0.8, 0.95, 1.0]))
def test_the_chosen_thresholds_keep_the_wanted_share_out(yes, no, needed, specificity):
    """Whatever the scores: the rule says no to at least that share of the wrong ones."""
    thresholds = choose(yes, no, needed, specificity)
    assert brute(yes, no, needed, thresholds)[1] >= specificity


@settings(deadline=None, max_examples=100)
@given(yes=SCORES, no=SCORES, specificity=st.sampled_from([0.5, 0.8, 0.95]))
def test_of_one_question_no_lower_threshold_would_do(yes, no, specificity):
    """Among all thresholds that keep out enough, the chosen one says yes to as many right labels as any."""
    yes, no = yes[:, :1], no[:, :1]
    sensitivity, _ = brute(yes, no, 1, choose(yes, no, 1, specificity))
    known = [*np.unique(np.concatenate([yes, no])), 2.0]
    fitting = [each for each in (brute(yes, no, 1, [t]) for t in known) if each[1] >= specificity]
    assert sensitivity == max(each[0] for each in fitting)


def test_a_calibrated_judge_is_better_than_it_was_and_counts_honestly(folder, embedder, tmp_path):
    """On the drawn images themselves: its counts are those of the half that set nothing, and its file loads."""
    args = {"template": ["a photo of a {name}", "a {name} on grass"], "contrasts": ["bucket", "can"]}
    done = calibrate(f"clip:{embedder}", args, folder, specificity=0.9)
    assert (done.images, done.broken, done.labels) == (36, 0, tuple(sorted(LABELS)))
    assert done.sensitivity.of == done.specificity.of == 18
    assert done.sensitivity.rate + done.specificity.rate > 1.2
    file = tmp_path / "judge.json"
    file.write_text(done.text())
    judge = registry.load("judge", f"clip:{embedder}", {"calibration": str(file)})
    labels, shown, _ = read_folder(folder)
    ours = [one for row, one in enumerate(shown) if row % 2]  # every label has an even number of images
    said = ask_judge(judge, [one.image for one in ours], [labels[one.label] for one in ours])
    assert sum(one.faithful for one in said) == done.sensitivity.right
    told = json.loads(done.text())
    assert told["sensitivity"]["low"] <= done.sensitivity.rate <= told["sensitivity"]["high"]
    assert told["args"]["needed"] == 2


def test_broken_files_and_doubles_are_left_out(folder, tmp_path):
    """A torn image is counted, a copy is not an image more, a note is no image."""
    for name in LABELS[:2]:
        (tmp_path / name).mkdir()
        for row in range(5):
            (tmp_path / name / f"{row}.png").write_bytes((folder / name / f"{row}.png").read_bytes())
    (tmp_path / "ball" / "copy.png").write_bytes((folder / "ball" / "0.png").read_bytes())
    (tmp_path / "ball" / "torn.png").write_bytes((folder / "ball" / "6.png").read_bytes()[:200])
    (tmp_path / "vase" / "note.txt").write_text("mine")
    labels, shown, broken = read_folder(tmp_path)
    assert [label.name for label in labels] == ["ball", "vase"]
    assert (len(shown), broken) == (10, 2)


def test_an_image_that_goes_away_is_told(folder, tmp_path):
    """Files are read when they are needed; one that has gone by then is a sentence, not an image less."""
    (tmp_path / "ball.png").write_bytes((folder / "ball" / "0.png").read_bytes())
    shown = Shown(tmp_path / "ball.png", 0)
    assert shown.image.shape == (64, 64, 3)
    (tmp_path / "ball.png").unlink()
    with pytest.raises(InputError, match="can no longer be read"):
        _ = shown.image


def test_a_folder_that_will_not_do(tmp_path):
    """No folder, one label alone, and too few images are one sentence each."""
    for place in (tmp_path / "none", tmp_path):
        with pytest.raises(InputError, match="must hold a folder for each label, two at least"):
            read_folder(place)
    for name in LABELS:
        (tmp_path / name).mkdir()
    with pytest.raises(InputError, match=r"the label 'ball' in .* needs 4 different images, but has 0"):
        read_folder(tmp_path)


def test_a_judge_without_thresholds_cannot_be_calibrated(folder):
    """The sentence names the families that can."""
    with pytest.raises(InputError, match="has no thresholds to calibrate; name one of the families clip or vlm"):
        calibrate("python:foible.testing:YesJudge", {}, folder)


def test_a_judge_that_cannot_tell_is_refused(folder, embedder, tmp_path):
    """Where the images stand in the wrong folders, no file is written that a hunt would believe."""
    for number, name in enumerate(LABELS):
        (tmp_path / name).mkdir()
        for row in range(EACH):
            other = LABELS[(number + 1 + row % 2) % 3]
            (tmp_path / name / f"{row}.png").write_bytes((folder / other / f"{row}.png").read_bytes())
    with pytest.raises(InputError, match="apart no better than a coin"):
        calibrate(f"clip:{embedder}", {}, tmp_path)


def test_the_command_writes_the_file_and_says_how_to_use_it(folder, embedder, tmp_path, monkeypatch, capfd):
    """Counts on stdout, the file where it was asked for; a place that cannot be written is one sentence."""

    def call(out):
        words = ["foible", "calibrate-judge", "--judge", f"clip:{embedder}", "--images", folder, "--out", out]
        monkeypatch.setattr(sys, "argv", [*map(str, words), "--set", "judge.args.contrasts=[bucket, can]"])
        with pytest.raises(SystemExit) as stop:
            main()
        sys.stdout.flush()
        return stop.value.code, *capfd.readouterr()

    code, out, err = call(tmp_path / "judge.json")
    assert (code, err) == (0, "")
    told = json.loads((tmp_path / "judge.json").read_text())
    assert told["args"]["contrasts"] == ["bucket", "can"]
    assert f"({told['sensitivity']['right']} of {told['sensitivity']['of']})" in out
    assert f"--set judge.args.calibration={tmp_path / 'judge.json'}" in out
    code, out, err = call(tmp_path / "none" / "judge.json")
    assert (code, out) == (2, "")
    assert "cannot be written to" in err
