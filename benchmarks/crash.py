"""`make crash`: a hunt is killed, its disk fails, its power goes, a bit flips; the same command must end as ever.

A small hunt over the toy world of the tests runs in a process of its own, to its end, to a random kill, or to a spoiled
operation. Then the same hunt is called again on what is left: it must end, with findings and report equal to the byte,
and `foible verify` must agree. A fault that is no kill must end the hunt with one sentence, or cost it nothing. A bit
that flips in a finished run must be refused with one sentence, or be mended by the same command.

    python benchmarks/crash.py --kills 200 --power 100 --faults 0    # 0: each operation, in every way

What this cannot reach: disks that say that they wrote and did not, file systems without locks or atomic renames,
and, where `strace` is missing, single system calls of SQLite. Needs fork, so no Windows.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from faults import KINDS, Disk, Plan, power_loss

CONFIG: dict[str, Any] = {
    "explore": {"draws": 8},
    "describe": {"draws": 16},
    "confirm": {"method": "fixed", "draws": 12},
    "measure": {"most": 8},
    "explain": {"draws": 4},
    "batch": 4,
    "budget": 120,
}
DONE, REFUSED, CRASHED, DIFFERS, HUNG, FOUND = 0, 2, 3, 4, 5, 6
"""Exit codes of a case's process."""
PATIENCE = 120.0
"""Seconds after which a case hangs."""
CALLS = {"pwrite64": (("ENOSPC", "EIO"), 200), "fdatasync": (("EIO",), 4), "ftruncate": (("EIO",), 2)}
"""System calls of SQLite: how `strace` spoils them, and up to which one."""


FLIPPED = {
    "journal": "run/journal.jsonl",
    "rows": "archive/archive.sqlite*",
    "images": "archive/images/*.tar",
    "what was written": "run/[fr]*.*",
}
"""What a bit is flipped in: files of a finished hunt."""


@dataclass
class Table:
    """What became of the cases of one kind."""

    cases: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def hunt(folder: Path) -> Path:
    """Hunt in the toy world, quickly."""
    import foible
    import toyworld

    labels, out = ["coffee mug", "teapot"], folder / "run"
    foible.hunt(toyworld.Classifier(), labels, out=out, seed=2, config=CONFIG, progress=False, **toyworld.PARTS)
    return out


def apart(
    work: Callable[[], int], said: Path, *, before: Callable[[int], None] | None = None, killed: float = PATIENCE
) -> int:
    """Do something in a process of its own; give its exit code, negative where a signal ended it.

    Args:
        work: gives the exit code.
        said: where a traceback goes.
        before: called with the number of the process before it begins.
        killed: seconds after which it is killed; with `PATIENCE` it then counts as hanging.
    """
    ready, go = os.pipe()
    child = os.fork()
    if not child:
        os.close(go)
        os.read(ready, 1)
        code = CRASHED
        try:
            code = work()
        except BaseException:  # noqa: BLE001 - it is written down
            said.write_text(traceback.format_exc(), encoding="utf-8")
        finally:
            os._exit(code)
    os.close(ready)
    if before is not None:
        before(child)
    os.close(go)
    until = time.monotonic() + killed
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    return HUNG if killed == PATIENCE else os.waitstatus_to_exitcode(status)


def whole(folder: Path) -> int:
    """Hunt to the end, and verify."""
    import toyworld
    from foible.checks.verify import verify

    differences = verify(hunt(folder)).differences
    (folder / "written").write_bytes(b"".join(toyworld.written(folder / "run").values()))
    if differences:
        raise AssertionError("\n".join(differences))
    return DONE


def verified(folder: Path) -> int:
    """Verify what a hunt left; what foible says is one sentence."""
    from foible.checks.verify import verify
    from foible.errors import FoibleError

    try:
        return FOUND if verify(folder / "run").differences else DONE
    except FoibleError as problem:
        return REFUSED if "\n" not in str(problem) else DIFFERS


def refused(folder: Path, disk: Disk | None) -> int:
    """Hunt on a disk that fails; what foible says is one sentence."""
    from contextlib import nullcontext

    from foible.errors import FoibleError

    with disk.spoiling() if disk is not None else nullcontext():
        try:
            hunt(folder)
        except FoibleError as problem:
            return REFUSED if "\n" not in str(problem) else DIFFERS
    return DONE


