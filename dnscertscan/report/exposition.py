"""The Prometheus text format, version 0.0.4: one metric at a time, in pieces, escaped by prometheus-client."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Sample = tuple[tuple[str, ...], float]
"""Values of the labels, in the order of the metric's; the value."""
_BATCH = 250


@dataclass(frozen=True, slots=True)
class Metric:
    """A gauge, or a counter (whose name ends in ``_total``)."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


class _Few(Collector):
    """Some samples of one metric, where prometheus-client looks for all metrics of a process."""

    def __init__(self, metric: Metric, samples: Iterable[Sample]) -> None:
        family = CounterMetricFamily if metric.name.endswith("_total") else GaugeMetricFamily
        self._family = family(metric.name, metric.help, labels=metric.labels)
        for values, value in samples:
            self._family.add_metric(values, value)

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        yield self._family


def exposition(metric: Metric, samples: Iterable[Sample]) -> Iterator[bytes]:
    """The metric with its help, type and samples; nothing at all when it has no sample. No labels may occur twice."""
    left = iter(samples)
    first = True
    while batch := list(islice(left, _BATCH)):
        text = generate_latest(_Few(metric, batch))
        yield text if first else text.split(b"\n", 2)[2]  # help and type stand once, before all samples
        first = False


def value(metric: Metric, number: float) -> Iterator[bytes]:
    """A metric without labels."""
    return exposition(metric, [((), number)])
