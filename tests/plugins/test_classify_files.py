"""Classifiers in files of one's own: torch programs and weights, ONNX, LiteRT; each made in the test."""

from __future__ import annotations

import json
import pickle
import shutil
import sys
import zipfile
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from foible import registry, testing
from foible.errors import ArgumentError, PluginError
from foible.models import _images

MODULE = "networks_of_a_user"
SOURCE = '''
import torch

class Small(torch.nn.Module):
    """Three classes from the means of a few filters."""

    def __init__(self, classes=3):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3)
        self.drop = torch.nn.Dropout(0.5)
        self.fc = torch.nn.Linear(8, classes)

    def forward(self, images):
        return self.fc(self.drop(self.conv(images).relu().mean(dim=(2, 3))))

def number():
    return 3
'''


@pytest.fixture(scope="session", autouse=True)
def _module(tmp_path_factory):
    """Put the module of the factory on Python's path."""
    place = tmp_path_factory.mktemp("modules")
    (place / f"{MODULE}.py").write_text(SOURCE)
    sys.path.insert(0, str(place))
    yield
    sys.path.remove(str(place))
    sys.modules.pop(MODULE, None)


@cache
def network(classes=3):
    """The network of the module, with weights that are always the same."""
    import importlib

    import torch

    torch.set_num_threads(1)
    with torch.random.fork_rng():
        torch.manual_seed(9)
        return importlib.import_module(MODULE).Small(classes).eval()


@cache
def exported(batch=None):
    """Give the network as an exported program, for any batch or for one of a fixed size."""
    import torch

    example = torch.zeros(batch or 2, 3, 32, 32)
    shapes = None if batch else ({0: torch.export.Dim("n", min=1, max=1024)},)
    return torch.export.export(network(), (example,), dynamic_shapes=shapes)


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Give a folder with the network in every format."""
    import torch
    from safetensors.torch import save_file

    place = tmp_path_factory.mktemp("files")
    torch.export.save(exported(), place / "any.pt2")
    torch.export.save(exported(1), place / "one.pt2")
    torch.save(network().state_dict(), place / "weights.pt")
    save_file(network().state_dict(), place / "weights.safetensors")
    return place


FACTORY = {"factory": f"{MODULE}:Small", "size": 32}


def wrong(spec, error=PluginError, **args):
    """Give the sentence of the error."""
    with pytest.raises(error) as caught:
        registry.load("classifier", spec, args)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert len(sentence) < 700
    return sentence


def expected(images, size=32):
    """Run the network by hand, on torchvision's own recipe."""
    import torch
    from torchvision import transforms as t

    steps = t.Compose([
        t.Resize(int(size / 0.875)), t.CenterCrop(size), t.ToTensor(),
        t.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ])  # fmt: skip
    with torch.no_grad():
        return network()(torch.stack([steps(Image.fromarray(image)) for image in images])).numpy()


# --- torch ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("any.pt2", {"size": 32}),
        ("one.pt2", {"size": 32}),
        ("weights.pt", FACTORY),
        ("weights.safetensors", {**FACTORY, "labels": ["cup", "ball", "vase"]}),
    ],
)
def test_torch_files_conform_and_answer_as_the_network(name, args, files, images):
    """A program for any batch, one for one image at a time, weights with a factory: the same scores, by the book."""
    assert testing.check("classifier", f"torch:{files / name}", args) == []
    part = registry.load("classifier", f"torch:{files / name}", args)
    assert np.allclose(part.object.classify(images), expected(images), atol=1e-5)
    assert part.object.labels == (("cup", "ball", "vase") if "labels" in args else None)
    assert part.identity["args"]["mean"] == [0.485, 0.456, 0.406]


def test_the_identity_of_weights_covers_the_network_they_go_into(files, tmp_path):
    """Other weights, another network for the same weights, and another recipe are each another identity."""
    import torch

    first = registry.load("classifier", f"torch:{files / 'weights.pt'}", FACTORY).identity
    weights = network().state_dict()
    torch.save({**weights, "fc.bias": weights["fc.bias"] + 1}, tmp_path / "weights.pt")
    other = registry.load("classifier", f"torch:{tmp_path / 'weights.pt'}", FACTORY).identity
    assert other["fingerprint"] != first["fingerprint"]
    module = sys.modules[MODULE]

    class Other(module.Small):
        def forward(self, images):
            return -super().forward(images)

    module.Other = Other
    negative = registry.load("classifier", f"torch:{files / 'weights.pt'}", {**FACTORY, "factory": f"{MODULE}:Other"})
    assert negative.identity["fingerprint"] != first["fingerprint"]
    assert registry.load("classifier", f"torch:{files / 'weights.pt'}", {**FACTORY, "crop": None}).identity != first