class Harness:
    """Runs cases, and holds what the same command makes of what is left against a hunt that was never disturbed."""

    def __init__(self, place: Path, seed: int) -> None:
        """Hunt once undisturbed, and count its operations."""
        self.place, self.dice, self.number = place, random.Random(seed), 0  # noqa: S311 - no secret
        self.tables: dict[str, Table] = {}
        folder, notes = place / "whole", place / "whole.notes"
        folder.mkdir()
        began = time.monotonic()
        code = apart(lambda: refused(folder, Disk(folder, None, notes)), place / "whole.said")
        self.seconds = time.monotonic() - began
        if code != DONE or apart(lambda: whole(folder), place / "whole.said"):
            message = f"the hunt without a fault does not end: {(place / 'whole.said').read_text('utf-8')}"
            raise SystemExit(message)
        self.expected = (folder / "written").read_bytes()
        self.operations = [_operation(line) for line in notes.read_text("utf-8").splitlines()]

    def kill(self) -> None:
        """Kill a hunt at a random moment, as often as it comes, and go on with it."""
        after = [self.dice.uniform(0, self.seconds) for _ in range(self.dice.randint(1, 3))]

        def disturb(folder: Path, said: Path) -> Iterator[int]:
            for wait in after:
                yield apart(lambda: refused(folder, None), said, killed=wait)

        self._case("kill at a random moment", f"after {', '.join(f'{one:.3f}' for one in after)} s", disturb)

    def fault(self, at: int, kind: str, power: bool = False) -> None:
        """Spoil one operation."""

        def disturb(folder: Path, said: Path) -> Iterator[int]:
            notes = folder.with_suffix(".notes")
            code = apart(lambda: refused(folder, Disk(folder, Plan(at, kind), notes)), said)
            if '"hit"' not in notes.read_text("utf-8"):
                self.tables[name].cases["not reached"] += 1
            if power:
                lost = power_loss(folder, notes, self.dice)
                self.tables[name].cases["lost something"] += bool(lost)
            yield code

        operation = self.operations[at]
        name = "power lost" if power else f"{operation}: {kind}"
        self.tables.setdefault(name, Table())
        self._case(name, f"operation {at} ({operation})", disturb)

    def call(self, name: str, error: str, at: int) -> None:
        """Have strace spoil a system call of SQLite."""
        trace, called = self.place / f"call {self.number + 1}", f"SQLite's {name}: {error}"
        self.tables.setdefault(called, Table())
        tracers: list[subprocess.Popen[str]] = []

        def attach(pid: int) -> None:
            inject = f"inject={name}:error={error}:when={at}"
            command = ["strace", "-f", "-p", str(pid), "-o", str(trace), "-e", f"trace={name}", "-e", inject]
            tracers.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
            assert tracers[0].stderr is not None  # noqa: S101 - it was asked for
            tracers[0].stderr.readline()  # it is attached

        def disturb(folder: Path, said: Path) -> Iterator[int]:
            yield apart(lambda: refused(folder, None), said, before=attach)
            tracers[0].communicate(timeout=PATIENCE)
            if not trace.is_file() or "(INJECTED)" not in trace.read_text("utf-8", "replace"):
                self.tables[called].cases["not reached"] += 1

        self._case(called, f"call {at}", disturb)

    def flip(self) -> None:
        """Flip a bit of what a finished hunt left: it must be found, or change nothing."""
        name = self.dice.choice(sorted(FLIPPED))
        self.number += 1
        folder, said = self.place / f"case {self.number}", self.place / f"case {self.number}.said"
        shutil.copytree(self.place / "whole", folder)
        path = self.dice.choice(sorted(path for path in folder.glob(FLIPPED[name]) if path.is_file()))
        bit = self.dice.randrange(8 * path.stat().st_size)
        data = bytearray(path.read_bytes())
        data[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data)
        table = self.tables.setdefault(f"a bit flipped: {name}", Table())
        table.cases["cases"] += 1
        seen = apart(lambda: verified(folder), said)
        table.cases["found" if seen else "not seen"] += 1
        again = apart(lambda: refused(folder, None), said)
        table.cases[_NAMES.get(again, f"code {again}")] += 1
        same = again == DONE and _written(folder) == self.expected
        table.cases["equal"] += same
        # What is refused is found; what goes on must end as if no bit had flipped.
        if seen in {DONE, REFUSED, FOUND} and (same or again == REFUSED):
            shutil.rmtree(folder)
        else:
            told = f"bit {bit} of {path.relative_to(folder)}, verified {seen}, hunted again {again}"
            table.failures.append(f"{told}: {_last(said)}, left in {folder}")

    def _case(self, name: str, told: str, disturb: Callable[[Path, Path], Iterator[int]]) -> None:
        table = self.tables.setdefault(name, Table())
        self.number += 1
        folder, said = self.place / f"case {self.number}", self.place / f"case {self.number}.said"
        folder.mkdir()
        if self.number % 250 == 0:
            self.so_far("not yet all")
        for code in disturb(folder, said):
            table.cases["killed" if code == -signal.SIGKILL else _NAMES.get(code, f"code {code}")] += 1
            if code not in {DONE, REFUSED, -signal.SIGKILL}:
                table.failures.append(f"{told}: ended with {code}: {_last(said)}")
        code = apart(lambda: whole(folder), said)
        same = code == DONE and (folder / "written").read_bytes() == self.expected
        table.cases["cases"] += 1
        table.cases["equal"] += same
        if same:
            shutil.rmtree(folder)
        else:
            table.failures.append(f"{told}, then {code}: {_last(said)}, left in {folder}")

    def so_far(self, what: str) -> None:
        """Say how far it came, since all of it takes hours."""
        failed = sum(len(table.failures) for table in self.tables.values())
        print(f"{what}: {self.number} cases so far, {failed} failures", flush=True)

    def told(self) -> str:
        """Give the table, and every failure."""
        columns = ("cases", "found", "done", "refused", "killed", "not reached", "equal")
        lines = [f"{'':<34}" + "".join(f"{one:>13}" for one in columns)]
        for name, table in sorted(self.tables.items()):
            lines.append(f"{name:<34}" + "".join(f"{table.cases[one]:>13}" for one in columns))
            lines += [f"    {one}" for one in table.failures]
        failed = sum(len(table.failures) for table in self.tables.values())
        total = sum(table.cases["cases"] for table in self.tables.values())
        return "\n".join([*lines, f"{total} cases, {failed} failures"])


