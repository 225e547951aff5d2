"""What a process tells Prometheus, by series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample


@dataclass(frozen=True)
class Scrape:
    samples: Mapping[str, list[Sample]]

    @classmethod
    def of(cls, text: str) -> Scrape:
        found: dict[str, list[Sample]] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found.setdefault(sample.name, []).append(sample)
        return cls(found)

    def sums(self, name: str, by: str) -> dict[str, float]:
        """`sum by (label)` of this metric."""
        sums: dict[str, float] = {}
        for sample in self.samples.get(name, ()):
            sums[sample.labels[by]] = sums.get(sample.labels[by], 0.0) + sample.value
        return sums

    def total(self, name: str, **labels: str) -> float:
        """The sum of all series that have these labels."""
        return sum(one.value for one in self.samples.get(name, ()) if labels.items() <= one.labels.items())