def test_torch_files_that_are_no_good(files, tmp_path):
    """Each is told in a sentence of its own."""
    import torch

    whole = (files / "any.pt2").read_bytes()
    (tmp_path / "torn.pt2").write_bytes(whole[: len(whole) // 2])
    assert "is it whole" in wrong(f"torch:{tmp_path / 'torn.pt2'}")
    assert "there is no such file" in wrong(f"torch:{tmp_path / 'none.pt2'}")
    assert "takes no factory" in wrong(f"torch:{files / 'any.pt2'}", ArgumentError, factory="a:b")
    weights = f"torch:{files / 'weights.pt'}"
    assert "give the argument factory" in wrong(weights, ArgumentError)
    assert "made int" in wrong(weights, factory=f"{MODULE}:number")
    assert "in the network" in wrong(weights, **FACTORY, factory_args={"classes": 5})
    assert "has 3 outputs, but the argument labels has 2" in wrong(weights, ArgumentError, **FACTORY, labels=["a", "b"])
    assert "does not take a 1x32x32x3 batch" in wrong(weights, **FACTORY, layout="nhwc")
    torch.save(torch.nn.Identity().state_dict(), tmp_path / "empty.pt")
    assert "holds no state dict" in wrong(f"torch:{tmp_path / 'empty.pt'}", **FACTORY)
    (tmp_path / "torn.pt").write_bytes((files / "weights.pt").read_bytes()[:700])
    assert "is the file whole?" in wrong(f"torch:{tmp_path / 'torn.pt'}", **FACTORY)


def test_pickles_and_torchscript_are_refused_with_the_way_out(tmp_path):
    """A whole module and a TorchScript program: the sentence says how to convert each."""
    import torch

    torch.save(network(), tmp_path / "module.pt")
    assert "state_dict()" in wrong(f"torch:{tmp_path / 'module.pt'}", **FACTORY)
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as archive:
        archive.writestr("script/constants.pkl", b"")
        archive.writestr("script/data.pkl", b"")
    assert "torch.export.save" in wrong(f"torch:{tmp_path / 'script.pt'}", **FACTORY)


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return open, (str(self.place), "w")


@pytest.mark.parametrize("where", ["examples", "constants", "weights", "formula", "compiled"])
def test_a_program_that_would_run_code_when_it_is_read_is_refused_unread(where, files, tmp_path):
    """Pickles under each name that torch unpickles, a formula that is Python, compiled code: none is touched."""
    trace = tmp_path / "it-ran"
    changed, added = _planted(where, trace)
    target = tmp_path / "planted.pt2"
    with zipfile.ZipFile(files / "any.pt2") as old, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new:
        root = old.namelist()[0].partition("/")[0]
        for item in old.namelist():
            content = old.read(item)
            for part, change in changed.items():
                content = change(content) if part in item else content
            new.writestr(item, content)
        for name, content in added.items():
            new.writestr(f"{root}/{name}", content)
    assert "could run code when it is read" in wrong(f"torch:{target}", size=32)
    assert not trace.exists()


def _planted(where, trace):
    """Give what is changed in the archive, and what is added to it."""
    bomb = pickle.dumps(Bomb(trace))
    if where == "examples":
        return {"sample_inputs/": lambda _: bomb}, {}
    if where == "constants":
        return {}, {"data/constants/opaque_obj_0": bomb}
    if where == "weights":
        return {"weights_config": lambda text: text.replace(b'"use_pickle": false', b'"use_pickle": true')}, {}
    if where == "compiled":
        return {}, {"data/aotinductor/model/it.so": b"\x7fELF"}

    def formula(text):
        planted = json.loads(text)
        assert '"expr_str"' in text.decode()
        return json.dumps(_replaced(planted, f"open({str(trace)!r}, 'w')")).encode()

    return {"models/": formula}, {}


def _replaced(value, formula):
    if isinstance(value, dict):
        return {key: formula if key == "expr_str" else _replaced(item, formula) for key, item in value.items()}
    return [_replaced(item, formula) for item in value] if isinstance(value, list) else value


# --- the recipe ----------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=60)
@given(
    st.tuples(st.integers(1, 200), st.integers(1, 200)), st.integers(2, 64),
    st.sampled_from([1.0, 0.95, 0.9, 0.875]), st.sampled_from(["bilinear", "bicubic"]), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_the_recipe_is_torchvisions(shape, size, crop, interpolation, seed):
    """Whatever the shape of the image and the recipe, the input is that of torchvision's own transforms."""
    from torchvision import transforms as t

    image = np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)
    mean, std = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)
    steps = t.Compose([
        t.Resize(int(size / crop), t.InterpolationMode(interpolation)), t.CenterCrop(size), t.ToTensor(),
        t.Normalize(mean, std),
    ])  # fmt: skip
    recipe = _images.recipe("x", size=size, crop=crop, mean=mean, std=std, interpolation=interpolation)
    made = recipe.batch([image])
    assert made.shape == (1, 3, size, size)
    assert np.allclose(made[0], steps(Image.fromarray(image)).numpy(), atol=1e-5)


def test_a_range_says_what_black_and_white_become():
    """[-1, 1] and [0, 255], in either layout; whole pixels stay whole."""
    black_and_white = [np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 255, np.uint8)]
    for low, high in ((-1, 1), (0, 255)):
        for layout, shape in (("nchw", (2, 3, 4, 4)), ("nhwc", (2, 4, 4, 3))):
            made = _images.recipe("x", size=4, pixel_range=[low, high], layout=layout).batch(black_and_white)
            assert made.shape == shape
            assert np.allclose(made[0], low, atol=1e-4)
            assert np.allclose(made[1], high, atol=1e-4)
    whole = _images.recipe("x", size=4, mean=None, std=None, layout="nhwc").batch(black_and_white)
    assert whole.dtype == np.uint8
    assert np.array_equal(whole, np.stack(black_and_white))


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({"size": 0}, "argument size"),
        ({"size": [1, 2, 3]}, "argument size"),
        ({"size": 9999}, "argument size"),
        ({"size": 8, "crop": 0}, "argument crop"),
        ({"size": 8, "mean": [0, 0]}, "argument mean"),
        ({"size": 8, "std": [0, 1, 1]}, "argument std"),
        ({"size": 8, "std": None}, "mean and std together"),
        ({"size": 8, "pixel_range": [1, 0]}, "argument pixel_range"),
        ({"size": 8, "layout": "chwn"}, "known: nchw, nhwc"),
        ({"size": 8, "interpolation": "lanczos"}, "known: bicubic, bilinear"),
    ],
)
def test_a_recipe_that_cannot_be_is_told(args, told):
    """One sentence each, with what is wanted."""
    with pytest.raises(ArgumentError, match=told):
        _images.recipe("x", **args)


