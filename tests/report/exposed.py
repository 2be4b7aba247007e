"""The Prometheus text format as its readers have it: prometheus-client's parser, and promtool."""

import subprocess

from prometheus_client.parser import text_string_to_metric_families

Labels = tuple[tuple[str, str], ...]


def exposed(document: bytes) -> dict[str, dict[Labels, float]]:
    """Metric -> labels (sorted) -> value. No sample occurs twice, and every metric has its help and its type before it."""
    found: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(document.decode("utf-8")):
        assert family.documentation, family.name
        assert family.type in ("gauge", "counter"), family.name
        for sample in family.samples:
            labels = tuple(sorted(sample.labels.items()))
            assert labels not in found.setdefault(sample.name, {}), (sample.name, labels)
            found[sample.name][labels] = sample.value
    return found


def labelled(samples: dict[Labels, float], *names: str) -> dict[tuple[str, ...], float]:
    """The values by some of the labels, which must tell the samples apart."""
    found = {tuple(dict(labels)[name] for name in names): value for labels, value in samples.items()}
    assert len(found) == len(samples)
    return found


def prometheus_findings(document: bytes) -> list[int]:
    """One item for each finding."""
    return list(range(int(sum(exposed(document).get("dnscertscan_findings", {}).values()))))


def promtool(*arguments: str, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Prometheus' own tool; what it says is in stdout and stderr."""
    return subprocess.run(["promtool", *arguments], input=text, capture_output=True, check=False, timeout=60)


def assert_accepted(document: bytes) -> None:
    """`promtool check metrics` has nothing to say against it."""
    done = promtool("check", "metrics", text=document)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), done
