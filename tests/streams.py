"""Which stream a seed is of: what `foible.identity` does to spread seeds, taken back."""

from __future__ import annotations


def stream_of(seed: int) -> int:
    """Give the stream that a seed was derived for."""
    seed ^= seed >> 16
    seed = seed * pow(0xC2B2AE35, -1, 2**32) % 2**32
    seed ^= (seed >> 13) ^ (seed >> 26)
    seed = seed * pow(0x85EBCA6B, -1, 2**32) % 2**32
    return (seed ^ seed >> 16) % 4
