"""Plain SSLyze: its Scanner, CERTIFICATE_INFO, a private CA file. This is what dns-cert-checker does, less the zones and reports.

    python sslyze_scanner.py HOSTS PORT CA_FILE [LIMIT]

HOSTS has a line ``name address`` for every target. LIMIT is ``concurrent_server_scans_limit``; without it everything is at
SSLyze's defaults. A line of JSON for every result, as it comes.
"""

import json
import sys
from pathlib import Path

from sslyze import (
    CertificateInfoExtraArgument,
    ScanCommand,
    ScanCommandsExtraArguments,
    Scanner,
    ServerNetworkLocation,
    ServerScanRequest,
)


def main() -> None:
    hosts, port, ca_file = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    scanner = Scanner(concurrent_server_scans_limit=int(sys.argv[4])) if len(sys.argv) > 4 else Scanner()
    extra = ScanCommandsExtraArguments(certificate_info=CertificateInfoExtraArgument(custom_ca_file=ca_file))
    requests = []
    for line in hosts.read_text().splitlines():
        name, address = line.split()
        place = ServerNetworkLocation(hostname=name, port=port, ip_address=address)
        request = ServerScanRequest(place, scan_commands={ScanCommand.CERTIFICATE_INFO}, scan_commands_extra_arguments=extra)
        requests.append(request)
    scanner.queue_scans(requests)
    for result in scanner.get_results():
        attempt = result.scan_result.certificate_info if result.scan_result else None
        found = attempt.result.certificate_deployments if attempt and attempt.result else ()
        state, lists = "scanned" if found else "failed", [{"sni": True}] * len(found)
        row = {"fqdn": result.server_location.hostname, "state": state, "deployments": lists}
        print(json.dumps(row, separators=(",", ":")), flush=True)


if __name__ == "__main__":
    main()
