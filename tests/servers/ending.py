"""How a server that a test has started comes to its end."""

import subprocess


def end(process: "subprocess.Popen[bytes]", seconds: float = 10) -> None:
    """Ask it to end; after so many seconds make it."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)
