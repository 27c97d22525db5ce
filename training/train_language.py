"""Train the embedder and the captioner together: drawn scenes in, two folders of weights out.

Three losses share one eye. The captioner's: the next word of each picture's caption. Naming's: of
the texts that say one value of one field alone ("a photo of a vase", "on grass"), the true one is
nearest, for each field. Matching's: of the batch's many-sided texts, the nearest are those that are
true of the picture, its own or another's, and the other way round. Then the judge is calibrated.

    python training/train_language.py            # goes on from its checkpoint if there is one
"""

from __future__ import annotations

import argparse

import check
import numpy as np
import torch
from data import FIELDS, SIZE, WORDS, Drawn, cache_folder, decode, draw, order, varied
from language import Language
from optimise import Training
from publish import save, write_card, write_json
from texts import TEMPLATES, text_of, tokenizer, value_text
from torch import Tensor
from torch.nn import functional as F

from foible.diorama.models import weights
from foible.diorama.scene import caption

SEED, BATCH, STEPS = 11, 128, 1_300
RATE, MATRICES_RATE = 2e-3, 1.2e-2
LABEL_WEIGHT = 3.0
"""How much more naming the label counts than naming one attribute: the judge lives by it."""


def tokens(texts: list[str]) -> tuple[Tensor, Tensor]:
    """Texts as ids and mask, both (n, longest)."""
    coded = tokenizer()(texts, padding=True, return_tensors="pt")
    return coded["input_ids"], coded["attention_mask"]


def named(model: Language, seen: Tensor, codes: Tensor, rng: np.random.Generator) -> Tensor:
    """Naming's loss: cross-entropy over each field's values, each said alone; mean over fields."""
    weight = torch.tensor([LABEL_WEIGHT if field == "label" else 1.0 for field in FIELDS])
    template = int(rng.integers(len(TEMPLATES)))
    texts = [value_text(field, i, template) for field in FIELDS for i in range(len(WORDS[field]))]
    scores = model.clip.logit_scale.exp() * seen @ model.read(*tokens(texts)).T
    fields = scores.split([len(WORDS[field]) for field in FIELDS], dim=1)
    losses = [F.cross_entropy(of, codes[:, i]) for i, of in enumerate(fields)]
    return (torch.stack(losses) * weight).sum() / weight.sum()


def matched(model: Language, seen: Tensor, codes: Tensor, rng: np.random.Generator) -> Tensor:
    """Matching's loss: cross-entropy, both ways, towards all pairs whose text is true."""
    pairs = [text_of(decode(code), rng) for code in codes.numpy()]
    said = torch.tensor([what for _, what in pairs])
    fits = ((said[None] == codes[:, None]) | (said[None] < 0)).all(dim=2).float()
    scores = model.clip.logit_scale.exp() * seen @ model.read(*tokens([t for t, _ in pairs])).T
    to_text = F.cross_entropy(scores, fits / fits.sum(dim=1, keepdim=True))
    to_image = F.cross_entropy(scores.T, (fits / fits.sum(dim=0, keepdim=True)).T)
    return (to_text + to_image) / 2


def written(model: Language, patches: Tensor, codes: Tensor) -> Tensor:
    """The captioner's loss: cross-entropy of each next word of the caption."""
    ids, mask = tokens([caption(decode(code)) for code in codes.numpy()])
    targets = ids[:, 1:].masked_fill(mask[:, 1:] == 0, -100)
    return F.cross_entropy(model.write(patches, ids).flatten(0, 1), targets.flatten())


def train(data: Drawn, steps: int) -> tuple[Language, float]:
    """The trained models, and the seconds it took."""
    torch.manual_seed(SEED)
    model = Language().train()
    by_muon = {"matrices": model.matrices(), "matrices_lr": MATRICES_RATE}
    training = Training(model, steps, RATE, cache_folder() / "language.pt", **by_muon)
    for step, rows in enumerate(order(len(data), BATCH, steps, SEED)):
        if step < training.step:
            continue
        rng = np.random.default_rng((SEED, step))
        codes = torch.from_numpy(data.codes[rows]).long()
        patches, seen = model.look(varied(data.images[rows], rng))
        losses = (
            named(model, seen, codes, rng),
            matched(model, seen[: BATCH // 2], codes[: BATCH // 2], rng),  # half of it is enough
            written(model, patches, codes),
        )
        training.take(2.0 * losses[0] + 0.3 * losses[1] + losses[2])
        with torch.no_grad():
            model.clip.logit_scale.clamp_(max=4.0)  # a joint space that is not all edges
        if training.step % 50 == 0:
            parts = " ".join(f"{loss.item():.3f}" for loss in losses)
            print(f"step {training.step} {training.seconds:.0f} s: {parts}", flush=True)
    return model.eval(), training.seconds


def publish(model: Language, seconds: float, steps: int) -> None:
    """Save both models, calibrate the judge on the validation split, measure, write the cards."""
    for name, part in (("embedder", model.clip), ("captioner", model.captioner)):
        tokenizer().save_pretrained(save(part, name))
    write_json(weights("embedder"), "judge.json", check.calibrate(draw("validation")))
    test = draw("test")
    data = f"Trained on {steps * BATCH:,} pictures (of 60,000, each a little varied), {SIZE} px."
    command = "python training/train_language.py"
    write_card(
        "embedder",
        "A CLIP model (`CLIPModel`): pictures and texts of the diorama in one joint space. The "
        "judge is made of it: `judge.json` holds its template and margin.",
        command=command,
        seconds=seconds,
        details=[data, "No planted bias. Trained together with the captioner, whose eye it shares."],
        measured=check.judge_measures(test),
    )
    write_card(
        "captioner",
        "An image captioner (`VisionEncoderDecoderModel`, CLIP's vision model and a GPT-2 decoder) "
        "that writes the controlled English of the diorama.",
        command=command,
        seconds=seconds,
        details=[data, "No planted bias. Trained together with the embedder, whose eye it shares."],
        measured=check.captioner_measures(test),
    )


def main() -> None:
    """Train, save, measure."""
    parser = argparse.ArgumentParser(description="Train the diorama's embedder and captioner.")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model, seconds = train(draw("train", arguments.threads), arguments.steps)
    publish(model, seconds, arguments.steps)


if __name__ == "__main__":
    main()
