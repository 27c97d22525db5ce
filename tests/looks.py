"""Weights of LPIPS's smallest network, random ones, where torchvision looks for its own: tests have no internet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

import foible.adapters  # noqa: F401 - a torchvision that does not match this torch loads only after it
from foible.guiding.lpips import lpips


@pytest.fixture
def weights(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let torchvision find random weights."""
    from torchvision.models import squeezenet1_1

    hub = tmp_path_factory.mktemp("hub")
    monkeypatch.setattr(torch.hub, "_hub_dir", str(hub))
    (hub / "checkpoints").mkdir()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.save(squeezenet1_1().state_dict(), hub / "checkpoints" / "squeezenet1_1-b8a52dc0.pth")
    lpips.cache_clear()
    yield
    lpips.cache_clear()
