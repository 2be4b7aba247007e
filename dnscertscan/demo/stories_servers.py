"""Names and servers: aliases, wildcards, several addresses, protocol versions, and servers that give no certificate."""

import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from dnscertscan.demo.stories_certificates import Trust, serving
from dnscertscan.demo.story import PARTNER, ZONE, Server, Story
from dnscertscan.demo.tls_servers import Oddity, Served, TlsSettings

NAME_SERVER = f"ns.{ZONE}"
DNS_ADDRESS = "127.0.0.1"


def server_stories(trust: Trust, *, ipv6: bool) -> Iterator[Story]:
    """``ipv6`` adds a name with the address ``::1`` only."""
    yield Story("ns", "the name server's own page", (replace(serving(trust.issuing.leaf(NAME_SERVER)), address=DNS_ADDRESS),))
    yield from _versions(trust)
    yield from _addresses(trust, ipv6=ipv6)
    yield from _shared_address(trust)
    yield from _aliases(trust)
    yield from _without_certificate()


def _versions(trust: Trust) -> Iterator[Story]:
    def configured(label: str, text: str, settings: TlsSettings) -> Story:
        return Story(label, text, (Server(replace(settings, served=(Served.of(trust.issuing.leaf(f"{label}.{ZONE}")),))),))

    yield configured("tls12-only", "TLS 1.2 only", TlsSettings((), maximum=ssl.TLSVersion.TLSv1_2))
    yield configured("tls13-only", "TLS 1.3 only", TlsSettings((), minimum=ssl.TLSVersion.TLSv1_3))
    yield configured("client-cert", "wants a client certificate", TlsSettings((), client_ca=trust.root.credential.chain_pem))


def _addresses(trust: Trust, *, ipv6: bool) -> Iterator[Story]:
    first = trust.issuing.leaf(f"two-addresses.{ZONE}")
    begin = trust.now - timedelta(days=20)
    second = trust.issuing.leaf(f"two-addresses.{ZONE}", not_before=begin, not_after=begin + timedelta(days=90))
    yield Story(
        "two-addresses", "two addresses with different certificates", (serving(first), serving(second)),
        frozenset({"cert-varies"}),
    )
    if ipv6:
        yield Story("ipv6", "IPv6 only", (replace(serving(trust.issuing.leaf(f"ipv6.{ZONE}")), address="::1"),))


def _shared_address(trust: Trust) -> Iterator[Story]:
    first = Served.of(trust.issuing.leaf(f"shared-first.{ZONE}"))
    past = trust.now - timedelta(days=3)
    second = Served.of(trust.issuing.leaf(f"shared-second.{ZONE}", not_before=past - timedelta(days=90), not_after=past))
    by_name = {f"shared-first.{ZONE}": first, f"shared-second.{ZONE}": second}
    shared = Server(TlsSettings((first,), by_name=by_name))
    yield Story("shared-first", "one of two sites on an address", (shared,))
    yield Story("shared-second", "the other site on that address, expired", (shared,), frozenset({"cert-expired"}))
    yield Story(
        "shared-missing", "published for that address, where no site has the name", (shared,), state="failed",
        reason="unrecognized-name",
    )


def _aliases(trust: Trust) -> Iterator[Story]:
    edge = serving(trust.issuing.leaf(*(f"{label}.{ZONE}" for label in ("www", "web", "edge"))))
    yield Story("www", "alias of an alias", alias=f"web.{ZONE}")
    yield Story("web", "alias", alias=f"edge.{ZONE}")
    yield Story("edge", "the end of a chain of aliases", (edge,))
    wild = serving(trust.issuing.leaf(f"*.wild.{ZONE}", f"app.{ZONE}"))
    yield Story("*.wild", "wildcard record, wildcard certificate", (wild,))
    yield Story("app", "alias to a name that only the wildcard covers", alias=f"blue.wild.{ZONE}")
    shop = serving(trust.issuing.leaf(f"shop.{PARTNER}"))
    yield Story("shop", "the partner's page", (shop,), zone=PARTNER)
    yield Story(
        "shop", "alias to the partner, whose certificate does not know us", alias=f"shop.{PARTNER}",
        slugs=frozenset({"hostname-mismatch"}),
    )
    pay = serving(trust.issuing.leaf(f"pay.{PARTNER}", f"pay.{ZONE}"))
    yield Story("pay", "the partner's page for both", (pay,), zone=PARTNER)
    yield Story("pay", "alias to the partner, whose certificate names us too", alias=f"pay.{PARTNER}")
    yield _alias_without_end("dangling", "alias to a name that is gone", f"gone.{PARTNER}", "dangling-target", "dangling")
    yield _alias_without_end("loop-a", "alias to an alias that leads back", f"loop-b.{ZONE}", "alias-loop", "loop")
    yield _alias_without_end("loop-b", "the other half of the loop", f"loop-a.{ZONE}", "alias-loop", "loop")


def _alias_without_end(label: str, text: str, alias: str, slug: str, reason: str) -> Story:
    return Story(label, text, alias=alias, slugs=frozenset({slug}), state="failed", reason=reason)


def _without_certificate() -> Iterator[Story]:
    def failing(label: str, oddity: Oddity, reason: str) -> Story:
        return Story(label, oddity.value, (Server(oddity),), state="failed", reason=reason)

    yield failing("silent", Oddity.SILENT, "handshake-timeout")
    yield failing("closed-port", Oddity.CLOSED_PORT, "refused")
    yield failing("plain-http", Oddity.PLAIN_HTTP, "not-tls")
    yield failing("reset", Oddity.RESET, "reset")
    yield failing("hangs-up", Oddity.CLOSE, "closed")
    yield failing("alert", Oddity.ALERT, "alert")
    yield Story(
        "dash-", "a name no client can ask for", (Server(Oddity.CLOSED_PORT),), state="failed", reason="unscannable-name"
    )
