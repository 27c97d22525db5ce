"""Reported faults in the adapters that run exported programs: ONNX and TFLite."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image as Picture

from foible import testing
from foible.errors import ArgumentError, PluginError
from foible.parts import registry
from programs import colours, constant, means, node, onnx_program, tflite_program

RANGE = {"pixel_range": [0, 1]}
NAMES = ["red", "green", "blue"]


@pytest.fixture
def images():
    """Give noise in three shapes."""
    dice = np.random.default_rng(3)
    return [dice.integers(0, 256, (*shape, 3), dtype=np.uint8) for shape in ((64, 64), (48, 80), (90, 40))]


def load(file, **args):
    """Load a file by its ordinary spec."""
    family = "onnx" if file.suffix == ".onnx" else "litert"
    return registry.load("classifier", f"{family}:{file}", args)


def told(file, error=PluginError, **args):
    """Give the sentence of the error."""
    with pytest.raises(error) as caught:
        load(file, **args)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert len(sentence) < 700
    return sentence


def knows_colours(file, **args):
    """Say whether a program still says red, green and blue."""
    found = load(file, **args).object
    return found.classify(colours()).argmax(axis=1).tolist() == [0, 1, 2]


# A2: sides that a TFLite file leaves open


def spot():
    """A dim green image with a bright red spot: its brightest pixel is red only where there are several pixels."""
    image = np.full((64, 64, 3), (10, 90, 10), np.uint8)
    image[20:44, 20:44] = (180, 30, 10)
    return image


@pytest.mark.parametrize("signature", [[-1, -1, -1, 3], [1, -1, -1, 3], None])
@pytest.mark.parametrize("size", [32, [32, 48]])
def test_open_sides_take_the_size_that_is_given(signature, size, tmp_path):
    """A2: a TFLite model with dynamic sides is given images of the size that the user says, not of one pixel."""
    file = tflite_program(tmp_path / "any.tflite", [1, 1, 1, 3], signature=signature, reduce="REDUCE_MAX")
    found = load(file, size=size, **RANGE)
    assert found.identity["args"]["size"] == (size if isinstance(size, list) else [size, size])
    fixed = tflite_program(tmp_path / "fixed.tflite", [1, 32, 32, 3], reduce="REDUCE_MAX")
    assert np.allclose(found.object.classify([spot()]), load(fixed, **RANGE).object.classify([spot()]), atol=0.02)
    assert found.object.classify([spot()]).argmax() == 0


def test_open_sides_are_asked_for(tmp_path):
    """A2: where neither file nor user says the size, a sentence asks for it; a side that is fixed stays as it is."""
    file = tflite_program(tmp_path / "any.tflite", [1, 1, 1, 3], signature=[-1, -1, -1, 3])
    assert "give size" in told(file, ArgumentError, **RANGE)
    half = tflite_program(tmp_path / "half.tflite", [1, 1, 32, 3], signature=[1, -1, 32, 3])
    assert load(half, size=[16, 32], **RANGE).identity["args"]["size"] == [16, 32]
    assert "any x 32 pixels" in told(half, ArgumentError, size=16, **RANGE)
    fixed = tflite_program(tmp_path / "fixed.tflite", [1, 32, 32, 3])
    assert "takes images of 32 x 32 pixels" in told(fixed, ArgumentError, size=224, **RANGE)


def test_open_sides_of_onnx_are_asked_for(tmp_path):
    """A2: an ONNX file that takes any size is not given 224 pixels, unless it has ImageNet's outputs."""
    file = onnx_program(tmp_path / "any.onnx", [means()], {"y": ["n", 3]}, shape=["n", 3, "height", "width"])
    assert "give size" in told(file, ArgumentError)
    assert knows_colours(file, size=32)
    wide = [means(name="m"), node("MatMul", ["m", "w"], ["y"])]
    large = onnx_program(
        tmp_path / "large.onnx", wide, {"y": ["n", 1000]}, shape=["n", 3, "height", "width"],
        constants=[constant("w", np.random.default_rng(0).normal(size=(3, 1000)))],
    )  # fmt: skip
    assert load(large).identity["args"]["size"] == [224, 224]


