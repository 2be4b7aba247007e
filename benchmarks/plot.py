"""The growth plot: time and memory against targets, both axes logarithmic, as an SVG that is readable in dark and light mode."""

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

Points = Mapping[str, Sequence[tuple[float, float]]]

_WIDTH, _HEIGHT = 440, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 30, 40, 52
_GAP = 20
_LIGHT = ("#2563c4", "#b8500f", "#12805c")
_DARK = ("#7db2ff", "#ff9e5e", "#5fd3a8")
_DASHES = ("", "6 3", "2 3")


def growth_svg(seconds: Points, megabytes: Points) -> str:
    """Two panels side by side, a line per engine in each, and what they are above."""
    engines = list(dict.fromkeys((*seconds, *megabytes)))
    width = 2 * _WIDTH + _GAP
    style = [
        "text{font:12px system-ui,sans-serif;fill:#24292f}.t{font-size:14px;font-weight:600}",
        ".g{stroke:#8c959f;stroke-opacity:.35}",
        ".a{stroke:#57606a}.l{fill:none;stroke-width:2}",
        *(f".s{at}{{stroke:{colour}}}.f{at}{{fill:{colour}}}" for at, colour in enumerate(_LIGHT)),
        "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.a{stroke:#9198a1}",
        *(f".s{at}{{stroke:{colour}}}.f{at}{{fill:{colour}}}" for at, colour in enumerate(_DARK)),
        "}",
    ]
    body = [
        *_panel(0, "Time", "seconds", seconds, engines),
        *_panel(_WIDTH + _GAP, "Peak memory", "MB", megabytes, engines),
    ]
    size = f'viewBox="0 0 {width} {_HEIGHT}" width="{width}" height="{_HEIGHT}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">\n'
        f"<title>Time and peak memory of a scan against the number of targets</title>\n"
        f"<style>{''.join(style)}</style>\n" + "\n".join(body) + "\n</svg>\n"
    )


def _panel(left: int, title: str, unit: str, points: Points, engines: Sequence[str]) -> list[str]:
    every = [point for line in points.values() for point in line]
    if not every:
        return [_text(left + _LEFT, _TOP, f"{title}: not measured", "t", "start")]
    across = _Axis([x for x, _ in every], left + _LEFT, left + _WIDTH - _RIGHT)
    up = _Axis([y for _, y in every], _HEIGHT - _BOTTOM, _TOP)
    parts = [_text(left + _LEFT, 20, title, "t", "start")]
    for tick in across.ticks:
        at = across.place(tick)
        parts += [_line(at, _TOP, at, _HEIGHT - _BOTTOM, "g"), _text(at, _HEIGHT - _BOTTOM + 18, _number(tick))]
    for tick in up.ticks:
        at = up.place(tick)
        parts += [_line(across.low, at, across.high, at, "g"), _text(across.low - 6, at + 4, _number(tick), "", "end")]
    middle, height = (across.low + across.high) / 2, (_TOP + _HEIGHT - _BOTTOM) / 2
    parts += [
        _line(across.low, up.low, across.high, up.low, "a"), _line(across.low, up.low, across.low, up.high, "a"),
        _text(middle, _HEIGHT - 12, "targets"),
        f'<text text-anchor="middle" transform="translate({left + 16} {height:.1f}) rotate(-90)">{unit}</text>',
    ]
    for name, line in points.items():
        number = engines.index(name) % len(_LIGHT)
        places = [(across.place(x), up.place(y)) for x, y in line]
        parts.append(
            f'<polyline class="l s{number}" stroke-dasharray="{_DASHES[number]}" '
            f'points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>'
        )
        parts += [f'<circle class="f{number}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in places]
        at = across.high - 62 * (len(points) - list(points).index(name))
        parts += [
            f'<polyline class="l s{number}" stroke-dasharray="{_DASHES[number]}" points="{at:.1f},16 {at + 18:.1f},16"/>',
            _text(at + 22, 20, name, "", "start"),
        ]
    return parts


class _Axis:
    """A logarithmic axis from one whole power of ten to another; ``low`` and ``high`` are its ends on the page."""

    def __init__(self, values: Sequence[float], low: float, high: float) -> None:
        self.low, self.high = low, high
        self.first = math.floor(math.log10(min(values)))
        self.last = max(self.first + 1, math.ceil(math.log10(max(values))))
        steps = (1, 2, 5) if self.last - self.first <= 2 else (1,)
        ticks = [step * 10.0**power for power in range(self.first, self.last + 1) for step in steps]
        self.ticks = [tick for tick in ticks if tick <= 10.0**self.last]

    def place(self, value: float) -> float:
        """Where a value is on the page."""
        return self.low + (math.log10(value) - self.first) / (self.last - self.first) * (self.high - self.low)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "middle") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
