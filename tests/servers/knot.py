"""Knot DNS on free loopback ports, unprivileged. See :mod:`servers.dns_process` for the rules of transfer."""

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
    config = setup.folder / "knot.conf"
    folder = setup.folder
    listen = "".join(f'    listen: "{address}@{setup.port}"\n' for address in setup.addresses)
    keys = "".join(f'  - id: "{key.name}"\n    algorithm: {key.algorithm}\n    secret: "{key.base64}"\n' for key in setup.keys)
    rules = "".join(f'  - id: "acl-{key.name}"\n    key: "{key.name}"\n    action: transfer\n' for key in setup.keys)
    zones = "".join(
        f'  - domain: "{name}"\n    file: "{path}"\n{_rule(setup.transfer, name)}' for name, path in setup.files.items()
    )
    config.write_text(f"""server:
    rundir: "{folder}"
    pidfile: "{folder}/knot.pid"
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
{listen}log:
  - target: stderr
    any: warning
database:
    storage: "{folder}"
{"key:" if keys else ""}
{keys}acl:
  - id: "acl-open"
    address: [0.0.0.0/0, ::/0]
    action: transfer
{rules}template:
  - id: default
    storage: "{folder}"
    semantic-checks: off
    zonefile-sync: -1
    journal-content: none
zone:
{zones}""")
    return ["knotd", "-c", str(config)]


def _rule(transfer: Transfer, zone: str) -> str:
    if zone not in transfer:
        return '    acl: "acl-open"\n'
    key = transfer[zone]
    return f'    acl: "acl-{key.name}"\n' if key else ""
