"""Sends a run to Weights & Biases.

Comes in: what is told, and a project. Goes out: a run there, finished. Neighbour: `track.py`.
"""

from __future__ import annotations

from foible.act.trackers.told import COLUMNS, Told
from foible.errors import PluginError


def send_to_wandb(told: Told, project: str) -> str:
    """Make a run in a project, perhaps "entity/project"; return where it is.

    Raises:
        PluginError: its library is not installed.
        Exception: as its library raises it.
    """
    try:
        import wandb
    except ImportError:
        message = 'the library of Weights & Biases is not installed: pip install "foible[wandb]"'
        raise PluginError(message) from None
    entity, _, name = project.rpartition("/")
    quiet = wandb.Settings(console="off", silent=True, save_code=False, disable_git=True)
    with wandb.init(
        project=name,
        entity=entity or None,
        name=told.name,
        job_type="foible",
        config=dict(told.settings),
        settings=quiet,
    ) as run:
        run.summary.update(dict(told.numbers))
        shown: dict[str, list[wandb.Image]] = {}
        for one in told.pictures:
            shown.setdefault(one.name.rpartition("/")[0], []).append(wandb.Image(one.image, caption=one.caption))
        table = wandb.Table(columns=list(COLUMNS), data=[list(row) for row in told.rows])
        run.log({"findings": table, **shown})
        files = wandb.Artifact(f"foible-{run.id}", type="report", description=told.text)
        for path in told.files:
            files.add_file(str(path))
        run.log_artifact(files)
        return str(run.url or run.dir)
