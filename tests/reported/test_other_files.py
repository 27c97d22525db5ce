"""A reported fault (C31): a file or folder of another kind got a sentence that is true of something else."""

from __future__ import annotations

import pytest
from PIL import Image

from foible.errors import PluginError
from foible.parts import registry

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("name", ["photo.jpg", "notes.txt", "empty.pth"])
@pytest.mark.parametrize("args", [{}, {"factory": "torch.nn:Identity", "size": 8}], ids=["alone", "with a factory"])
def test_what_holds_no_weights_is_not_called_weights(tmp_path, name, args):
    """A photograph or a text is no checkpoint: it is told so, and nobody is advised to run what is in it."""
    file = tmp_path / name
    if name == "photo.jpg":
        Image.new("RGB", (8, 8), "red").save(file)
    else:
        file.write_bytes(b"some words" if name == "notes.txt" else b"")
    with pytest.raises(PluginError, match="neither a zip nor a pickle, as torch writes them") as told:
        registry.load("classifier", f"torch:{file}", args)
    assert "weights_only" not in str(told.value)
    assert "weights alone" not in str(told.value)


@pytest.mark.parametrize("old", [False, True])
def test_what_torch_writes_is_weights(tmp_path, old):
    """Files of both forms that torch writes are asked for their factory, as before."""
    torch.save({"weight": torch.zeros(2)}, tmp_path / "w.pth", _use_new_zipfile_serialization=not old)
    with pytest.raises(PluginError, match="holds weights alone: give the argument factory"):
        registry.load("classifier", f"torch:{tmp_path / 'w.pth'}")


def test_an_empty_folder_is_told_before_an_embedder_is_looked_for(tmp_path):
    """A folder without a photograph is the fault that is told, whether or not the embedder is there."""
    (tmp_path / "notes.txt").write_text("no photograph", encoding="utf-8")
    with pytest.raises(PluginError, match="holds no image that can be read, by names that end in"):
        registry.load("generator", f"folder:{tmp_path}", {"embedder": "/no/such/model"})
