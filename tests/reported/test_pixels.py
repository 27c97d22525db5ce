"""What users reported of images on their way in and out: each row is a promise that was broken once."""

from __future__ import annotations

import io
import logging
import shutil
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from foible import pixels
from foible.checks.calibrate import read_folder
from foible.diorama.generator import DioramaGenerator
from foible.diorama.models import weights
from foible.diorama.scene import imagine
from foible.errors import InputError, PluginError
from foible.parts import asking as wrappers
from foible.parts import registry
from foible.records import Fault
from plugins import conftest as models

SCENE = np.tile(np.linspace(0, 255, 64).astype(np.uint8), (48, 1))
"""Dark on the left, light on the right: (48, 64)."""
COLOUR = np.stack([SCENE, np.full_like(SCENE, 60), 255 - SCENE], axis=2)


def saved(pixels_, form="png", **how):
    """Give the content of a file."""
    file = io.BytesIO()
    (pixels_ if isinstance(pixels_, Image.Image) else Image.fromarray(pixels_)).save(file, form, **how)
    return file.getvalue()


def turned(orientation):
    """Give the note of a camera that was held so."""
    note = Image.Exif()
    note[274] = orientation
    return note


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """The folder of a tiny joint model."""
    from foible.adapters.transformers.models import quiet

    folder = tmp_path_factory.mktemp("clip")
    with quiet():
        for piece in models.clip():
            piece.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def photographs(clip, tmp_path):
    """Give a function that loads a folder of photographs, whose judge of what fits is a tiny joint model."""

    def load(folder, **args):
        shared = {"embedder": clip, "cache": str(tmp_path / "cache"), "size": 32, "odds": 1e9}
        return registry.load("generator", f"folder:{folder}", {**shared, **args})

    return load


# --- A8: numbers of more than 8 bits ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("16-bit grey PNG", saved(SCENE.astype(np.uint16) * 257)),
        ("16-bit grey TIFF", saved(SCENE.astype(np.uint16) * 257, "tiff")),
        ("12 bits in 16", saved(SCENE.astype(np.uint16) * 16)),
        ("8 bits in 16", saved(SCENE.astype(np.uint16))),
        ("32-bit TIFF", saved(SCENE.astype(np.int32) * 65536, "tiff")),
        ("float TIFF, 0 to 1", saved(SCENE.astype(np.float32) / 255, "tiff")),
        ("float TIFF, 0 to 255", saved(SCENE.astype(np.float32), "tiff")),
        ("float TIFF below zero", saved(SCENE.astype(np.float32) / 1e6 - 3e-5, "tiff")),
        ("16 bits, white is zero", saved(65535 - SCENE.astype(np.uint16) * 257, "tiff", tiffinfo={262: 0})),
        ("1 bit", None),
    ],
)
def test_numbers_of_more_than_8_bits(name, content):
    """A8: the scene is the same picture, whatever numbers its file holds; none is cut off at 255."""
    if content is None:
        image = pixels.read(saved(Image.fromarray(SCENE).point(lambda level: 255 * (level > 127)).convert("1")))
        assert np.array_equal(image[:, :, 0], 255 * (SCENE > 127)), name
    else:
        image = pixels.read(content)
        assert np.abs(image.astype(int) - SCENE[:, :, None]).max() <= 1, name


def deep(levels, kind):
    """Give a PNG of 16 bits a channel, which Pillow cannot write: 2 is RGB; 4 grey and 6 RGB, with alpha."""

    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    high, wide = levels.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 16, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("kind", [2, 4, 6])
def test_colours_of_less_than_16_bits_in_16_are_not_shown_nearly_black(bits, kind):
    """A8: colours, and grey with transparency, of 10, 12 or 14 bits in 16 are refused; of all 16 bits they are read."""
    colours = COLOUR if kind != 4 else SCENE[:, :, None]
    levels = (colours.astype(np.uint16) * 257) >> (16 - bits)
    if kind != 2:
        levels = np.concatenate([levels, np.full((*SCENE.shape, 1), 65535, np.uint16)], axis=2)
        levels[:4, :, -1] = 0
    if bits == 16:
        assert np.abs(pixels.read(deep(levels, kind))[4:].astype(int) - colours[4:]).max() <= 1
    else:
        with pytest.raises(pixels.PixelError, match="nearly black"):
            pixels.read(deep(levels, kind))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("many", [1, 200])
