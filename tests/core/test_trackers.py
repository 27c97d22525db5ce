"""Promises of trackers: what is read back of each is what the run found, and nothing is lost where one is down."""

from __future__ import annotations

import json
import math
import sys
import time
from pathlib import Path

import pytest

import foible
import toyworld
from foible.act.trackers.told import COLUMNS, told
from foible.errors import ConfigError, InputError

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of these libraries' own dependencies
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # files they leave open
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Hunt once; two bugs are planted."""
    found = toyworld.hunt(tmp_path_factory.mktemp("tracked") / "run", seed=2)
    assert len(found.confirmed) >= 2
    return found


def test_every_number_is_that_of_the_run(run):
    """Each rate is sent with the ends of its interval, and what nobody scored is not sent at all."""
    sent = told(run, 2)
    assert sent.numbers["findings/confirmed"] == len(run.confirmed)
    for number, finding in enumerate(run.confirmed, 1):
        own = {k: v for k, v in sent.numbers.items() if k.startswith(f"bug {number} ")}
        ends = [getattr(finding, which) for which in ("treat", "control", "difference")]
        assert sorted(own.values()) == sorted(v for r in ends for v in (r.value, r.low, r.high))
    assert [dict(zip(COLUMNS, row, strict=True))["verdict"] for row in sent.rows] == [f.verdict for f in run]
    assert all(math.isfinite(value) for value in sent.numbers.values())


def test_tensorboard_reads_numbers_and_pictures(run, tmp_path):
    """Its own reader gives every number and every picture; a second run of that name is refused, and nothing mixed."""
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    place = foible.track(run.folder, tensorboard=tmp_path / "logs", pictures=2)["TensorBoard"]
    found = accumulators.EventAccumulator(place, size_guidance={"images": 0, "scalars": 0, "tensors": 0})
    found.Reload()
    sent = told(run, 2)
    read = {name: found.Scalars(name)[0].value for name in found.Tags()["scalars"]}
    assert {name.replace(" ", "_"): pytest.approx(v, rel=1e-5) for name, v in sent.numbers.items()} == {
        name.replace(" ", "_"): value for name, value in read.items()
    }
    assert len(found.Tags()["images"]) == len(sent.pictures) > 0
    with pytest.raises(InputError, match="there already"):
        foible.track(run.folder, tensorboard=tmp_path / "logs")


def test_mlflow_reads_numbers_settings_and_files(run, tmp_path, monkeypatch):
    """Its client finds a finished run with the numbers, the settings, the report and the pictures."""
    tracking = pytest.importorskip("mlflow.tracking")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    address = (tmp_path / "mlruns").as_uri()
    place = foible.track(run.folder, mlflow=address, pictures=1)["MLflow"]
    client = tracking.MlflowClient(tracking_uri=address)
    found = client.get_run(place.rpartition(" ")[2])
    sent = told(run, 1)
    assert found.info.status == "FINISHED"
    assert found.data.metrics == pytest.approx(dict(sent.numbers))
    assert found.data.params == dict(sent.settings)
    files = {one.path for one in client.list_artifacts(found.info.run_id)}
    assert files >= {"findings.json", "report.html", "findings_table.json", "pictures"}
    assert client.list_artifacts(found.info.run_id, "pictures/bug 1")


def logged(data):
    """Give the records of a log as LevelDB has it, behind a header of 7 bytes: blocks of 32 KiB, records in pieces."""
    block, head, whole = 32 * 1024, 7, b""
    at = head
    while at + head <= len(data):
        if block - at % block < head:
            at += block - at % block
            continue
        length, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        whole += data[at + head : at + head + length]
        if kind in {1, 4}:  # whole, or the last piece
            yield whole
            whole = b""
        at += head + length


def test_weights_and_biases_keeps_the_run_offline(run, tmp_path, monkeypatch):
    """In its offline mode the file that would be sent later holds the settings, the numbers and the pictures."""
    pytest.importorskip("wandb")
    from wandb.proto import wandb_internal_pb2

    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    foible.track(run.folder, wandb="team/project", pictures=1)
    (file,) = tmp_path.glob("wandb/offline-run-*/*.wandb")
    records, kinds, deadline = [], [], time.monotonic() + 60
    while "exit" not in kinds and time.monotonic() < deadline:  # a process of the library writes it
        records = [wandb_internal_pb2.Record.FromString(data) for data in logged(file.read_bytes())]
        kinds = [one.WhichOneof("record_type") for one in records]
        time.sleep(0.1)
    begun = next(one.run for one in records if one.WhichOneof("record_type") == "run")
    assert (begun.entity, begun.project, begun.display_name) == ("team", "project", "run")
    summary = {}
    for one in records:
        for item in one.summary.update:
            summary[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
    sent = told(run, 1)
    assert {name: summary[name] for name in sent.numbers} == pytest.approx(dict(sent.numbers))
    assert len(list(file.parent.rglob("media/images/*.png"))) == len(sent.pictures)


def test_a_tracker_that_is_down_is_one_sentence_and_the_others_have_the_run(run, tmp_path):
    """A server that nobody runs takes nothing; the run in the other tracker is whole, and the sentence says so."""
    pytest.importorskip("mlflow")
    with pytest.raises(InputError, match=r"MLflow does not take the run.*sent to TensorBoard"):
        foible.track(run.folder, mlflow="http://127.0.0.1:9", tensorboard=tmp_path / "logs", pictures=0)
    assert list((tmp_path / "logs" / "run").iterdir())


def test_no_tracker_is_no_success(run, tmp_path):
    """Without a flag the command ends with 2 and says which there are; a number of pictures below 0 is refused."""
    code, out, err = toyworld.called("track", run.folder)
    assert (code, out) == (2, "")
    assert "--tensorboard" in err
    with pytest.raises(ConfigError, match="0 or more"):
        foible.track(run.folder, tensorboard=tmp_path / "logs", pictures=-1)


def test_a_library_that_is_missing_is_named_with_what_installs_it(run, tmp_path, monkeypatch):
    """Each says the extra that brings it."""
    for name, flag in (("mlflow", "mlflow"), ("wandb", "wandb"), ("torch.utils.tensorboard", "tensorboard")):
        monkeypatch.setitem(sys.modules, name, None)
        if name == "mlflow":
            monkeypatch.setitem(sys.modules, "mlflow.entities", None)
        places = {flag: str(tmp_path / "logs")}
        with pytest.raises(InputError, match=rf"foible\[{flag}\]"):
            foible.track(
                run.folder,
                mlflow=places.get("mlflow"),
                wandb=places.get("wandb"),
                tensorboard=places.get("tensorboard"),
            )
    assert not Path(tmp_path / "logs").exists()


class Wrong(toyworld.Classifier):
    """Never right."""

    def answer(self, scene):
        """Name another thing."""
        return "teapot" if scene.label != "teapot" else "coffee mug"


def test_no_bug_is_not_all_that_is_said_of_what_fails_by_itself(tmp_path):
    """Of a classifier that is never right a tracker is told that no bug is confirmed, and that every label fails."""
    sent = told(toyworld.hunt(tmp_path / "run", Wrong()), 1)
    assert sent.numbers["findings/confirmed"] == 0
    assert sent.numbers["findings/base failures"] == len(toyworld.LABELLED)
