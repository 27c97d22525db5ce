"""A caption is cut into phrases that can be appended to a base prompt again.

Comes in: one caption and the names that may stand in it as the object. Goes out: phrases: modifiers of the object
("red", "black and white"), prepositional phrases ("on grass", "made of glass") and trailing ones ("far away"). Rules,
no model: every phrase that is kept is tested on fresh images anyway. Neighbours: `naming.py` looks names up;
`follow.py` and `contrast.py` look for the phrases that matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from foible.search.naming import Names, prepared, words_of

LONGEST = 7
"""Phrases with more words are left out: they describe one image, not a kind of image."""

WIDEST = 60
"""Phrases with more characters are no words."""

MOST = 40
"""Phrases of one caption; a caption with more is no description."""

_STOPS = re.compile(r"[!?]+|\n\s*(?:\n|[-*•])")
"""Ends of a sentence or of an item of a list that are no full stop."""
_BREAKS = frozenset(",;:.()")
_ARTICLES = frozenset(
    {"a", "an", "the", "some", "this", "that", "its", "his", "her", "their", "one", "there", "is", "are"}
)
_JOINERS = frozenset({"and", "with", "while", "that", "which", "but"})
_EMPTY = frozenset({"of", "here", "arafed", "araffe", "araffed"})
"""Says nothing before the object; the last three are what BLIP says where it has no word."""
_VIEWS = frozenset({"from above", "from behind", "from below", "from inside", "from outside"})
"""Prepositions alone that say from where the object is seen."""
_PRONOUNS = frozenset({"it", "them", "him", "her", "which"})
_VERBS = frozenset({"is", "are", "was", "were", "has", "have", "appears", "looks", "seems", "features"})
_MEDIUM = frozenset({"photo", "photograph", "picture", "image", "close-up", "shot", "view", "scene"})
_SHOWS = frozenset(
    {"of", "shows", "showing", "depicts", "depicting", "features", "featuring", "captures", "displays", "contains"}
)
_SEEN = (("we", "can", "see"), ("you", "can", "see"), ("we", "see"), ("there", "is"), ("there", "are"))
_COMPOUND = (
    ("in", "front", "of"), ("on", "top", "of"), ("next", "to"), ("close", "to"), ("in", "the", "middle", "of"),
    ("at", "the", "top", "of"), ("on", "the", "side", "of"), ("out", "of"), ("far", "from"), ("surrounded", "by"),
    ("covered", "in"), ("covered", "with"), ("covered", "by"), ("filled", "with"), ("made", "of"), ("made", "from"),
    ("made", "out", "of"), ("made", "up", "of"), ("made", "entirely", "of"), ("carved", "from"), ("decorated", "with"),
    ("looking", "at"),
)  # fmt: skip
_PREPOSITIONS = frozenset(
    {
        "on",
        "in",
        "at",
        "from",
        "under",
        "beneath",
        "beside",
        "behind",
        "against",
        "near",
        "by",
        "over",
        "above",
        "below",
    }
    | {"with", "without", "inside", "outside", "during", "through", "along", "across", "between", "among", "around"}
    | {"into", "onto", "upon", "amid"}
)
_LEADS = re.compile(r"(?:sitting|standing|lying|laying|placed|seen|shown|sits|stands|lies|resting|located|positioned)$")
_SURFACE = (
    r"(?:textures?|patterns?|prints?|skin|fur|colou?rs?|colou?ring|stripes|spots|markings|feathers|scales|surface"
    r"|styles?)"
)
_LIKE = r"(?:textured|patterned|printed|skinned|colou?red|striped)"
_ON_SURFACE = re.compile(rf"\b{_SURFACE} (?:of|like) .*$|\S.*\b{_SURFACE}$|\S+-{_LIKE}\b")
"""Where a name says what the object's surface is like, no second object."""


