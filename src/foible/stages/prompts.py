"""Labels and descriptions become prompts, and prompts with seeds become draws.

Comes in: labels, phrases, the config. Goes out: `Draw` records with their keys; nothing is drawn here (`draw.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from foible.identity import canonical, derive_seeds, draw_key, seed_stream
from foible.records import Arm, Draw, Label, Prompt
from foible.stages.context import Context


def make_prompt(label: Label, template: str, phrases: Sequence[str] = ()) -> Prompt:
    """Fill the template for a label and append the phrases: "a … of a coffee mug (cup), striped, at night"."""
    base = template if label.hypernym else template.replace("({hypernym})", "").replace("{hypernym}", "")
    if label.name[:1].lower() in "aeiou":
        base = base.replace(" a {name}", " an {name}")
    text = " ".join(base.format(name=label.name, hypernym=label.hypernym).split())
    description = ", ".join(phrases)
    return Prompt(label.name, description, f"{text}, {description}" if description else text)


def plan_draws(label: Label, phrases: Sequence[str], arm: Arm, count: int, context: Context) -> list[Draw]:
    """Plan the first `count` draws of a label in an arm.

    Every arm but `explore` counts through the same seeds, so that draws of the same number form a pair.

    Args:
        label: what is drawn.
        phrases: the description; empty for the base prompt.
        arm: where the draws belong.
        count: how many.
        context: gives the template, the hunt's seed and the generator's identity.
    """
    stream = "explore" if arm == "explore" else "test"
    seeds = derive_seeds(context.config.seed, stream, canonical([label.index, label.name]), count)
    return on_seeds(label, phrases, arm, seeds, context)


def fresh_seeds(label: Label, context: Context) -> Iterator[int]:
    """Yield the seeds of a label's treat and control arms without end: those that `plan_draws` counts through."""
    return seed_stream(context.config.seed, "test", canonical([label.index, label.name]))


def narrow_seeds(label: Label, context: Context) -> Iterator[int]:
    """Yield seeds for following a label's failures, without end; none is a seed of the treat and control arms."""
    return seed_stream(context.config.seed, "explore", canonical([label.index, label.name, "narrow"]))


def on_seeds(label: Label, phrases: Sequence[str], arm: Arm, seeds: Sequence[int], context: Context) -> list[Draw]:
    """Plan draws of a label with a description on given seeds."""
    prompt = make_prompt(label, context.config.explore.template, phrases)
    return [Draw(draw_key(context.generator.identity, prompt.text, each), prompt, each, arm) for each in seeds]
