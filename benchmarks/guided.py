"""Guided draws: what a step costs beside the bare passes, what memory grows with, and what each method finds.

    python benchmarks/guided.py             # cost: ratios within one run
    python benchmarks/guided.py --found     # the table of docs/guided.md, over diffusers:diorama; minutes
    python benchmarks/guided.py --terms     # noise with what else may be weighed; minutes
    python benchmarks/guided.py --rates     # images until the first true failure, by its base rate; minutes
    python benchmarks/guided.py --soft      # likewise, where failures begin gradually; minutes

Cost: a pipeline of a real class with random weights, a UNet of (64, 128) channels over 16 by 16 latents, 64 pixels;
each measurement of memory is a process of its own. Found: for some labels, so many draws are led by each method, from
the noise of draws that pass. A *true* failure is one in which the judge and the reference classifier see the label.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

PROMPT, BATCH = "a photo of a red cup on grass", 4
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "photo", "of", "red", "cup", "on", "grass"]


def main() -> None:
    """Measure, and print ratios."""
    arguments = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    arguments.add_argument("--steps", type=int, default=4, help="of sampling, where time is measured")
    arguments.add_argument("--times", type=int, default=8, help="of each pass")
    arguments.add_argument("--found", action="store_true", help="what each method finds, in the place of what it costs")
    arguments.add_argument("--terms", action="store_true", help="likewise noise, with what else may be weighed")
    arguments.add_argument("--rates", action="store_true", help="what the first true failure costs, by its base rate")
    arguments.add_argument("--soft", action="store_true", help="likewise, where failures begin gradually")
    arguments.add_argument("--plain", type=int, default=2000, help="draws that base rates are measured on")
    arguments.add_argument("--trials", type=int, default=6, help="of each method, at each base rate")
    arguments.add_argument("--draws", type=int, default=16, help="that each method leads, of each label")
    arguments.add_argument("--most", type=int, default=16, help="images that a guided draw may take")
    arguments.add_argument("--peak", help=argparse.SUPPRESS)
    arguments.add_argument("--embedding", action="store_true", help=argparse.SUPPRESS)
    arguments.add_argument("--whole", action="store_true", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.peak:
        folder, steps = given.peak.rsplit(":", 1)
        with kept_whole() if given.whole else nullcontext():
            print(peak(folder, int(steps), embedding=given.embedding))
        return
    if given.rates or given.soft:
        import rare

        for soft in [False] * given.rates + [True] * given.soft:
            rare.rates(given.plain, given.trials, soft=soft)
        return
    if given.found or given.terms:
        found(TERMS if given.terms else METHODS, given.draws, given.most)
        return
    with tempfile.TemporaryDirectory() as place:
        make(Path(place))
        bare, guided, dear, whole = times(place, given.steps, given.times)
        print(f"guided step over bare forward and backward pass: {guided / bare:.2f} ({guided:.2f} s, {bare:.2f} s)")
        print(f"the same of embedding: {dear / bare:.2f} ({dear:.2f} s)")
        print(f"bare passes, denoiser asked again over kept whole: {bare / whole:.2f} ({bare:.2f} s, {whole:.2f} s)")
        few, many = (_peak_of(place, steps) for steps in (5, 20))
        print(f"peak memory of a guided step, 20 steps of sampling over 5: {many / few:.2f} ({many} KB, {few} KB)")
        few, many = (_peak_of(place, steps, "--embedding") for steps in (5, 20))
        print(f"the same of embedding: {many / few:.2f} ({many} KB, {few} KB)")
        few, many = (_peak_of(place, steps, "--whole") for steps in (5, 20))
        print(f"the same with the denoiser kept whole: {many / few:.2f} ({many} KB, {few} KB)")


def make(folder: Path) -> None:
    """Write a pipeline with random weights."""
    import foible.adapters  # noqa: F401 - beside a torchvision that does not match, diffusers imports only after it

    # isort: split
    import torch
    import transformers as t
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    torch.manual_seed(0)
    inner = Tokenizer(models.WordLevel({word: at for at, word in enumerate(WORDS)}, unk_token="[UNK]"))  # noqa: S106 - no secret
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    inner.post_processor = processors.TemplateProcessing("[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    words = t.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", bos_token="[CLS]", eos_token="[SEP]"  # noqa: S106 - as above
    )  # fmt: skip
    words.model_max_length = 16
    text = t.CLIPTextConfig(
        vocab_size=len(WORDS), hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=16, bos_token_id=2, eos_token_id=3, pad_token_id=0,
    )  # fmt: skip
    denoiser = UNet2DConditionModel(
        block_out_channels=(64, 128), layers_per_block=2, sample_size=16, in_channels=4, out_channels=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=64, attention_head_dim=8,
    )  # fmt: skip
    vae = AutoencoderKL(
        block_out_channels=(16, 16, 16), down_block_types=["DownEncoderBlock2D"] * 3,
        up_block_types=["UpDecoderBlock2D"] * 3, latent_channels=4, norm_num_groups=4, sample_size=64,
    )  # fmt: skip
    pipe = StableDiffusionPipeline(
        vae, t.CLIPTextModel(text), words, denoiser, DDIMScheduler(clip_sample=False, steps_offset=1), None, None,
        requires_safety_checker=False,
    )  # fmt: skip
    pipe.save_pretrained(folder)


def load(folder: str, steps: int) -> tuple[Any, Any]:
    """Load the pipeline as a generator, and a classifier with gradients."""
    from foible.parts.registry import load as part

    generator = part("generator", f"diffusers:{folder}", {"steps": steps, "size": 64, "dtype": "float32"})
    return generator.object, part("classifier", "diorama:reference")


def search(folder: str, steps: int, times_: int, *, embedding: bool = False) -> Any:
    """Make a search by noise, or by embeddings, that does not reach its end early."""
    from foible.guiding.aim import Aim
    from foible.guiding.embedding import Embedding
    from foible.guiding.noise import Noise
    from foible.guiding.objective import Goal, Objective
    from foible.guiding.sight import Sight

    generator, classifier = load(folder, steps)
    every = tuple(range(11))  # all classes but one are right: no image is taken for the last
    goal = Goal(sight=Sight(classifier), aims={PROMPT: Aim(right=every)})
    method = Embedding if embedding else Noise
    return method(generator=generator, objective=Objective([goal]), steps=times_, rate=1e-4)


def times(folder: str, steps: int, often: int) -> tuple[float, float, float, float]:
    """Give the seconds of a bare pass, of a step of noise and of embedding, and of a pass that keeps everything.

    The least of several of each, in turn.
    """
    import torch

    torch.set_num_threads(1)
    guides = {name: search(folder, steps, 2, embedding=name == "embedding") for name in ("noise", "embedding")}
    generator, classifier = load(folder, steps)
    bare, whole = [], []
    guided: dict[str, list[float]] = {name: [] for name in guides}
    texts, seeds = [PROMPT] * BATCH, list(range(BATCH))

    def passes() -> float:
        began = time.perf_counter()
        noise = generator.noise(texts, seeds).requires_grad_()
        images = generator.sample(texts, seeds, noise)
        given = torch.nn.functional.interpolate(images, classifier.object.prepare([_blank()]).shape[-2:])
        torch.autograd.grad(classifier.object.logits(given)[:, 0].sum(), noise)
        return time.perf_counter() - began

    for _ in range(often):
        bare.append(passes())
        with kept_whole():
            whole.append(passes())
        for name, guide in guides.items():
            began = time.perf_counter()
            guide.search(texts, seeds)  # two images, and one way back between them
            guided[name].append(time.perf_counter() - began)
            began = time.perf_counter()
            with torch.no_grad():
                generator.sample(texts, seeds, generator.noise(texts, seeds))
            guided[name][-1] -= time.perf_counter() - began
    return min(bare), min(guided["noise"]), min(guided["embedding"]), min(whole)


@contextmanager
def kept_whole() -> Iterator[None]:
    """Let graphs keep all that a denoiser computes."""
    from foible.adapters.diffusers import sampling

    own = sampling.recomputed
    sampling.recomputed = lambda ask: ask
    try:
        yield
    finally:
        sampling.recomputed = own


def peak(folder: str, steps: int, *, embedding: bool = False) -> int:
    """Give what one guided step adds to the memory of the process at its peak, in KB."""
    import torch

    torch.set_num_threads(1)
    guide = search(folder, steps, 2, embedding=embedding)
    guide.generator.draw([PROMPT] * BATCH, list(range(BATCH)))
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew; Linux alone
    before = _held("VmRSS")
    guide.search([PROMPT] * BATCH, list(range(BATCH)))
    return _held("VmHWM") - before


def _held(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


CASES = (
    ("biased-resnet", "coffee mug"),
    ("biased-resnet", "dumbbell"),
    ("biased-convnext", "vase"),
    ("biased-convnext", "water bottle"),
    ("biased-mobilenet", "mushroom"),
    ("biased-mobilenet", "dumbbell"),
)
"""Classifiers and labels: some with a planted cause that the narrow world can show, some without."""
METHODS: dict[str, dict[str, Any]] = {
    "select": {"method": "select"},
    "noise": {"method": "noise", "rate": 0.03},
    "steer": {"method": "steer", "rate": 0.03},
    "embedding": {"method": "embedding", "rate": 0.03},
    "evolve": {"method": "evolve", "rate": 0.3},
}
"""With the numbers that each is tried with."""
_WEIGHED = ((), ("text=0.3",), ("text=1",), ("text=3",), ("l2=-20",), ("embedder=-5",))
TERMS: dict[str, dict[str, Any]] = {
    ", ".join(("noise", *terms)): {"method": "noise", "rate": 0.03, "terms": terms} for terms in _WEIGHED
}
"""A judge of other weights than the embedder's says what is true of these."""