def cut(caption: str, names: Sequence[str], others: Sequence[str] = ()) -> tuple[str, ...]:
    """Cut a caption into phrases, in the order in which they stand.

    Args:
        caption: any text.
        names: what the object is called, rightly or wrongly, and must not be said again; the first that stands in the
            caption is the object, and is left out.
        others: what the object may be called besides, where none of `names` is said; phrases may say it.

    Returns:
        Phrases in lower case, each once, at most `MOST`. None of them says one of `names`, be it in the plural, but
        for what a surface is like: "with the texture of an elephant".
    """
    banned = prepared(tuple(names))
    medium, words = _without_opener(words_of(_STOPS.sub(". ", caption)))
    at, length = _find_object(words, banned, prepared(tuple(others)))
    first = max((i + 1 for i in range(at) if words[i] == "."), default=0)
    last = next((i for i in range(at + length, len(words)) if words[i] == "."), len(words))
    before = words[first:at]
    start = _last_break(before)
    # What stands before the object is about something else ("a person holding"), unless it is a place or a time.
    around = [
        chunk
        for chunk in _chunks([*words[:first], *before[:start]])
        if opening(chunk) and not chunk.endswith((" a", " an", " the"))
    ]
    phrases = [*medium, *_modifiers(before[start:]), *around, *_chunks(words[at + length : last])]
    for sentence in _sentences(words[last:]):
        phrases += _later(sentence, words[at : at + length][-1:])
    usable = (form for phrase in phrases for form in _usable(phrase, banned))
    return tuple(dict.fromkeys(usable))[:MOST]


def is_modifier(phrase: str) -> bool:
    """Tell whether a phrase stands before the object: a single word, or several with "and" between them."""
    words = phrase.split(" ")
    between = words[1::2]
    return len(words) % 2 == 1 and set(between) <= {"and"} and not _PREPOSITIONS.intersection(words[::2])


def in_order(phrases: Iterable[str]) -> tuple[str, ...]:
    """Order phrases as they read well: modifiers before the rest."""
    return tuple(sorted(phrases, key=lambda phrase: (not is_modifier(phrase), phrase)))


def opening(phrase: str) -> str:
    """Return the words that a prepositional phrase opens with: "next to" of "next to a box"; else an empty text."""
    words = tuple(phrase.split())
    for compound in _COMPOUND:
        if words[: len(compound)] == compound:
            return " ".join(compound)
    return words[0] if words and words[0] in _PREPOSITIONS else ""


def _without_opener(words: list[str]) -> tuple[list[str], list[str]]:
    """Split off "a blurry photo of": what the picture is, said of the picture, and the words about what it shows."""
    medium: list[str] = []
    for _ in range(3):  # "the image is a close-up photo of"
        said, rest = _opener(words)
        if rest is None:
            break
        medium, words = [*medium, *said], rest
    return medium, words


def _opener(words: list[str]) -> tuple[list[str], list[str] | None]:
    """Split off one opener; None in place of the rest where there is none."""
    for at, word in enumerate(words[:5]):
        if word not in _MEDIUM:
            continue
        following = words[at + 1 :]
        if following[:1] and following[0] in _SHOWS:
            return _modifiers(words[:at]), following[1:]
        if following[:2] == ["is", "of"]:
            return _modifiers(words[:at]), following[2:]
        if following[:1] == ["is"] and _MEDIUM.intersection(following[:5]):
            return _modifiers(words[:at]), following[1:]
        if words[:at] in (["in", "the"], ["in", "this"]):
            following = following[1:] if following[:1] == [","] else following
            seen = next((len(s) for s in _SEEN if tuple(following[: len(s)]) == s), 0)
            return [], following[seen:]
    return [], None


