"""BIND 9.18 (``named``) on free loopback ports, unprivileged. See :mod:`servers.dns_process` for the rules of transfer."""

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
    config = setup.folder / "named.conf"
    ipv4 = " ".join(f"{address};" for address in setup.addresses if ":" not in address) or "none;"
    ipv6 = " ".join(f"{address};" for address in setup.addresses if ":" in address) or "none;"
    keys = "".join(f'key "{key.name}" {{ algorithm {key.algorithm}; secret "{key.base64}"; }};\n' for key in setup.keys)
    zones = "".join(
        f'zone "{name}" {{ type primary; file "{path}"; allow-transfer {{ {_rule(setup.transfer, name)}; }}; }};\n'
        for name, path in setup.files.items()
    )
    folder = setup.folder
    config.write_text(f"""{keys}
options {{
    directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key"; lock-file none;
    managed-keys-directory "{folder}";
    listen-on port {setup.port} {{ {ipv4} }};
    listen-on-v6 port {setup.port} {{ {ipv6} }};
    recursion no; dnssec-validation no; notify no; empty-zones-enable no; querylog no;
    check-names primary ignore; check-integrity no; check-mx ignore; check-srv-cname ignore; check-mx-cname ignore;
    allow-query {{ any; }}; allow-transfer {{ none; }};
}};
controls {{ }};
{zones}""")
    return ["named", "-g", "-n", "1", "-c", str(config)]


def _rule(transfer: Transfer, zone: str) -> str:
    key = transfer.get(zone, "any")
    if isinstance(key, str):
        return key
    return f'key "{key.name}"' if key else "none"
