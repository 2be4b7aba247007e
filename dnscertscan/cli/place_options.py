"""Options of the commands that ask one host: how to begin, which name, which addresses."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from dnscertscan.cli.place import Place

Command = Callable[..., Any]
STARTTLS = ("smtp", "imap", "pop3", "ftp", "ldap", "postgres", "xmpp", "xmpp-server")
_OPTIONS = (
    click.option("--starttls", type=click.Choice(STARTTLS), default=None, metavar="PROTOCOL",
                 help=f"Begin with this protocol: {', '.join(STARTTLS)} (default: that of the port, such as 25)."),
    click.option("--sni", default="", metavar="NAME", help="Ask for this name (default: HOST)."),
    click.option("--address", "addresses", metavar="IP", multiple=True,
                 help="Connect there (repeatable; default: all of HOST's)."),
    click.option("-4", "only4", is_flag=True, help="Only IPv4 addresses."),
    click.option("-6", "only6", is_flag=True, help="Only IPv6 addresses."),
)


def place_options(command: Command) -> Command:
    """--starttls, --sni, --address, -4, -6: arguments of :func:`place_of`."""
    return functools.reduce(lambda decorated, option: option(decorated), reversed(_OPTIONS), command)


def place_of(host: str, *, starttls: str | None, sni: str, addresses: tuple[str, ...], only4: bool, only6: bool) -> "Place":
    """The place they name; :class:`UsageError` for what cannot be asked."""
    from dnscertscan.cli.place import read_place

    families = (4,) * only4 + (6,) * only6
    return read_place(host, starttls=starttls or "", sni=sni, addresses=addresses, families=families)
