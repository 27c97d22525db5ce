"""The benchmark as a page: a table and a plot, in Markdown and SVG.

Comes in: a `Benchmark`. Goes out: `benchmark.md` and the pictures beside it. Neighbours: `bugs.py` measures,
`calibration.py` works out the coverage.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from bugs.calibration import Coverage, Nulls, coverage, nulls
from bugs.compare import COVERING, EXPLORED, FOIBLE, GRID, RECIPE, SHOWN, Benchmark
from bugs.recipe import CONJUNCTIONS
from bugs.recipe import SINGLES as PLANTED
from bugs.scoring import Ratio, Row, Score, ratio, summarise
from foible.diorama.vocabulary import LABELS
from foible.statistics import clopper_pearson

WIDTH, LEFT, RIGHT, LINE = 860, 270, 150, 24
MOST = 100_000
"""Draws a bug at the right end of the plot; infinitely many are drawn there too."""
PERFECT, IMPERFECT = "#2f6ea5", "#c4411a"

NOMINAL = 0.95
BUGS = PLANTED + CONJUNCTIONS
FALSE, SINGLES, PAIRS = 0.05, 0.9, 0.7
"""Aims: the false-discovery rate, and the shares of planted bugs of one and of two attributes."""
HINDSIGHT = f"{RECIPE}, in hindsight"
AIMS = ((f"{RECIPE}, 100", 5.0), (f"{RECIPE}, 50", 3.0), (HINDSIGHT, 1.5), (f"{COVERING}, 100", 3.0))
"""How many times fewer draws a bug foible should need than each of these."""
TRIED = (FOIBLE, f"{GRID}, 100")
"""Methods of which the page says how they fared with decoys; the grid puts every decoy to the test."""
HELD = (RECIPE, COVERING)
"""Methods that are also compared with foible where it finds as many bugs."""


def write_page(measured: Benchmark, folder: Path) -> Path:
    """Write the page and its pictures into a folder; return the page."""
    folder.mkdir(parents=True, exist_ok=True)
    covered, held = coverage(), [*nulls(), measured.placebos]
    (folder / "benchmark.svg").write_text(price_plot(measured), encoding="utf-8")
    (folder / "coverage.svg").write_text(coverage_plot(covered), encoding="utf-8")
    page = folder / "benchmark.md"
    page.write_text(text(measured, covered, held), encoding="utf-8")
    return page


@dataclass(frozen=True, slots=True)
class _Setting:
    """Hunts with one error rate of generator and judge."""

    error: float
    scores: Mapping[str, Sequence[Score]]
    rows: Mapping[str, Row]
    """By method, those that are shown: of the recipe's numbers of pairs the usual ones and the one of hindsight."""
    hindsight: str
    """Which of them that is."""

    def against(self, method: str) -> Ratio:
        """Hold foible's draws a bug against a method's; against hindsight, the number of pairs is chosen anew."""
        theirs = _numbers(self.scores) if method == HINDSIGHT else [method]
        return ratio(self.scores[FOIBLE], [self.scores[name] for name in theirs])

    def matched(self, method: str) -> tuple[Ratio, str] | None:
        """Hold a method against foible's cheapest setting that finds as many bugs; None where none finds so many."""
        ours = [name for name in self.scores if name == FOIBLE or name.startswith(f"{FOIBLE}, exploring ")]
        found = ratio(self.scores[method], [self.scores[name] for name in ours]).inverse()
        name = ours[found.chosen]
        return (found, name) if self.rows[name].recall >= self.row(method).recall else None

    def row(self, method: str) -> Row:
        """Give what was measured of a method."""
        return self.rows[self.hindsight if method == HINDSIGHT else method]


def _settings(measured: Benchmark) -> list[_Setting]:
    settings = []
    for error, scores in measured.scores.items():
        names = _numbers(scores)
        hindsight = names[ratio(scores[FOIBLE], [scores[name] for name in names]).chosen]
        hidden = set(names) - {hindsight, *(f"{RECIPE}, {pairs}" for pairs in SHOWN)}
        rows = {name: summarise(name, of) for name, of in scores.items() if name not in hidden}
        settings.append(_Setting(error, scores, rows, hindsight))
    return settings


