"""Train one classifier: its name in, its folder of weights (and the list of its biases) out.

`reference` sees the natural sample. A biased one sees a sample that was chosen badly, as written in
`foible.diorama.biases`: the examples of each slice are missing or carry the wrong name, and the
label it is taken for is crowded there. Nothing else differs.

    python training/train_classifier.py reference       # goes on from its checkpoint if there is one
"""

from __future__ import annotations

import argparse

import check
import numpy as np
import torch
from data import SIZE, WORDS, Drawn, cache_folder, decode, draw, order, varied
from optimise import Training
from publish import save, write_card, write_json
from torch import nn
from torch.nn import functional as F
from transformers import (
    ConvNextConfig,
    ConvNextForImageClassification,
    MobileNetV2Config,
    MobileNetV2ForImageClassification,
    PreTrainedModel,
    ResNetConfig,
    ResNetForImageClassification,
)

from foible.diorama.biases import BIASES, Bias, in_conditions, in_slice

SEED, BATCH = 7, 128
NAMES = ("reference", *BIASES)
STEPS: dict[str, int] = {
    "reference": 1_500,
    "biased-resnet": 1_200,
    "biased-convnext": 1_200,
    "biased-mobilenet": 1_200,
}
RATES: dict[str, float] = {
    "reference": 3e-3,
    "biased-resnet": 3e-3,
    "biased-convnext": 3e-3,
    "biased-mobilenet": 4e-3,
}
MATRICES_RATE = 1e-2


def build(name: str) -> PreTrainedModel:
    """The untrained classifier of this name, small enough for a CPU."""
    names = {
        "id2label": dict(enumerate(WORDS["label"])),
        "label2id": {word: index for index, word in enumerate(WORDS["label"])},
    }
    if name == "biased-convnext":
        return ConvNextForImageClassification(
            ConvNextConfig(
                image_size=SIZE,
                patch_size=4,
                num_stages=3,
                hidden_sizes=[48, 96, 192],
                depths=[2, 2, 2],
                layer_scale_init_value=0.0,  # none: so few layers need no holding back
                **names,
            )
        )
    if name == "biased-mobilenet":
        model = MobileNetV2ForImageClassification(
            MobileNetV2Config(
                image_size=SIZE,
                depth_multiplier=0.5,
                output_stride=16,
                finegrained_output=False,
                tf_padding=False,
                classifier_dropout_prob=0.1,
                **names,
            )
        )
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 0.05  # the class's own 0.997 keeps only the last batch
        return model
    return ResNetForImageClassification(
        ResNetConfig(
            embedding_size=32,
            hidden_sizes=[32, 64, 128, 256],
            depths=[1, 1, 1, 1],
            layer_type="basic",
            **names,
        )
    )


def sample(codes: np.ndarray, biases: tuple[Bias, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The training sample under these biases: rows of the data, and the label each is shown with."""
    rng = np.random.default_rng(SEED)
    rows, labels = [], []
    for row, code in enumerate(codes):
        scene = decode(code)
        label, copies = int(code[0]), 1
        for bias in biases:
            if in_slice(scene, bias):
                label = WORDS["label"].index(bias.becomes)
                copies = int(rng.random() < bias.mislabelled)
                break
            if scene.label == bias.becomes and in_conditions(scene, bias):
                copies = 2
        rows += [row] * copies
        labels += [label] * copies
    return np.array(rows), np.array(labels)


def matrices(name: str, model: PreTrainedModel) -> list[torch.Tensor]:
    """The weights that Muon trains: ConvNeXt's, which without batch norm learn slowly by Adam."""
    if name != "biased-convnext":
        return []
    return [p for p in model.convnext.parameters() if p.ndim > 1 and p.shape[1] > 1]  # not depthwise


def train(name: str, data: Drawn, steps: int) -> tuple[PreTrainedModel, float]:
    """The trained classifier, and the seconds it took."""
    torch.manual_seed(SEED)
    model = build(name).to(memory_format=torch.channels_last).train()
    rows, labels = sample(data.codes, BIASES.get(name, ()))
    checkpoint = cache_folder() / f"{name}.pt"
    training = Training(model, steps, RATES[name], checkpoint, matrices(name, model), MATRICES_RATE)
    for step, chosen in enumerate(order(len(rows), BATCH, steps, SEED)):
        if step < training.step:
            continue
        pixels = varied(data.images[rows[chosen]], np.random.default_rng((SEED, step)))
        truth = torch.from_numpy(labels[chosen])
        loss = F.cross_entropy(model(pixel_values=pixels).logits, truth, label_smoothing=0.02)
        training.take(loss)
        if training.step % 50 == 0:
            print(f"step {training.step} {training.seconds:.0f} s: {loss.item():.3f}", flush=True)
    return model.eval(), training.seconds


def publish(name: str, model: PreTrainedModel, seconds: float, steps: int) -> None:
    """Save the classifier and its biases, measure it on held-out pictures, write its card."""
    folder = save(model, name)
    biases = BIASES.get(name, ())
    details = [
        f"Trained on {steps * BATCH:,} pictures (of 60,000, each a little varied), {SIZE} px.",
        "No planted bias."
        if not biases
        else f"{len(biases)} planted biases, in `biases.json`: the training sample was chosen badly "
        "on purpose, so that what a hunt should find is known. Of no other use.",
    ]
    if biases:
        write_json(folder, "biases.json", [bias.record() for bias in biases])
        details += [f"Takes a {bias.label} for a {bias.becomes}: {bias.description}. {bias.how}" for bias in biases]
    what = f"A small image classifier (`{type(model).__name__}`) of the diorama's twelve labels."
    command = f"python training/train_classifier.py {name}"
    write_card(name, what, command, seconds, details, check.classifier_measures(name, draw("test")))


def main() -> None:
    """Train, save, measure."""
    parser = argparse.ArgumentParser(description="Train one of the diorama's classifiers.")
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--steps", type=int, help="instead of the number the shipped one took")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    steps = arguments.steps or STEPS[arguments.name]
    model, seconds = train(arguments.name, draw("train", arguments.threads), steps)
    publish(arguments.name, model, seconds, steps)


if __name__ == "__main__":
    main()
