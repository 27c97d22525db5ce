"""Sends a run to MLflow.

Comes in: what is told, and the address of a server or a store. Goes out: a run there, finished. Neighbour: `track.py`.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from foible.act.trackers.told import COLUMNS, Told
from foible.errors import PluginError
from foible.pixels import write_png

_AT_ONCE = 100
"""Numbers or settings that one request may hold."""
T = TypeVar("T")


def send_to_mlflow(told: Told, address: str) -> str:
    """Make a run in the experiment that the environment names, or else in "foible"; return which.

    Raises:
        PluginError: MLflow is not installed.
        Exception: as its library raises it; the run there is marked as failed, if it was begun.
    """
    try:
        from mlflow.entities import Metric, Param
        from mlflow.tracking import MlflowClient
    except ImportError:
        message = 'MLflow is not installed: pip install "foible[mlflow]"'
        raise PluginError(message) from None
    with _few_retries():
        return _send(told, MlflowClient(tracking_uri=address), Param, Metric)


@contextlib.contextmanager
def _few_retries() -> Iterator[None]:
    """Let a server that is down be told in seconds: by itself the library tries for minutes. What a user set holds."""
    name = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
    if name in os.environ:
        yield
        return
    os.environ[name] = "2"
    try:
        yield
    finally:
        del os.environ[name]


def _send(told: Told, client: Any, parameter: Any, metric: Any) -> str:
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME", "foible")
    known = client.get_experiment_by_name(name)
    experiment = client.create_experiment(name) if known is None else known.experiment_id
    run = client.create_run(experiment, run_name=told.name).info.run_id
    try:
        now = int(time.time() * 1000)
        for some in _some([parameter(key, value) for key, value in told.settings.items()]):
            client.log_batch(run, params=some)
        for some in _some([metric(key, value, now, 0) for key, value in told.numbers.items()]):
            client.log_batch(run, metrics=some)
        client.set_tag(run, "mlflow.note.content", told.text)
        _send_files(client, run, told)
    except BaseException:
        client.set_terminated(run, "FAILED")
        raise
    client.set_terminated(run, "FINISHED")
    return f"experiment {name}, run {run}"


def _send_files(client: Any, run: str, told: Told) -> None:
    for path in told.files:
        client.log_artifact(run, str(path))
    client.log_dict(run, {"columns": COLUMNS, "rows": told.rows}, "findings_table.json")
    with tempfile.TemporaryDirectory() as folder:
        for one in told.pictures:
            place = Path(folder) / f"{one.name}.png"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(write_png(one.image))
        if told.pictures:
            client.log_artifacts(run, folder, "pictures")


def _some(items: Sequence[T]) -> Iterator[list[T]]:
    for begin in range(0, len(items), _AT_ONCE):
        yield list(items[begin : begin + _AT_ONCE])
