"""`run.figure()`: what a figure shows is what the findings say, whatever their texts are."""

from __future__ import annotations

import io
import subprocess
import sys
import warnings
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from foible.errors import ConfigError
from foible.report.figure import figure
from foible.report.sentences import headline
from foible.report.words import printable
from report.anything import HOSTILE, poisoned
from report.results import sample


def drawn(made: Figure) -> bytes:
    """Give the figure as a PNG file; that a font lacks a character is said by matplotlib, and spoils nothing."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        made.savefig(file)
    return file.getvalue()


def test_each_finding_has_both_rates_and_their_intervals_in_its_row() -> None:
    """Marks lie at the rates in percent, bars from end to end of the intervals, rows in the order of findings."""
    result = sample()
    axes = figure(result).axes[0]
    lines = [np.asarray(line.get_xydata()).T for line in axes.lines]
    bars = [(round(x[0], 6), round(x[1], 6), round(y[0])) for x, y in lines if len(x) == 2]
    marks = [(round(x[0], 6), round(y[0])) for x, y in lines if len(x) == 1]
    wanted = [(rate, row) for row, f in enumerate(result.findings) for rate in (f.treat, f.control)]
    scored = [(rate, row) for rate, row in wanted if rate.value is not None]
    assert bars == [(round(100 * rate.low, 6), round(100 * rate.high, 6), row) for rate, row in scored]
    assert marks == [(round(100 * rate.value, 6), row) for rate, row in scored if rate.value is not None]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert len(names) == len(result.findings)
    assert all(name.endswith(f.verdict) for name, f in zip(names, result.findings, strict=True))


def test_what_is_not_shown_is_counted() -> None:
    """Of many findings the first are drawn, and the figure says how many are left."""
    result = sample()
    left = len(result.findings) - 1
    assert left > 0
    axes = figure(result, most=1).axes[0]
    assert len(axes.get_yticklabels()) == 1
    assert f"{left} more findings are not shown" in axes.get_xlabel()
    with pytest.raises(ConfigError, match="at least 1 finding, but got 0"):
        figure(result, most=0)


def test_a_run_without_findings_has_a_figure() -> None:
    """It has the headline, and no row."""
    result = replace(sample(), findings=())
    made = figure(result)
    assert drawn(made).startswith(b"\x89PNG")
    assert made.get_suptitle().replace("\n", " ") == " ".join(headline(result).split())


@pytest.mark.parametrize("evil", [*HOSTILE, "$\\frac{1}{", "$x$", "100%"])
def test_no_text_is_a_formula_or_more_than_text(evil: str) -> None:
    """A hostile text in every place is drawn as it is, control characters excepted."""
    made = figure(poisoned(evil))
    assert drawn(made).startswith(b"\x89PNG")
    for label in made.axes[0].get_yticklabels():
        for line in label.get_text().split("\n"):
            assert printable(line) == line


def test_a_figure_needs_no_display_and_touches_no_other() -> None:
    """Neither pyplot nor a window toolkit is loaded for it."""
    code = (
        "import sys; from foible.report.figure import figure; from report.results import sample; figure(sample()); "
        "assert 'matplotlib.figure' in sys.modules and 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120, env={"PYTHONPATH": ":".join(sys.path)})
