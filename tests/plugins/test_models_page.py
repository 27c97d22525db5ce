"""What `docs/models.md` says is so: its table is made from the code, and its command lines are accepted."""

from __future__ import annotations

import re
import shlex
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import models_page
from foible.checks.plugins import listing
from foible.cli import main
from foible.parts.families import BUILT_IN

TESTS = Path(__file__).parents[1]
PAGE = models_page.PAGE.read_text(encoding="utf-8")
BLOCKS = [block.replace("\\\n", " ") for block in re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)]
SETUPS = [shlex.split(block) for block in BLOCKS if block.startswith("foible hunt")]


def families(words):
    """Give (kind, family) of each part that a command line names."""
    return [(flag[2:], spec.partition(":")[0]) for flag, spec in pairwise(words) if flag[2:] in BUILT_IN]


def test_the_table_is_current():
    """The page is what the script makes of it; run `python tests/models_page.py` where it is not."""
    assert models_page.page(PAGE) == PAGE


def test_every_family_is_run_on_a_real_instance():
    """No family ships that the conformance suite is not run on, and none is claimed that is not there."""
    known = {(kind, family) for kind, families in BUILT_IN.items() for family in families}
    assert known == set(models_page.RUN)


@pytest.mark.parametrize(("kind", "family"), sorted(models_page.RUN), ids="-".join)
def test_the_named_test_runs_the_conformance_suite_on_the_family(kind, family):
    """The file that the table leans on exists, names the family and its kind, and asks `testing.check` for faults."""
    (file,) = TESTS.rglob(models_page.RUN[kind, family][1])
    text = file.read_text(encoding="utf-8")
    assert "testing.check(" in text
    assert f"{family}:" in text or f'"{family}"' in text
    assert f'"{kind}"' in text or "row.kind" in text


def test_foible_models_lists_every_family():
    """Each family has a row of its kind, and says what installs it where it is missing."""
    rows = {(row.kind, row.spec.partition(":")[0]): row for row in listing()}
    assert {(kind, family) for kind, names in BUILT_IN.items() for family in names} <= set(rows)


def test_there_are_three_setups():
    """A small GPU, a large one, and none; each names all five parts."""
    assert len(SETUPS) == 3
    for words in SETUPS:
        assert {kind for kind, _ in families(words)} == set(BUILT_IN)


@pytest.mark.parametrize("words", SETUPS, ids=["8 GB", "80 GB", "endpoints"])
def test_the_setups_are_accepted_by_an_offline_plan(words, monkeypatch, capfd, tmp_path):
    """Specs, arguments and flags of each command line are right, and nothing is loaded or asked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["foible", "plan", "--offline", *words[2:]])
    with pytest.raises(SystemExit) as stop:
        main()
    sys.stdout.flush()
    out, err = capfd.readouterr()
    assert (stop.value.code, err) == (0, "")
    asked = any(family in models_page.REMOTE for _, family in families(words))
    assert ("requests    none" not in out) == asked
