"""A progress bar with rate and time left, on a terminal only; log lines are printed above it."""

import logging
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import ProgressColumn, Task, TaskID


class Progress:
    """Shows one phase at a time. Does nothing at all when not ``enabled``."""

    def __init__(self, *, enabled: bool, owns_stderr: bool) -> None:
        self._bar: RichProgress | None = _make_bar() if enabled else None
        self._task: TaskID | None = None
        self._phase = ""
        self._owns_stderr = owns_stderr

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
            if self._owns_stderr:
                _redirect(_AboveBar(self._bar))
        return self

    def __exit__(self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None) -> None:
        self.finish()

    def show(self, phase: str, done: int, total: int) -> None:
        """The phase now going on and how far it is."""
        if self._bar is None:
            return
        if phase != self._phase:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._phase, self._task = phase, self._bar.add_task(phase, total=total)
        if self._task is not None:
            self._bar.update(self._task, completed=done, total=total)

    def finish(self) -> None:
        """Take the bar away; may be called twice."""
        if self._bar:
            self._bar.stop()
            if self._owns_stderr:
                _redirect(sys.stderr)
            self._bar = None


def _make_bar() -> "RichProgress":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns: list[ProgressColumn | str] = [
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _rate_column(), TimeRemainingColumn(),
    ]
    return RichProgress(*columns, console=Console(file=sys.stderr), transient=True, redirect_stdout=False, redirect_stderr=False)


def _rate_column() -> "ProgressColumn":
    from rich.progress import ProgressColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        """Targets per second."""

        def render(self, task: "Task") -> Text:
            """The rate of the last seconds, or nothing before there is one."""
            return Text(f"{task.speed:.0f}/s" if task.speed else "")

    return Rate()


class _AboveBar:
    """A text stream that prints above the bar instead of through it; text is taken literally, never as markup."""

    def __init__(self, bar: "RichProgress") -> None:
        self._bar = bar

    def write(self, text: str) -> int:
        """Print complete lines above the bar."""
        self._bar.console.out(text, end="", highlight=False)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def _redirect(stream: "TextIO | _AboveBar") -> None:
    for handler in logging.getLogger("dnscertscan").handlers:
        if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
            handler.setStream(stream)
