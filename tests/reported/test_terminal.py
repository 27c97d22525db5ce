"""Reported faults of what is printed: untrusted texts, encodings, narrow terminals, names that read alike."""

from __future__ import annotations

import io
import json
import os
import re
import threading
from dataclasses import replace

import pytest
from rich.console import Console

import toyworld
from foible.cli.flags import NARROW, cell, show_rows
from foible.errors import LabelError, brief, visible
from foible.labels import Classes
from foible.labels import resolve as resolve_all
from foible.report import sentence
from foible.report.sentences import plain, title
from foible.report.taken import confusions
from report.results import sample

pytestmark = pytest.mark.xdist_group("cli")

EVIL = "bucket\x1b[2J\x1b]0;owned\x07\u202e\x9b31m [red]bold[/red] :cat: → é"
"""A class name that would clear the screen, name the window, turn what follows round, and be markup."""

PLUGIN = f"""
import toyworld
EVIL = {EVIL!r}
class Hostile(toyworld.Classifier):
    labels = tuple(EVIL if name.startswith("bucket") else name for name in toyworld.NAMES)
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Give a folder with the plug-in, and an archive that the runs of this file share."""
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "hostile.py").write_text(PLUGIN, encoding="utf-8")
    return folder


def probe(out, *more, label="coffee mug"):
    """Give the arguments of a probe that confirms a bug: a mug on grass is taken for the class with the odd name."""
    words = ["probe", "--quiet", "--out", out, "--set", "confirm.draws=20", "--set", "confirm.method=fixed"]
    for kind in ("generator", "judge"):
        words += [f"--{kind}", toyworld.SPECS[kind]]
    return [*words, "--classifier", "python:hostile:Hostile", "--label", label, "-d", "on grass", *more]


def run(place, arguments, **env):
    """Run `foible` in the folder; give its code, and the bytes of stdout and stderr."""
    with (place / "stdout").open("w+b") as printed:
        code, _, err = toyworld.finished(toyworld.command(*arguments, cwd=place, env=env, stdout=printed))
        printed.seek(0)
        return code, printed.read(), err


def test_no_untrusted_text_reaches_the_terminal_as_a_command(place):
    """B24: escape sequences, marks of direction and markup in a class name are shown as text, on stdout and stderr."""
    code, out, err = run(place, probe("evil"), PYTHONIOENCODING="utf-8")
    assert (code, err) == (0, "")
    said = " ".join(out.decode().split())
    assert "bucket·[2J·]0;owned··" in said.replace(" ", "")
    assert all(c.isprintable() or c == "\n" for c in out.decode())
    code, out, err = run(place, probe("evil", label=f"5={EVIL}"), PYTHONIOENCODING="utf-8")
    assert (code, out) == (2, b"")
    assert all(c.isprintable() or c == "\n" for c in err)


def on_a_terminal(place, arguments):
    """Run `foible` with a terminal as stdout; give its code and what the terminal was sent."""
    reader, writer = os.openpty()
    process = toyworld.command(*arguments, cwd=place, env={"PYTHONIOENCODING": "utf-8"}, stdout=writer)
    os.close(writer)
    sent = []

    def read():
        try:
            while piece := os.read(reader, 4096):
                sent.append(piece)
        except OSError:  # how a terminal says that nobody writes any more
            pass

    thread = threading.Thread(target=read)
    thread.start()
    process.communicate(timeout=120)
    thread.join(timeout=60)
    os.close(reader)
    return process.returncode, b"".join(sent).decode("utf-8")


def test_json_on_a_terminal_is_the_same_document_without_commands(place):
    """B24: with `--json` a terminal gets nothing but printable characters, and they read as findings.json."""
    code, sent = on_a_terminal(place, probe("evil", "--json"))
    assert code == 0
    lines = sent.replace("\r\n", "\n")
    assert all(c.isprintable() or c == "\n" for c in lines)
    written = (place / "evil" / "findings.json").read_text(encoding="utf-8")
    assert json.loads(lines) == json.loads(written)
    assert "\u202e" in json.loads(lines)["classifiers"][0]["class_names"]["6"]


@pytest.mark.parametrize(("encoding", "columns"), [("cp1252", "100"), ("ascii", "40")])
def test_what_the_terminal_cannot_show_costs_nothing(place, encoding, columns):
    """B24: on a stdout that lacks characters a finished probe prints its finding and ends as it would have ended."""
    for gate, expected in (("never", 0), ("confirmed", 1)):
        code, out, err = run(place, probe("evil", "--fail-on", gate), PYTHONIOENCODING=encoding, COLUMNS=columns)
        assert (code, err) == (expected, "")
        assert "1 confirmed of 1 tested" in out.decode(encoding)
        assert "owned" in out.decode(encoding)


def test_the_locale_c_costs_nothing(place):
    """B24: a stdout of the locale "C", which takes bytes of file names and no other character, is such a one, too."""
    told = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
    code, out, err = run(place, probe("evil \u00e9", "--fail-on", "confirmed"), **told)
    assert (code, err) == (1, "")
    assert b"1 confirmed of 1 tested" in out
    assert b"report: evil" in out