def _numbers(scores: Mapping[str, Sequence[Score]]) -> list[str]:
    """Give the recipe with each number of pairs."""
    return [name for name in scores if name.startswith(f"{RECIPE}, ")]


def text(measured: Benchmark, covered: Sequence[Coverage], held: Sequence[Nulls]) -> str:
    """Give the page as Markdown."""
    settings = _settings(measured)
    template = (Path(__file__).with_name("page.md")).read_text(encoding="utf-8")
    return template.format(
        seeds=measured.seeds,
        version=measured.version,
        targets=len(measured.targets),
        names=", ".join(measured.targets),
        tables="\n\n".join(f"{_said(each.error)}:\n\n{_table(each)}" for each in settings),
        aims=_aims(settings),
        equal=_equal(settings),
        decoys=_decoys(settings),
        natural=measured.natural,
        error=max(measured.scores),
        **_exploring(min(settings, key=lambda each: each.error)),
        coverage=_coverage_table(covered),
        nulls=_nulls_table(held),
    )


def price_plot(measured: Benchmark) -> str:
    """Draw draws a bug by method, on a logarithmic axis, for perfect and imperfect parts."""
    by_error = {each.error: _plotted(each) for each in _settings(measured)}
    methods = list(dict.fromkeys(name for rows in by_error.values() for name in rows))
    height = LINE * len(methods) + 90
    parts = [_head(height, "Draws a planted bug")]
    for tick in (100, 300, 1_000, 3_000, 10_000, 30_000):
        parts.append(_line((_x(tick), 40), (_x(tick), height - 40), "#d8dbe2"))
        parts.append(_words((_x(tick), height - 22), f"{tick:,}", anchor="middle", colour="#5b6472"))
    parts.append(_words((_x(MOST), height - 22), "∞", anchor="middle", colour="#5b6472"))
    for place, method in enumerate(methods):
        y = 55 + LINE * place
        parts.append(_words((LEFT - 14, y + 4), method, anchor="end", bold=method == FOIBLE))
        for shift, (error, colour) in zip((-4, 4), zip(by_error, (PERFECT, IMPERFECT), strict=True), strict=True):
            parts.append(_interval(by_error[error][method], y + shift, colour))
        recalls = [f"{rows[method].recall:.0%}" for rows in by_error.values()]
        parts.append(_words((WIDTH - RIGHT + 40, y + 4), " / ".join(recalls), colour="#5b6472"))
    parts.append(_words((WIDTH - RIGHT + 40, 32), "bugs found", colour="#5b6472"))
    parts.append(_words((LEFT, 20), "● perfect generator and judge", colour=PERFECT))
    parts.append(_words((LEFT + 210, 20), f"● each wrong in {max(by_error):.0%}", colour=IMPERFECT))
    return "\n".join([*parts, "</svg>", ""])


def coverage_plot(covered: Sequence[Coverage]) -> str:
    """Draw the coverage of each interval over the true rate."""
    height, top, bottom = 260, 40, 220
    colours = (PERFECT, "#7aa6cf", IMPERFECT, "#e39a80")

    def x(rate: float) -> float:
        return 60 + rate * (WIDTH - LEFT - 60)

    def y(share: float) -> float:
        return bottom - (share - 0.9) / 0.1 * (bottom - top)

    parts = [_head(height, "Coverage of intervals")]
    for share in (0.9, NOMINAL, 1.0):
        parts.append(_line((x(0), y(share)), (x(1), y(share)), "#98a0ad" if share == NOMINAL else "#d8dbe2"))
        parts.append(_words((52, y(share) + 4), f"{share:.0%}", anchor="end", colour="#5b6472"))
    parts += [_words((x(r), bottom + 20), f"{r:.0%}", anchor="middle", colour="#5b6472") for r in (0.0, 0.5, 1.0)]
    for place, (each, colour) in enumerate(zip(covered, colours, strict=True)):
        points = " ".join(f"{x(rate):.1f},{y(max(share, 0.9)):.1f}" for rate, share in each.curve)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts.append(_words((WIDTH - LEFT + 20, 60 + 22 * place), each.interval, colour=colour))
    return "\n".join([*parts, "</svg>", ""])


