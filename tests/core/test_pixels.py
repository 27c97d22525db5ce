"""Image bytes in and out: whatever comes in is an image or one sentence, and what goes out comes back."""

from __future__ import annotations

import io
import os
import struct
import zlib

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from foible import pixels

SIDES = st.tuples(st.integers(1, 12), st.integers(1, 12))
IMAGES = SIDES.flatmap(lambda sides: arrays.arrays(np.uint8, (*sides, 3)))


def saved(image, form="png", **how):
    """Give the content of a file."""
    file = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(file, form, **how)
    return file.getvalue()


RAMP = np.add.outer(np.arange(24), np.arange(16)).astype(np.uint8) * 6
FILES = [
    saved(np.stack([RAMP, RAMP.T.reshape(24, 16), 255 - RAMP], axis=2), form)
    for form in ("png", "jpeg", "gif", "bmp", "tiff", "webp")
]
FILES += [saved(RAMP.astype(np.uint16) * 200), saved(RAMP.astype(np.float32), "tiff")]
FILES += [saved(Image.fromarray(RAMP).convert(mode), form) for mode, form in [("1", "png"), ("CMYK", "tiff")]]


@settings(deadline=None, max_examples=200)
@given(image=IMAGES)
def test_what_is_written_comes_back(image):
    """A PNG of ours gives the same pixels to both readers, is the same each time, and holds nothing but pixels."""
    data = pixels.write_png(image)
    ours = pixels.read_png(data)
    assert ours is not None
    assert np.array_equal(ours, image)
    assert np.array_equal(pixels.read(data), image)
    assert pixels.write_png(np.asfortranarray(image)) == data
    kinds, at = [], 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        kinds.append(kind)
        at += 12 + length
    assert set(kinds) == {b"IHDR", b"IDAT", b"IEND"}


@settings(deadline=None, max_examples=200)
@given(image=IMAGES, at=st.integers(0, 10**6), by=st.integers(1, 255))
def test_a_torn_png_is_none(image, at, by):
    """A byte that was turned anywhere in the file, or an end that is missing, is found."""
    data = bytearray(pixels.write_png(image))
    at %= len(data)
    assert pixels.read_png(bytes(data[:at])) is None
    data[at] ^= by
    assert pixels.read_png(bytes(data)) is None


@pytest.mark.parametrize(
    "data",
    [
        saved(RAMP),
        saved(np.dstack([RAMP] * 4)),
        saved(np.dstack([RAMP] * 3), "bmp"),
        saved(np.zeros((1, 4097, 3), np.uint8)),
        b"",
        b"no image",
    ],
)
def test_a_png_that_is_not_ours_is_none(data):
    """Grey, with alpha, another format, too long a side, rubbish."""
    assert pixels.read_png(data) is None


def test_the_longest_side_comes_back():
    """4,096 pixels are not too many."""
    assert pixels.read_png(pixels.write_png(np.zeros((1, 4096, 3), np.uint8))) is not None


@settings(deadline=None, max_examples=200)
@given(image=IMAGES, at=st.integers(0, 10**6), by=st.integers(1, 255))
def test_the_name_of_an_image_is_of_its_pixels_and_shape(image, at, by):
    """Any level of any pixel, and any other shape of the same levels, makes another name; a copy has the same one."""
    name = pixels.content_hash(image)
    assert len(name) == 64
    assert int(name, 16) >= 0
    assert pixels.content_hash(np.asfortranarray(image)) == name
    high, wide, _ = image.shape
    if high != wide:
        assert pixels.content_hash(image.reshape(wide, high, 3)) != name
    other = image.copy()
    other.reshape(-1)[at % image.size] ^= by
    assert pixels.content_hash(other) != name