def test_brackets_in_a_path_are_no_markup(place):
    """B24: a run directory may be called anything: what is printed is its name."""
    name = "[/red] [bold]x :cat:  [link=x]"
    code, out, err = run(place, probe(f"runs/{name}", "--fail-on", "confirmed"), PYTHONIOENCODING="utf-8")
    assert (code, err) == (1, "")
    assert f"report: runs/{name}/report.html" in out.decode()


def test_findings_can_be_read_on_a_narrow_terminal(place):
    """B24: at 40 columns a finding still says verdict, label, description, what it is taken for, and rates."""
    code, out, err = run(place, probe("evil"), PYTHONIOENCODING="utf-8", COLUMNS="40")
    assert (code, err) == (0, "")
    lines = out.decode().splitlines()
    assert all(len(line.rstrip()) <= 40 for line in lines if not line.startswith("report: "))
    words = " ".join(out.decode().split())
    assert re.search(r"verdict: confirmed label, description, taken for: coffee mug on grass → bucket·\[2J", words)
    assert re.search(r"fails with it: 100% \[\d+, 100\] without: \d+% \[\d+, \d+\] points more: \+\d+ ≥ \+\d", words)


@pytest.mark.parametrize("columns", [30, 40, 50, NARROW - 1, NARROW, 80, 200])
def test_no_table_loses_a_cell(columns):
    """B24: at any width each cell is printed whole, and no line is longer than the terminal."""
    printed = io.StringIO()
    name = "a label without a blank: " + "x" * 150
    row = [cell("confirmed"), cell(name, "bold"), cell("100% [86, 100]"), cell("0% [0, 14]"), cell("0.00021")]
    headings = ("verdict", "what", "fails with it", "without", "adj. p")
    show_rows(Console(file=printed, width=columns), headings, [row], ["what"])
    text = printed.getvalue()
    assert all(len(line.rstrip()) <= columns for line in text.splitlines())
    assert text.count("x") == 150
    assert all(one.plain in text for one in row[2:])
    assert all(heading in text for heading in headings)


def test_other_tables_can_be_read_on_a_narrow_terminal(place):
    """B24: fields lose no column at 40 columns, and no character of where a value came from is a command."""
    file = place / "a\x1b[2J\u202eb.yaml"
    file.write_text("seed: 4\n")
    code, out, err = run(place, ["config", "--config", file.name], PYTHONIOENCODING="utf-8", COLUMNS="40")
    assert (code, err) == (0, "")
    text = out.decode()
    assert all(c.isprintable() or c == "\n" for c in text)
    assert "field: seed\nvalue, and what it is for: 4\n" in text
    assert "from: a·[2J·b.yaml\nrole: decides\n" in text


def test_texts_are_made_visible_once_and_for_all():
    """B24: the one function leaves letters of any script, and replaces whatever is no visible character."""
    assert visible("tasse à café 茶碗 כוס →") == "tasse à café 茶碗 כוס →"
    assert visible("a\x1b\x9b\u202e\u2066\ud800\r\n\tb") == "a········b"
    assert brief("\x1b" * 1000) == "·" * 199 + "…"
    assert brief("x" * 200) == "x" * 200


def test_classes_that_read_alike_are_told_apart():
    """A16: where label and predicted class have the same name, sentence and title give their indices."""
    result = sample()
    finding = result.findings[0]
    wrong = finding.confused_with[0][0]
    (own,) = result.classifiers
    alike = {**own.class_names, wrong: "Coffee\u00a0mug"}
    right = {label: classes for label, classes in own.right.items() if wrong not in classes}
    same = replace(result, classifiers=(replace(own, class_names=alike, right=right),))
    assert sentence(finding, same).startswith(
        f"A coffee mug (class 504) “on grass” is taken for a Coffee mug (class {wrong}): it fails"
    )
    assert plain(title(finding, same)) == f"coffee mug (class 504) on grass → Coffee mug (class {wrong})"
    assert confusions(finding, result)[0][0] == "bucket"
    assert "(class" not in sentence(finding, result)


def test_two_wrong_classes_that_read_alike_are_told_apart():
    """A16: two predicted classes of one name are two in the sentence."""
    result = sample()
    finding = replace(result.findings[0], confused_with=((134, 20), (517, 17)))
    (own,) = result.classifiers
    same = replace(result, classifiers=(replace(own, class_names={**own.class_names, 134: "crane", 517: "crane"}),))
    assert "is taken for a crane (class 134) or a crane (class 517): it" in sentence(finding, same)


def resolve(texts, names, **more):
    """Resolve labels for one classifier with these names."""
    return resolve_all(texts, [Classes(classifier="it", names=None if names is None else tuple(names))], **more)


def test_a_number_is_no_label():
    """C31: a bare index is refused with a sentence of its own, which says how the class is named by its index."""
    names = ["coffee mug (cup)", "bucket"]
    for known, said in ((names, "for that class write 1=bucket"), (None, "for that class write 1=name")):
        with pytest.raises(LabelError, match="a label is a name, but got '1'; " + said):
            resolve(["1"], known)
        with pytest.raises(LabelError, match="a label is a name, but got '1'; " + said):
            resolve(["0=coffee mug"], known, target="1")
    assert resolve(["7"], ["0", "7"])[1][0].right == {"7": (1,)}
    with pytest.raises(LabelError, match="there is no label '2'"):
        resolve(["2"], names)
    with pytest.raises(LabelError, match="there is no label"):
        resolve(["9" * 5000], names)
