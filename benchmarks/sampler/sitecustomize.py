"""Where the CPU time of a run goes: a sampling profiler that every Python process of the run starts by itself.

With this folder on PYTHONPATH and ``BENCH_SAMPLES`` naming a folder, each process writes ``<pid>.json`` there:
``[[stage, place, seconds], ...]``. It works for a worker that is killed too, since the file is renewed all the time, and knows
nothing of the engine: a sample belongs to the innermost stage of ours that is on the stack (pki and model belong to their
caller). Each sample counts the CPU time its thread has really used since the last one, so long calls into C weigh what they cost.
"""

import atexit
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

EVERY = 0.003  # seconds of CPU
_RENEW = 0.05
_OURS = f"{os.sep}dnscertscan{os.sep}"
_STAGES = {
    "zones": "zones read", "resolve": "plan", "scan": "handshakes", "checks": "judging", "report": "reports",
    "outside": "fetches", "pipeline": "pipeline", "cli": "command line", "settings": "command line",
}


class Sampler:
    """Seconds of CPU by (stage, place)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spent: dict[tuple[str, str], float] = {}
        self.threads: dict[int, float] = {}
        self.written = 0.0
        self.busy = False

    def start(self) -> None:
        """From now on, in this process."""
        signal.signal(signal.SIGPROF, self.sample)
        signal.siginterrupt(signal.SIGPROF, False)
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
        atexit.register(self.stop)

    def sample(self, _number: int, frame: FrameType | None) -> None:
        """Charge every thread for what it has used."""
        if self.busy:
            return
        self.busy = True
        main = threading.main_thread().ident
        for thread, current in sys._current_frames().items():  # noqa: SLF001 - documented, the only way to see other threads
            now = time.clock_gettime(time.pthread_getcpuclockid(thread))
            used = now - self.threads.get(thread, 0.0)
            self.threads[thread] = now
            if used > 0:
                place = _place(frame if thread == main else current)
                self.spent[place] = self.spent.get(place, 0.0) + used
        if time.process_time() - self.written > _RENEW:
            self.write()
        self.busy = False

    def stop(self) -> None:
        """The last word; the signal must not come when Python has given up its handler."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, signal.SIG_IGN)
        self.write()

    def write(self) -> None:
        """Renew the file, all at once."""
        self.written = time.process_time()
        place = self.folder / f"{os.getpid()}.json"
        place.with_suffix(".new").write_text(json.dumps([[*key, spent] for key, spent in self.spent.items()]))
        place.with_suffix(".new").replace(place)


def _place(frame: FrameType | None) -> tuple[str, str]:
    """The stage, and our innermost function (or the innermost of all when none is ours)."""
    place = stage = ""
    innermost = _name(frame)
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith("<frozen importlib"):
            return "start-up", "imports"
        at = file.rfind(_OURS)
        if at >= 0 and not stage:
            inside = file[at + len(_OURS) :]
            place = place or f"{inside} {frame.f_code.co_name}"
            stage = _STAGES.get(Path(inside).parts[0].removesuffix(".py"), "")
        frame = frame.f_back
    return (stage or "event loop and other", place or innermost)


def _name(frame: FrameType | None) -> str:
    if frame is None:
        return "?"
    return "/".join(Path(frame.f_code.co_filename).parts[-2:]) + " " + frame.f_code.co_name


if os.environ.get("BENCH_SAMPLES"):
    sampler = Sampler(Path(os.environ["BENCH_SAMPLES"]))
    sampler.start()
    os.register_at_fork(after_in_child=Sampler(sampler.folder).start)
