"""BIND 9.18 as a recursive resolver that forwards everything to another server on loopback."""

from contextlib import AbstractContextManager

from servers.dns_process import Setup, running


def serve(zone: str, upstream_port: int) -> AbstractContextManager[int]:
    """Resolve through 127.0.0.1:``upstream_port``, where ``zone`` is served; yields the port. Unknown zones give SERVFAIL."""

    def configure(setup: Setup) -> list[str]:
        folder = setup.folder
        config = folder / "named.conf"
        config.write_text(f"""
options {{
    directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key"; lock-file none;
    managed-keys-directory "{folder}";
    listen-on port {setup.port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
    recursion yes; allow-recursion {{ any; }}; allow-query {{ any; }}; allow-query-cache {{ any; }};
    forward only; forwarders {{ 127.0.0.1 port {upstream_port}; }};
    dnssec-validation no; empty-zones-enable no; querylog no; minimal-responses yes; qname-minimization off;
}};
controls {{ }};
""")
        return ["named", "-g", "-n", "1", "-c", str(config)]

    return running(configure, {zone: ""}, {}, ("127.0.0.1",))
