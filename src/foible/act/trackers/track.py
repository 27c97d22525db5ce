"""`foible track`: a finished run is sent to the tracker of a team.

Comes in: a finished run, and where to. Goes out: a run in each tracker. Neighbours: `told.py` says what is sent;
`mlflow.py`, `tensorboard.py` and `wandb.py` send it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from foible.act.trackers.told import Told, told
from foible.errors import ConfigError, FoibleError, PluginError, brief
from foible.hunting.opening import open_run


def track(  # noqa: PLR0913 - the public call: each is something a user sets by name
    run: Path | str,
    *,
    mlflow: str | None = None,
    wandb: str | None = None,
    tensorboard: Path | str | None = None,
    pictures: int = 8,
    archive: Path | str | None = None,
) -> dict[str, str]:
    """Send a finished run to trackers: settings, rates with their intervals, findings, pictures, report.

    Args:
        run: the directory of a finished hunt or probe.
        mlflow: the address of an MLflow server, or of a store such as "sqlite:///mlflow.db"; the experiment is that of
            the environment (`MLFLOW_EXPERIMENT_NAME`), or "foible".
        wandb: the project at Weights & Biases, perhaps as "entity/project"; `WANDB_MODE=offline` keeps it on disk.
        tensorboard: a folder of logs; the run is a folder in it.
        pictures: at most so many failing images of each confirmed finding, and as many without its description.
        archive: where the run's images lie; None for `archive` beside it.

    Returns:
        By tracker: where the run is found there.

    Raises:
        InputError: the run cannot be read, no tracker is named, or one does not take it: which ones did says the
            sentence.
    """
    chosen = dict(_chosen(mlflow, wandb, tensorboard))
    if not chosen:
        message = "no tracker is named; name one or more with --mlflow URI, --wandb PROJECT, --tensorboard DIR"
        raise ConfigError(message)
    if pictures < 0:
        message = f"the number of pictures of each finding is 0 or more, but got {pictures}"
        raise ConfigError(message)
    found = told(open_run(run, archive=archive), pictures)
    done: dict[str, str] = {}
    lost: list[str] = []
    for name, send in chosen.items():
        try:
            done[name] = send(found)
        except FoibleError as problem:
            lost.append(str(problem))
        except Exception as problem:  # noqa: BLE001 - whatever a library raises about a server that is down
            lost.append(f"{name} does not take the run: {brief(f'{type(problem).__name__}: {problem}', 300)}")
    if lost:
        sent = f"; sent to {', '.join(done)}" if done else ""
        message = f"{'; '.join(lost)}{sent}; the run itself is as it was, so repeat the command when this is mended"
        raise PluginError(message)
    return done


def _chosen(
    mlflow: str | None, wandb: str | None, tensorboard: Path | str | None
) -> Iterator[tuple[str, Callable[[Told], str]]]:
    """Give each tracker that is named with what sends a run to it; its library is imported then."""
    if mlflow is not None:
        from foible.act.trackers.mlflow import send_to_mlflow

        yield "MLflow", lambda found: send_to_mlflow(found, mlflow)
    if wandb is not None:
        from foible.act.trackers.wandb import send_to_wandb

        yield "Weights & Biases", lambda found: send_to_wandb(found, wandb)
    if tensorboard is not None:
        from foible.act.trackers.tensorboard import send_to_tensorboard

        yield "TensorBoard", lambda found: send_to_tensorboard(found, Path(tensorboard))