def test_a_pixel_without_a_number_is_no_black_one(number, many):
    """A13: a float image with NaN or infinity in it is refused with their count, so that a folder counts it out."""
    values = SCENE.astype(np.float32) / 255
    values.ravel()[:many] = number
    with pytest.raises(pixels.PixelError, match=f"^{many} of the image's 3,072 pixels are no finite number"):
        pixels.read(saved(values, "tiff"))


def test_twelve_scans_stay_twelve_pictures(photographs, tmp_path):
    """A8: the same scans with 8 and with 16 bits are the same twelve photographs of `folder:`, not one white one."""
    folders = tmp_path / "8", tmp_path / "16"
    for number in range(12):
        scan = np.random.default_rng(number).integers(30, 220, (4, 4)).astype(np.uint8).repeat(16, 0).repeat(16, 1)
        scans: list[np.ndarray] = [scan, scan.astype(np.uint16) * 257]
        for folder, held in zip(folders, scans, strict=True):
            folder.mkdir(exist_ok=True)
            Image.fromarray(held).save(folder / f"{number:02}.png")
    drawn = [photographs(folder).object.draw(["a photo"] * 200, range(200)) for folder in folders]
    names = [{pixels.content_hash(image) for image in images} for images in drawn]
    assert names[0] == names[1]
    assert len(names[0]) == 12


# --- one reader of images ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["jpeg", "png", "tiff", "webp"])
def test_a_camera_that_was_turned(form, orientation):
    """A15: a photograph stands upright, however the camera was held, in every format that notes it."""
    back = {5: 5, 6: 8, 7: 7, 8: 6}.get(
        orientation, orientation
    )  # turning a file so, and then upright, changes nothing
    steps = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
    lying = Image.fromarray(COLOUR)
    if back in steps:
        lying = lying.transpose(Image.Transpose(steps[back]))
    best: dict[str, dict[str, Any]] = {"jpeg": {"quality": 100, "subsampling": 0}, "webp": {"lossless": True}}
    image = pixels.read(saved(lying, form, exif=turned(orientation), **best.get(form, {})))
    assert image.shape == COLOUR.shape
    assert np.abs(image.astype(int) - COLOUR).max() <= 6


def test_what_is_transparent_is_shown_over_white():
    """Issue 8.10: colours that lie hidden under transparency do not come up; with nothing to see, they do."""
    alpha = np.where(SCENE > 128, 255, 0).astype(np.uint8)
    held = np.dstack([np.where(alpha[..., None] == 0, np.array([0, 255, 0], np.uint8), COLOUR), alpha])
    image = pixels.read(saved(held))
    assert (image[alpha == 0] == 255).all()
    assert np.array_equal(image[alpha > 0], COLOUR[alpha > 0])
    assert np.array_equal(pixels.read(saved(np.dstack([COLOUR, np.zeros_like(alpha)]))), COLOUR)


def test_a_judge_is_calibrated_on_the_pixels_that_a_hunt_shows(photographs, tmp_path):
    """Issue 8.10, A15: `calibrate-judge`, `folder:` and a dataset read a turned, a 16-bit and a clear file alike."""
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow as pa

    square = Image.fromarray(COLOUR).resize((32, 32))
    grey = np.asarray(square.convert("L"), np.uint16) * 257
    clear = square.copy()
    clear.putalpha(Image.linear_gradient("L").resize((32, 32)))
    contents = [saved(square, exif=turned(6)), saved(grey), saved(clear), saved(square, "bmp")]
    for label in ("ball", "vase"):
        (tmp_path / "labelled" / label).mkdir(parents=True)
        for number, content in enumerate(contents):
            (tmp_path / "labelled" / label / f"{number}.png").write_bytes(content)
    rows = pa.array([{"bytes": one, "path": None} for one in contents])
    parquet.write_table(pa.table({"image": rows}), tmp_path / "some.parquet")
    _, shown, broken = read_folder(tmp_path / "labelled")
    names = {pixels.content_hash(one.image) for one in shown}
    assert (len(names), broken) == (4, 0)
    for place in (tmp_path / "labelled", tmp_path / "some.parquet"):
        drawn = photographs(place).object.draw(["a photo"] * 60, range(60))
        assert {pixels.content_hash(image) for image in drawn} == names


def test_hidden_folders_are_no_labels(tmp_path):
    """A15: `.ipynb_checkpoints`, and what macOS and disks leave, are neither labels nor images, wherever they lie."""
    dice = np.random.default_rng(0)
    left = (".ipynb_checkpoints", "vase/.ipynb_checkpoints", "__MACOSX", "vase/@eaDir", "lost+found")
    for label in ("ball", "vase", *left):
        (tmp_path / label).mkdir(parents=True)
        for number in range(4):
            Image.fromarray(dice.integers(0, 256, (9, 9, 3), dtype=np.uint8)).save(tmp_path / label / f"{number}.png")
    (tmp_path / "ball" / ".DS_Store").write_bytes(b"\0")
    labels, shown, broken = read_folder(tmp_path)
    assert [label.name for label in labels] == ["ball", "vase"]
    assert (len(shown), broken) == (8, 0)