def _with(error: float) -> str:
    return f"with each part wrong in {error:.0%}" if error else "with perfect parts"


def _said(error: float) -> str:
    return f"Generator and judge each wrong in {error:.0%}" if error else "Perfect generator and judge"


def _plotted(setting: _Setting) -> dict[str, Row]:
    """Give hindsight a line of its own, since it may be another number of pairs in another setting."""
    usual = {f"{RECIPE}, {pairs}" for pairs in SHOWN}
    recipes = {name: row for name, row in setting.rows.items() if name in usual} | {HINDSIGHT: setting.row(HINDSIGHT)}
    rows: dict[str, Row] = {}
    for name, row in setting.rows.items():
        rows |= recipes if name.startswith(f"{RECIPE}, ") else {name: row}
    return rows


def _table(setting: _Setting) -> str:
    lines = ["| method | draws a bug | singles | pairs | false | claims |", "|---|---|---|---|---|---|"]
    for name, row in setting.rows.items():
        marked = f"{name} (hindsight)" if name == setting.hindsight else name
        price = f"{_price(row.price[0])} [{_price(row.price[1])}, {_price(row.price[2])}]"
        shares = " | ".join(map(_share, (row.singles, row.pairs, row.false)))
        lines.append(f"| {marked} | {price} | {shares} | {row.claims} |")
    return "\n".join(lines)


def _aims(settings: Sequence[_Setting]) -> str:
    ours = [each.row(FOIBLE) for each in settings]
    lines = [
        *_columns("aim", settings),
        _aim(f"false-discovery rate at most {FALSE:.0%}", [(o.false[0], o.false[0] <= FALSE) for o in ours]),
        _aim(f"singles found, at least {SINGLES:.0%}", [(o.singles[0], o.singles[0] >= SINGLES) for o in ours]),
        _aim(f"pairs found, at least {PAIRS:.0%}", [(o.pairs[0], o.pairs[0] >= PAIRS) for o in ours]),
    ]
    for method, times in AIMS:
        reached = " | ".join(_cheaper(each, method, times) for each in settings)
        lines.append(f"| {times:g} times fewer draws a bug than {method}, at equal or better recall | {reached} |")
    return "\n".join(lines)


def _columns(first: str, settings: Sequence[_Setting]) -> list[str]:
    of = [f"each part wrong in {each.error:.0%}" if each.error else "perfect parts" for each in settings]
    return [f"| {' | '.join([first, *of])} |", "|---" * (1 + len(of)) + "|"]


def _cheaper(setting: _Setting, method: str, times: float) -> str:
    """Say how many times fewer draws a bug takes; that counts only where as large a share of the bugs is found."""
    against, ours, theirs = setting.against(method), setting.row(FOIBLE), setting.row(method)
    lacks = [] if against.times >= times else ["missed"]
    if ours.recall < theirs.recall:
        lacks = [f"missed, since {ours.recall:.0%} of the bugs are found against {theirs.recall:.0%}"]
    return ": ".join([_times(against), *lacks])


def _equal(settings: Sequence[_Setting]) -> str:
    """Compare each method with foible where it explores just enough to find as many bugs."""
    lines = _columns("times fewer draws a bug than", settings)
    methods = [f"{method}, {pairs}" for method in HELD for pairs in SHOWN]
    rows = (" | ".join([method, *(_matched(each, method) for each in settings)]) for method in methods)
    return "\n".join([*lines, *(f"| {row} |" for row in rows)])


