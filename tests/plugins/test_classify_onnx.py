"""ONNX files as classifiers, built in the test node by node."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from foible import testing
from foible.adapters.shared import recipe as _images
from foible.errors import ArgumentError, PluginError
from foible.parts import registry
from networks import answers, network


def wrong(spec, error=PluginError, **args):
    """Give the sentence of the error."""
    with pytest.raises(error) as caught:
        registry.load("classifier", spec, args)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert len(sentence) < 700
    return sentence


def onnx_file(place, *, layout="nchw", kind="float", batch="n", side=32, metadata=None):  # noqa: PLR0913 - a test's own
    """Write the network as an ONNX file, built node by node from its weights."""
    weights = {name: one.numpy() for name, one in network().state_dict().items()}
    shape = [batch, 3, side, side] if layout == "nchw" else [batch, side, side, 3]
    types = {"float": TensorProto.FLOAT, "uint8": TensorProto.UINT8, "float16": TensorProto.FLOAT16}
    steps, last = [], "image"
    if kind != "float":
        steps.append(helper.make_node("Cast", [last], ["cast"], to=TensorProto.FLOAT))
        last = "cast"
    if kind == "uint8":
        weights |= {"mean": np.array(_images.MEAN, np.float32) * 255, "std": np.array(_images.STD, np.float32) * 255}
        steps += [helper.make_node("Sub", [last, "mean"], ["less"]), helper.make_node("Div", ["less", "std"], ["unit"])]
        last = "unit"
    if layout == "nhwc":
        steps.append(helper.make_node("Transpose", [last], ["nchw"], perm=[0, 3, 1, 2]))
        last = "nchw"
    steps += [
        helper.make_node("Conv", [last, "conv.weight", "conv.bias"], ["conv"]),
        helper.make_node("Relu", ["conv"], ["relu"]),
        helper.make_node("GlobalAveragePool", ["relu"], ["pool"]),
        helper.make_node("Flatten", ["pool"], ["flat"]),
        helper.make_node("Gemm", ["flat", "fc.weight", "fc.bias"], ["scores"], transB=1),
    ]
    graph = helper.make_graph(
        steps, "small", [helper.make_tensor_value_info("image", types[kind], shape)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, 3])],
        [numpy_helper.from_array(np.ascontiguousarray(one), name) for name, one in weights.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    onnx.save(model, place)
    return place


SHAPES = [
    {"layout": "nchw"},
    {"layout": "nchw", "batch": 1},
    {"layout": "nchw", "batch": 4},
    {"layout": "nhwc", "kind": "uint8"},
    {"layout": "nchw", "side": "side"},
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_onnx_files_conform_and_answer_as_the_network(shape, tmp_path, images):
    """Floats and whole pixels, either layout, any or a fixed batch and size: read from the file, the same scores."""
    file = onnx_file(tmp_path / "small.onnx", **shape)
    args = {"size": 32} if "side" in shape else {}
    assert testing.check("classifier", f"onnx:{file}", args) == []
    found = registry.load("classifier", f"onnx:{file}", args).object
    assert np.allclose(found.classify(images), answers(images), atol=1e-4)


def test_onnx_in_half_precision(tmp_path, images):
    """An input of float16 gets float16."""
    found = registry.load("classifier", f"onnx:{onnx_file(tmp_path / 'half.onnx', kind='float16')}").object
    assert np.allclose(found.classify(images), answers(images), atol=1e-2)


@pytest.mark.parametrize(
    "metadata",
    [
        {"names": "{0: 'cup', 1: 'ball', 2: 'vase'}"},
        {"names": '{"2": "vase", "0": "cup", "1": "ball"}'},
        {"labels": '["cup", "ball", "vase"]'},
        {"classes": "cup\nball\nvase"},
        {"classes": "cup, ball, vase"},
    ],
)
def test_onnx_names_in_the_metadata(metadata, tmp_path):
    """A table by number as Python or JSON writes it, a list, lines, a row: all name the classes, in order of number."""
    file = onnx_file(tmp_path / "small.onnx", metadata=metadata)
    assert registry.load("classifier", f"onnx:{file}").object.labels == ("cup", "ball", "vase")


def test_an_export_of_ultralytics_gets_plain_pixels(tmp_path):
    """Its classifiers are trained on 0..1 as it is, and its files say whose they are."""
    file = onnx_file(tmp_path / "small.onnx", metadata={"author": "Ultralytics"})
    args = registry.load("classifier", f"onnx:{file}").identity["args"]
    assert args["mean"] == [0, 0, 0]
    assert args["std"] == [1, 1, 1]


def test_onnx_files_that_are_no_good(tmp_path):
    """Torn, of another shape, silent about its range or layout, or with the wrong count of names: a sentence each."""
    file = onnx_file(tmp_path / "small.onnx")
    (tmp_path / "torn.onnx").write_bytes(file.read_bytes()[:-300])
    assert "is it whole" in wrong(f"onnx:{tmp_path / 'torn.onnx'}")
    assert "no such file" in wrong(f"onnx:{tmp_path / 'none.onnx'}")
    assert "has 3 outputs, but the argument labels" in wrong(f"onnx:{file}", ArgumentError, labels=["cup"])
    assert "its own list has 2 names" in wrong(
        f"onnx:{onnx_file(tmp_path / 'two.onnx', metadata={'names': 'cup,ball'})}", ArgumentError
    )
    assert "of which range" in wrong(f"onnx:{onnx_file(tmp_path / 'nhwc.onnx', layout='nhwc')}", ArgumentError)
    whole = onnx_file(tmp_path / "whole.onnx", layout="nhwc", kind="uint8")
    assert "say nothing" in wrong(f"onnx:{whole}", ArgumentError, pixel_range=[0, 1])
    assert "takes images of 32 x 32 pixels" in wrong(f"onnx:{file}", ArgumentError, size=16)
    assert "does not take a 1x3x1x1 batch" in wrong(f"onnx:{onnx_file(tmp_path / 'any.onnx', side='side')}", size=1)
    assert "known: cpu" in wrong(f"onnx:{file}", ArgumentError, device="tpu")
    assert "is no classifier of images" in wrong(f"onnx:{matrix_file(tmp_path / 'matrix.onnx')}")


def matrix_file(place):
    """Write an ONNX file that takes a table."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4]) for name in ("in", "out")]
    graph = helper.make_graph([helper.make_node("Relu", ["in"], ["out"])], "table", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), place)
    return place


def test_the_identity_of_an_onnx_file_covers_weights_beside_it(tmp_path):
    """Weights in a file of their own are part of what decides the answers."""
    file = onnx_file(tmp_path / "small.onnx")
    apart: dict[str, Any] = {"save_as_external_data": True, "location": "small.onnx.data", "size_threshold": 0}
    onnx.save(onnx.load(file), file, **apart)
    first = registry.load("classifier", f"onnx:{file}").identity["fingerprint"]
    beside = tmp_path / "small.onnx.data"
    content = bytearray(beside.read_bytes())
    content[100] ^= 1
    beside.write_bytes(content)
    assert registry.load("classifier", f"onnx:{file}").identity["fingerprint"] != first