def test_one_picture_in_two_files_is_one(tmp_path):
    """A15: the same pixels as PNG and as BMP cannot set a threshold in one half and be counted in the other."""
    dice = np.random.default_rng(0)
    for label in ("ball", "vase"):
        (tmp_path / label).mkdir()
        for number in range(4):
            image = Image.fromarray(dice.integers(0, 256, (9, 9, 3), dtype=np.uint8))
            image.save(tmp_path / label / f"{number}.png")
            image.save(tmp_path / label / f"{number}.bmp")
    assert len(read_folder(tmp_path)[1]) == 8


# --- A13: images of nothing ------------------------------------------------------------------------------------------


def overflowing(folder):
    """Save a real, tiny Stable Diffusion whose decoder overflows, as SDXL's does in float16."""
    import torch

    from foible.adapters.diffusers.pipelines import silent
    from plugins.test_draw_diffusers import stable_diffusion

    with torch.random.fork_rng(), silent():
        torch.manual_seed(0)
        pipe = stable_diffusion()
        with torch.no_grad():
            pipe.vae.decoder.conv_in.weight.fill_(3e38)
        pipe.save_pretrained(folder)


def test_an_overflow_is_no_black_picture(tmp_path):
    """A13: a pipeline whose numbers are NaN draws nothing, and says so; its black pictures counted as drawn."""
    pytest.importorskip("diffusers")
    overflowing(tmp_path / "model")
    part = registry.load("generator", f"diffusers:{tmp_path / 'model'}", {"steps": 2, "size": 32})
    (fault,) = wrappers.ask_generator(part, ["a red cup"], [0])
    assert fault.reason == (
        "generator: the pipeline's numbers overflowed (NaN), and are no image; try dtype float32 or bfloat16"
    )


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize("colour", ["black", "white", "#123456"])
def test_an_image_of_one_colour_is_unscored(colour, encoded):
    """A13: whatever generator gives it, one colour is a fault of its draw alone, also with traces of an encoding."""
    good = Image.fromarray(COLOUR)
    plain = np.asarray(Image.new("RGB", good.size, colour)).astype(int)
    traces = np.random.default_rng(0).integers(-3, 4, plain.shape) if encoded else 0
    answer = [good, Image.fromarray(np.clip(plain + traces, 0, 255).astype(np.uint8)), good]
    entries = wrappers.ask_generator(lambda prompts, seeds: [answer[seed] for seed in seeds], ["a"] * 3, [0, 1, 2])
    assert [isinstance(one, Fault) for one in entries] == [False, True, False]
    assert "an image of one colour" in entries[1].reason


# --- C30 and C31: what lies in a folder ------------------------------------------------------------------------------


def noise(number):
    """A picture of its own."""
    return Image.fromarray(np.random.default_rng(number).integers(0, 256, (40, 40, 3), dtype=np.uint8))


def test_every_photograph_of_a_folder_is_read_or_counted(photographs, tmp_path, caplog):
    """C30: JFIF, and AVIF where Pillow can, are photographs; HEIC is counted, and what to do is told."""
    folder = tmp_path / "mixed"
    folder.mkdir()
    noise(0).save(folder / "a.png")
    noise(1).save(folder / "b.jfif", format="JPEG")
    noise(2).save(folder / "c.JPE", format="JPEG")
    if features.check("avif"):
        noise(3).save(folder / "d.avif")
    else:
        (folder / "d.avif").write_bytes(b"x" * 50)
    for name in ("e.heic", "f.HEIC", "g.heif"):
        (folder / name).write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    (folder / "._a.png").write_bytes(b"what macOS leaves")
    with caplog.at_level(logging.WARNING):
        part = photographs(folder)
    able = features.check("avif")
    assert part.identity["args"]["photographs"] == (4 if able else 3)
    (record,) = caplog.records
    assert record.getMessage() == (
        f"images in {folder} were left out: {3 if able else 4} in formats that are not read, such as HEIC "
        "(save them as JPEG or PNG)"
    )


