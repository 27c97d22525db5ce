"""What the tutorials show, works: their code is run as written, offline, and prints what stands below it."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from pathlib import Path

import pytest

from foible.cli import main

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run_page(page: str, place: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """Run every block of a page in order; give what its commands wrote.

    A Python block or a file of settings that begins with a file's name is saved under it.
    """
    names: dict[str, object] = {"__name__": "page"}
    printed = wrote = ""
    for language, text in BLOCK.findall((DOCS / page).read_text(encoding="utf-8")):
        if language in {"python", "yaml"} and text.startswith("# "):
            (place / text.splitlines()[0].removeprefix("# ")).write_text(text, encoding="utf-8")
        elif language == "python":
            capsys.readouterr()
            exec(compile(text, page, "exec"), names)  # noqa: S102 - our own page
            printed = capsys.readouterr().out
        elif language == "text":
            assert printed == text
        elif "127.0.0.1:8000" not in text:  # that port may be taken; the page runs the same from Python
            for line in text.splitlines():
                wrote += command(shlex.split(line), capsys)
    return wrote


def command(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Run one line of a shell in this process; give what it wrote."""
    if words[0] == "python":
        runpy.run_path(words[1], run_name="__main__")
        return ""
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as stop:
            main()
    out, err = capsys.readouterr()
    assert stop.value.code in {0, None}, err
    return out


@pytest.fixture
def empty(tmp_path, monkeypatch):
    """Go to an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    yield tmp_path
    sys.modules.pop("serve", None)


@pytest.mark.slow
def test_the_tutorial_of_a_model_behind_a_server_runs(empty, capsys):
    """As written, and it prints what stands below."""
    pytest.importorskip("httpx2", reason="the client of http: is not installed")
    run_page("tutorial-server.md", empty, capsys)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*is deprecated:FutureWarning", "ignore:.*is deprecated:DeprecationWarning")
def test_the_tutorial_of_photographs_runs(empty, capsys):
    """As written; the three planted bugs that it names are the three that are confirmed."""
    wrote = run_page("tutorial-photographs.md", empty, capsys)
    assert "3 confirmed of" in wrote


@pytest.mark.slow
def test_the_tutorial_of_timm_runs(empty, capsys, monkeypatch):
    """As written, with weights by chance in the place of the hub's, and its first line is then that nothing fits."""
    pytest.importorskip("timm", reason="timm is not installed")
    with_weights_by_chance(("resnet18.a1_in1k", "mobilenetv3_small_050.lamb_in1k"), empty / "hub", monkeypatch)
    wrote = run_page("tutorial-timm.md", empty, capsys)
    assert "do not fit each other: 3 of 3 labels fail in most of their draws" in wrote


def with_weights_by_chance(models, hub, monkeypatch):
    """Fill a cache of the hub with models that were never trained, as a download would leave it."""
    import timm
    from safetensors.torch import save_file

    for name in models:
        place = hub / f"models--timm--{name}"
        snapshot = place / "snapshots" / ("0" * 40)
        snapshot.mkdir(parents=True)
        (place / "refs").mkdir()
        (place / "refs" / "main").write_text("0" * 40)
        save_file(timm.create_model(name, pretrained=False).state_dict(), snapshot / "model.safetensors")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(hub))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


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
    for gate in ("confirmed", "rate>20%"):
        assert f"`{gate}`" in page or f"--fail-on {gate}" in page
        assert read_gate(gate)
    assert f"more than {now['confirm.unscored']:.0%}".replace("%", " %") in page