@pytest.mark.parametrize("wrong", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_image_is_neither_named_nor_written(wrong):
    """Grey, floats and nothing are mistakes of the caller."""
    for use in (pixels.content_hash, pixels.write_png):
        with pytest.raises(ValueError, match=r"wanted a uint8 image \(height, width, 3\), got"):
            use(wrong)


@settings(deadline=None, max_examples=400)
@given(
    data=st.sampled_from(FILES),
    cut=st.floats(0, 1),
    at=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6),
)
def test_a_damaged_file_is_an_image_or_one_sentence(data, cut, at):
    """Whatever was cut off or overwritten: pixels of the right kind, or an error of our own that is one line."""
    spoiled = bytearray(data[: int(len(data) * cut)] if at and at[0][0] % 2 else data)
    for place, value in at:
        if spoiled:
            spoiled[place % len(spoiled)] = value
    try:
        image = pixels.read(bytes(spoiled))
    except pixels.PixelError as error:
        told = str(error)
        if not told.strip() or "\n" in told or "0x" in told:
            pytest.fail(f"no sentence: {told!r}")
    else:
        assert image.dtype == np.uint8
        assert image.shape[2:] == (3,)


@settings(deadline=None, max_examples=200)
@given(data=st.binary(max_size=200))
def test_rubbish_is_one_sentence(data):
    """Bytes that nobody made an image of."""
    with pytest.raises(pixels.PixelError, match=r"the content is (empty|no image of a format|a Git LFS pointer)"):
        pixels.read(data)


@settings(deadline=None, max_examples=300)
@given(
    values=SIDES.flatmap(
        lambda sides: st.one_of(
            arrays.arrays(np.uint16, sides),
            arrays.arrays(np.int32, sides),
            arrays.arrays(np.float32, sides, elements=st.floats(width=32, allow_subnormal=False)),
            arrays.arrays(np.uint16, sides, elements=st.integers(0, 300)),
        )
    )
)
def test_numbers_that_differ_never_become_one_colour(values):
    """Of 16 bits, 32 bits or floats, infinite and missing ones too: an image that varies as they do, or a sentence."""
    assume(len(np.unique(values)) > 1)
    if not np.isfinite(values).all():
        with pytest.raises(pixels.PixelError, match="no finite number"):
            pixels.read(saved(values, "tiff"))
        return
    image = pixels.read(saved(values, "tiff"))
    assert image.min() < image.max()
    assert (image == image[:, :, :1]).all()
    shown = image[:, :, 0].ravel()
    order = np.argsort(values.ravel(), kind="stable")
    assert (np.diff(shown[order].astype(int)) >= 0).all()


def test_16_bits_a_channel_that_leave_nothing_are_told():
    """Pillow cuts the lower 8 of 16 bits a channel off: a dim picture is refused, not black."""
    rows = b"".join(b"\0" + np.arange(12, dtype=">u2").tobytes() for _ in range(4))

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    with pytest.raises(pixels.PixelError, match=r"16 bits a channel and uses the upper ones for 0 to 0 of 255 alone"):
        pixels.read(data)


def test_too_many_pixels_are_refused_before_they_are_read():
    """A small file can claim billions."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    for side, told in [(9000, "9000 x 9000 pixels; at most 64 megapixels"), (60_000, "more than 64 megapixels")]:
        head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
        with pytest.raises(pixels.PixelError, match=told):
            pixels.read(data)


def test_a_file_that_cannot_be_read_says_why(tmp_path, monkeypatch):
    """Missing, a folder, a pipe, empty, text, HEIC, half an image, too large: the file is named, and what is wrong."""
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    contents = {
        "empty.png": b"",
        "text.png": b"hello",
        "photo.heic": b"\0\0\0\x18ftypheic" + bytes(40),
        "half.png": FILES[0][: len(FILES[0]) // 2],
        "large.png": bytes(1000),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(pixels, "LARGEST", 999)
    for name, told in [
        ("none.png", "cannot be opened (No such file or directory)"),
        ("a\0b.png", "cannot be opened (embedded null byte"),
        ("folder.png", "is a folder, not an image file"),
        ("pipe.png", "is a pipe or a device, not an image file"),
        ("empty.png", "the content is empty"),
        ("text.png", "the content is no image of a format that is read (AVIF, BMP"),
        ("photo.heic", "the image is HEIC"),
        ("half.png", "the image is damaged (OSError)"),
        ("large.png", "has 1,000 bytes; at most 0 MiB are read"),
    ]:
        with pytest.raises(pixels.PixelError) as caught:
            pixels.read_file(tmp_path / name)
        assert told in str(caught.value), name
        assert name.replace("\0", "·") in str(caught.value)
    (tmp_path / "good.png").write_bytes(FILES[0][:998])
    assert pixels.read_file(tmp_path / "good.png").shape == (24, 16, 3)
