"""Batches that do not fit into memory are halved, and the answers stay what they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from foible.adapters.shared.batches import InPieces, is_out_of_memory
from foible.errors import PartError


def network(holds, words="CUDA out of memory. Tried to allocate 2 GiB"):
    """Give a real network in evaluation mode that runs out of memory above so many rows, and the sizes it saw."""
    import torch

    class Narrow(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU())
            self.seen = []

        def forward(self, batch):
            self.seen.append(len(batch))
            if len(batch) > holds:
                raise torch.OutOfMemoryError(words) if "CUDA" in words else RuntimeError(words)
            return self.layers(batch).mean(dim=(2, 3))

    with torch.random.fork_rng():
        torch.manual_seed(1)
        return Narrow().eval().requires_grad_(requires_grad=False)


def zeros(rows, channels=3) -> Any:
    """Give a black batch; a tensor is no Sequence by its type, though it has what `InPieces` asks of one."""
    import torch

    return torch.zeros(rows, channels, 8, 8)


@pytest.mark.parametrize("rows", [1, 2, 7, 16])
@pytest.mark.parametrize("holds", [1, 3, 100])
def test_the_answers_do_not_depend_on_what_the_memory_holds(rows, holds):
    """Whatever the limit, each row gets the answer that it has in one piece, in order."""
    import torch

    batch: Any = torch.rand(rows, 3, 8, 8, generator=torch.Generator().manual_seed(2))
    expected = network(1000)(batch).numpy()
    module = network(holds)
    answers = np.stack(InPieces(lambda piece: module(piece).numpy())(batch))
    assert np.allclose(answers, expected, atol=1e-6)
    assert all(size <= holds for size in module.seen[-1:])


def test_a_size_that_held_is_kept_for_the_next_batch():
    """The second batch asks for no more than what held in the first, so that nothing fails again."""
    module = network(3)
    ask = InPieces(lambda piece: module(piece).numpy())
    ask(zeros(8))
    assert module.seen == [8, 4, 2, 2, 2, 2]
    module.seen.clear()
    assert len(ask(zeros(5))) == 5
    assert module.seen == [2, 2, 1]


def test_columns_are_cut_alike():
    """Prompts stay with their seeds."""

    def draw(prompts, seeds):
        if len(prompts) > 2:
            raise MemoryError
        return [f"{prompt}{seed}" for prompt, seed in zip(prompts, seeds, strict=True)]

    assert InPieces(draw)(list("abcde"), [1, 2, 3, 4, 5]) == ["a1", "b2", "c3", "d4", "e5"]


def test_one_row_that_does_not_fit_is_said_in_a_sentence():
    """There is nothing left to halve."""
    with pytest.raises(PartError, match="does not hold even one element: CUDA out of memory"):
        InPieces(network(0))(zeros(4))


def test_another_fault_passes_through_at_once():
    """A wrong shape is no lack of memory: it is neither hidden nor tried again."""
    module = network(10)
    with pytest.raises(RuntimeError, match="channels"):
        InPieces(module)(zeros(4, channels=2))
    assert module.seen == [4]


def test_the_allocators_of_real_libraries_are_recognised():
    """A torch tensor that no machine can hold is out of memory; so is NumPy's array; a plain fault is not."""
    import torch

    with pytest.raises(RuntimeError) as torchs:
        torch.empty(2**60)
    with pytest.raises(MemoryError) as numpys:
        np.empty(2**58)
    assert is_out_of_memory(torchs.value)
    assert is_out_of_memory(numpys.value)
    assert not is_out_of_memory(ValueError("shapes differ"))
