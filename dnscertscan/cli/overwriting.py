"""No output of a run may take the place of another one, or of what the run reads."""

from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG

from dnscertscan.errors import UsageError
from dnscertscan.model.text import visible
from dnscertscan.report.files import is_open_stream
from dnscertscan.settings.load import Loaded
from dnscertscan.settings.models import JsonZones, Settings

File = tuple[int, int] | Path


def refuse_overwriting(loaded: Loaded) -> None:
    """Raise :class:`UsageError` when a file to be written is read as well, or written twice, under whatever name.

    To be called before anything is opened for writing. What is no regular file (a terminal, ``/dev/null``) may be named as often
    as one likes.
    """
    read = {file: (what, path) for what, path in _inputs(loaded) if (file := _file(path)) is not None}
    written: dict[File, Path] = {}
    for path in _outputs(loaded.settings):
        file = _file(path)
        if file is None:
            continue
        shown = visible(str(path))
        if file in read and path is not loaded.settings.journal.path:  # a journal takes the place of journals only
            what, other = read[file]
            same = "" if other == path else f" (as {visible(str(other))})"
            raise UsageError(f"{shown}: is {what} of this run{same} and would be lost; name another output")
        if file in written:
            same = "" if written[file] == path else f" (the other is named {visible(str(written[file]))})"
            raise UsageError(f"{shown}: two outputs of one run cannot be the same file{same}; name another")
        written[file] = path


def _inputs(loaded: Loaded) -> Iterator[tuple[str, Path]]:
    settings, ct = loaded.settings, loaded.settings.ct
    if loaded.path is not None:
        yield "the configuration", loaded.path
    yield from (("a zones JSON", zone.path) for zone in settings.zones if isinstance(zone, JsonZones))
    yield from (("a file of trust anchors", path) for path in settings.trust.ca_files)
    yield from (("the list of CT logs", path) for path in (ct.log_list, ct.log_list_signature, ct.log_list_key) if path)
    yield from (("a file of known certificates", path) for path in ct.known)
    yield from (("a CA that may issue", Path(text)) for text in ct.issuers if not text.startswith("sha256:"))


def _outputs(settings: Settings) -> Iterator[Path]:
    yield from settings.output.files
    yield from (path for path in (settings.output.coverage, settings.log.file, settings.journal.path) if path)


def _file(path: Path) -> File | None:
    """The same for two names of one file; None for what is no file, or what standard output or error are written to."""
    if path == Path("-"):
        return None
    try:
        status = path.stat()
        return (status.st_dev, status.st_ino) if S_ISREG(status.st_mode) and not is_open_stream(status) else None
    except OSError:  # it is still to be made
        return _resolved(path)
    except ValueError:  # a NUL in it: whoever opens it says so
        return None


def _resolved(path: Path) -> Path | None:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # links that lead in a circle: nothing can be written there
        return None
