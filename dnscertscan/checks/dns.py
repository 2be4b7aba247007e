"""Rules about the zones: what the records lead to, and what of them could not be used."""

from dnscertscan.checks.base import ERROR, INFO, WARNING, rule
from dnscertscan.model.findings import Scope

_ALIASES = "RFC 1034 section 3.6.2 (Aliases and canonical names)"

RULES = (
    rule(
        501, "dangling-target", WARNING, "Alias leads to a name without an address",
        why="""
            Following the record ends at a name that does not exist or has no address. Visitors get a DNS error. Worse, when
            the name belongs to a cloud service that was given up, a stranger may register it there and serve, with a valid
            certificate, whatever he likes under your name (subdomain takeover).
            """,
        fix="""
            Delete the record when the service is gone. Otherwise create the missing target again, or point the record at the
            new one.
                dig +noall +answer +comments NAME
            """,
        references=(_ALIASES, "RFC 2308 section 2 (Negative Responses)"),
        scope=Scope.ZONE,
    ),
    rule(
        502, "alias-loop", ERROR, "Alias leads back to itself",
        why="""
            The chain of CNAME or DNAME records comes back to a name it has already passed. No address is ever found:
            resolvers stop with SERVFAIL or an answer without addresses, so the name does not work for anybody.
            """,
        fix="""
            Break the loop shown in the message by pointing one of its records at the real host.
            """,
        references=(_ALIASES, "RFC 1034 section 5.2.2 (Aliases)"),
        scope=Scope.ZONE,
    ),
    rule(
        503, "alias-chain-too-long", ERROR, "Alias chain is too long",
        why="""
            The name is reached through more aliases than resolvers follow: the usual limits lie between 8 and 16. Some
            resolvers answer and others give up, so the name works for part of the users, and each alias costs a look-up.
            """,
        fix="""
            Point the record straight at the last name of the chain shown in the message.
            """,
        references=(_ALIASES,),
        scope=Scope.ZONE,
    ),
    rule(
        504, "lookup-failed", ERROR, "Name could not be looked up",
        why="""
            No resolver gave a usable answer for the name (no reply, SERVFAIL, REFUSED). It is not known whether there is an
            address, so nothing could be scanned. When it lasts, users have the same trouble: a broken delegation or DNSSEC
            failure looks like this.
            """,
        fix="""
            Ask by hand, with and without DNSSEC checking; when only +cd works, the signatures of the zone are broken. If
            other names fail too, it is the resolver: choose one with --nameserver.
                dig NAME A
                dig +cd NAME A
                dig +trace NAME A
            """,
        references=(
            "RFC 1035 section 4.1.1 (Header section format: RCODE)",
            "RFC 4035 section 5.5 (Resolver Behavior When Signatures Do Not Validate)",
        ),
        scope=Scope.ZONE,
    ),
    rule(
        505, "unscannable-name", INFO, "No server can be asked for this name",
        why="""
            The name has a label that cannot be sent in the server name indication of TLS: one that is empty or longer than 63
            octets, or has characters that no host name has. So there is no server to ask for it and the record was not
            scanned. Names that only carry data are often of this kind, and then all is well.
            """,
        fix="""
            Correct the record if it is a slip of the pen (a missing final dot makes names grow). Otherwise nothing needs to
            be done.
            """,
        references=(
            "RFC 6066 section 3 (Server Name Indication)",
            "RFC 1035 section 2.3.4 (Size limits)",
            "RFC 1123 section 2.1 (Host Names)",
        ),
        scope=Scope.ZONE,
    ),
    rule(
        506, "empty-zone", WARNING, "Zone has no records to scan",
        why="""
            The zone was loaded, but it has no A, AAAA, CNAME or DNAME record. That may be right for a parked domain. More
            often the export was cut short or the wrong file or view was read, and then this zone's servers are silently left
            out of every scan.
            """,
        fix="""
            Compare with the name server; if it has more than the export, repair the export. A zone that is meant to be empty
            can be left out of the sources.
                dig @SERVER ZONE AXFR
            """,
        references=("RFC 1034 section 4.2 (How the database is divided into zones)",),
        scope=Scope.ZONE,
    ),
    rule(
        507, "zone-failed", ERROR, "Zone could not be read",
        why="""
            The zone, or the file it should come from, could not be read or transferred, so none of its names was scanned. The
            run is incomplete: nothing is known about the certificates of this zone. The other zones are not affected.
            """,
        fix="""
            Follow the message. For a transfer that was refused, allow this host's address or TSIG key on the server (BIND:
            allow-transfer; NSD: provide-xfr; Knot: acl); for a wrong key, compare name, algorithm and secret. To try it by
            hand:
                dig @SERVER ZONE AXFR -y ALGORITHM:NAME:SECRET
            """,
        references=("RFC 5936 (DNS Zone Transfer Protocol)", "RFC 8945 (Secret Key Transaction Authentication for DNS)"),
        scope=Scope.ZONE,
    ),
    rule(
        508, "bad-record", ERROR, "Record cannot be used",
        why="""
            A record of the zone is not well formed, so what it leads to was not scanned. The other records of the zone were.
            Depending on the software, name servers load such a zone without the record, or refuse to load the zone.
            """,
        fix="""
            Correct the record at the place in the message. For a zone file:
                named-checkzone ZONE FILE
            """,
        references=("RFC 1035 section 5 (Master files)",),
        scope=Scope.ZONE,
    ),
)
