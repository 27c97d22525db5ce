"""A reported fault (C31): a file or folder of another kind got a sentence that is true of something else."""

from __future__ import annotations

import pytest
from PIL import Image

from foible import pixels
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


POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 102502400\n"
TOLD = "is a Git LFS pointer, a short text in place of the file: fetch the file with git lfs pull"


@pytest.mark.parametrize(
    ("spec", "files", "args"),
    [
        ("torch:{at}/w.pth", ["w.pth"], {"factory": "torch.nn:Identity", "size": 8}),
        ("torch:{at}/w.safetensors", ["w.safetensors"], {"factory": "torch.nn:Identity", "size": 8}),
        ("torch:{at}/w.pt2", ["w.pt2"], {}),
        ("onnx:{at}/m.onnx", ["m.onnx"], {}),
        ("litert:{at}/m.tflite", ["m.tflite"], {}),
        ("timm:resnet18", ["w.safetensors"], {"checkpoint": "{at}/w.safetensors"}),
        ("transformers:{at}", ["config.json", "model.safetensors"], {}),
        ("transformers:{at}", ["model.safetensors"], {}),
    ],
)
def test_a_git_lfs_pointer_is_called_one(tmp_path, spec, files, args):
    """Weights that were not fetched are named as such, whatever a library says of the text in their place."""
    for name in files:
        (tmp_path / name).write_text(POINTER, encoding="utf-8")
    given = {key: value.format(at=tmp_path) if isinstance(value, str) else value for key, value in args.items()}
    with pytest.raises(PluginError, match=TOLD) as told:
        registry.load("classifier", spec.format(at=tmp_path), given)
    assert "\n" not in str(told.value)


def test_an_image_that_is_a_git_lfs_pointer_is_called_one(tmp_path):
    """A photograph that was not fetched is left out with its own reason, also where another file is read."""
    (tmp_path / "photo.jpg").write_text(POINTER, encoding="utf-8")
    with pytest.raises(pixels.PixelError, match="a Git LFS pointer, a short text in place of the image: fetch the"):
        pixels.read_file(tmp_path / "photo.jpg")
    with pytest.raises(PluginError, match=r"'photo\.jpg' is a Git LFS pointer"):
        registry.load("generator", f"folder:{tmp_path}", {"embedder": "/no/such/model"})
    (tmp_path / "notes.txt").write_text("version https://example.org/", encoding="utf-8")
    with pytest.raises(PluginError, match="neither a zip nor a pickle"):
        registry.load("classifier", f"torch:{tmp_path / 'notes.txt'}")
