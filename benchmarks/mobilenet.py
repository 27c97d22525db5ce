"""A real ImageNet classifier in TFLite as a `python:` plug-in: `python:mobilenet:classifier` with `folder=…`.

Comes in: a folder with `imagenet_labels.txt` and uint8 NHWC MobileNet files. Goes out: an object with
`classify(images)`. A worked example of a user's own plug-in, used by the tests and by `imagenet.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

CLASSES = 1000
CROP = 0.875
"""The centre share that ImageNet models look at, as in their own evaluation."""


class MobileNet:
    """A quantised MobileNet; classes are ImageNet's 1,000, without the "background" that some files put before them."""

    def __init__(self, folder: Path, name: str) -> None:
        path = folder / name
        self.fingerprint = hashlib.sha256(path.read_bytes()).hexdigest()
        self._model = Interpreter(model_path=str(path), num_threads=1)
        self._model.allocate_tensors()
        self._input, self._output = self._model.get_input_details()[0], self._model.get_output_details()[0]
        self._size = int(self._input["shape"][1])
        names = (folder / "imagenet_labels.txt").read_text(encoding="utf-8").splitlines()
        self.labels = [name.split(",")[0].strip() for name in names[-CLASSES:]]

    def classify(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Score (n, classes) in 0..1, one image at a time, as the file's batch size is one."""
        return np.stack([self._scores(image) for image in images])

    def _scores(self, image: np.ndarray) -> np.ndarray:
        side = round(self._size / CROP)
        height, width = image.shape[:2]
        scale = side / min(height, width)
        size = (round(width * scale), round(height * scale))
        resized = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR)
        left, top = (resized.width - self._size) // 2, (resized.height - self._size) // 2
        cropped = resized.crop((left, top, left + self._size, top + self._size))
        self._model.set_tensor(self._input["index"], np.asarray(cropped, np.uint8)[None])
        self._model.invoke()
        scale, zero = self._output["quantization"]
        return (self._model.get_tensor(self._output["index"])[0, -CLASSES:].astype(np.float32) - zero) * scale


def classifier(folder: str, name: str = "mobilenet_v2_1.0_224_quant.tflite") -> MobileNet:
    """Load one of the files in a folder."""
    return MobileNet(Path(folder), name)
