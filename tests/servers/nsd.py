"""NSD on free loopback ports, unprivileged. See :mod:`servers.dns_process` for the rules of transfer."""

from collections.abc import Mapping
from contextlib import AbstractContextManager

from servers.dns_process import ADDRESSES, Key, Setup, Transfer, running, soa

__all__ = ["Key", "serve", "soa"]


def serve(
    zones: Mapping[str, str], transfer: Transfer | None = None, addresses: tuple[str, ...] = ADDRESSES
) -> AbstractContextManager[int]:
    """Serve ``zones`` (name -> text of records, ``$ORIGIN`` set) at a free port; yields the port."""
    return running(_configure, zones, transfer or {}, addresses)


def _configure(setup: Setup) -> list[str]:
    config = setup.folder / "nsd.conf"
    folder = setup.folder
    listen = "".join(f"  ip-address: {address}@{setup.port}\n" for address in setup.addresses)
    keys = "".join(f'key:\n  name: "{key.name}"\n  algorithm: {key.algorithm}\n  secret: "{key.base64}"\n' for key in setup.keys)
    zones = "".join(
        f'zone:\n  name: "{name}"\n  zonefile: "{path}"\n{_rules(setup.transfer, name)}' for name, path in setup.files.items()
    )
    config.write_text(f"""server:
{listen}  username: ""
  chroot: ""
  database: ""
  server-count: 1
  pidfile: "{folder}/nsd.pid"
  zonesdir: "{folder}"
  xfrdir: "{folder}"
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zone.list"
remote-control:
  control-enable: no
{keys}{zones}""")
    return ["nsd", "-d", "-c", str(config)]


def _rules(transfer: Transfer, zone: str) -> str:
    if zone in transfer and transfer[zone] is None:
        return ""
    key = transfer.get(zone)
    word = key.name if key else "NOKEY"
    return f"  provide-xfr: 0.0.0.0/0 {word}\n  provide-xfr: ::0/0 {word}\n"
