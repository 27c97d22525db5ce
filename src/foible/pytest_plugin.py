"""The plug-in for pytest: a test of one's own says that no bug of a suite is back.

    def test_no_old_bug_is_back(foible_suite):
        foible_suite("bugs.zip", classifier=my_model).check("worse,rate>20%")

Comes in: a suite, a classifier and a gate. Goes out: a test that passes or fails. Neighbours: `act/suites/run.py` does
it; the verb `suite run` gives the same verdict as an exit code. pytest loads this file in whatever project it tests, so
nothing is imported here before a test asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from foible.suites import SuiteRun


class SuiteTest:
    """A suite that a classifier is run against."""

    def __init__(self, suite: Path, classifier: object, options: dict[str, object]) -> None:
        """Note what is asked; nothing is read yet."""
        self._suite, self._classifier, self._options = suite, classifier, options

    def run(self, fail_on: str = "never") -> SuiteRun:
        """Ask the classifier about all images of the suite, as `foible.run_suite` does.

        Raises:
            InputError: the suite or the classifier cannot be used.
        """
        from foible.act.suites.run import run_suite

        return run_suite(self._suite, self._classifier, fail_on=fail_on, **self._options)  # type: ignore[arg-type]

    def check(self, fail_on: str) -> SuiteRun:
        """Fail the test where the classifier fails a gate, or where nothing can be said of a row.

        Args:
            fail_on: "worse", "open", "rate>20%", or several with commas between them. There is no gate by default:
                "worse" alone does not see that a bug is back which was there when the suite was saved.

        Returns:
            The result, where it passes.
        """
        __tracebackhide__ = True
        from foible.report.comparison import reason, verdict
        from foible.report.suites import headline

        found = self.run(fail_on)
        if found.verdict == "none":
            pytest.fail(f"the gate {fail_on!r} can fail on nothing; say worse, open or rate>20%", pytrace=False)
        if found.verdict != "passed":
            lines = [reason(row) for row in found.rows if row.gate in {"failed", "unknown"}]
            pytest.fail("\n".join([verdict(found), *lines, headline(found)]), pytrace=False)
        return found


class SuiteTests:
    """What the fixture `foible_suite` is: makes a `SuiteTest` of a suite and a classifier."""

    def __init__(self, beside: Path) -> None:
        """Name the folder of the test file."""
        self._beside = beside

    def __call__(  # noqa: PLR0913 - each is something a user sets by name
        self,
        suite: Path | str,
        classifier: object,
        *,
        same: float = 0.1,
        labels: Sequence[str] = (),
        batch: int = 32,
        max_requests: int | None = None,
    ) -> SuiteTest:
        """Name a suite and a classifier.

        Args:
            suite: the folder, or the zip file: beside the test file, else from where pytest was started.
            classifier: as `foible.run_suite` takes it; so are the other arguments.
            same: rates that surely differ by less are called the same.
            labels: for labels that the classifier calls otherwise.
            batch: images that it sees at once.
            max_requests: at most this many requests to servers.
        """
        near = self._beside / suite
        options = {"same": same, "labels": labels, "batch": batch, "max_requests": max_requests}
        return SuiteTest(near if near.exists() else Path(suite), classifier, options)


@pytest.fixture
def foible_suite(request: pytest.FixtureRequest) -> SuiteTests:
    """Run a classifier against a suite: `foible_suite("bugs.zip", classifier=my_model).check("worse,rate>20%")`."""
    return SuiteTests(request.path.parent)