# A5: programs with several outputs


def two_headed(place, first, second, *, width=7):
    """Write features (the first, of some width) and the means of the channels (the second)."""
    steps = [means(name=second), node("MatMul", [second, "w"], [first])]
    weights = constant("w", np.random.default_rng(0).normal(size=(3, width)))
    return onnx_program(place, steps, {first: ["n", width], second: ["n", 3]}, constants=[weights])


@pytest.mark.parametrize(
    "name", ["logits", "head/Logits", "probabilities", "class_scores", "output_prob:0", "softmax_1"]
)
@pytest.mark.parametrize("width", [3, 7])
def test_an_output_is_known_by_its_name(name, width, tmp_path):
    """A5: features before logits, be they as many or not: the output that is called scores is taken."""
    file = two_headed(tmp_path / "two.onnx", "features", name, width=width)
    assert knows_colours(file)
    assert load(file).identity["args"]["output"] == name


def test_an_output_is_known_by_as_many_names(tmp_path):
    """A5: where a file or the user names three classes, the output with three numbers is taken."""
    file = two_headed(tmp_path / "two.onnx", "a", "b")
    assert knows_colours(file, labels=NAMES)
    named = two_headed(tmp_path / "named.onnx", "a", "b")
    import onnx

    model = onnx.load(named)
    onnx.helper.set_model_props(model, {"names": "red,green,blue"})
    onnx.save(model, named)
    assert knows_colours(named)


def test_an_output_is_known_by_its_probabilities(tmp_path):
    """A5: the one output that is a softmax is taken; logits beside their own softmax are no question."""
    steps = [means(name="a"), node("MatMul", ["a", "w"], ["b"]), node("Softmax", ["a"], ["c"], axis=1)]
    weights = constant("w", np.random.default_rng(0).normal(size=(3, 7)))
    file = onnx_program(tmp_path / "soft.onnx", steps, {"b": ["n", 7], "c": ["n", 3]}, constants=[weights])
    assert knows_colours(file)
    steps = [means(name="logits"), node("Softmax", ["logits"], ["probs"], axis=1)]
    both = onnx_program(tmp_path / "both.onnx", steps, {"logits": ["n", 3], "probs": ["n", 3]})
    assert knows_colours(both)


def test_several_outputs_that_may_be_the_scores_are_a_question(tmp_path):
    """A5: nothing tells which it is: the sentence lists all, with shapes, and names the argument that decides."""
    file = two_headed(tmp_path / "two.onnx", "a", "b")
    sentence = told(file, ArgumentError)
    assert all(part in sentence for part in ("'a' (float32, n x 7)", "'b' (float32, n x 3)", "output="))
    assert knows_colours(file, output="b")
    assert "did you mean 'b'" in told(file, ArgumentError, output="B")
    heads = two_headed(tmp_path / "heads.onnx", "age_logits", "colour_logits")
    assert "output=" in told(heads, ArgumentError)
    assert knows_colours(heads, output="colour_logits")


def test_labels_beside_scores_are_no_scores(tmp_path):
    """A5: the index of the best class, before its scores, is passed over; alone it is refused."""
    for keep in (0, 1):
        steps = [means(name="p"), node("ArgMax", ["p"], ["label"], axis=1, keepdims=keep)]
        label = {"label": ["n", 1] if keep else ["n"]}
        assert knows_colours(onnx_program(tmp_path / "label.onnx", steps, {**label, "p": ["n", 3]}))
        assert "no score for each class" in told(onnx_program(tmp_path / "alone.onnx", steps, label))


@pytest.mark.parametrize("outputs", [["values", "indices"], ["values"]])
@pytest.mark.parametrize("softmax", [False, True])
def test_top_k_outputs_are_refused(outputs, softmax, tmp_path):
    """A5: the values of a top-k are in order of size, so that class 0 would never fail: refused, with or without k."""
    steps = [means(name="p"), node("TopK", ["p", "k"], ["best" if softmax else "values", "indices"], axis=1)]
    steps += [node("Softmax", ["best"], ["values"], axis=1)] if softmax else []
    for count in (2, 3):
        file = onnx_program(
            tmp_path / "top.onnx",
            steps,
            {name: ["n", count] for name in outputs},
            constants=[constant("k", [count], np.int64)],
        )
        assert "top-k" in told(file)
        assert "top-k" in told(file, output="values", labels=NAMES[:count])


