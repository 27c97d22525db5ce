"""Runs and findings as HTML for a notebook.

Comes in: a result, of which every text may have been written by a stranger. Goes out: HTML in which each of them is
escaped, without script, style or network. Neighbours: `sentences.py` has the English; `html.py` makes the whole page.
"""

from __future__ import annotations

import base64
from html import escape
from typing import TYPE_CHECKING

from foible import pixels
from foible.report.pictures import webp
from foible.report.sentences import headline, plain, sentence, summary, title
from foible.report.words import interval, percent

if TYPE_CHECKING:
    from collections.abc import Callable

    from foible.findings import Finding, HuntResult

_SHOWN = 6
_ROWS = 50


def run_html(result: HuntResult) -> str:
    """Show a result: headline, summary, and a row for each finding."""
    rows = [
        (f.verdict, plain(title(f, result)), f"{percent(f.treat.value)} {interval(f.treat)}", percent(f.control.value))
        for f in result.findings[:_ROWS]
    ]
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    head = "".join(f"<th>{name}</th>" for name in ("verdict", "finding", "fails with it", "without"))
    left = len(result.findings) - _ROWS
    more = f"<p>And {left:,} more.</p>" if left > 0 else ""
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}" if rows else ""
    return f"<div><p><b>{escape(headline(result))}</b></p><p>{escape(summary(result))}</p>{table}</div>"


def finding_html(finding: Finding, result: HuntResult, image: Callable[[str], bytes | None]) -> str:
    """Show a finding: verdict, sentence, and small images of the draws that failed.

    Args:
        finding: of the result.
        result: whose it is.
        image: gives the PNG file of an image by the hash of its pixels; None where there is none.
    """
    shown = [result.observations[key] for key in finding.failing if key in result.observations][:_SHOWN]
    pictures = "".join(_picture(one.draw.image, one.draw.request.text, image) for one in shown if one.draw.image)
    return f"<div><p><b>{escape(finding.verdict)}</b>: {escape(sentence(finding, result))}</p><p>{pictures}</p></div>"


def _picture(name: str, text: str, image: Callable[[str], bytes | None]) -> str:
    data = image(name)
    found = None if data is None else pixels.read_png(data)
    if found is None:
        return ""
    small = base64.b64encode(webp(found).data).decode("ascii")
    return f'<img width="96" alt="{escape(text[:200])}" src="data:image/webp;base64,{small}"> '
