"""The limits every worker process puts on itself before it meets a peer."""

import resource
import signal
import warnings


def confine(memory: int) -> None:
    """Data segment (octets), no core files, no Ctrl-C (the scanner ends its workers itself), and an alarm that kills."""
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