def test_a_detector_is_no_classifier(tmp_path):
    """A5: the scores beside boxes are of boxes, not of classes."""
    steps = [means(name="scores"), node("MatMul", ["scores", "w"], ["boxes"])]
    weights = constant("w", np.ones((3, 4)))
    file = onnx_program(tmp_path / "d.onnx", steps, {"boxes": ["n", 4], "scores": ["n", 3]}, constants=[weights])
    assert "output=" in told(file, ArgumentError)


def test_outputs_of_tflite(tmp_path):
    """A5: a TFLite file with features first: the softmax is taken; where nothing tells, a question; never top-k."""
    soft = [("NEG", "y", "features"), ("SOFTMAX", "y", "p")]
    file = tflite_program(tmp_path / "soft.tflite", [1, 32, 32, 3], further=soft, outputs=("features", "p"))
    assert knows_colours(file, **RANGE)
    plain = tflite_program(tmp_path / "two.tflite", [1, 32, 32, 3], further=soft[:1], outputs=("features", "y"))
    sentence = told(plain, ArgumentError, **RANGE)
    assert all(part in sentence for part in ("'features' (float32, n x 3)", "'y' (float32, n x 3)", "output="))
    assert knows_colours(plain, output="y", **RANGE)
    logits = [("NEG", "y", "features"), ("NEG", "features", "logits")]
    named = tflite_program(tmp_path / "n.tflite", [1, 32, 32, 3], further=logits, outputs=("features", "logits"))
    assert knows_colours(named, **RANGE)


# A6: programs in training mode


def test_dropout_at_work_is_refused(tmp_path):
    """A6: an ONNX file with Dropout in training mode is refused when it is loaded; one at rest is not."""
    for trains in (True, False):
        steps = [means(name="m"), node("Dropout", ["m", "share", "trains"], ["y"])]
        constants = [constant("share", 0.5), constant("trains", trains, np.bool_)]
        file = onnx_program(tmp_path / f"{trains}.onnx", steps, {"y": ["n", 3]}, constants=constants)
        if trains:
            assert "exported in training mode (Dropout" in told(file)
        else:
            assert knows_colours(file)


def test_batch_normalisation_by_the_batch_is_refused(tmp_path):
    """A6: BatchNormalization with training_mode=1 is refused, in a batch of any size and of one; 0 is not."""
    names = ("scale", "bias", "mean", "var")
    constants = [constant(name, [value] * 3) for name, value in zip(names, (1, 0, 0, 1), strict=True)]
    for trains in (0, 1):
        for rows in ("n", 1):
            more = ["m1", "v1"] if trains else []
            steps = [node("BatchNormalization", ["x", *names], ["z", *more], training_mode=trains), means(entry="z")]
            file = onnx_program(
                tmp_path / f"{trains}.onnx", steps, {"y": [rows, 3]}, constants=constants, shape=[rows, 3, 32, 32]
            )
            if trains:
                assert "exported in training mode (BatchNormalization" in told(file)
            else:
                assert knows_colours(file)


def test_chance_and_company_are_found_by_asking(tmp_path):
    """A6: dropout and batch statistics that an exporter wrote out as other steps are known by the answers."""
    chance = [means(name="m"), node("RandomUniformLike", ["m"], ["u"]), node("Mul", ["m", "u"], ["y"])]
    assert "each time" in told(onnx_program(tmp_path / "chance.onnx", chance, {"y": ["n", 3]}))
    company = [
        means(name="m"),
        node("ReduceMean", ["m"], ["all"], axes=[0], keepdims=1),
        node("Sub", ["m", "all"], ["y"]),
    ]
    for rows in ("n", 4):
        file = onnx_program(tmp_path / "c.onnx", company, {"y": [rows, 3]}, shape=[rows, 3, 32, 32])
        assert "in other company" in told(file)


