"""All changes by name, and chains made with them."""

from pki.ca_changes import CA, ROOT
from pki.leaf_changes import LEAF
from pki.sending_changes import SENDING, TOPOLOGY
from pki.worlds import Case, Change, sound

CHANGES: dict[str, Change] = {**LEAF, **CA, **ROOT, **SENDING, **TOPOLOGY}


def make(*changes: str, kind: str = "P-256") -> Case:
    """The sound world with these changes applied in order."""
    world = sound(kind)
    for change in changes:
        world = CHANGES[change](world)
    return world.build()
