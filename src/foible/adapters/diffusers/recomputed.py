"""A network of which a graph keeps the inputs alone: on the way back it is asked again (arXiv 1604.06174).

Comes in: a function of tensors. Goes out: one that gives the same, with the same gradients. Neighbour: `sampling.py`
wraps the denoiser by it, so that the memory of a gradient through many steps is that of one step and every step's
inputs.

`torch.utils.checkpoint` in its form without reentry keeps a small object for every tensor of the forward pass. On a CPU
these lie between the large blocks that are freed, so that a process grows by each step although its tensors do not
(the figures are in `docs/guided.md`); its other form does not work with `torch.autograd.grad`. Here the forward pass
makes no graph at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

_PLACE = object()
"""Stands where a tensor was taken out."""


def recomputed(own: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function whose result hangs on its arguments alone: tensors, also within lists, tuples and mappings."""

    def ask(*given: Any, **named: Any) -> Any:
        tensors, (places, names) = _apart((given, named))

        def again(*filled: torch.Tensor) -> Any:
            arguments, keywords = _together((places, names), list(filled))
            return own(*arguments, **keywords)

        forms: list[Any] = []
        found = _Recomputed.apply(again, forms, *tensors)  # type: ignore[no-untyped-call]
        return _together(forms[0], list(found))

    return ask


class _Recomputed(torch.autograd.Function):
    """Asks without a graph, and with one on the way back."""

    @staticmethod
    def forward(ctx: Any, again: Callable[..., Any], forms: list[Any], *tensors: torch.Tensor) -> tuple[Any, ...]:
        ctx.again = again
        ctx.save_for_backward(*tensors)
        found, form = _apart(again(*tensors))
        forms.append(form)
        return tuple(found)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *slopes: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        wants = ctx.needs_input_grad[2:]
        tensors = [one.detach().requires_grad_(want) for one, want in zip(ctx.saved_tensors, wants, strict=True)]
        with torch.enable_grad():
            found, _ = _apart(ctx.again(*tensors))
        sure = [(one, slope) for one, slope in zip(found, slopes, strict=True) if one.requires_grad]
        moved = [one for one in tensors if one.requires_grad]
        ends, weights = [one for one, _ in sure], [slope for _, slope in sure]
        gradients = iter(torch.autograd.grad(ends, moved, weights, allow_unused=True))
        return (None, None, *(next(gradients) if want else None for want in wants))


def _apart(value: Any) -> tuple[list[torch.Tensor], Any]:
    """Take the tensors out of a value, and say where they were."""
    tensors: list[torch.Tensor] = []

    def take(one: Any) -> Any:
        if not isinstance(one, torch.Tensor):
            return one
        tensors.append(one)
        return _PLACE

    form = _each(take, value)
    return tensors, form


def _together(form: Any, tensors: list[torch.Tensor]) -> Any:
    """Put tensors where they were."""
    left = iter(tensors)
    return _each(lambda one: next(left) if one is _PLACE else one, form)


def _each(change: Callable[[Any], Any], value: Any) -> Any:
    """Change what lies in lists, tuples and mappings."""
    if isinstance(value, Mapping):
        made = {name: _each(change, one) for name, one in value.items()}
        return made if type(value) is dict else type(value)(**made)
    if type(value) in {list, tuple}:
        return type(value)(_each(change, one) for one in value)
    return change(value)