def test_numbers_that_are_scaled_by_the_batch_are_asked_for_one_by_one(tmp_path):
    """A6: a dynamically quantised network is no fault: an image gets the same scores in any batch all the same."""
    steps = [
        means(name="m"), node("DynamicQuantizeLinear", ["m"], ["q", "s", "z"]),
        node("DequantizeLinear", ["q", "s", "z"], ["y"]),
    ]  # fmt: skip
    images = colours()
    images[0] = images[0] // 4
    found = load(onnx_program(tmp_path / "q.onnx", steps, {"y": ["n", 3]}), **RANGE).object
    alone = np.concatenate([found.classify([image]) for image in images])
    assert np.array_equal(found.classify(images), alone)


# A9: what the file, or a file beside it, says of the recipe


@pytest.mark.parametrize("sides", [[32, 32], ["height", "width"]])
def test_a_file_of_ultralytics_has_its_own_crop_and_size(sides, tmp_path, images):
    """A9: the input is all of the shorter side at plain 0..1, as that library makes it; names and size are its own."""
    meta = {
        "author": "Ultralytics",
        "task": "classify",
        "imgsz": "[32, 32]",
        "names": "{0: 'red', 1: 'green', 2: 'blue'}",
    }
    file = onnx_program(tmp_path / "y.onnx", [means()], {"y": ["n", 3]}, shape=["n", 3, *sides], meta=meta)
    found = load(file)
    from PIL import Image
    from torchvision import transforms as t

    steps = t.Compose([t.Resize(32), t.CenterCrop(32), t.ToTensor()])
    wanted = np.stack([steps(Image.fromarray(image)).numpy().mean(axis=(1, 2)) for image in images])
    assert np.allclose(found.object.classify(images), wanted, atol=1e-5)
    assert found.object.labels == tuple(NAMES)
    assert load(file, crop=0.5).identity["args"]["crop"] == 0.5


def test_other_files_of_ultralytics(tmp_path):
    """A9: one trained on a rectangle squeezes images into it; a detector of that library is refused."""
    meta = {"author": "Ultralytics", "task": "classify", "imgsz": "[32, 64]"}
    sides = ["n", 3, "height", "width"]
    file = onnx_program(tmp_path / "y.onnx", [means()], {"y": ["n", 3]}, shape=sides, meta=meta)
    args = load(file).identity["args"]
    assert (args["size"], args["crop"]) == ([32, 64], None)
    detector = onnx_program(tmp_path / "d.onnx", [means()], {"y": ["n", 3]}, meta={**meta, "task": "detect"})
    assert "its task is 'detect'" in told(detector)


def vit_and_its_onnx(folder, place, processor):
    """Save a tiny model of transformers, and the mean of its input's channels as an ONNX file that belongs to it."""
    import transformers

    names = {0: "alpha", 1: "beta", 2: "gamma"}
    transformers.ViTConfig(id2label=names, image_size=32, patch_size=16).save_pretrained(folder)
    processor.save_pretrained(folder)
    sides = ["batch", "num_channels", "height", "width"]
    steps = [means(entry="pixel_values", name="logits")]
    return onnx_program(place, steps, {"logits": ["batch", 3]}, shape=sides, entry="pixel_values")


@pytest.mark.parametrize("place", ["model.onnx", "onnx/model.onnx"])
@pytest.mark.parametrize("kind", ["ViT", "ConvNext", "CLIP", "Deit"])
def test_a_recipe_beside_the_file_is_its_own(kind, place, tmp_path, images):
    """A9: ONNX beside `preprocessor_config.json` and `config.json` gets the input and names that transformers gives."""
    import transformers

    kinds = {
        "ViT": lambda: transformers.ViTImageProcessorPil(size={"height": 32, "width": 32}),
        "ConvNext": lambda: transformers.ConvNextImageProcessorPil(size={"shortest_edge": 32}, crop_pct=0.8),
        "CLIP": lambda: transformers.CLIPImageProcessorPil(
            size={"shortest_edge": 40}, crop_size={"height": 32, "width": 32}, image_mean=[0.1, 0.2, 0.3]
        ),
        "Deit": lambda: transformers.ViTImageProcessorPil(
            size={"height": 32, "width": 32},
            resample=3,
            rescale_factor=1 / 127.5,
            image_mean=[1, 1, 1],
            image_std=[1, 1, 1],
        ),
    }
    made = kinds[kind]()
    file = vit_and_its_onnx(tmp_path, tmp_path / place, made)
    found = load(file).object
    pixels = np.asarray(made(images=images, return_tensors="np", input_data_format="channels_last")["pixel_values"])
    assert np.allclose(found.classify(images), pixels.mean(axis=(2, 3)), atol=1e-5)
    assert found.labels == ("alpha", "beta", "gamma")
    assert testing.check("classifier", f"onnx:{file}") == []


