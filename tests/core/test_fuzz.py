"""Promises of `make fuzz`, in short: every parser ends in a value or one sentence, whatever it is given."""

from __future__ import annotations

import pytest

import fuzz
from foible.errors import StoreError


@pytest.mark.parametrize("name", [name for name in fuzz.TARGETS if name != "spec"])
def test_every_parser_ends_in_a_value_or_a_sentence(name):
    """On a few dozen made-up inputs, the same in every run; some of them come far."""
    read, refused = fuzz.fuzz(name, 40, number=3)
    assert read > 0
    assert name == "scene" or refused > 0


def test_a_spec_is_refused_in_a_sentence_or_checked():
    """As the other parsers; of families whose libraries are quick to import."""
    target = fuzz.TARGETS["spec"]
    quick = [("judge", "diorama:judge", {}), ("generator", "diorama:scenes", {"size": 1})]
    odd = [("judge", "", {}), ("judge", ":", {}), ("judge", "diorama:judge", {"\n": float("nan")}), ("x", "y", {})]
    odd += [("generator", "python:not_there:\x1b[31m", {}), ("classifier", "python:" + "x" * 10_000, {})]
    assert all(fuzz.kept(target.read, one) for one in quick)
    assert not any(fuzz.kept(target.read, one) for one in odd)


@pytest.mark.parametrize("said", ["", "two\nlines", "a \x1b[31mcolour", "turned \u202e"])
def test_what_is_no_sentence_is_a_failure(said):
    """A message of several lines, with a control character or with nothing in it fails the target."""

    def refuse(_example):
        raise StoreError(said)

    with pytest.raises(AssertionError):
        fuzz.kept(refuse, b"")


def test_another_exception_is_a_failure():
    """Whatever a parser raises that is none of foible's comes out."""

    def fall(_example):
        raise KeyError("x")

    with pytest.raises(KeyError):
        fuzz.kept(fall, b"")