def _find_object(words: Sequence[str], names: Names, others: Names) -> tuple[int, int]:
    """Return where the object stands: at a name, or else at the last word before the first break or preposition."""
    found = names.find(words)
    if found is not None:
        return found
    start = 2 if tuple(words[:2]) in {("there", "is"), ("there", "are")} else 0
    ends = _JOINERS | {"is", "are"}
    end = next((i for i in range(start, len(words)) if _opens(words, i) or words[i] in ends), len(words))
    # Further on, another class is what the object stands on or beside.
    return others.find(words[:end]) or ((end - 1, 1) if end > start else (0, 0))


def _last_break(words: Sequence[str]) -> int:
    """Return where the object's own phrase begins: after the last break, preposition or article before it."""
    for at in range(len(words) - 1, -1, -1):
        if words[at] in _ARTICLES or words[at] in _BREAKS:
            return at + 1
        if words[at] in _PREPOSITIONS:
            return at
    return 0


def _modifiers(words: Sequence[str]) -> list[str]:
    """Return the words that say something, those with "and" between them as one."""
    nothing = _ARTICLES | _JOINERS | _BREAKS | _PREPOSITIONS | _EMPTY
    said: list[str] = []
    for at, word in enumerate(words):
        if word in nothing:
            continue
        if at > 1 and words[at - 1] == "and" and words[at - 2] not in nothing:
            said[-1] += f" and {word}"
        else:
            said.append(word)
    return said


def _sentences(words: Sequence[str]) -> Iterator[list[str]]:
    """Part words at each full stop."""
    sentence: list[str] = []
    for word in words:
        if word != ".":
            sentence.append(word)
        elif sentence:
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _later(sentence: list[str], head: Sequence[str]) -> list[str]:
    """Cut a sentence after the one that names the object: "the mug is white", "the sky is blue", "it has a handle".

    Args:
        sentence: its words.
        head: the object's last word.
    """
    at = next((i for i, word in enumerate(sentence[:10]) if word in _VERBS), None)
    if at is None:
        return _chunks(sentence)
    subject, verb, rest = sentence[:at], sentence[at], sentence[at + 1 :]
    if subject[-1:] == ["there"]:
        return [*_chunks(subject[:-1]), *_chunks(["with", *rest])]
    core = [word for word in subject if word not in _ARTICLES]
    plain = not any(_opens(subject, i) or word in _JOINERS for i, word in enumerate(subject))
    of_object = core in ([], ["it"], ["they"]) or core[-1].removesuffix("s") in {w.removesuffix("s") for w in head}
    if plain and of_object:
        return _chunks(["with", *rest] if verb in {"has", "have", "features"} else rest)
    end = next((i for i, word in enumerate(rest) if _opens(rest, i) or word in _JOINERS - {"and"}), len(rest))
    said = rest[:end]
    if plain and verb in {"is", "are"} and len(core) == 1 and is_modifier(" ".join(said)) and not _acts(said):
        return [*_chunks([*said, *core]), *_chunks(rest[end:])]  # "blue sky"
    return _chunks(sentence)


def _acts(words: Sequence[str]) -> bool:
    """Tell whether words say what something does or who it is, and not how it looks."""
    return any(word.endswith("ing") or word in _ARTICLES or _LEADS.match(word) for word in words)


def _chunks(words: Sequence[str]) -> list[str]:
    """Cut what stands around the object before each preposition and at each break."""
    chunks: list[list[str]] = [[]]
    for at, word in enumerate(words):
        if word == "and":
            chunks += _after_and(words[at + 1 :], chunks[-1])
        elif word in _BREAKS or word in _JOINERS - _PREPOSITIONS:
            chunks.append([])
        else:
            if _opens(words, at) and not _inside_compound(chunks[-1]):
                chunks.append([])
            chunks[-1].append(word)
    trimmed = [_trim(chunk) for chunk in chunks]
    return [" ".join(chunk) for chunk in trimmed if chunk]