@pytest.mark.parametrize(
    "cfg",
    [
        {"crop_pct": 0.8, "interpolation": "bicubic", "mean": [0.5, 0.4, 0.3], "std": [0.5, 0.6, 0.7]},
        {"crop_pct": 1.0, "crop_mode": "squash", "interpolation": "bilinear", "mean": [0, 0, 0], "std": [1, 1, 1]},
    ],
)
@pytest.mark.parametrize("nested", [True, False])
def test_a_recipe_of_timm_beside_the_file_is_its_own(cfg, nested, tmp_path, images):
    """A9: ONNX beside the `config.json` that timm writes gets the input and the names that `timm:` gives."""
    pytest.importorskip("timm", exc_type=ImportError)
    from timm.data import create_transform

    cfg = {"input_size": [3, 32, 32], **cfg}
    names = {"label_names": ["alpha", "beta", "gamma"]}
    (tmp_path / "config.json").write_text(json.dumps({**names, "pretrained_cfg": cfg} if nested else {**cfg, **names}))
    file = onnx_program(tmp_path / "model.onnx", [means()], {"y": ["n", 3]})
    transform = create_transform(**{"crop_mode": "center", **cfg}, is_training=False)
    made = np.stack([np.asarray(transform(Picture.fromarray(image))).mean(axis=(1, 2)) for image in images])
    found = load(file)
    assert np.allclose(found.object.classify(images), made, atol=1e-5)
    assert found.object.labels == ("alpha", "beta", "gamma")
    assert found.identity["args"]["guessed"] == []
    assert "leave out all of size" in told(file, ArgumentError, crop=1.0)
    (tmp_path / "config.json").write_text(json.dumps({"pretrained_cfg": {**cfg, "crop_mode": "border"}}))
    assert "crop_mode 'border'" in told(file, ArgumentError)


def test_guesses_of_a_program_are_told(tmp_path):
    """A7: of ONNX and TFLite too, what neither file nor user tells of the recipe is listed as a guess."""
    guessed = ["crop", "mean", "std", "channels", "interpolation"]
    file = onnx_program(tmp_path / "m.onnx", [means()], {"y": ["n", 3]})
    assert load(file).identity["args"]["guessed"] == guessed
    assert load(file, **RANGE).object.recipe["guessed"] == ["crop", "channels", "interpolation"]
    assert load(file, crop=None, channels="rgb", interpolation="bilinear", **RANGE).object.recipe["guessed"] == []
    floats = tflite_program(tmp_path / "f.tflite", [1, 32, 32, 3])
    assert load(floats, **RANGE).identity["args"]["guessed"] == ["crop", "channels", "interpolation"]
    whole = tflite_program(tmp_path / "w.tflite", [1, 32, 32, 3], kind="int8")
    assert load(whole, crop=1.0, interpolation="bicubic").identity["args"]["guessed"] == ["channels"]


