"""BIND 9.18 as a secondary that transfers zones from another server on loopback."""

from collections.abc import Mapping
from contextlib import AbstractContextManager

from servers.dns_process import Key, Setup, running


def serve(zones: Mapping[str, str], primary_port: int, key: Key | None = None) -> AbstractContextManager[int]:
    """Transfer ``zones`` (only the names count) from 127.0.0.1:``primary_port`` and serve them at a free port, which is yielded.

    Ready when every zone was transferred and answers; a zone that never comes is a RuntimeError with BIND's log.
    """
    def configure(setup: Setup) -> list[str]:
        return _configure(setup, primary_port, key)

    return running(configure, zones, {}, ("127.0.0.1",))


def _configure(setup: Setup, primary_port: int, key: Key | None) -> list[str]:
    folder = setup.folder
    keys = f'key "{key.name}" {{ algorithm {key.algorithm}; secret "{key.base64}"; }};\n' if key else ""
    signed = f' key "{key.name}"' if key else ""
    zones = "".join(
        f'zone "{name}" {{ type secondary; file "{folder}/copy-{number}"; masterfile-format text;'
        f" primaries {{ 127.0.0.1 port {primary_port}{signed}; }}; }};\n"
        for number, name in enumerate(setup.files)
    )
    config = folder / "named.conf"
    config.write_text(f"""{keys}
options {{
    directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key"; lock-file none;
    managed-keys-directory "{folder}";
    listen-on port {setup.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
    recursion no; dnssec-validation no; notify no; empty-zones-enable no; querylog no; check-names secondary ignore;
    allow-query {{ any; }}; allow-transfer {{ any; }};
}};
controls {{ }};
{zones}""")
    return ["named", "-g", "-n", "1", "-c", str(config)]
