"""Makes `src/foible/adapters/shared/imagenet.json`: what ImageNet-1k's classes are called, and what kind each is.

Comes in: a folder with WordNet 3.0's `data.noun` (Debian's `wordnet-base` puts it into /usr/share/wordnet), and the
lists that `timm` ships: the classes in order of their index, and the labels that people gave anew to each of the 50,000
validation images (Beyer et al. 2020, "Are we done with ImageNet?"). Goes out: one line a class: name, hypernym,
accepted, alike; and WordNet's licence, which asks to be kept with every copy.

    python training/imagenet_names.py /usr/share/wordnet src/foible/adapters/shared/imagenet.json

A name is the first word of the class's synset, a hypernym that of the synset above it. Two classes accept each other
where people found each of them in at least `SHARE` of the images of the other: nobody can tell them apart. A class is
alike another one where people found it in at least `SEEN` of the images of the other.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import distribution, version
from itertools import permutations
from pathlib import Path

SHARE, SEEN = 0.7, 0.3
KINDS = {836: "spectacles", 968: "drinking vessel"}
"""Where the pictures of a class are not of its synset: cups, not the punch; sunglasses, not the burning glass."""
NAMES = {639: "tank suit"}
"""Where two classes have the same first word and nothing but the second tells them apart."""
Synsets = Mapping[str, tuple[str, Sequence[str]]]
"""Offset -> (first word, offsets of the synsets above it)."""


def main(wordnet: Path, out: Path) -> None:
    """Write the file."""
    info = Path(str(distribution("timm").locate_file("timm/data/_info")))
    classes = (info / "imagenet_synsets.txt").read_text(encoding="utf-8").split()
    synsets = read(wordnet / "data.noun")
    real = json.loads((info / "imagenet_real_labels.json").read_text(encoding="utf-8"))
    accepted, alike = same(real), seen(real)
    rows = [
        [*named(index, synsets, synset[1:]), accepted.get(index, []), alike.get(index, [])]
        for index, synset in enumerate(classes)
    ]
    head = {
        "source": f"timm {version('timm')} (order of the classes, ReaL labels), WordNet 3.0 (names, hypernyms)",
        "licence": licence(wordnet / "data.noun"),
    }
    lines = ",\n".join(json.dumps(row) for row in rows)
    out.write_text(json.dumps(head, indent=1)[:-2] + ',\n "classes": [\n' + lines + "\n]}\n", encoding="utf-8")


def licence(file: Path) -> str:
    """Give the licence, which stands in numbered lines at the head of the file."""
    head = [line.split()[1:] for line in file.read_text(encoding="utf-8").splitlines() if line.startswith(" ")]
    return " ".join(word for words in head for word in words)


def read(file: Path) -> Synsets:
    """Read the nouns; the format is that of the manual page wndb(5WN)."""
    found = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue
        parts = line.partition(" | ")[0].split()
        words = int(parts[3], 16)
        start = 4 + 2 * words
        pointers = [parts[start + 1 + 4 * k :][:2] for k in range(int(parts[start]))]
        found[parts[0]] = (parts[4].replace("_", " "), [offset for sign, offset in pointers if sign == "@"])
    return found


def named(index: int, synsets: Synsets, offset: str) -> tuple[str, str]:
    """Give name and hypernym of a class."""
    name, above = synsets[offset]
    return NAMES.get(index, name), KINDS.get(index, synsets[above[0]][0])


def same(images: Sequence[Sequence[int]]) -> dict[int, list[int]]:
    """Find the classes that people do not tell apart, from the labels of each image."""
    alone = Counter(index for labels in images for index in set(labels))
    together = Counter(pair for labels in images for pair in permutations(sorted(set(labels)), 2))
    found: dict[int, list[int]] = {}
    for (one, other), count in sorted(together.items()):
        if count >= SHARE * alone[one] and count >= SHARE * alone[other]:
            found.setdefault(one, []).append(other)
    return found


def seen(images: Sequence[Sequence[int]]) -> dict[int, list[tuple[int, float]]]:
    """Find what else people saw in the images of each class, with the share of images, from the labels of each."""
    alone = Counter(index for labels in images for index in set(labels))
    together = Counter(pair for labels in images for pair in permutations(sorted(set(labels)), 2))
    found: dict[int, list[tuple[int, float]]] = {}
    for (one, other), count in sorted(together.items()):
        if count >= SEEN * alone[one]:
            found.setdefault(one, []).append((other, round(count / alone[one], 2)))
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