# --- onnx ----------------------------------------------------------------------------------------------------------


def onnx_file(place, *, layout="nchw", kind="float", batch="n", side=32, metadata=None):  # noqa: PLR0913 - a test's own
    """Write the network as an ONNX file, built node by node from its weights."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

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
    pytest.importorskip("onnxruntime")
    file = onnx_file(tmp_path / "small.onnx", **shape)
    args = {"size": 32} if "side" in shape else {}
    assert testing.check("classifier", f"onnx:{file}", args) == []
    found = registry.load("classifier", f"onnx:{file}", args).object
    assert np.allclose(found.classify(images), expected(images), atol=1e-4)


def test_onnx_in_half_precision(tmp_path, images):
    """An input of float16 gets float16."""
    pytest.importorskip("onnxruntime")
    found = registry.load("classifier", f"onnx:{onnx_file(tmp_path / 'half.onnx', kind='float16')}").object
    assert np.allclose(found.classify(images), expected(images), atol=1e-2)


@pytest.mark.parametrize(
    "metadata",
    [
        {"names": "{0: 'cup', 1: 'ball', 2: 'vase'}"},
        {"names": '{"10": "vase", "0": "cup", "2": "ball"}'},
        {"labels": '["cup", "ball", "vase"]'},
        {"classes": "cup\nball\nvase"},
        {"classes": "cup, ball, vase"},
    ],
)
def test_onnx_names_in_the_metadata(metadata, tmp_path):
    """A table by number as Python or JSON writes it, a list, lines, a row: all name the classes, in order of number."""
    pytest.importorskip("onnxruntime")
    file = onnx_file(tmp_path / "small.onnx", metadata=metadata)
    assert registry.load("classifier", f"onnx:{file}").object.labels == ("cup", "ball", "vase")


def test_an_export_of_ultralytics_gets_plain_pixels(tmp_path):
    """Its classifiers are trained on 0..1 as it is, and its files say whose they are."""
    pytest.importorskip("onnxruntime")
    file = onnx_file(tmp_path / "small.onnx", metadata={"author": "Ultralytics"})
    args = registry.load("classifier", f"onnx:{file}").identity["args"]
    assert args["mean"] == [0, 0, 0]
    assert args["std"] == [1, 1, 1]


def test_onnx_files_that_are_no_good(tmp_path):
    """Torn, of another shape, silent about its range or layout, or with the wrong count of names: a sentence each."""
    pytest.importorskip("onnxruntime")
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
    assert "does not take a 1x3x16x16 batch" in wrong(f"onnx:{file}", size=16)
    assert "known: cpu" in wrong(f"onnx:{file}", ArgumentError, device="tpu")
    assert "is no classifier of images" in wrong(f"onnx:{matrix_file(tmp_path / 'matrix.onnx')}")


def matrix_file(place):
    """Write an ONNX file that takes a table."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4]) for name in ("in", "out")]
    graph = helper.make_graph([helper.make_node("Relu", ["in"], ["out"])], "table", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), place)
    return place