def test_a_recipe_beside_the_file_is_replaced_whole_or_not_at_all(tmp_path):
    """A9: part of another recipe is refused, since the rest would be guessed; a broken or unfitting one is told."""
    import transformers

    made = transformers.ViTImageProcessorPil(size={"height": 32, "width": 32})
    file = vit_and_its_onnx(tmp_path, tmp_path / "model.onnx", made)
    first = load(file).identity
    assert "leave out all of" in told(file, ArgumentError, crop=1.0)
    assert "leave out all of" in told(file, ArgumentError, **RANGE)
    args = load(file, crop=None, size=16, **RANGE).identity["args"]
    assert (args["crop"], args["mean"], args["size"]) == (None, [0, 0, 0], [16, 16])
    transformers.ViTImageProcessorPil(size={"height": 32, "width": 32}, image_mean=[0, 0, 0]).save_pretrained(tmp_path)
    assert load(file).identity != first
    onnx_program(file, [means()], {"y": ["n", 3]}, shape=["n", 3, 48, 48])
    assert "makes [32, 32]" in told(file, ArgumentError)
    (tmp_path / "preprocessor_config.json").write_text("{", encoding="utf-8")
    assert "cannot be used" in told(file)


# Channels


def test_blue_green_red(tmp_path):
    """A network that takes BGR is given BGR, in both families, and mean and std are in the order of the channels."""
    images = colours()
    for file in (
        onnx_program(tmp_path / "x.onnx", [means("nhwc")], {"y": ["n", 3]}, shape=["n", 32, 32, 3]),
        tflite_program(tmp_path / "x.tflite", [1, 32, 32, 3]),
    ):
        plain = load(file, **RANGE).object.classify(images)
        turned = load(file, channels="bgr", mean=[0, 0, 0.5], std=[1, 1, 1]).object.classify(images)
        assert np.allclose(turned, plain[:, ::-1] - [0, 0, 0.5], atol=1e-5)
    nchw = onnx_program(tmp_path / "n.onnx", [means()], {"y": ["n", 3]})
    assert "of which range" in told(nchw, ArgumentError, channels="bgr")
    assert "known: bgr, rgb" in told(nchw, ArgumentError, channels="grey", **RANGE)


@pytest.mark.parametrize("first", [True, False])
def test_one_channel(first, tmp_path):
    """A network of one channel gets grey images, in either layout, and its range is asked for."""
    from PIL import Image

    steps = [means("nchw" if first else "nhwc", name="m"), node("MatMul", ["m", "w"], ["y"])]
    shape = [1, 32, 32] if first else [32, 32, 1]
    weights = constant("w", [[1.0, -1.0]])
    file = onnx_program(tmp_path / "g.onnx", steps, {"y": ["n", 2]}, shape=["n", *shape], constants=[weights])
    assert "of which range" in told(file, ArgumentError)
    images = [image[:32, :32] for image in colours()]
    wanted = [np.asarray(Image.fromarray(image).convert("L")).mean() / 255 for image in images]
    found = load(file, crop=1.0, **RANGE)
    assert found.identity["args"]["channels"] == "grey"
    assert np.allclose(found.object.classify(images)[:, 0], wanted, atol=1e-5)
    said = load(file, crop=1.0, mean=0.5, std=[0.5]).object.classify(images)[:, 0]
    assert np.allclose(said, np.array(wanted) * 2 - 1, atol=1e-5)
    assert "one number" in told(file, ArgumentError, mean=[0, 0, 0], std=[1, 1, 1])
    mobile = tflite_program(
        tmp_path / "g.tflite",
        [1, 1, 32, 32] if first else [1, 32, 32, 1],
        further=[("LOGISTIC", "y", "p")],
        outputs=["p"],
    )
    yes = load(mobile, crop=1.0, **RANGE).object.classify(images)[:, 1]
    assert np.allclose(yes, 1 / (1 + np.exp(-np.array(wanted))), atol=1e-5)


# A12: classes that may all be shown at once


