"""Labelled photographs as the source of a hunt: every one is read once, and drawn again by its place.

Comes in: a folder, a table or archives of photographs with their annotations. Goes out: a `PhotographSet`, and the
pixels of any of them. Neighbours: `folders.py`, `tables.py` and `archives.py` read the files, `columns.py` says what
their columns mean; `generator.py` finds photographs without annotations by text.

Photographs are read one at a time: what stays in memory is a line of text for each. They are untrusted, as there.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import PIL
from PIL import Image as Pictures

from foible import pixels
from foible.adapters.photographs import columns as _columns
from foible.adapters.photographs.files import Folder
from foible.adapters.photographs.folders import AnnotatedFolder
from foible.adapters.photographs.measures import NAMES, measured
from foible.adapters.photographs.near import Near, Small, near_duplicates, small
from foible.adapters.photographs.words import choose
from foible.errors import ArgumentError, PartError, PluginError, brief
from foible.photographs import LOOKALIKES, Photograph, PhotographSet
from foible.pixels import PixelError
from foible.records import Drawn
from foible.vocabulary import TEMPLATE

if TYPE_CHECKING:
    from foible.parts.protocols import Image

DAMAGED = "damaged, too large, or no images"
UNLABELLED = "without an annotation"
REPEATED = "the same image as another, pixel for pixel"
DISAGREE = "annotated twice, and not alike"
COPIES = "a near-duplicate of another: resaved, resized, cropped or brightened"
COPIES_DISAGREE = "near-duplicates of one another, and not annotated alike"
"""Why photographs are left out, in words that follow a number."""
_SIDES = range(16, pixels.LARGEST_SIDE + 1)
_log = logging.getLogger(__name__)


class Reader(Protocol):
    """Reads a set from where it is kept."""

    @property
    def columns(self) -> Sequence[str]:
        """Every column but that of the images."""
        ...

    @property
    def resolved(self) -> Mapping[str, str | None]:
        """What was found by itself: arguments of the plug-in, for its identity."""
        ...

    def walk(self) -> Iterator[tuple[str, Any, bytes | str, str, Mapping[str, str]]]:
        """Give each photograph: its place, where to read it again, its content, its folder and its columns.

        In the place of content that cannot be read: why, in words that follow a number.
        """

    def read(self, where: Any) -> bytes:
        """Give the content of a photograph once more.

        Raises:
            OSError: it has gone, or cannot be read.
        """


class LabelledPhotographs:
    """Photographs with annotations: `foible hunt --source photos:DIR`."""

    any_size = True
    """Photographs need not have one size: a classifier prepares each as it would in use."""

    def __init__(  # noqa: PLR0913 - each is an argument of the plug-in, by keyword
        self,
        name: str,
        *,
        label: str | None = None,
        caption: str | None = None,
        attributes: Sequence[str] | str | None = None,
        split: str | None = None,
        column: str | None = None,
        measures: bool | None = None,
        near_duplicates: bool = True,
        vocabulary: str | None = None,
        checked: Mapping[str, str] | None = None,
        template: str = TEMPLATE,
        sure: float = 0.5,
        side: int = 640,
    ) -> None:
        """Read every photograph once.

        Args:
            name: a folder with a folder of images for each label, or with images and `metadata.csv`, `metadata.jsonl`
                or `metadata.parquet` beside them; a CSV file that names image files; a dataset of Hugging Face on disk;
                a Parquet file or a folder of them; a tar archive of WebDataset or a folder of them.
            label: column of the annotation; by default one that is called label or class, else the image's folder.
            caption: column of a caption, whose phrases are attributes; by default one that is called caption or text.
            attributes: columns that are attributes; by default every other one.
            split: which split of a dataset; needed where there are several.
            column: which column of a dataset holds the images; needed where several could.
            measures: whether brightness, contrast, saturation, sharpness and size of the photographs are attributes,
                too; by default where there are no other attributes and no captions.
            near_duplicates: whether copies of a photograph (resaved, resized, cropped, brightened) are looked for, and
                all but one left out; else only those of which every pixel is the same.
            vocabulary: a text file of groups of phrases, a line for each, "ground: on grass, on sand": the hunt's
                embedder says which phrase of each a photograph shows.
            checked: group -> column that says for some photographs, by one of the phrases, what they truly show; by
                default a column that is called as a group.
            template: what the embedder is told of a phrase, with {phrase} for it.
            sure: 0 to 1: the share of its group above which the likeliest phrase holds; else none is given.
            side: a photograph with a longer side is made smaller, to so many pixels.

        Raises:
            ArgumentError: a value that cannot be, or a column that is not there.
            PluginError: no such set, or no photograph of it has an annotation and can be read.
        """
        self._side = _whole(name, side)
        self._reader = _reader(name, split, column)
        chosen = [attributes] if isinstance(attributes, str) else attributes
        found = _columns.choose(name, self._reader.columns, label=label, caption=caption, attributes=chosen)
        self._words = choose(name, self._reader.columns, vocabulary, checked, (template, sure))
        own = self._words.others(found.attributes)
        alone = not own and found.caption is None and self._words.vocabulary is None
        self._measures = alone if measures is None else bool(measures)
        self._columns = replace(found, attributes=(*own, *(NAMES if self._measures else ())))
        self._near_duplicates = bool(near_duplicates)
        self._where: dict[str, tuple[Any, str]] = {}
        self.photographs = self._index(name)
        """What was found."""
        self.fingerprint = self.photographs.digest
        self.version = f"1; pixels {pixels.VERSION}; pillow {PIL.__version__}; numpy {np.__version__}"
        self.resolved = self._resolved()

    def _resolved(self) -> dict[str, object]:
        named = {"label": self._columns.label, "caption": self._columns.caption, "measures": self._measures}
        more = {"attributes": list(self._columns.attributes), "near_duplicates": self._near_duplicates}
        return {**self._reader.resolved, **named, **more, "side": self._side, **self._words.plain()}

    def draw(self, prompts: Sequence[str], seeds: Sequence[int]) -> list[Image | Drawn | PartError]:  # noqa: ARG002 - a generator's signature
        """Read n photographs by their places: uint8 (height, width, 3), of whatever size each has."""
        return [self._drawn(place) for place in prompts]

    def _drawn(self, place: str) -> Image | PartError:
        if place not in self._where:
            return PartError("photos is a source and draws nothing from text; give it by --source")
        where, known = self._where[place]
        try:
            image = fitted(pixels.read(self._reader.read(where)), self._side)
        except OSError:
            return PartError("a photograph has gone since it was first read")
        except PartError as error:
            return error
        same = pixels.content_hash(image) == known
        return image if same else PartError("a photograph has changed since it was first read")

    def _index(self, name: str) -> PhotographSet:
        """Read every photograph: those with an annotation, each different image once."""
        left_out: Counter[str] = Counter()
        found: dict[str, tuple[str, str, Mapping[str, str]]] = {}  # by the hash of the pixels
        disagree: set[str] = set()
        smalls: list[Small] = []
        for place, where, content, folder, row in self._reader.walk():
            if isinstance(content, str):
                left_out[content] += 1
                continue
            annotation = _columns.line(row.get(self._columns.label, "") if self._columns.label is not None else folder)
            try:
                shown = fitted(pixels.read(content), self._side)
            except PixelError:
                left_out[DAMAGED] += 1
                continue
            image = pixels.content_hash(shown)
            if not annotation:
                left_out[UNLABELLED] += 1
            elif image in found:
                differs = found[image][1] != annotation
                left_out[DISAGREE if differs else REPEATED] += 1
                disagree |= {image} if differs else set()
            else:
                found[image] = (place, annotation, {**row, **measured(shown)} if self._measures else row)
                self._where[place] = (where, image)
                smalls += [small(image, shown)] if self._near_duplicates else []
        left_out[DISAGREE] += len(disagree)
        near = near_duplicates(smalls)
        copies, quarrels = _copies(near, {image: label for image, (_, label, _) in found.items()}, disagree)
        left_out += Counter({COPIES: len(copies), COPIES_DISAGREE: len(quarrels)})
        gone = disagree | copies | quarrels
        kept = [(place, image, label, row) for image, (place, label, row) in found.items() if image not in gone]
        kept.sort(key=lambda one: one[0])
        _tell(name, len(kept), +left_out, near.confused)
        rows = [row for *_, row in kept]
        attributes = _columns.attributes_of(rows, self._columns)
        photographs = (
            Photograph(
                place=place,
                image=image,
                label=label,
                attributes=own,
                caption=_columns.caption_of(row, self._columns),
                truth=self._words.truth(row),
            )
            for (place, image, label, row), own in zip(kept, attributes, strict=True)
        )
        left = tuple(sorted((+left_out).items()))
        found_all = tuple(photographs)
        self._words.refuse_strangers(name, found_all)
        return PhotographSet(
            photographs=found_all, left_out=left, lookalikes=near.confused, vocabulary=self._words.vocabulary
        )


def _copies(near: Near, annotations: Mapping[str, str], disagree: Collection[str]) -> tuple[set[str], set[str]]:
    """Say which near-duplicates are left out, by the hash of their pixels.

    Of a group the photograph of the least hash stays, which no outcome decides. Where its annotations disagree, none
    does, as of one photograph that is annotated twice.

    Args:
        near: the groups.
        annotations: of each photograph.
        disagree: photographs that are annotated twice by themselves, and counted already.

    Returns:
        (copies of one that stays, those whose group has several annotations).
    """
    copies: set[str] = set()
    quarrels: set[str] = set()
    for group in near.groups:
        alike = len({annotations[image] for image in group}) == 1 and not any(image in disagree for image in group)
        copies.update(group[1:] if alike else ())
        quarrels.update(() if alike else set(group).difference(disagree))
    return copies, quarrels


def fitted(image: Image, side: int) -> Image:
    """Make an image smaller whose longer side is longer than `side`; any other stays as it is."""
    longest = max(image.shape[:2])
    if longest <= side:
        return image
    high, wide = (max(1, round(edge * side / longest)) for edge in image.shape[:2])
    return np.asarray(Pictures.fromarray(image).resize((wide, high), Pictures.Resampling.BICUBIC))


def _whole(name: str, side: object) -> int:
    """Pass a side on, or say why not."""
    if isinstance(side, bool) or not isinstance(side, int) or side not in _SIDES:
        message = f"the argument side of {brief(name)!r} is a whole number from {_SIDES[0]} to {_SIDES[-1]}, "
        raise ArgumentError(message + f"but got {brief(repr(side), 40)}")
    return side


def _reader(name: str, split: str | None, column: str | None) -> Reader:
    """Find out how a set is kept."""
    root = Path(name).expanduser()
    csv = root.is_file() and root.suffix.lower() in {".csv", ".jsonl"}
    tars = [root] if root.is_file() and root.suffix == ".tar" else sorted(root.glob("*.tar")) if root.is_dir() else []
    if split is None and column is None and tars:
        from foible.adapters.photographs.archives import Archives

        return Archives(name, tars)
    from foible.adapters.photographs import shelf

    if csv:
        return AnnotatedFolder(name, root.parent, root)
    found = shelf.find(name, split, column)
    if isinstance(found, Folder):
        return AnnotatedFolder(name, root, None)
    from foible.adapters.photographs.tables import AnnotatedDataset, Dataset

    assert isinstance(found, Dataset)  # noqa: S101 - a shelf is one or the other
    return AnnotatedDataset(found)


def _tell(name: str, kept: int, left_out: Counter[str], lookalikes: int) -> None:
    """Say what was left out; where nothing is left, that is an error."""
    told = "; ".join(f"{count} {why}" for why, count in sorted(left_out.items()))
    if kept < 2:  # noqa: PLR2004 - one explores, and none is left to test
        message = f"{brief(name)!r} holds {kept or 'no'} labelled photograph{'' if kept else 's'} that can be read, "
        message += "and one half of a set is tested on what the other suggests; name a set of more"
        raise PluginError(f"{message}; left out: {told}" if told else message)
    if told:
        _log.warning("photographs in %s were left out: %s", brief(name), told)
    if lookalikes:
        _log.warning("photographs in %s: %s", brief(name), LOOKALIKES.format(count=lookalikes))
