"""What the tutorials show, works: their code is run as written, offline, and prints what stands below it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["tutorial-server.md"])
def test_the_code_of_a_tutorial_runs(page, tmp_path, monkeypatch, capsys):
    """Every block in order, in an empty directory; one that begins with a file's name is saved under it."""
    pytest.importorskip("httpx2", reason="the client of http: is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    names, printed = {"__name__": "page"}, ""
    for language, text in BLOCK.findall((DOCS / page).read_text(encoding="utf-8")):
        if language == "python" and text.startswith("# "):
            (tmp_path / text.splitlines()[0].removeprefix("# ")).write_text(text, encoding="utf-8")
        elif language == "python":
            exec(compile(text, page, "exec"), names)  # noqa: S102 - our own page
            printed = capsys.readouterr().out
        elif language == "text":
            assert printed == text
    sys.modules.pop("serve", None)


def test_the_sentence_and_the_settings_of_the_sign_off_page_are_real():
    """Every setting that the page names is one, with the default that it says; every gate is one."""
    from foible.cli.gates import read_gate
    from foible.config import HuntConfig, declared, fields

    page = (DOCS / "sign-off.md").read_text(encoding="utf-8")
    now = {name: value for name, value, _ in fields(HuntConfig())}
    said = re.findall(r"^\* `([\w.]+)` \(([\d.]+)\)", page, re.MULTILINE)
    assert len(said) == 4
    for name, value in said:
        assert declared(name).description
        assert float(value) == now[name]
    for gate in ("confirmed", "failing", "rate>20%"):
        assert f"`{gate}`" in page or f"--fail-on {gate}" in page
        assert read_gate(gate)
    assert f"more than {now['confirm.unscored']:.0%}".replace("%", " %") in page
