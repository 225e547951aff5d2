"""How many tabs may have the portal open, of all people and of each. Pure."""

from collections import Counter


class TabBudget:
    """`most`: at a time; `most_per_client`: of one user, or address."""

    def __init__(self, most: int, most_per_client: int) -> None:
        self._most = most
        self._most_per_client = most_per_client
        self._by_client: Counter[str] = Counter()
        self.open = 0

    def enter(self, client: str) -> bool:
        """Whether one more is within the limits. It counts in any case, until it leaves."""
        is_within = self.open < self._most and self._by_client[client] < self._most_per_client
        self.open += 1
        self._by_client[client] += 1
        return is_within

    def leave(self, client: str) -> None:
        self.open -= 1
        self._by_client[client] -= 1
        if not self._by_client[client]:
            del self._by_client[client]