def test_the_hub_s_cache_is_read_through_its_links(photographs, tmp_path):
    """C30: the hub keeps photographs as links to `blobs`; they are in the folder. A link to anywhere else is not."""
    home = tmp_path / "datasets--me--mugs"
    (home / "blobs").mkdir(parents=True)
    (home / "snapshots" / "0123" / "mugs").mkdir(parents=True)
    for number in range(3):
        noise(number).save(home / "blobs" / f"{number}aa", format="PNG")
        (home / "snapshots" / "0123" / "mugs" / f"{number}.png").symlink_to(f"../../../blobs/{number}aa")
    part = photographs(home / "snapshots" / "0123")
    assert part.identity["args"]["photographs"] == 3
    assert len({image.tobytes() for image in part.object.draw(["a photo"] * 60, range(60))}) == 3
    shutil.move(home / "blobs", tmp_path / "elsewhere")
    (home / "blobs").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PluginError, match="left out: 3 links that lead out of it"):
        photographs(home / "snapshots" / "0123" / "mugs")


def test_without_a_home_nothing_is_kept_and_all_is_drawn(photographs, tmp_path, monkeypatch):
    """C30: a user without a home folder has no cache, which is no reason to end."""
    noise(0).save(tmp_path / "a.png")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)

    def homeless():
        message = "Could not determine home directory."
        raise RuntimeError(message)

    monkeypatch.setattr("foible.adapters.photographs.generator.Path.home", homeless)
    (image,) = photographs(tmp_path, cache=None).object.draw(["a photo"], [0])
    assert image.shape == (32, 32, 3)


def test_what_is_no_photograph_says_what_it_is(photographs, tmp_path):
    """C31: an empty folder, a folder of HEIC, a file in place of a folder: each a true sentence of its own."""
    for name in ("empty", "heic"):
        (tmp_path / name).mkdir()
    for number in range(2):
        (tmp_path / "heic" / f"{number}.heic").write_bytes(b"x" * 50)
    (tmp_path / "note.txt").write_text("mine")
    for name, told in [
        ("empty", r"'.*empty' holds no image that can be read, by names that end in .*\.png"),
        ("heic", r"'.*heic' holds no image that can be read; left out: 2 in formats that are not read, such as HEIC"),
        ("note.txt", r"'.*note.txt' is a file; to draw photographs, name the folder that holds them, or a table"),
    ]:
        with pytest.raises(PluginError, match=told):
            photographs(tmp_path / name)


def test_a_label_with_too_few_images_says_what_is_wrong_with_the_others(tmp_path):
    """C31: files that were left out of a label are counted, and one of them is told."""
    for label in ("ball", "vase"):
        (tmp_path / label).mkdir()
        (tmp_path / label / "1.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    told = r"the label 'ball' .* has 0; 1 were left out, such as: the file '1.heic' cannot be used: the image is HEIC"
    with pytest.raises(InputError, match=told):
        read_folder(tmp_path)


# --- neighbours of a prompt --------------------------------------------------------------------------------------


@pytest.mark.skipif(not (weights("embedder") / "config.json").is_file(), reason="the diorama's embedder has no weights")
def test_photographs_that_do_not_fit_a_prompt_are_not_drawn_for_it(tmp_path, caplog):
    """11.2: of 300 photographs 25 show each label, yet the 100 nearest were drawn; now those whose score fits."""
    from foible.diorama.vocabulary import LABELS

    prompts = [f"a realistic photograph of a {LABELS[row % 12].name}" for row in range(300)]
    (tmp_path / "photos").mkdir()
    shows = {}
    for row, drawn in enumerate(DioramaGenerator().draw(prompts, range(7000, 7300))):
        (tmp_path / "photos" / f"{row:03}.png").write_bytes(pixels.write_png(drawn.image))
        shows[pixels.content_hash(drawn.image)] = imagine(prompts[row], 7000 + row).scene.label
    args = {"embedder": str(weights("embedder")), "cache": str(tmp_path / "cache"), "size": 64}
    part = registry.load("generator", f"folder:{tmp_path / 'photos'}", args).object
    asked = prompts[:12]
    fitting = part.fitting(asked)
    right = [
        sum(shows[pixels.content_hash(image)] == prompt.removeprefix("a realistic photograph of a ") for image in drawn)
        for prompt in asked
        for drawn in [part.draw([prompt] * 100, range(100))]
    ]
    assert sum(right) / 1200 > 0.95  # 0.25 with the 100 nearest
    assert all(15 <= count <= 35 for count in fitting)
    with caplog.at_level(logging.WARNING):
        part.draw(["a realistic photograph of a red vase on grass, from above, at night"] * 3, range(3))
    assert len(caplog.records) == 1
    assert "of 300 photographs fit the prompt" in caplog.records[0].getMessage()
