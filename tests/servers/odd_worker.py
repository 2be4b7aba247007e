"""A worker process that does what its request says; for tests of the pool."""

import os
import signal
import time
from collections.abc import Iterator

from dnscertscan.scan.frames import Message
from dnscertscan.scan.serve import serve


class OddLook:
    """``do`` is one of echo, sleep, hold, raise, exit, freeze, eat."""

    def __init__(self, request: Message) -> None:
        self.deadline = time.monotonic() + float(request["seconds"])
        self._do = str(request["do"])
        self._over = False

    def break_off(self) -> None:
        self._over = True

    def run(self) -> Iterator[Message]:
        yield {"said": f"begin {self._do}", "pid": os.getpid()}
        match self._do:
            case "sleep":
                time.sleep(0.3)
            case "hold":  # deaf to break_off
                time.sleep(60)
            case "patient":
                while not self._over:
                    time.sleep(0.02)
            case "raise":
                raise RuntimeError("a bug in a library")
            case "exit":
                os._exit(3)
            case "freeze":
                os.kill(os.getpid(), signal.SIGSTOP)
                time.sleep(60)  # another thread may be the one that is stopped first
            case "eat":
                hoard = [bytes(1 << 24) for _ in range(1000)]
                yield {"said": str(len(hoard))}
        yield {"said": f"end {self._do}", "pid": os.getpid()}


def main() -> None:
    serve(OddLook, lambda: None)
