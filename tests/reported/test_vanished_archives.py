"""A reported fault (A19): an archive that went away amid a hunt did not stop it, and changed its findings."""

from __future__ import annotations

import shutil

import pytest

import foible
import toyworld
from foible import pixels
from foible.checks.verify import verify
from foible.errors import StoreError
from foible.run.shards import Shards

METHODS = {"generator": "draw", "judge": "judge", "captioner": "caption"}
FUNCTIONS = {"generator": toyworld.draw, "judge": toyworld.judge, "captioner": toyworld.describe}


def part(kind, before=lambda: None):
    """Make a part of the toy world that does something before each batch, and is the same part whatever that is."""

    def ask(self, *columns):
        before()
        return FUNCTIONS[kind](*columns)

    return type("Part", (), {METHODS[kind]: ask, "fingerprint": f"the toy {kind}", "version": "1"})()


def hunt(out, before=None):
    """Hunt with parts of which one may do something before a batch."""
    parts = {kind: part(kind, *([before[1]] if before and before[0] == kind else [])) for kind in METHODS}
    return toyworld.hunt(out, seed=1, **parts)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Hunt without a loss."""
    return toyworld.written(hunt(tmp_path_factory.mktemp("whole") / "run").folder)


@pytest.mark.parametrize("how", ["brought back", "made anew"])
@pytest.mark.parametrize(("kind", "batch"), [("generator", 4), ("judge", 12), ("captioner", 1)])
def test_an_archive_that_goes_away_ends_the_hunt_and_changes_nothing(whole, tmp_path, how, kind, batch):
    """It ends with one sentence, and the same command ends as one that was never stopped, to the byte.

    Whether the archive is brought back, or everything in it has to be made anew: the journal says what was asked for.
    """
    archive, kept = tmp_path / "archive", tmp_path / "elsewhere"
    seen: list[None] = []

    def vanish():
        seen.append(None)
        if len(seen) == batch:
            archive.rename(kept)

    with pytest.raises(StoreError, match="has gone while the hunt ran; bring it back, and repeat the command"):
        hunt(tmp_path / "run", (kind, vanish))
    # Before a hunt a part is asked about the same image again: twice alone and once in a batch, in one go.
    assert len(seen) <= batch + 3, "a hunt without its archive must not go on"
    assert not archive.exists(), "an archive that is half made anew could not be brought back"
    assert not (tmp_path / "run" / "findings.json").exists()
    if how == "brought back":
        kept.rename(archive)
    else:
        shutil.rmtree(kept)
    assert isinstance(hunt(tmp_path / "run"), foible.Run)
    assert toyworld.written(tmp_path / "run") == whole
    assert verify(tmp_path / "run").differences == ()


def test_an_archive_that_goes_away_folder_by_folder_gets_the_same_sentence(tmp_path, monkeypatch):
    """While `rm -rf` is at work a folder that was just made has gone before its first file: no disk is at fault."""
    kept = Shards(tmp_path / "archive" / "images")
    kept.folder.mkdir(parents=True)
    write = pixels.write_png

    def removing(array):
        """Be overtaken by the removal before the file is begun."""
        shutil.rmtree(kept.folder)
        return write(array)

    monkeypatch.setattr(pixels, "write_png", removing)
    with pytest.raises(StoreError, match="has gone while the hunt ran; bring it back, and repeat the command"):
        kept.put({"0" * 64: toyworld.draw(["a photo of a teapot"], [1])[0]})
