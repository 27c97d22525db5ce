"""What an archive saves a second classifier, and what a large one costs a hunt: `python benchmarks/archives.py`.

The parts of these hunts cost nearly nothing (`written.py`), so that what is timed is foible's own.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

import foible
import written
from foible.act.archive.info import info
from foible.draws.execute import Here
from foible.identity import digest
from foible.report import from_json
from foible.run import archive as archives
from foible.run.archive import Archive
from foible.run.rows import DrawRow
from foible.run.shards import Shards

DRAW = 0.02
"""Seconds that a draw takes, where it is measured what sharing saves."""
ROWS = 1_000_000
"""Synthetic rows in a large archive, half of them draws and half of them answers."""
AT_ONCE = 10_000
UNIT = 32
BYTES = 6_400
"""Of a PNG of the diorama, on average."""
LOOKED_UP = 5_000
_NOISE = np.random.default_rng(1).bytes(BYTES + 4096)
MIB = 2**20


def sharing() -> dict[str, float]:
    """Hunt twice on one archive; the second classifier has its classes in reverse order."""
    with tempfile.TemporaryDirectory() as folder:
        first, seconds = _timed(Path(folder) / "first", seconds=DRAW)
        images = _images(Path(folder))
        began = time.process_time()
        second, again = _timed(Path(folder) / "second", seconds=DRAW, reverse=True)
        worked = time.process_time() - began
        new = _images(Path(folder)) - images
    asked = {part: second.spent.get(part, (0, 0.0))[0] for part in ("captioner", "embedder", "judge")}
    return {
        "first classifier: draws": sum(first.result.draws.values()),
        "first classifier, 20 ms a draw: seconds": seconds,
        "second classifier, reversed: seconds": again,
        "second classifier, reversed: seconds of processors": worked,
        "second classifier: first over second (at least 20)": seconds / again,
        "second classifier: new images (0)": new,
        **{f"second classifier: asked the {part} (0)": number for part, number in asked.items()},
    }


def commits() -> dict[str, float]:
    """Count what a hunt brings to disk for each unit of work: transactions of the archive, and lines of the journal."""
    with tempfile.TemporaryDirectory() as folder, _counted() as counts:
        run = _timed(Path(folder) / "run")[0]
        lines = (run.folder / "journal.jsonl").read_bytes().count(b"\n")
    return {
        "units of work": counts["units"],
        "commits a unit": counts["commits"] / counts["units"],
        "journal lines a unit": lines / counts["units"],
    }


def large(rows: int = ROWS) -> dict[str, float]:
    """Go on with a finished hunt on an archive of its own, and on the same archive with so many rows more."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _apart(_hunted, place)
        small = _apart(_reopened, place)
        began = time.perf_counter()
        _apart(_fill, place, rows)
        filled = time.perf_counter() - began
        full = _apart(_reopened, place)
        size = (place / "archive" / "archive.sqlite").stat().st_size
    found = {f"{name}, {rows:,} rows more": value for name, value in full.items()}
    return small | found | {"archive.sqlite, MB": size / MIB, "adding the rows, seconds": filled}


def _timed(folder: Path, *, seconds: float = 0.0, reverse: bool = False) -> tuple[foible.Run, float]:
    began = time.perf_counter()
    run = foible.hunt(**written.parts(seconds=seconds, reverse=reverse), out=folder, progress=False)
    return run, time.perf_counter() - began


def _images(folder: Path) -> int:
    with Archive(folder / "archive", write=False) as archive:
        return archive.count("images")


@contextmanager
def _counted() -> Iterator[dict[str, int]]:
    """Count commits of archives, and units that are carried out."""
    counts = {"commits": 0, "units": 0}
    connect, carry_out = archives.connect, Here.carry_out

    def traced(*given: Any, **named: Any) -> Any:
        db = connect(*given, **named)
        db.set_trace_callback(lambda statement: counts.update(commits=counts["commits"] + (statement == "COMMIT")))
        return db

    def carried(here: Here, unit: Any) -> Any:
        counts["units"] += 1
        return carry_out(here, unit)

    with patch.object(archives, "connect", traced), patch.object(Here, "carry_out", carried):
        yield counts


