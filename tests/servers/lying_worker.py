"""Probe workers that lie: they say ``ready``, take targets and then say something else than the truth, as :func:`arm` wants it.

Processes started after those that were to lie work as they should.
"""

import json
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path

from dnscertscan.scan import probe_worker
from dnscertscan.scan.frames import Frames, encode

_STATE = Path(tempfile.gettempdir())


def arm(mode: str, times: int) -> Path:
    """Let the next ``times`` processes started by this one lie; the file is to be deleted in the end.

    ``mode`` is the frame to be said, with NUMBER for a target's number, or ``dies`` or ``floods``.
    """
    marker = _STATE / f"lying-worker-{os.getpid()}"
    marker.write_text(json.dumps([mode, times]))
    return marker


def main() -> None:
    marker = _STATE / f"lying-worker-{os.getppid()}"
    mode, times = json.loads(marker.read_text())
    marker.write_text(json.dumps([mode, times - 1]))
    if times <= 0:
        probe_worker.main()
    signal.alarm(30)
    sock, frames = socket.socket(fileno=int(sys.argv[1])), Frames()
    sock.sendall(encode({"ready": True}))
    numbers: list[int] = []
    while not numbers:
        for message in frames.feed(sock.recv(1 << 16)):
            numbers += [target[0] for target in message.get("targets", ())]
    if mode == "dies":
        raise SystemExit(7)
    if mode == "floods":
        while True:
            sock.sendall(encode({}) * 20_000)
    body = mode.replace("NUMBER", str(numbers[0])).encode()
    sock.sendall(len(body).to_bytes(4) + body)
    signal.pause()
