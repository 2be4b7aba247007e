"""Rules about the scanner itself: what it could not do, it says."""

from dnscertscan.checks.base import ERROR, rule

RULES = (
    rule(
        901, "check-crashed", ERROR, "A check of this program failed on this target",
        why="""
            A fault in dnscertscan, or input it was not ready for, stopped one check on one target. The other checks and
            targets are complete, but this target may have problems that are not in the report. Nothing is known to be wrong
            with the server itself.
            """,
        fix="""
            Report it as a bug with the message of this finding and the certificates of the target. They can be saved with
                openssl s_client -connect ADDRESS:PORT -servername NAME -showcerts </dev/null > CHAIN.pem
            Then the rest of the answer can often be had with: dnscertscan diagnose CHAIN.pem --name NAME
            """,
        references=("this program: README, section 'How a scan works'",),
    ),
    rule(
        902, "engine-failed", ERROR, "The scan engine failed on this target",
        why="""
            The process that scanned this target died, ran out of memory or outlived its time limit. A hostile or very unusual
            server can cause that. The certificates may be known only in part or not at all, so the run counts as incomplete;
            the other targets are not affected.
            """,
        fix="""
            Scan the target alone, with more time, and look at the log. If it fails again, look at what the server sends, and
            report it.
                openssl s_client -connect ADDRESS:PORT -servername NAME -showcerts </dev/null
            """,
        references=("this program: README, section 'How a scan works'",),
    ),
)
