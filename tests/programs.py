"""Tiny programs that tests write as ONNX and TFLite files: they say red, green or blue by the brightest channel.

Comes in: a place, and what is odd about the program. Goes out: the file. `colours` are images that they know.
"""

from __future__ import annotations

import flatbuffers  # type: ignore[import-untyped]  # ships no types
import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper

node = helper.make_node
KINDS = {"float": TensorProto.FLOAT, "double": TensorProto.DOUBLE, "uint8": TensorProto.UINT8}


def colours(side=64):
    """Give a red, a green and a blue image, with some noise."""
    dice = np.random.default_rng(2)
    made = []
    for channel in range(3):
        image = dice.integers(0, 90, (side, side, 3), dtype=np.uint8)
        image[..., channel] += 120
        made.append(image)
    return made


def constant(name, value, kind=np.float32):
    """Make a tensor that is written into an ONNX graph."""
    return numpy_helper.from_array(np.asarray(value, kind), name)


def means(layout="nchw", entry="x", name="y"):
    """Make the step from an image to the means of its channels."""
    return node("ReduceMean", [entry], [name], axes=[2, 3] if layout == "nchw" else [1, 2], keepdims=0)


def onnx_program(place, steps, outputs, *, constants=(), shape=("n", 3, 32, 32), entry="x", kind="float", meta=None):  # noqa: PLR0913 - a test's own
    """Write an ONNX file.

    Args:
        place: where.
        steps: nodes.
        outputs: name -> shape; of floats, unless the name says that they are labels or indices.
        constants: tensors in the graph.
        shape: of the input.
        entry: name of the input.
        kind: of the input's numbers.
        meta: what stands in the metadata.
    """
    whole = ("label", "indices")
    ends = [
        helper.make_tensor_value_info(name, TensorProto.INT64 if name in whole else TensorProto.FLOAT, list(sides))
        for name, sides in outputs.items()
    ]
    graph = helper.make_graph(
        steps, "small", [helper.make_tensor_value_info(entry, KINDS[kind], list(shape))], ends, list(constants)
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, meta or {})
    onnx.checker.check_model(model)
    place.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, place)
    return place


def tflite_program(place, shape, *, signature=None, further=(), outputs=("y",), kind="float", reduce="MEAN"):  # noqa: PLR0913 - a test's own
    """Write a TFLite file: a reduction over height and width, and further steps.

    Args:
        place: where.
        shape: of the input; nhwc unless three channels stand first.
        signature: the same with -1 for what is open.
        further: (operation, name of what goes in, name of what comes out).
        outputs: names of those to give.
        kind: `float`, or `int8` with the pixels 0..255 as 0..1.
        reduce: the reduction.
    """
    types = {"float": schema.TensorType.FLOAT32, "int8": schema.TensorType.INT8}
    operators = schema.BuiltinOperator
    count = shape[1] if shape[3] > 3 else shape[3]
    model = schema.ModelT()
    model.version, model.buffers = 3, [schema.BufferT(), schema.BufferT()]
    axes = [2, 3] if shape[3] > 3 else [1, 2]
    model.buffers[1].data = list(np.array(axes, np.int32).tobytes())
    names = ["x", "axes", "y", *(made for _, _, made in further)]
    tensors = {name: schema.TensorT() for name in names}
    for name, tensor in tensors.items():
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, [1, count], types[kind], 0
        if kind == "int8" and name != "axes":
            tensor.quantization = schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [1 / 255], [-128]
    tensors["x"].shape, tensors["x"].shapeSignature = list(shape), signature and list(signature)
    tensors["axes"].shape, tensors["axes"].type, tensors["axes"].buffer = [2], schema.TensorType.INT32, 1
    graph, codes = schema.SubGraphT(), []
    graph.name, graph.tensors, graph.operators = "main", list(tensors.values()), []
    for number, (name, before, after) in enumerate([(reduce, ["x", "axes"], "y"), *further]):
        code, step = schema.OperatorCodeT(), schema.OperatorT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(operators, name)
        code.version = 2 if name == reduce else 1
        step.opcodeIndex = number
        step.inputs = [names.index(one) for one in ([before] if isinstance(before, str) else before)]
        step.outputs = [names.index(after)]
        if name == reduce:
            step.builtinOptionsType, step.builtinOptions = (
                schema.BuiltinOptions.ReducerOptions,
                schema.ReducerOptionsT(),
            )
        if name == "SOFTMAX":
            step.builtinOptionsType, step.builtinOptions = (
                schema.BuiltinOptions.SoftmaxOptions,
                schema.SoftmaxOptionsT(),
            )
            step.builtinOptions.beta = 1.0
        codes.append(code)
        graph.operators.append(step)
    model.operatorCodes = codes
    graph.inputs, graph.outputs = [0], [names.index(name) for name in outputs]
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    place.write_bytes(bytes(builder.Output()))
    return place
