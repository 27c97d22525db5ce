"""What the language models read and write: scenes in, texts and the tokenizer that knows them out.

The tokenizer has one token for each word of the world; any other word is `[UNK]`. The texts are of
many kinds (captions whole and in part, prompts, bare names, bare conditions, synonyms), and each
comes with what it really says of a scene, so that the loss knows which other pictures it fits too.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from data import FIELDS, WORDS
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from foible.diorama.scene import Scene, caption, full_caption
from foible.diorama.vocabulary import ATTRIBUTES, LABELS

LONGEST = 48
"""Most tokens in any text, the two marks at its ends included."""
CAPTION_LONGEST = 32
"""Most tokens in any caption, likewise."""
SPECIAL = ("[PAD]", "[UNK]", "[BOS]", "[EOS]")
TEMPLATES = (
    "a photo of a {name}",
    "a realistic photograph of a {name} ({hypernym})",
    "a realistic photograph of a {name}",
    "a {name}",
    "{name}",
)
"""How a bare label is said; the judge uses the first, a hunt's base prompts the second."""
OPENINGS = ("", "a photo", "a realistic photograph", "a picture of something", "an object")
"""What a text begins with that names no label."""
FILLERS = [
    "the",
    "of",
    "on",
    "in",
    "at",
    "by",
    "with",
    "and",
    "or",
    "to",
    "from",
    "is",
    "are",
    "be",
    "it",
    "this",
    "that",
    "there",
    "some",
    "one",
    "realistic",
    "photo",
    "photograph",
    "picture",
    "image",
    "view",
    "seen",
    "taken",
    "showing",
    "beside",
    "next",
    "near",
    "under",
    "standing",
    "lying",
    "floor",
    "ground",
    "scene",
    "weather",
    "time",
    "during",
    "something",
    "object",
]
"""Words that say nothing of their own; known, so that a prompt with them looks less strange."""


def vocabulary() -> list[str]:
    """Every token, the special ones first, then the words of the world in their order."""
    texts = [text for label in LABELS for text in (label.name, label.hypernym, *label.synonyms)]
    for values in ATTRIBUTES.values():
        texts += [text for v in values for text in (v.phrase, v.word, *v.synonyms)]
    texts += [*FILLERS, *(opening for opening in OPENINGS), "a an , ( ) ."]
    return [*SPECIAL, *dict.fromkeys(word for text in texts for word in text.split())]


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    """The word-level tokenizer of both language models."""
    words = {word: index for index, word in enumerate(vocabulary())}
    inner = Tokenizer(models.WordLevel(words, unk_token=SPECIAL[1]))
    inner.normalizer = normalizers.Lowercase()
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex("[(),.]"), "isolated")]
    )
    ends = [(mark, words[mark]) for mark in ("[BOS]", "[EOS]")]
    inner.post_processor = processors.TemplateProcessing(single="[BOS] $A [EOS]", special_tokens=ends)
    inner.decoder = decoders.WordPiece(prefix="##", cleanup=True)  # for "fog," and not "fog ,"
    return PreTrainedTokenizerFast(
        tokenizer_object=inner,
        **dict(zip(("pad_token", "unk_token", "bos_token", "eos_token"), SPECIAL, strict=True)),
        model_max_length=LONGEST,
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
    )


def value_text(field: str, index: int, template: int) -> str:
    """One value of one field said alone: "a photo of a vase", "a realistic photograph, on grass"."""
    if field == "label":
        label = LABELS[index]
        return TEMPLATES[template].format(name=label.name, hypernym=label.hypernym)
    phrase = ATTRIBUTES[field][index].phrase
    opening = OPENINGS[template % len(OPENINGS)]
    return f"{opening}, {phrase}" if opening else phrase


def text_of(scene: Scene, rng: np.random.Generator) -> tuple[str, list[int]]:
    """A text that is true of the scene, and what it says: per field the index said, or -1."""
    said = [-1] * len(FIELDS)

    def say(field: str) -> None:
        said[FIELDS.index(field)] = WORDS[field].index(getattr(scene, field))

    kind = rng.random()
    if kind < 0.2:  # both kinds of captions that the captioner may write
        whole = rng.random() < 0.3
        for field in FIELDS:
            say(field)
        return (full_caption if whole else caption)(scene), said
    label = LABELS[WORDS["label"].index(scene.label)]
    chosen = [name for name in ATTRIBUTES if rng.random() < rng.choice([0.0, 0.2, 0.6])]
    if kind < 0.85:
        name = str(rng.choice(label.synonyms)) if label.synonyms and rng.random() < 0.1 else label.name
        template = TEMPLATES[rng.integers(len(TEMPLATES))]
        opening = template.format(name=name, hypernym=label.hypernym)
        say("label")
    else:
        opening = OPENINGS[rng.integers(len(OPENINGS))]
    phrases = [opening] if opening else []
    for name in chosen:
        value = ATTRIBUTES[name][WORDS[name].index(getattr(scene, name))]
        if rng.random() < 0.05:
            phrases.append("[UNK]")  # a word that the world does not know says nothing
            continue
        other = value.synonyms and rng.random() < 0.15
        phrases.append(str(rng.choice(value.synonyms)) if other else value.phrase)
        say(name)
    return ", ".join(phrases) or "a photo", said