_NAMES = {DONE: "done", REFUSED: "refused"}


def _written(folder: Path) -> bytes:
    import toyworld

    return b"".join(toyworld.written(folder / "run").values())


def _operation(line: str) -> str:
    import json

    return str(json.loads(line)["operation"])


def _last(said: Path) -> str:
    lines = said.read_text("utf-8").strip().splitlines() if said.exists() else ["no word"]
    return lines[-1] if lines else ""


def main() -> None:
    """Read the flags, run the cases, print the table."""
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--kills", type=int, default=200, help="hunts that are killed at random moments")
    flags.add_argument(
        "--faults", type=int, default=0, help="operations that are spoiled, at random; 0: each, in every way"
    )
    flags.add_argument("--power", type=int, default=100, help="hunts whose power goes")
    flags.add_argument(
        "--calls", type=int, default=60, help="system calls of SQLite that are spoiled, where strace is there"
    )
    flags.add_argument("--flips", type=int, default=500, help="bits that are flipped in what a finished hunt left")
    flags.add_argument("--seed", type=int, default=0)
    given = flags.parse_args()
    import foible.hunting.api  # noqa: F401
    import toyworld  # noqa: F401 - before any fork: what is imported once costs each case nothing
    from foible.checks.verify import verify  # noqa: F401
    from foible.run import tables

    tables.LEAST = 16  # so that even a small hunt writes the index of its keys, again and again

    place = Path(tempfile.mkdtemp(prefix="foible-crash-"))
    harness = Harness(place, given.seed)
    print(f"{len(harness.operations)} operations in a hunt of {harness.seconds:.2f} s", flush=True)
    every = [(at, kind) for at, operation in enumerate(harness.operations) for kind in KINDS[operation]]
    for at, kind in every if not given.faults else harness.dice.sample(every, min(given.faults, len(every))):
        harness.fault(at, kind)
    harness.so_far("faults done")
    for _ in range(given.kills):
        harness.kill()
    harness.so_far("kills done")
    for _ in range(given.flips):
        harness.flip()
    harness.so_far("flips done")
    kills = [at for at, kind in every if kind == "kill"]
    for _ in range(given.power):
        harness.fault(harness.dice.choice(kills), "kill", power=True)
    harness.so_far("lost power done")
    if shutil.which("strace") is None:
        print("no strace: single system calls of SQLite were not spoiled")
    else:
        for _ in range(given.calls):
            call = harness.dice.choice(sorted(CALLS))
            harness.call(call, harness.dice.choice(CALLS[call][0]), harness.dice.randint(1, CALLS[call][1]))
    print(harness.told())
    failed = any(table.failures for table in harness.tables.values())
    if failed:
        print(f"what is left lies in {place}")
    else:
        shutil.rmtree(place)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