def _after_and(following: Sequence[str], chunk: list[str]) -> list[list[str]]:
    """Begin a new chunk after "and", or add the word to the chunk where it joins what stands around it.

    "in black and white" is one phrase; "next to a plate and a fork" are two, of one preposition; "on grass and looking
    up" and "on grass and the sky is blue" are two without.
    """
    end = next((i for i, word in enumerate(following) if _opens(following, i) or word in _JOINERS), len(following))
    joined = following[:end]
    if not chunk or not joined or joined[0].endswith("ing") or _LEADS.match(joined[0]) or _VERBS.intersection(joined):
        return [[]]
    if joined[0] not in _ARTICLES or chunk[0] == "between":
        chunk.append("and")
        return []
    return [opening(" ".join(chunk)).split()]


def _trim(chunk: list[str]) -> list[str]:
    """Drop a chunk of articles alone, a lead such as "sitting", and a preposition without anything after it."""
    while chunk and (chunk[0] in {"is", "are"} or _LEADS.match(chunk[0])):
        chunk = chunk[1:]
    if all(word in _ARTICLES | _PREPOSITIONS | _PRONOUNS for word in chunk) and " ".join(chunk) not in _VIEWS:
        return []
    return chunk


def _opens(words: Sequence[str], at: int) -> bool:
    return (
        words[at] in _PREPOSITIONS
        or words[at] in _BREAKS
        or any(tuple(words[at : at + len(compound)]) == compound for compound in _COMPOUND)
    )


def _inside_compound(chunk: Sequence[str]) -> bool:
    """Tell whether the last words of a chunk ask for the next one: "next" before "to", "from" before "above"."""
    if not chunk:
        return False
    if len(chunk) == 1 and chunk[0] in _PREPOSITIONS:
        return True
    return any(
        tuple(chunk[: len(compound)]) == compound[: len(chunk)] for compound in _COMPOUND if len(chunk) < len(compound)
    )


def _usable(phrase: str, banned: Names) -> list[str]:
    """Return a phrase that can be said, or what can be said of it: its parts around "and", or fewer adjectives."""
    if _fits(phrase, banned):
        return [phrase]
    lead = opening(phrase)
    adjectives = phrase.removeprefix(f"{lead} ").startswith(("a ", "an ")) and phrase.partition(" and ")[2].count(" ")
    if adjectives and _fits(_shortened(phrase), banned):  # "with a large orange and white striped umbrella"
        return [_shortened(phrase)]
    first, *further = phrase.split(" and ") if lead != "between" else [phrase]
    parts = [first, *(f"{lead} {part}".strip() for part in further)]
    shorter = (part if _fits(part, banned) else _shortened(part) for part in parts)
    return [part for part in shorter if _fits(part, banned)]


def _fits(phrase: str, banned: Names) -> bool:
    short = len(phrase) <= WIDEST and 0 < len(phrase.split()) <= LONGEST
    return short and not banned.said_in(_ON_SURFACE.sub("", phrase))


def _shortened(phrase: str) -> str:
    """Leave out adjectives of a prepositional phrase, then what follows "of", until it is short; else give nothing."""
    words, lead = phrase.split(), opening(phrase).split()
    if not lead or len(words) > 2 * LONGEST:
        return ""
    rest = words[len(lead) :]
    end = rest.index("of") if "of" in rest else len(rest)
    thing, further = rest[:end], rest[end:]
    article = thing[:1] if thing[:1] and thing[0] in _ARTICLES else []
    adjectives = thing[len(article) : -1]
    while adjectives and len(lead + article + adjectives + thing[-1:] + further) > LONGEST:
        adjectives = adjectives[1:]
        adjectives = adjectives[1:] if adjectives[:1] == ["and"] else adjectives
    kept = [*adjectives, *thing[-1:]]
    if article and article[0] in {"a", "an"} and kept:
        article = ["an" if kept[0][0] in "aeiou" else "a"]
    whole = [*lead, *article, *kept, *further]
    return " ".join(whole if len(whole) <= LONGEST else whole[: len(whole) - len(further)])