def test_the_identity_of_an_onnx_file_covers_weights_beside_it(tmp_path):
    """Weights in a file of their own are part of what decides the answers."""
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    file = onnx_file(tmp_path / "small.onnx")
    apart = {"save_as_external_data": True, "location": "small.onnx.data", "size_threshold": 0}
    onnx.save(onnx.load(file), file, **apart)
    first = registry.load("classifier", f"onnx:{file}").identity["fingerprint"]
    beside = tmp_path / "small.onnx.data"
    content = bytearray(beside.read_bytes())
    content[100] ^= 1
    beside.write_bytes(content)
    assert registry.load("classifier", f"onnx:{file}").identity["fingerprint"] != first


# --- names ---------------------------------------------------------------------------------------------------------


def test_imagenets_names_are_whole_and_read_back_as_labels():
    """1,000 names in order, each of which a hunt takes as a label; classes accept each other both ways."""
    from foible.labels import resolve
    from foible.models._names import imagenet

    found = imagenet()
    assert len(found.labels) == 1000
    assert found.labels[0] == "tench (cyprinid)"
    assert found.labels[134] == "crane (wading bird)"
    assert found.labels[517] == "crane (lifting device)"
    for index, text in enumerate(found.labels):
        (label,) = resolve([text], found.labels, found.accepted)
        assert label.index == index
        assert label.accepted == {index, *found.accepted.get(index, ())}
    assert all(one in found.accepted[other] for one, others in found.accepted.items() for other in others)


def test_a_background_class_moves_every_index_by_one():
    """With 1,001 outputs the first is background, and what is accepted moves along."""
    from foible.models._names import imagenet

    plain, moved = imagenet(1000), imagenet(1001)
    assert moved.labels == ("background", *plain.labels)
    assert moved.accepted == {one + 1: {other + 1 for other in others} for one, others in plain.accepted.items()}


def test_names_from_a_file(tmp_path):
    """One class a line; of several words for one the first counts; what is no text is told."""
    from foible.models._names import names

    (tmp_path / "names.txt").write_text("\ufefftench, Tinca tinca\ncrane\n", encoding="utf-8")
    assert names("m", 2, given=str(tmp_path / "names.txt")).labels == ("tench", "crane")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    for file in (str(tmp_path / "binary.txt"), "nowhere.txt"):
        with pytest.raises(PluginError, match="cannot be read"):
            names("m", 2, given=file)
    for bad in (["cup", ""], ["cup", "a\x1bb"], ["cup", 3]):
        with pytest.raises(ArgumentError, match="number 1"):
            names("m", 2, given=bad)


def test_a_copy_elsewhere_is_the_same_classifier(files, tmp_path):
    """The fingerprint is of content, not of place."""
    shutil.copy(files / "any.pt2", tmp_path / "any.pt2")
    one, two = (registry.load("classifier", f"torch:{place}", {"size": 32}).identity["fingerprint"] for place in
                (files / "any.pt2", tmp_path / "any.pt2"))  # fmt: skip
    assert one == two


def test_names_that_are_imagenets_get_hypernyms_and_accepted_classes():
    """A model's own list of the same words in the same order is known for what it is; another list is left alone."""
    from foible.models._names import imagenet, names

    words = [text.partition(" (")[0] for text in imagenet().labels]
    same = names("m", 1000, given=None, own=[f"{word.upper()}, another word" for word in words])
    assert same == imagenet()
    assert names("m", 1000, given=None, own=words[::-1]).labels == tuple(words[::-1])
    assert names("m", 1000, given=words).labels == tuple(words)


def test_weights_from_before_batches_were_counted():
    """Old files lack the counters of batch normalisation, which play no part in an answer; all else must be there."""
    import torch

    from foible.models import _weights

    new, old = (torch.nn.Sequential(torch.nn.Conv2d(3, 2, 1), torch.nn.BatchNorm2d(2)) for _ in range(2))
    weights = {name: one for name, one in old.state_dict().items() if "num_batches" not in name}
    _weights.fill("m", new, weights)
    assert torch.equal(new[0].weight, old[0].weight)
    del weights["1.running_var"]
    with pytest.raises(PluginError, match=r"lacks 1\.running_var"):
        _weights.fill("m", new, weights)
