"""Pairwise covering arrays: few full descriptions, in which every two values of two attributes occur together once.

Comes in: the values of each attribute. Goes out: rows. Greedy, as in Cohen, Dalal, Fredman and Patton, "The AETG
system", IEEE Transactions on Software Engineering 23 (1997): a row is built value by value, each time the one that
covers the most pairs that are still open; the best of several such rows is kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

TRIES = 20
"""Rows built before the best of them is kept."""

Pair = tuple[tuple[str, str], tuple[str, str]]


def covering_rows(values: Mapping[str, Sequence[str]], seed: int) -> list[dict[str, str]]:
    """Give rows, each with one value of every attribute, such that every pair of values stands in one.

    Args:
        values: at least two attributes, each with at least one value.
        seed: decides between equals.
    """
    rng = np.random.default_rng(seed)
    open_pairs = {((a, x), (b, y)) for a, b in itertools.combinations(values, 2) for x in values[a] for y in values[b]}
    rows: list[dict[str, str]] = []
    while open_pairs:
        built = [_row(values, open_pairs, rng) for _ in range(TRIES)]
        best = max(built, key=lambda row: len(open_pairs & _pairs(row, values)))
        rows.append(best)
        open_pairs -= _pairs(best, values)
    return rows


def _row(values: Mapping[str, Sequence[str]], open_pairs: set[Pair], rng: np.random.Generator) -> dict[str, str]:
    """Build one row: begin with an open pair, then add attribute after attribute the value that covers most."""
    listed = sorted(open_pairs)
    row = dict(listed[int(rng.integers(len(listed)))])
    for index in rng.permutation(len(values)):
        name = list(values)[index]
        if name in row:
            continue
        words = [values[name][i] for i in rng.permutation(len(values[name]))]
        row[name] = max(words, key=lambda word: len(open_pairs & _pairs({**row, name: word}, values)))
    return {name: row[name] for name in values}


def _pairs(row: Mapping[str, str], values: Mapping[str, Sequence[str]]) -> set[Pair]:
    said = [(name, row[name]) for name in values if name in row]
    return set(itertools.combinations(said, 2))
