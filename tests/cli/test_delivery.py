"""The exporter's files and datagrams: each by itself, and one that hangs holds up nobody for long."""

import asyncio
import os
import threading
import time
from collections.abc import Awaitable
from dataclasses import replace
from pathlib import Path

import pytest
from report import factory

from dnscertscan.cli import delivery
from dnscertscan.cli.delivery import Delivery, each_output
from dnscertscan.model.report import Report
from dnscertscan.pipeline import Stop
from dnscertscan.settings.models import Output


class Closing:
    """Reports, and how many of them were closed."""

    def __init__(self) -> None:
        self.closed = 0
        self.enough = asyncio.Event()

    def report(self) -> Report:
        return replace(factory.rich_report(), free=self._close)

    def _close(self) -> None:
        self.closed += 1
        if self.closed == 2:
            self.enough.set()


def test_each_output_has_a_name() -> None:
    """Receivers first, which take the least time; names are safe to show."""
    output = Output(files=(Path("r\x1b.csv"), Path("r.md")), coverage=Path("c.csv"), stat_endpoints=("statsd://127.0.0.1:1",))
    assert list(each_output(output)) == ["statsd://127.0.0.1:1", r"r\x1b.csv", "r.md", "c.csv"]


def test_what_fails_keeps_no_other_from_being_written(tmp_path: Path) -> None:
    """One line for each that failed, and the report is closed."""
    files = (tmp_path / "none" / "r.csv", tmp_path / "r.json")
    output = Output(files=files, coverage=tmp_path / "c.csv", stat_endpoints=("no.such.host.invalid:1",))
    made = Closing()

    async def work() -> list[str]:
        return await Delivery(Stop()).write(made.report(), each_output(output))

    first, second = asyncio.run(work())
    assert first.startswith("cannot send to no.such.host.invalid:1 by UDP: ")
    assert second.startswith(f"cannot write {files[0]}: ")
    assert files[1].exists()
    assert (tmp_path / "c.csv").exists()
    assert made.closed == 1


def test_a_bug_in_one_output_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It costs that output alone."""
    outputs = each_output(Output(files=(tmp_path / "a.csv", tmp_path / "b.csv")))

    def broken(report: Report) -> None:
        raise ZeroDivisionError("b\x1bug")

    outputs[str(tmp_path / "a.csv")].write_elsewhere = broken

    async def work() -> list[str]:
        return await Delivery(Stop()).write(factory.rich_report(), outputs)

    assert asyncio.run(work()) == [f"{tmp_path}/a.csv: internal error (ZeroDivisionError: b\\x1bug)"]
    assert (tmp_path / "b.csv").exists()
    assert "Traceback" in caplog.text


def _pipe(folder: Path) -> tuple[Path, Output]:
    pipe = folder / "pipe.csv"
    os.mkfifo(pipe)
    return pipe, Output(files=(pipe, folder / "r.csv"))


def test_an_output_that_hangs_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are written; until it has come to its end it is left out; its report is open for as long."""
    monkeypatch.setattr(delivery, "_LIMIT", 0.3)
    pipe, output = _pipe(tmp_path)
    made = Closing()

    async def work() -> None:
        one = Delivery(Stop())
        (line,) = await one.write(made.report(), each_output(output))
        assert line == f"{pipe}: not written after 0.3 s; it is left to itself; does anybody read it?"
        assert (tmp_path / "r.csv").exists()
        assert made.closed == 0
        began = time.monotonic()
        (line,) = await one.write(made.report(), each_output(output))
        assert time.monotonic() - began < 0.3
        assert line == f"{pipe}: results of an earlier scan are still being written there; does anybody read it?"
        assert made.closed == 1
        assert await asyncio.to_thread(pipe.read_bytes) == (tmp_path / "r.csv").read_bytes()
        await asyncio.wait_for(made.enough.wait(), 10)
        reader = threading.Thread(target=pipe.read_bytes)
        reader.start()
        assert await one.write(made.report(), each_output(output)) == []
        reader.join()
        assert made.closed == 3

    asyncio.run(work())


def test_the_end_waits_only_a_moment_for_an_output(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One that is quick is written whole, one that hangs is given up; what comes after it is not begun."""
    pipe, output = _pipe(tmp_path)
    closed: list[bool] = []
    report = replace(factory.rich_report(), free=lambda: closed.append(True))

    async def work() -> list[str]:
        stop = Stop()
        asyncio.get_running_loop().call_later(0.1, stop.now, "told to end")
        return await Delivery(stop).write(report, each_output(output))

    began = time.monotonic()
    assert asyncio.run(work()) == []
    assert 2 <= time.monotonic() - began < 5
    assert closed == []  # the thread still reads it
    told = [record.getMessage().removeprefix(f"{tmp_path}/") for record in caplog.records]
    ends = "the exporter ends (told to end)"
    assert told == [f"pipe.csv: not written to its end: {ends}", f"r.csv: not written: {ends}"]
    assert not (tmp_path / "r.csv").exists()
    pipe.read_bytes()  # lets the thread end


def test_the_loop_goes_on_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing is no work of the event loop: what else there is to do is done."""
    monkeypatch.setattr(delivery, "_LIMIT", 0.5)
    pipe, output = _pipe(tmp_path)
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.02)
            ticks += 1

    async def work() -> None:
        ticking = asyncio.ensure_future(tick())
        written: Awaitable[list[str]] = Delivery(Stop()).write(factory.rich_report(), each_output(output))
        await written
        ticking.cancel()

    asyncio.run(work())
    assert ticks > 5
    pipe.read_bytes()
