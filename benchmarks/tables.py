"""results.json as Markdown. Times are seconds, memory MB (2^20 octets); every figure is the median of its rounds."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

from measure import MEBI
from peers import BASELINE
from stages import ORDER

Samples = Sequence[Mapping[str, Any]]
Figure = Callable[[Mapping[str, Any]], float | None]


def markdown(results: Mapping[str, Any]) -> str:
    """All sections that have been measured."""
    makers: Mapping[str, Callable[[Any], str]] = {
        "table": _peers, "alone": _peers, "bad": _bad, "growth": _growth, "profile": _profile,
    }
    parts = []
    before = ""
    for name, make in makers.items():
        section = results.get(name, {})
        if "failed" in section:
            parts.append(f"The section {name} failed: {section['failed']}")
        elif section:
            machine = _machine(section)
            parts += [machine, make(section)] if machine != before else [make(section)]
            before = machine
    return "\n\n".join(parts)


def _machine(section: Mapping[str, Any]) -> str:
    return "Measured on " + "; ".join(f"{key} {value}".strip() for key, value in section["machine"].items() if value) + "."


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _head(*cells: str) -> list[str]:
    return [_row(*cells), "|" + " --- |" + " ---: |" * (len(cells) - 1)]


def _good(samples: Samples) -> Samples:
    return [sample for sample in samples if not sample["problem"]]


def _mid(samples: Samples, figure: Figure) -> float | None:
    values = [value for value in map(figure, _good(samples)) if value is not None]
    return median(values) if values else None


def _shown(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"


def _trouble(samples: Samples) -> str:
    """Why there is no figure at all; empty when there is one."""
    if not samples:
        return "not installed"
    return "" if _good(samples) else str(samples[-1]["problem"])[:160]


def _rate(sample: Mapping[str, Any]) -> float:
    return float(sample["targets"] / sample["wall"])


def _each(key: str, scale: float = 1.0) -> Figure:
    return lambda sample: scale * sample[key] / sample["targets"] if sample[key] is not None else None


def _value(key: str, scale: float = 1.0) -> Figure:
    return lambda sample: scale * sample[key] if sample[key] is not None else None


def _ratio(samples: Samples, baseline: Samples) -> float | None:
    """The median of the ratios within each round, since rounds differ more than neighbours do."""
    pairs = zip(samples, baseline, strict=False)
    ratios = [_rate(one) / _rate(base) for one, base in pairs if not one["problem"] and not base["problem"]]
    return median(ratios) if ratios else None


def _peers(section: Mapping[str, Any]) -> str:
    lines = [
        f"### Side by side, {section['targets']:,} names on {section['addresses']:,} addresses, {section['rounds']} rounds", "",
        *_head("who", "targets", "targets/s", f"ratio to {BASELINE}", "CPU ms a target", "server CPU ms", "connections a target",
               "peak memory MB", "largest process MB", "first row s", "lists a target", "lost"),
    ]
    baseline = section["rows"].get(BASELINE, [])
    for name, samples in section["rows"].items():
        if trouble := _trouble(samples):
            lines.append(_row(name, trouble, *[""] * 10))
            continue
        lines.append(_row(
            name, _shown(_mid(samples, _value("targets")), 0), _shown(_mid(samples, _rate), 0),
            _shown(_ratio(samples, baseline), 1), _shown(_mid(samples, _each("cpu", 1000))),
            _shown(_mid(samples, _each("server_cpu", 1000))), _shown(_mid(samples, _each("connections"))),
            _shown(_mid(samples, _value("memory", 1 / MEBI)), 0), _shown(_mid(samples, _value("largest", 1 / MEBI)), 0),
            _shown(_mid(samples, _value("first_row"))), _shown(_mid(samples, _each("deployments"))),
            _shown(_mid(samples, _value("lost")), 0),
        ))
    return "\n".join(lines)


def _bad(section: Mapping[str, Any]) -> str:
    percent, deadline = 100 * section["share"], section["deadline"]
    lines = [
        f"### {percent:g} % bad servers, {section['targets']:,} targets, deadline of {deadline:g} s a target", "",
        *_head("engine, fleet", "total s", "more than clean s", "first row s", "rows", "good ones lost"),
    ]
    for name, kinds in section["rows"].items():
        clean = _mid(kinds.get("clean", ()), _value("wall"))
        for kind, samples in kinds.items():
            if trouble := _trouble(samples):
                lines.append(_row(f"{name}, {kind}", trouble, *[""] * 4))
                continue
            total = _mid(samples, _value("wall"))
            more = None if kind == "clean" or clean is None or total is None else total - clean
            lines.append(_row(
                f"{name}, {kind}", _shown(total), _shown(more), _shown(_mid(samples, _value("first_row"))),
                _shown(_mid(samples, _value("rows")), 0), _shown(_mid(samples, _value("lost")), 0),
            ))
    return "\n".join(lines)


def _growth(section: Mapping[str, Any]) -> str:
    lines = [
        f"### Growth (one round from {section['long']:,} targets on)", "", "![time and memory against targets](growth.svg)", "",
        *_head("engine, targets", "total s", "targets/s", "CPU ms a target", "peak memory MB", "largest process MB",
               "first row s", "last row s", "lost"),
    ]
    for name, sizes in section["rows"].items():
        for size, samples in sizes.items():
            label = f"{name}, {int(size):,}"
            if trouble := _trouble(samples):
                lines.append(_row(label, trouble, *[""] * 7))
                continue
            lines.append(_row(
                label, _shown(_mid(samples, _value("wall"))), _shown(_mid(samples, _rate), 0),
                _shown(_mid(samples, _each("cpu", 1000))), _shown(_mid(samples, _value("memory", 1 / MEBI)), 0),
                _shown(_mid(samples, _value("largest", 1 / MEBI)), 0), _shown(_mid(samples, _value("first_row"))),
                _shown(_mid(samples, _value("last_row"))), _shown(_mid(samples, _value("lost")), 0),
            ))
    return "\n".join(lines)


def growth_points(section: Mapping[str, Any], figure: Figure) -> dict[str, list[tuple[float, float]]]:
    """(targets, median) by engine, for the plot."""
    points: dict[str, list[tuple[float, float]]] = {}
    for name, sizes in section["rows"].items():
        found = [(float(size), _mid(samples, figure)) for size, samples in sizes.items()]
        points[name] = [(size, value) for size, value in found if value]
    return {name: found for name, found in points.items() if found}


def _profile(section: Mapping[str, Any]) -> str:
    rows = {name: row for name, row in section["rows"].items() if not row["sample"]["problem"]}
    heads = [text for name in rows for text in (f"{name}: ms", "of it in workers")]
    lines = [f"### Where one target's CPU time goes, {section['targets']:,} targets, sampler on", "", *_head("stage", *heads)]
    for stage in ORDER:
        cells = [
            _shown(1000 * row[part].get(stage, 0.0) / row["sample"]["targets"])
            for row in rows.values() for part in ("stages", "elsewhere")
        ]
        lines.append(_row(stage, *cells))
    for name, row in section["rows"].items():
        sample = row["sample"]
        if sample["problem"]:
            lines += ["", f"{name}: {sample['problem']}"]
            continue
        first, last = sample["first_row"] or 0.0, sample["last_row"] or 0.0
        written = sample["wall"] - last
        wall = f"{first:.2f} s to the first row, {last - first:.2f} s to the last, {written:.2f} s until everything was written"
        lines += ["", f"{name}, wall: {wall}. Most CPU:", ""]
        lines += [f"* {place}: {1000 * seconds / sample['targets']:.2f} ms" for place, seconds in row["places"]]
    return "\n".join(lines)