def _matched(setting: _Setting, method: str) -> str:
    found, theirs = setting.matched(method), setting.row(method)
    if found is None:
        return f"foible never finds {theirs.recall:.0%} of the bugs"
    against, name = found
    return f"{_times(against)} ({name}: {setting.rows[name].recall:.0%} of the bugs against {theirs.recall:.0%})"


def _times(against: Ratio) -> str:
    return f"{against.times:.1f} [{against.low:.1f}, {against.high:.1f}]".replace("inf", "∞")


def _decoys(settings: Sequence[_Setting]) -> str:
    """Say in one sentence how many decoys were put to the test, and how many of them were claimed."""
    methods = (
        ", and ".join(f"{_decoyed(each.scores[name])}, {_with(each.error)}" for each in settings) for name in TRIED
    )
    return "; ".join(f"{name} tested {said}" for name, said in zip(TRIED, methods, strict=True)) + "."


def _decoyed(scores: Sequence[Score]) -> str:
    decoys, tested, claimed = (
        sum(getattr(score, name) for score in scores) for name in ("decoys", "tested_decoys", "claimed_decoys")
    )
    low, high = clopper_pearson(claimed, tested)
    return f"{tested} of the {decoys} decoys and claimed {claimed} [{low:.0%}, {high:.0%} of those tested]"


def _exploring(setting: _Setting) -> dict[str, float]:
    """Say what exploration costs, and what the comparison would be without it."""
    ours, recipe = setting.row(FOIBLE), setting.row(f"{RECIPE}, 100")
    explored = EXPLORED[0] * len(LABELS)
    saved = (recipe.price[0] - _a_bug(explored, recipe)) / (ours.price[0] - _a_bug(explored, ours))
    return {"explored": explored, "floor": _a_bug(explored, ours), "saved": saved}


def _a_bug(draws: int, row: Row) -> float:
    """Give draws for each bug that was found; infinite where none was."""
    return draws / (row.recall * BUGS) if row.recall else math.inf


def _aim(said: str, reached: Sequence[tuple[float, bool]]) -> str:
    return f"| {said} | " + " | ".join(f"{share:.1%}{'' if met else ': missed'}" for share, met in reached) + " |"


def _coverage_table(covered: Sequence[Coverage]) -> str:
    lines = ["| interval, nominal 95 % | least coverage over true rates 0 to 1 |", "|---|---|"]
    return "\n".join([*lines, *(f"| {each.interval} | {each.least:.1%} |" for each in covered)])


def _nulls_table(held: Sequence[Nulls]) -> str:
    lines = [
        "| test | hunts | hypotheses in all | hunts with a false finding | 95 % interval |",
        "|---|---|---|---|---|",
    ]
    for n in held:
        share = f"{n.false / n.hunts:.1%} | {n.low:.1%} to {n.high:.1%}"
        lines.append(f"| {n.test} | {n.hunts} | {n.hypotheses:,} | {share} |")
    return "\n".join(lines)


def _price(draws: float) -> str:
    return "∞" if math.isinf(draws) else f"{draws:,.0f}"


def _share(share: tuple[float, float, float]) -> str:
    return f"{share[0]:.0%} [{share[1]:.0%}, {share[2]:.0%}]"


def _x(draws: float) -> float:
    low, high = math.log(60), math.log(MOST)
    return LEFT + (math.log(min(max(draws, 60), MOST)) - low) / (high - low) * (WIDTH - LEFT - RIGHT)


def _interval(row: Row, y: float, colour: str) -> str:
    value, low, high = row.price
    dot = f'<circle cx="{_x(value):.1f}" cy="{y}" r="4" fill="{colour}"/>'
    return _line((_x(low), y), (_x(high), y), colour, width=2) + dot


def _head(height: int, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="13">'
        f'<title>{escape(title)}</title><rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    )


def _line(start: tuple[float, float], end: tuple[float, float], colour: str, width: float = 1) -> str:
    ends = f'x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width}"/>'


def _words(
    at: tuple[float, float], said: str, *, anchor: str = "start", colour: str = "#1b1f27", bold: bool = False
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="{anchor}" fill="{colour}"{weight}>{escape(said)}</text>'
