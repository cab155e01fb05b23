"""What a caller asks for: a capability, its targets, under which engagement, on which input."""

from __future__ import annotations

import msgspec

from glasshouse.words.canonical import digest
from glasshouse.words.capability import TargetKind

MAX_TARGETS = 1000


class Target(msgspec.Struct, frozen=True, order=True):
    """One thing acted on.

    ``name`` by kind: ``code`` an absolute folder or a repository's origin; ``file`` an absolute path; ``host`` a name
    or address; ``package`` a package URL; ``model`` the model's name; ``record`` an identifier of ours.  ``path`` is a
    path below a code tree (empty: the whole tree), ``tree`` the digest of its content where it is known.
    """

    kind: TargetKind
    name: str
    path: str = ""
    tree: str = ""


class Act(msgspec.Struct, frozen=True):
    """One request.  ``input_digest`` (SHA-256) binds it to its input, ``describes`` says in words what will happen."""

    capability: str
    targets: tuple[Target, ...]
    engagement: str
    input_digest: str = ""
    describes: str = ""
    costs: str = ""

    def digest(self) -> str:
        """SHA-256 of the act's canonical form: what an approval is bound to."""
        return digest(self)


class InputProfile(msgspec.Struct, frozen=True):
    """What a prompt is made of: ``characters`` in all, likely ``language`` (ISO 639-1, ``other``, ``unknown``) and the
    share of ``code`` in per cent.  For seeing later that requests have changed; nothing is decided by it."""

    characters: int
    language: str
    code: int


class Circumstances(msgspec.Struct, frozen=True):
    """What is known about one request beside the act itself.

    ``misuse`` is the screening score in per cent, or None where nothing was screened.  ``origin`` is the network
    address of the caller, ``session`` a digest that joins the turns of one conversation.  Neither reaches an entry
    of the log; they are part of its sealed payload.  ``approval`` names the approved request that this act redeems.
    """

    misuse: int | None = None
    misuse_categories: tuple[str, ...] = ()
    origin: str = ""
    session: str = ""
    approval: str = ""
    profile: InputProfile | None = None
