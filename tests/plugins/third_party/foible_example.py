"""Two plug-ins from another package: each is a class with one method."""

import numpy as np


class Brightness:
    """Tells dark images from bright ones."""

    labels = ("dark", "bright")

    def __init__(self, name, *, threshold=128):
        """Load nothing: `name` would say which weights."""
        self.threshold = threshold

    def classify(self, images):
        """Score by how far the mean lies from the threshold."""
        return np.array([[self.threshold - image.mean(), image.mean() - self.threshold] for image in images])


class Stripes:
    """Draws stripes; the seed says where, the prompt how wide."""

    def draw(self, prompts, seeds):
        """Draw 64 by 64 pixels."""
        at = [(np.arange(64) + seed) // (1 + len(prompt) % 8) % 2 for prompt, seed in zip(prompts, seeds, strict=True)]
        return [np.tile((255 * rows).astype(np.uint8)[:, None, None], (1, 64, 3)) for rows in at]
