"""Results given to monitoring: an HTTP server with the metrics of the last scan, its schedule, and datagrams to receivers.

It knows nothing of how a scan is made: that is handed to it, as the clock is.
"""

from dnscertscan.exporter.daemon import Deliver, NoResultsError, Results, keep_scanning
from dnscertscan.exporter.pages import answer, read_request
from dnscertscan.exporter.server import Server
from dnscertscan.exporter.state import Moment, State
from dnscertscan.exporter.udp import send

__all__ = [
    "Deliver", "Moment", "NoResultsError", "Results", "Server", "State", "answer", "keep_scanning", "read_request", "send",
]
