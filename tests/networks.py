"""A small network that tests write into files of every format, and what it answers by hand.

Comes in: nothing. Goes out: a torch module with weights that are always the same. Also what the `torch:` tests name as
their factory: `networks:Small`.
"""

from __future__ import annotations

from functools import cache

import torch
from PIL import Image
from torchvision import transforms


class Small(torch.nn.Module):
    """Three classes from the means of a few filters."""

    def __init__(self, classes=3):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3)
        self.drop = torch.nn.Dropout(0.5)
        self.fc = torch.nn.Linear(8, classes)

    def forward(self, images):
        """Score (n, 3, height, width): (n, classes)."""
        return self.fc(self.drop(self.conv(images).relu().mean(dim=(2, 3))))


class Negative(Small):
    """The same weights, the opposite answers."""

    def forward(self, images):
        """Turn every score round."""
        return -super().forward(images)


def number():
    """Make no network."""
    return 3


@cache
def network(classes=3):
    """Give the network, ready to answer."""
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(9)
        return Small(classes).eval()


def answers(images, size=32):
    """Ask the network by hand, on torchvision's own recipe."""
    steps = transforms.Compose(
        [
            transforms.Resize(int(size / 0.875)),
            transforms.CenterCrop(size),
            transforms.ToTensor(),
            transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    with torch.no_grad():
        return network()(torch.stack([steps(Image.fromarray(image)) for image in images])).numpy()
