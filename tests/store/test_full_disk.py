"""A disk that is full costs the file of a journal, never an observation."""

from pathlib import Path

from servers.full_disk import on_a_full_disk

from dnscertscan.store.journal import BATCH, Journal


def test_full_disk(tmp_path: Path) -> None:
    """Nothing is lost to the run that goes on, in a temporary file and then in memory; what was committed stays in the file."""
    place = tmp_path / "j"
    lost, held, same, elsewhere = on_a_full_disk(
        f"journal = Journal.create(Path({str(place)!r}), HEADER)\n"
        "made = [observed(number, b'%d' % number, b'issuer') for number in range(8_000)]\n"
        "seen = journal.observed(sorted(one.target for one in made))\n"
        "for one in made[:7_999]:\n    journal.add(one)\n"
        "journal.forget(made[0].target)\njournal.add(made[7_999])\njournal.planned(8_000)\njournal.flush()\n"
        "print(journal.lost)\nprint(len(journal), journal.header.targets)\n"
        "print(list(seen) == sorted(made[1:], key=lambda one: one.target), len(list(seen.certificates())))\n"
        "print(journal.place, journal._held.database.in_memory)\n"
        "journal.close()\n"
    )
    assert lost in ("database or disk is full", "disk I/O error")
    assert (held, same, elsewhere) == ("7999 8000", "True 8000", "None True")
    journal = Journal.open(place)
    assert BATCH <= len(journal) < 8_000
    journal.close()


def test_a_full_disk_at_the_first_word(tmp_path: Path) -> None:
    """Also what is noted before any observation, and after the last one, costs the file and nothing else."""
    place = str(tmp_path / "j")
    before, lost, size = on_a_full_disk(
        f"journal = Journal.create(Path({place!r}), HEADER)\n"
        f"limit = Path({place + '-wal'!r}).stat().st_size\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))\n"
        "print(repr(journal.lost))\njournal.planned(3)\nprint(bool(journal.lost))\njournal.add(observed(1))\njournal.end()\n"
        "print(len(journal), journal.header.targets)\njournal.close()\n"
    )
    assert (before, lost, size) == ("''", "True", "1 3")
