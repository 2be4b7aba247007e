"""A probe worker with a bug that one name brings out; for tests of what becomes of the others."""

from dnscertscan.model.observations import Failure
from dnscertscan.scan import probe_worker
from dnscertscan.scan.probe import Probe, Reading


def main() -> None:
    original = Probe.read

    async def read(self: Probe) -> Reading | Failure:
        if self.target.server_name.text == "bug.a.test":
            raise ZeroDivisionError("unforeseen")
        return await original(self)

    Probe.read = read
    probe_worker.main()
