"""What the graph in an ONNX file says that a session of onnxruntime does not.

Comes in: a file. Goes out: whether it was exported in training mode, and which operations make each output.
Neighbours: `classify_onnx.py` asks; `_outputs.py` draws conclusions.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnx

from foible.errors import PluginError, brief
from foible.parts import fingerprint

_COMPILED = ".ort"
_TRAINING_MODE = 2
"""Place of Dropout's input that says it."""
_SAYS_SO = 14
"""The opset since which BatchNormalization says in an attribute whether it trains."""


@dataclass(frozen=True)
class Graph:
    """What is known of a graph; nothing, of one in onnxruntime's own compiled format."""

    made_by: Mapping[Hashable, tuple[str, Hashable]] = field(default_factory=dict)
    """Tensor -> the operation that makes it, and the first tensor that goes in."""
    leans: bool = False
    """Whether some step scales its numbers by the whole batch, so that images must be asked about one at a time."""


def read(model: str, path: Path) -> Graph:
    """Read a graph without its weights.

    Args:
        model: as the user called it, for errors.
        path: the file.

    Raises:
        PluginError: the file is no ONNX file, or was exported in training mode.
    """
    if path.suffix == _COMPILED:
        return Graph()
    try:
        found = onnx.load(path, load_external_data=False)
    except Exception as error:
        told = brief(fingerprint.without_addresses(" ".join(str(error).split())), 200)
        message = f"{model!r} could not be loaded as an ONNX file (is it whole?): {told}"
        raise PluginError(message) from error
    version = next((one.version for one in found.opset_import if one.domain in ("", "ai.onnx")), 0)
    nodes = [*_nodes(found.graph.node), *(node for one in found.functions for node in _nodes(one.node))]
    _must_not_train(model, nodes, _constants(found, nodes), version)
    made_by: dict[Hashable, tuple[str, Hashable]] = {
        output: (node.op_type, next(iter(node.input), None)) for node in found.graph.node for output in node.output
    }
    return Graph(made_by, any(node.op_type == "DynamicQuantizeLinear" for node in nodes))


def _nodes(nodes: Iterable[Any]) -> Iterator[Any]:
    """Give nodes, and those of the graphs within them."""
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from _nodes(graph.node)


def _constants(found: Any, nodes: Iterable[Any]) -> dict[str, Any]:
    """Give the tensors that are written into the graph, by name."""
    constants = {one.name: one for one in found.graph.initializer}
    for node in nodes:
        if node.op_type == "Constant":
            constants.update((node.output[0], one.t) for one in node.attribute if one.name == "value")
    return constants


def _must_not_train(model: str, nodes: Iterable[Any], constants: Mapping[str, Any], version: int) -> None:
    for node in nodes:
        if node.domain not in ("", "ai.onnx"):
            continue
        if node.op_type == "Dropout" and len(node.input) > _TRAINING_MODE:
            trains = _is_true(constants.get(node.input[_TRAINING_MODE]))
        elif node.op_type == "BatchNormalization" and version >= _SAYS_SO:
            trains = any(one.name == "training_mode" and one.i for one in node.attribute)
        else:
            trains = node.op_type == "BatchNormalization" and len([name for name in node.output if name]) > 1
        if trains:
            message = (
                f"{model!r} was exported in training mode ({node.op_type} {brief(node.name, 60)!r} is at work), so its "
                "answers are not those of the trained network: call .eval() on the network and export it again"
            )
            raise PluginError(message)


def _is_true(tensor: Any) -> bool:
    if tensor is None or tensor.data_location == onnx.TensorProto.EXTERNAL:
        return False
    return bool(onnx.numpy_helper.to_array(tensor).any())
