"""The findings of a run as one figure: how often each fails with its description and without, with intervals.

Comes in: a result, of which every text may have been written by a stranger. Goes out: a figure of matplotlib, made
without its global state, so that it needs no display and leaves other figures alone. Neighbours: `sentences.py` has the
English; `html.py` makes the page.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from foible.errors import ConfigError
from foible.report.sentences import headline, plain, title
from foible.report.terms import terms
from foible.report.words import shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from foible.findings import HuntResult, Rate

MOST = 30
"""Findings in a figure."""
_WIDTH, _ROW, _HEADLINE, _AROUND = 10.0, 0.42, 0.18, 1.5
"""Inches: of the figure, a finding, a line of the headline, and what is around them."""
_TITLE, _LINE, _MOST_HEADLINE = 60, 100, 500
"""Characters: of a finding's name, a line of the headline, and the headline."""
_APART = 0.14
"""Of a row: from its middle to either mark."""
_TREAT, _CONTROL = "#b3261e", "#5f6b7a"


def figure(result: HuntResult, most: int = MOST) -> Figure:
    """Draw the findings of a result, confirmed ones first: a row for each, with two rates and their intervals.

    Args:
        result: of a hunt or a probe.
        most: rows; what is left out is said below.

    Raises:
        ConfigError: matplotlib is not installed, or `most` is below 1.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as problem:
        message = 'a figure needs matplotlib, which is not installed: pip install "foible[figure]"'
        raise ConfigError(message) from problem
    if most < 1:
        message = f"a figure has at least 1 finding, but got {most}"
        raise ConfigError(message)
    shown = result.findings[:most]
    heading = textwrap.wrap(shorten(headline(result), _MOST_HEADLINE), _LINE)
    height = _AROUND + _ROW * max(1, len(shown)) + _HEADLINE * len(heading)
    made = Figure(figsize=(_WIDTH, height), layout="constrained")
    axes = made.add_subplot()
    words = terms(result)
    for row, finding in enumerate(shown):
        # What is not confirmed is there, and pale: it was tried.
        strength = 1.0 if finding.verdict == "confirmed" else 0.45
        _mark(axes, row - _APART, finding.treat, (_TREAT, "o", strength))
        _mark(axes, row + _APART, finding.control, (_CONTROL, "s", strength))
    names = [shorten(plain(title(finding, result)), _TITLE) + f"\n{finding.verdict}" for finding in shown]
    # No text of a finding is a formula, whatever dollar signs it has.
    axes.set_yticks(range(len(shown)), names, fontsize=8, parse_math=False)
    axes.set_ylim(max(1, len(shown)) - 0.5, -0.5)
    axes.set_xlim(-2, 102)
    left = len(result.findings) - len(shown)
    axes.set_xlabel("fails, % (bars: 95 % intervals)" + (f"; {left:,} more findings are not shown" if left else ""))
    axes.grid(axis="x", alpha=0.3)
    for colour, marker, name in ((_TREAT, "o", words.treat), (_CONTROL, "s", words.control)):
        axes.plot([], [], color=colour, marker=marker, linestyle="", label=name)
    made.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    made.suptitle("\n".join(heading), fontsize=10, parse_math=False)
    return made


def _mark(axes: Axes, row: float, rate: Rate, look: tuple[str, str, float]) -> None:
    """Draw a rate and its interval; nothing where no draw was scored."""
    if rate.value is None:
        return
    colour, marker, strength = look
    axes.plot([100 * rate.low, 100 * rate.high], [row, row], color=colour, alpha=strength, linewidth=1.6)
    axes.plot(100 * rate.value, row, color=colour, marker=marker, alpha=strength, markersize=5, linestyle="")
