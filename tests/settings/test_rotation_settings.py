"""The table [[checks.rotation]]: times in days, and what cannot be meant is refused with its line."""

from datetime import timedelta
from pathlib import Path

import pytest

from dnscertscan.assembly import rotations
from dnscertscan.errors import ConfigError
from dnscertscan.model.rotation import Rotation
from dnscertscan.settings.identity import identity
from dnscertscan.settings.load import load

DAY = timedelta(days=1)


def read(folder: Path, text: str):
    place = folder / "c.toml"
    place.write_text(text)
    return load(place, {}, {}, None).settings


def test_what_is_written_is_what_is_expected(tmp_path: Path) -> None:
    """Bare numbers are days; slack is a day unless it is said; any number of tables."""
    settings = read(tmp_path, (
        '[[checks.rotation]]\nissuer = "Internal CA"\nvalidity = "30d"\nrotation = 10\nclosed = "4d"\n'
        '[[checks.rotation]]\nzone = "db.example.com"\nvalidity = "1w"\nrotation = "36h"\nslack = 0.5\n'
    ))
    assert rotations(settings) == (
        Rotation(30 * DAY, 10 * DAY, DAY, 4 * DAY, issuer="Internal CA"),
        Rotation(7 * DAY, 1.5 * DAY, 0.5 * DAY, zone="db.example.com"),
    )
    assert identity(settings) != identity(settings.model_copy(update={"checks": type(settings.checks)()}))


@pytest.mark.parametrize(
    ("keys", "line", "text"),
    [
        ('validity = "30d"', 2, "Field required"),
        ('validity = "30d"\nrotation = "25%"', 4, "no number of days"),
        ('validity = "9999999d"\nrotation = 1', 3, "no number of days"),
        ("validity = 7\nrotation = 7", 2, "has expired by then"),
        ("validity = 7\nrotation = 1\nclosed = 6", 2, "nobody may be there for 6 days"),
        ("validity = 7\nrotation = 1\nslak = 6", 5, "did you mean 'slack'"),
    ],
)
def test_what_cannot_be_meant(tmp_path: Path, keys: str, line: int, text: str) -> None:
    """One line with place and reason."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, f"\n[[checks.rotation]]\n{keys}\n")
    first = str(caught.value).splitlines()[0]
    assert text in first
    assert first.startswith(f"{tmp_path}/c.toml:{line}: checks.rotation.0")
