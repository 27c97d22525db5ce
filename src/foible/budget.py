"""The budget: the only arithmetic on draws. The hunt spends by it, and the forecast foretells by it.

Comes in: a total, and requests that are paid for. Goes out: what an arm may still take. A draw is paid for once, when
it is first asked for, by the arm that asked; what it serves afterwards is free. Neighbours: `arms.py` has each arm's
share; `hunting/loop.py` pays.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from foible.arms import ARMS, Arm
from foible.records import Hypothesis, Request


class Budget:
    """What a run may draw, and what it has drawn."""

    def __init__(self, total: int | None, prices: Mapping[Arm, int] | None = None) -> None:
        """Allow so many draws in all.

        Args:
            total: None allows any number.
            prices: how many draws a request of an arm counts as, where that is not one.
        """
        self.total = total
        self._prices = prices or {}
        self._paid: set[str] = set()
        self._by_arm: Counter[Arm] = Counter()

    @property
    def draws(self) -> Mapping[Arm, int]:
        """Different draws that were paid for, by the arm that paid, in the order of the table."""
        return {arm: self._by_arm[arm] for arm in ARMS if self._by_arm[arm]}

    @property
    def keys(self) -> AbstractSet[str]:
        """The keys of all requests that were paid for."""
        return self._paid

    def pay(self, requests: Iterable[Request]) -> None:
        """Pay for requests; what was paid for before is free."""
        for request in requests:
            if request.key not in self._paid:
                self._paid.add(request.key)
                self._by_arm[request.arm] += self._prices.get(request.arm, 1)

    def price(self, requests: Iterable[Request]) -> set[str]:
        """Return the keys among some requests that are not paid for yet."""
        return {request.key for request in requests} - self._paid

    def left(self, arm: Arm) -> int | None:
        """Return how many draws an arm may still take: its share of what the arms before it leave, and what is there.

        None where there is no limit.
        """
        if self.total is None:
            return None
        arms = list(ARMS)
        before = sum(self._by_arm[other] for other in arms[: arms.index(arm)])
        # A share counts what the arm has taken before; what all have taken together must fit, too.
        own = int((self.total - before) * ARMS[arm].share) - self._by_arm[arm]
        return max(min(own, self.total - self._by_arm.total()), 0)


class Allowance:
    """What an asker may ask for at once: it accepts requests, all of a kind or none, until nothing is left."""

    def __init__(self, budget: Budget, arm: Arm) -> None:
        """Begin with what an arm may still take."""
        self.draws = budget.left(arm)
        """Draws that the arm may take; None for no limit."""
        self._budget = budget
        self._taken: set[str] = set()

    def takes(self, requests: Sequence[Request]) -> bool:
        """Accept requests if they can be paid for beside those that were accepted before."""
        taken = self._taken | self._budget.price(requests)
        if self.draws is not None and len(taken) > self.draws:
            return False
        self._taken = taken
        return True


def explored_each(draws: int, labels: int, total: int | None) -> int:
    """Return how many draws each label gets in exploration.

    Args:
        draws: that are wanted.
        labels: how many there are.
        total: the budget of the hunt; None for no limit.
    """
    return draws if total is None else min(draws, int(total * ARMS["explore"].share) // labels)


def foretold(arm: Arm, wanted: int, before: int, total: int | None) -> int:
    """Return how many draws an arm takes at most.

    Args:
        arm: which.
        wanted: draws that it would take.
        before: draws of the arms before it in the table.
        total: the budget of the hunt; None for no limit.
    """
    return wanted if total is None else max(min(wanted, int((total - before) * ARMS[arm].share)), 0)


def least_total(labels: int) -> int:
    """Return the smallest budget that explores so many labels."""
    return math.ceil(labels / ARMS["explore"].share)


def within(hypotheses: Sequence[Hypothesis], draws: int | None, pairs: int) -> list[Hypothesis]:
    """Keep the hypotheses, in their order, that a number of draws can pay for at a fixed number of pairs.

    Args:
        hypotheses: the most telling first.
        draws: how many draws are left; None for no limit.
        pairs: pairs per hypothesis; the first hypothesis of a label pays for its control draws too.
    """
    kept: list[Hypothesis] = []
    labels: set[str] = set()
    left = math.inf if draws is None else draws
    for hypothesis in hypotheses:
        price = pairs if hypothesis.label in labels else 2 * pairs
        if price <= left:
            kept.append(hypothesis)
            labels.add(hypothesis.label)
            left -= price
    return kept