def _apart(work: Any, *given: Any) -> Any:
    """Do some work in a process of its own, whose peak of memory is nobody else's."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as running:
        return running.submit(work, *given).result()


def _hunted(folder: Path) -> None:
    _timed(folder / "run")


def _reopened(folder: Path) -> dict[str, float]:
    """Open the archive, go on with the finished hunt, and read its findings."""
    began = time.perf_counter()
    Archive(folder / "archive").close()
    opened = time.perf_counter() - began
    run = _timed(folder / "run")[0]
    began = time.perf_counter()
    findings = from_json((folder / "run" / "findings.json").read_text(encoding="utf-8")).findings
    listed = time.perf_counter() - began
    assert len(findings) == len(run) > 0  # noqa: S101 - a hunt that found nothing would measure nothing
    return {
        "opening, seconds (below 1)": opened,
        "going on with a finished hunt, seconds (below 1)": run.seconds,
        "listing its findings, seconds (below 1)": listed,
        "peak memory, MB": _peak() / MIB,
    }


def _peak() -> int:
    """Return the most memory that this process has had, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _fill(folder: Path, rows: int) -> None:
    """Add draws and an answer for each; their keys are those of nobody's requests."""
    with Archive(folder / "archive") as archive:
        for start in range(0, rows // 2, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, rows // 2))
            draws = [
                DrawRow(key=digest(["d", n]), image=digest(["i", n]), ignored=(), prompt=f"a photo of a {n}", seed=n)
                for n in numbers
            ]
            archive.add(draws, {digest(["a", n]): {"top": [[n % 12, 1.0]]} for n in numbers})


def million(draws: int = ROWS) -> dict[str, float]:
    """Append images of 64 pixels with their rows, read some at random, and do the same to one bare file."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        place = Path(folder)
        bare = _bare(place / "bare", draws)
        alone = _apart(_images_alone, place / "alone", draws)
        kept = _apart(_appended, place / "archive", draws)
        found = _apart(_looked_up, place, draws)
    return {
        f"{draws:,} draws: appended, ms an image with its rows": 1000 * kept["seconds"] / draws,
        "images alone, without rows, ms": 1000 * alone / draws,
        "one bare file, an fsync a unit, ms": 1000 * bare / draws,
        "bare over images alone (at least 0.5)": bare / alone,
        "bare over images with rows": bare / kept["seconds"],
        "peak memory while appending, MB": kept["peak"] / MIB,
        **found,
    }


def _png(number: int) -> bytes:
    """Give bytes that are as long as a PNG of the diorama, and others for each number."""
    return number.to_bytes(8, "little") + _NOISE[number % 4096 :][: BYTES - 8]


def _bare(path: Path, draws: int) -> float:
    began = time.perf_counter()
    with path.open("xb", buffering=0) as file:
        for start in range(0, draws, UNIT):
            file.write(b"".join(_png(n) for n in range(start, min(start + UNIT, draws))))
            os.fsync(file.fileno())
    return time.perf_counter() - began


def _appended(folder: Path, draws: int) -> dict[str, float]:
    """Keep images with their rows, a unit at a time; what the rows say is made outside of the time that is taken."""
    seconds = 0.0
    with Archive(folder) as archive:
        for start in range(0, draws, UNIT):
            numbers = range(start, min(start + UNIT, draws))
            names = {n: _name(n) for n in numbers}
            files = {names[n]: _png(n) for n in numbers}
            rows = [
                DrawRow(key=digest(["d", n]), image=names[n], ignored=(), prompt="a photo", seed=n) for n in numbers
            ]
            began = time.perf_counter()
            archive.add(rows, {}, images=archive.shards.append(files))
            seconds += time.perf_counter() - began
    return {"seconds": seconds, "peak": float(_peak())}


def _name(number: int) -> str:
    return digest(["i", number]) + digest(["j", number])


def _images_alone(folder: Path, draws: int) -> float:
    folder.mkdir()
    names = [_name(n) for n in range(draws)]
    began = time.perf_counter()
    with Shards(folder) as shards:
        for start in range(0, draws, UNIT):
            shards.append({names[n]: _png(n) for n in range(start, min(start + UNIT, draws))})
    return time.perf_counter() - began


def _looked_up(folder: Path, draws: int) -> dict[str, float]:
    """Read images at random by their hash, from a cold cache where it can be emptied, and from a warm one."""
    numbers = np.random.default_rng(0).integers(draws, size=LOOKED_UP).tolist()
    names = {n: _name(n) for n in numbers}
    found: dict[str, float] = {}
    began = time.perf_counter()
    with Archive(folder / "archive", write=False) as archive, (folder / "bare").open("rb") as bare:
        found["opening, seconds (below 1)"] = time.perf_counter() - began
        for how in ("cold", "warm"):
            alone = _took(lambda: [os.pread(bare.fileno(), BYTES, n * BYTES) for n in numbers], cold=how == "cold")
            looked = _took(lambda: [archive.images.bytes(names[n]) for n in numbers], cold=how == "cold")
            units = _took(lambda: _in_units(archive, [names[n] for n in numbers]), cold=how == "cold")
            found[f"random read, {how}, microseconds"] = 1e6 * looked / len(numbers)
            found[f"random read, {how}: bare pread over it (at least 0.5)"] = alone / looked
            found[f"random read of {UNIT} at once, {how}: bare pread over it"] = alone / units
    for how in ("cold", "warm"):
        found[f"counting what it holds, {how}, seconds"] = _took(lambda: [info(folder / "archive")], cold=how == "cold")
    return found


def _in_units(archive: Archive, names: list[str]) -> None:
    """Read images as a unit of work does: where all lie is looked up at once."""
    for start in range(0, len(names), UNIT):
        for place in archive.places(names[start : start + UNIT]).values():
            archive.shards.read(place)


def _took(work: Callable[[], object], *, cold: bool) -> float:
    """Time some reading, behind an emptied cache or behind the same reading."""
    _emptied() if cold else work()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _emptied() -> None:
    """Empty the cache of files, where this process may; elsewhere "cold" is as warm as it happens to be."""
    os.sync()
    with suppress(OSError):
        Path("/proc/sys/vm/drop_caches").write_text("3", encoding="ascii")


def show(measured: dict[str, float]) -> None:
    """Print a line for each number."""
    for name, value in measured.items():
        print(f"{name:<72}{value:10.2f}", flush=True)


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter, allow_abbrev=False
    )
    arguments.add_argument("--rows", type=int, default=ROWS, help="synthetic rows in the large archive")
    arguments.add_argument("--draws", type=int, default=ROWS, help="images that are appended and read")
    given = arguments.parse_args()
    for measure in (commits, sharing, lambda: large(given.rows), lambda: million(given.draws)):
        show(measure())


if __name__ == "__main__":
    main()