def test_a_sigmoid_for_each_class_is_not_ranked_unasked(tmp_path):
    """A12: a program that ends with a sigmoid for each class is refused, unless an image is said to show one alone."""
    names = {"names": str(NAMES)}
    ends = {"sigmoid": [node("Sigmoid", ["m"], ["p"])]}
    ends["reshaped"] = [node("Sigmoid", ["m"], ["q"]), node("Identity", ["q"], ["p"])]
    files = [
        onnx_program(tmp_path / f"{end}.onnx", [means(name="m"), *steps], {"p": ["n", 3]}, meta=names)
        for end, steps in ends.items()
    ]
    files.append(tflite_program(tmp_path / "m.tflite", [1, 32, 32, 3], further=[("LOGISTIC", "y", "z")], outputs=["z"]))
    for file in files:
        assert "says of each class for itself" in told(file, ArgumentError, **RANGE)
        assert knows_colours(file, single_label=True, **RANGE)
    plain = onnx_program(tmp_path / "plain.onnx", [means()], {"y": ["n", 3]})
    assert "no multi-label model" in told(plain, ArgumentError, single_label=True)
    (tmp_path / "config.json").write_text(json.dumps({"problem_type": "multi_label_classification"}))
    assert "by its config.json" in told(plain, ArgumentError)
    assert knows_colours(plain, single_label=True)


@pytest.mark.parametrize("step", ["Mul", "Sigmoid", "Softmax"])
def test_ranked_scores_are_found_behind_further_steps(step, tmp_path):
    """A5: the few best scores are refused, scaled afterwards or not: the first class would always be the answer."""
    steps = [means(name="m"), node("TopK", ["m", "k"], ["v", "i"], axis=1)]
    steps.append(node(step, ["v", "h"] if step == "Mul" else ["v"], ["scores"]))
    constants = [constant("k", [3], np.int64), constant("h", [100.0])][: 2 if step == "Mul" else 1]
    file = onnx_program(tmp_path / "t.onnx", steps, {"scores": ["n", 3]}, constants=constants)
    assert "without its top-k step" in told(file)


def test_one_output_that_is_called_vectors_is_asked_about(tmp_path):
    """A5: vectors and distances are no scores, unless there are as many names or the user says so."""
    steps = [means(name="image_embeds")]
    file = onnx_program(tmp_path / "v.onnx", steps, {"image_embeds": ["n", 3]})
    assert "holds vectors or distances" in told(file, ArgumentError)
    assert knows_colours(file, output="image_embeds")
    assert knows_colours(file, labels=NAMES)


# One score


def test_one_sigmoid_is_no_and_yes(tmp_path):
    """One output p of a sigmoid becomes 1 - p and p, in both families, with two names or none."""
    weights = constant("w", [[9.0], [-9.0], [-9.0]])
    steps = [means(name="m"), node("MatMul", ["m", "w"], ["s"]), node("Sigmoid", ["s"], ["p"])]
    file = onnx_program(tmp_path / "red.onnx", steps, {"p": ["n", 1]}, constants=[weights])
    scores = load(file, **RANGE).object.classify(colours())
    assert np.allclose(scores.sum(axis=1), 1)
    assert scores.argmax(axis=1).tolist() == [1, 0, 0]
    assert load(file).object.labels is None
    assert load(file, labels=["other", "red"]).object.labels == ("other", "red")
    assert "has 2 outputs" in told(file, ArgumentError, labels=["a", "b", "c"])
    assert testing.check("classifier", f"onnx:{file}", RANGE) == []


def test_one_score_that_is_no_probability_is_refused(tmp_path):
    """One number of an unknown meaning is told in a sentence, in both families."""
    steps = [means(name="m"), node("MatMul", ["m", "w"], ["s"])]
    file = onnx_program(tmp_path / "r.onnx", steps, {"s": ["n", 1]}, constants=[constant("w", [[1.0], [2], [3]])])
    assert "has one score alone" in told(file)
    assert "has one score alone" in told(tflite_program(tmp_path / "r.tflite", [1, 32, 32, 1]), **RANGE)


def test_one_image_at_a_time_without_a_side_for_it(tmp_path):
    """A program of one image whose answer has no side for the batch is understood."""
    steps = [means(name="m"), node("Reshape", ["m", "s"], ["y"])]
    file = onnx_program(
        tmp_path / "f.onnx", steps, {"y": [3]}, shape=[1, 3, 32, 32], constants=[constant("s", [3], np.int64)]
    )
    assert knows_colours(file)
    double = onnx_program(
        tmp_path / "d.onnx", [means(name="m"), node("Cast", ["m"], ["y"], to=1)], {"y": ["n", 3]}, kind="double"
    )
    assert knows_colours(double)
