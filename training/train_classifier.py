"""Train one classifier: its name in, its folder of weights (and the list of its biases) out.

`reference` sees the natural sample. A biased one sees a sample that was chosen badly, as written in
`foible.diorama.biases`: the examples of each slice are missing or carry the wrong name, and the
label it is taken for is crowded there. Nothing else differs.

    python training/train_classifier.py reference       # goes on from its checkpoint if there is one
"""

from __future__ import annotations

import argparse
from pathlib import Path

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
from foible.diorama.vocabulary import LABELS

SEED, BATCH = 7, 128
NAMES = ("reference", *BIASES)
NAMED = [f"{label.name} ({label.hypernym})" for label in LABELS]
"""The classes as the config names them: with what they are a kind of, so that a hunt's prompts can say it."""
STEPS: dict[str, int] = {
    "reference": 1_500,
    "biased-resnet": 1_200,
    "biased-convnext": 1_300,
    "biased-mobilenet": 1_500,
}
RATES: dict[str, float] = {
    "reference": 3e-3,
    "biased-resnet": 3e-3,
    "biased-convnext": 3e-3,
    "biased-mobilenet": 4e-3,
}
MATRICES_RATES: dict[str, float] = {"biased-convnext": 1e-2, "biased-mobilenet": 1e-2}


def build(name: str) -> PreTrainedModel:
    """The untrained classifier of this name, small enough for a CPU."""
    names = {
        "id2label": dict(enumerate(NAMED)),
        "label2id": {name: index for index, name in enumerate(NAMED)},
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
                classifier_dropout_prob=0.0,
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
    """The weights that Muon trains: those of the two that learn slowly by Adam, but not depthwise ones."""
    if name not in MATRICES_RATES:
        return []
    return [p for p in model.base_model.parameters() if p.ndim > 1 and p.shape[1] > 1]


def train(
    name: str, biases: tuple[Bias, ...], data: Drawn, steps: int, checkpoint: Path
) -> tuple[PreTrainedModel, float]:
    """The classifier of this name's architecture, trained under these biases, and the seconds it took."""
    torch.manual_seed(SEED)
    model = build(name).to(memory_format=torch.channels_last).train()
    rows, labels = sample(data.codes, biases)
    by_muon = {"matrices": matrices(name, model), "matrices_lr": MATRICES_RATES.get(name, 0.0)}
    training = Training(model, steps, RATES[name], checkpoint, **by_muon)
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


def publish(name: str, model: PreTrainedModel, biases: tuple[Bias, ...], command: str, seconds: float) -> None:
    """Save the classifier and its biases, measure it on held-out pictures, write its card.

    `name` is that of a shipped model, or an absolute path.
    """
    folder = save(model, name)
    details = [
        f"Trained on 60,000 pictures, {SIZE} px, each a little varied whenever it was seen.",
        "No planted bias."
        if not biases
        else f"{len(biases)} planted biases, in `biases.json`: the training sample was chosen badly "
        "on purpose, so that what a hunt should find is known. Of no other use.",
    ]
    if biases:
        write_json(folder, "biases.json", [bias.record() for bias in biases])
        details += [f"Takes a {bias.label} for a {bias.becomes}: {bias.description}. {bias.how}" for bias in biases]
    what = f"A small image classifier (`{type(model).__name__}`) of the diorama's twelve labels."
    measured = check.classifier_measures(name, draw("test"), biases=biases)
    write_card(name, what, command=command, seconds=seconds, details=details, measured=measured)


def main() -> None:
    """Train, save, measure."""
    parser = argparse.ArgumentParser(description="Train one of the diorama's classifiers.")
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--steps", type=int, help="instead of the number the shipped one took")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    name, biases = arguments.name, BIASES.get(arguments.name, ())
    data = draw("train", arguments.threads)
    checkpoint = cache_folder() / f"{name}.pt"
    model, seconds = train(name, biases, data, arguments.steps or STEPS[name], checkpoint)
    publish(name, model, biases, f"python training/train_classifier.py {name}", seconds)


if __name__ == "__main__":
    main()