class Counted:
    """A generator that counts the images that it samples."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.images = inner, 0

    def __getattr__(self, name: str) -> Any:
        """Hand on what is not counted."""
        return getattr(self.inner, name)

    def draw(self, prompts: Any, seeds: Any) -> Any:
        """Count, and draw."""
        self.images += len(prompts)
        return self.inner.draw(prompts, seeds)

    def sample(self, prompts: Any, *given: Any) -> Any:
        """Count, and sample."""
        self.images += len(prompts)
        return self.inner.sample(prompts, *given)

    def sample_read(self, prompts: Any, *given: Any) -> Any:
        """Count, and sample."""
        self.images += len(prompts)
        return self.inner.sample_read(prompts, *given)


def found(methods: dict[str, dict[str, Any]], draws: int, most: int) -> None:
    """Lead draws that pass, and print a row for each case and method."""
    from foible.parts.registry import load as part

    generator = part("generator", "diffusers:diorama")
    judge = part("judge", "diorama:judge" if methods is METHODS else "python:misdrawn:by_captioner")
    reference = part("classifier", "diorama:reference")
    print("| classifier, label | method | failed | of these true | images each, on average | CPU-s a failure |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, label in CASES:
        own = part("classifier", f"diorama:{name}")
        for method, how in methods.items():
            row = _row({**how, "steps": most}, (generator, own, judge, reference), (name, label), draws)
            print(f"| {name}, {label} | {method} | {row} |", flush=True)


def _row(how: dict[str, Any], parts: tuple[Any, Any, Any, Any], case: tuple[str, str], draws: int) -> str:
    import torch

    from foible.config import GuideOptions
    from foible.diorama.vocabulary import LABELS
    from foible.draws.request import prompt
    from foible.guiding.generator import Onlookers, guided
    from foible.parts.registry import load as part
    from foible.records import ClassMap, Label

    torch.set_num_threads(1)
    generator, own, judge, reference = parts
    name, label = case
    kind = next(one.hypernym for one in LABELS if one.name == label)
    text = prompt(Label(label, kind), "a realistic photograph of a {name} ({kind})")
    right = [one.split(" (")[0] for one in own.object.labels].index(label)
    seeds = list(_passing(generator.object, own.object, text, right, draws))
    counted = Counted(generator.object)
    classes = ClassMap(classifier=name, names=tuple(own.object.labels), right={label: (right,)})
    onlookers = Onlookers(judge, {label: Label(label, kind)}, part("embedder", "diorama:embedder"))
    guide = guided(part("generator", counted), [(own, classes)], {label: text}, GuideOptions(**how), onlookers)
    began = time.process_time()
    images = [one.image for one in guide.object.draw([text] * len(seeds), seeds)]
    spent = time.process_time() - began
    failed = own.object.classify(images).argmax(1) != right
    seen = [one.faithful for one in judge.object.judge(images, [Label(label, kind)] * len(images))]
    true = failed & seen & (reference.object.classify(images).argmax(1) == right)
    each = counted.images / len(seeds)
    cost = f"{spent / failed.sum():.1f}" if failed.any() else "-"
    return f"{failed.sum()} of {len(seeds)} | {true.sum()} | {each:.1f} | {cost}"


def _passing(generator: Any, own: Any, text: str, right: int, draws: int) -> Any:
    """Give seeds whose draws pass, from 0 on."""
    seed, given = 0, 0
    while given < draws:
        batch = list(range(seed, seed + draws))
        drawn = generator.draw([text] * draws, batch)
        for one, scores in zip(batch, own.classify([image.image for image in drawn]), strict=True):
            if scores.argmax() == right and given < draws:
                given += 1
                yield one
        seed += draws


def _peak_of(folder: str, steps: int, *more: str) -> int:
    asked = [sys.executable, __file__, "--peak", f"{folder}:{steps}", *more]
    return int(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.split()[-1])


def _blank() -> Any:
    import numpy as np

    return np.zeros((64, 64, 3), np.uint8)


if __name__ == "__main__":
    main()
