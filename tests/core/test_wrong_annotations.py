"""Promises about annotations that may be wrong, as the nearest photographs tell: shown apart, and never a bug."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import photographs
import toyworld
from foible.checks.verify import verify
from foible.statistics import disagreeing


class Seeing:
    """Embeds an image by the label that it shows, and a little of everything else."""

    fingerprint = "sees labels"

    def embed(self, images):
        """Give a vector for each label's place, with noise of the image's own."""
        vectors = np.zeros((len(images), len(toyworld.PLAIN)))
        for row, image in enumerate(images):
            vectors[row] = np.random.default_rng(int(image.sum())).normal(0, 0.05, vectors.shape[1])
            vectors[row, toyworld.PLAIN.index(toyworld.read(image).label)] += 1
        return vectors


def test_neighbours_point_to_wrong_annotations(tmp_path):
    """Two of eighty are annotated wrongly: both are listed with what their neighbours say, count, and are no bug."""
    some = photographs.wrong(photographs.scenes(40, ["coffee mug", "bucket"]), {3, 9}, "bucket")
    source = photographs.folder(tmp_path / "set", some)
    run = photographs.hunt(tmp_path / "run", source, toyworld.Perfect(), embedder=Seeing())
    found = run.result.photographs
    assert found.unlikes == 2
    told = {(run.result.observations[one.key].request.text, one.neighbours) for one in found.unlike}
    assert told == {("bucket/0003.png", "coffee mug"), ("bucket/0009.png", "coffee mug")}
    assert found.doubts == 0
    assert sum(one.tally.scored for one in run.result.explored) == 80
    assert not run.confirmed
    for name in ("findings.md", "report.html"):
        page = (run.folder / name).read_text("utf-8")
        assert "nearest to these are annotated otherwise" in page
        assert "bucket/0003.png" in page
    assert verify(run.folder).differences == ()
    kept = run.folder / "findings.json"
    kept.write_text(kept.read_text("utf-8").replace('"unlikes": 2', '"unlikes": 3'), "utf-8")
    assert verify(run.folder).differences


def test_without_an_embedder_nothing_is_said_of_neighbours(tmp_path):
    """The classifier under test has no say in which annotations are right."""
    some = photographs.wrong(photographs.scenes(40, ["coffee mug", "bucket"]), {3, 9}, "bucket")
    run = photographs.hunt(tmp_path / "run", photographs.folder(tmp_path / "set", some), toyworld.Perfect())
    assert (run.result.photographs.unlike, run.result.photographs.unlikes) == ((), 0)


@given(st.integers(0, 2**32 - 1))
def test_clusters_tell_what_was_swapped(seed):
    """In clear clusters, one photograph of each annotated wrongly, these alone are listed, each with its cluster."""
    rng = np.random.default_rng(seed)
    sizes = {"a": 60, "b": 30, "c": 15}
    names = [name for name, size in sizes.items() for _ in range(size)]
    vectors = np.eye(3)[["abc".index(name) for name in names]] + rng.normal(0, 0.02, (len(names), 3))
    swapped = {int(rng.choice([at for at, name in enumerate(names) if name == one])) for one in sizes}
    given_ = [{"a": "b", "b": "c", "c": "a"}[name] if at in swapped else name for at, name in enumerate(names)]
    found = disagreeing(vectors, given_)
    assert {number for number, *_ in found} == swapped
    assert all(said == names[number] for number, said, _ in found)


@given(st.lists(st.sampled_from("ab"), max_size=12), st.integers(0, 2**32 - 1))
def test_few_or_equal_photographs_are_no_error(names, seed):
    """Any number of photographs is taken, none too, and equal vectors; nobody is its own neighbour."""
    rng = np.random.default_rng(seed)
    for vectors in (rng.normal(size=(len(names), 4)), np.ones((len(names), 4))):
        assert all(said != names[number] for number, said, _ in disagreeing(vectors, names))
