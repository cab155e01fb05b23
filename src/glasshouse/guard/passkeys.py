"""Passkeys (WebAuthn) for people who approve at a browser; the challenge is the digest of their statement on the terms.

So the assertion itself is a signature over act, policy hash and state of the log, and goes into the log as such.  User
verification is always required.
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from glasshouse.guard.approvals import challenge
from glasshouse.words.approval import ApprovalTerms, Verdict, Vote
from glasshouse.words.errors import VoteError
from glasshouse.words.party import ApproverKey, Person

MAX_RESPONSE_BYTES = 64_000
_SEPARATOR = "#"


class RelyingParty(msgspec.Struct, frozen=True):
    """Who asks: the console's domain (``id``) and the origin that browsers see, such as ``https://console.example``."""

    id: str
    origin: str
    name: str = "Glasshouse"


def registration_options(party: RelyingParty, person: Person, challenge_bytes: bytes) -> str:
    """JSON for ``navigator.credentials.create``; ``challenge_bytes`` are random and used once."""
    return options_to_json(
        generate_registration_options(
            rp_id=party.id,
            rp_name=party.name,
            user_id=person.id.encode(),
            user_name=person.id,
            user_display_name=person.name,
            challenge=challenge_bytes,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[
                PublicKeyCredentialDescriptor(id=base64url_to_bytes(_credential(key)))
                for key in person.approver_keys
                if key.kind == "passkey"
            ],
        )
    )


def registered_key(party: RelyingParty, response: str, challenge_bytes: bytes) -> ApproverKey:
    """The public key in the browser's answer; `VoteError` when the answer does not hold."""
    _check_size(response)
    try:
        done = verify_registration_response(
            credential=response,
            expected_challenge=challenge_bytes,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError) as error:
        raise VoteError(f"the passkey cannot be registered: {error}") from error
    public = bytes_to_base64url(done.credential_public_key)
    name = f"{bytes_to_base64url(done.credential_id)}{_SEPARATOR}{party.id}{_SEPARATOR}{party.origin}"
    return ApproverKey("passkey", name, public, done.sign_count)


def assertion_options(
    party: RelyingParty, person: Person, terms: ApprovalTerms, verdict: Verdict, reason: str = ""
) -> str:
    """JSON for ``navigator.credentials.get``: sign exactly this verdict on these terms with a passkey of the person."""
    keys = [key for key in person.approver_keys if key.kind == "passkey"]
    if not keys:
        raise VoteError(f"{person.id} has no passkey registered", where=terms.id)
    return options_to_json(
        generate_authentication_options(
            rp_id=party.id,
            challenge=challenge(terms, verdict, person.id, reason),
            allow_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(_credential(key))) for key in keys],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def vote_from(response: str, person: Person, verdict: Verdict, reason: str, now: int) -> Vote:
    """The browser's answer as a vote, not yet checked."""
    _check_size(response)
    try:
        answer = msgspec.json.decode(response, type=dict[str, object])
    except msgspec.MsgspecError as error:
        raise VoteError(f"this is no answer of a passkey: {error}") from error
    named = [key for key in person.approver_keys if key.kind == "passkey" and _credential(key) == answer.get("id")]
    if not named:
        raise VoteError(f"{person.id} has not registered this passkey")
    return Vote(person.id, verdict, "passkey", named[0].id, bytes_to_base64url(response.encode()), now, reason)


def verify_assertion(vote: Vote, key: ApproverKey, terms: ApprovalTerms) -> None:
    """Raises `VoteError` unless the assertion was made with the key, over these terms, for the key's own site."""
    _, party_id, origin = key.id.split(_SEPARATOR, 2)
    try:
        verify_authentication_response(
            credential=_response(vote),
            expected_challenge=challenge(terms, vote.verdict, vote.approver, vote.reason),
            expected_rp_id=party_id,
            expected_origin=origin,
            credential_public_key=base64url_to_bytes(key.public),
            # `counted` compares the counter when the vote is cast; a later check of a stored vote must still hold
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError) as error:
        raise VoteError(f"the passkey's signature does not hold for this act: {error}", where=terms.id) from error


def counted(vote: Vote, key: ApproverKey) -> ApproverKey:
    """The key with the signature counter of this vote; `VoteError` when a copy of the passkey was used meanwhile.

    Authenticators that do not count (always 0) pass.  Call it after `verify_assertion`.
    """
    answer = msgspec.json.decode(_response(vote), type=dict[str, Any])
    count = int.from_bytes(base64url_to_bytes(answer["response"]["authenticatorData"])[33:37], "big")
    if (count or key.sign_count) and count <= key.sign_count:
        raise VoteError("the passkey's counter went back: it was copied, or this vote is an old one")
    return msgspec.structs.replace(key, sign_count=count)


def _response(vote: Vote) -> str:
    return base64.urlsafe_b64decode(vote.signature + "=" * (-len(vote.signature) % 4)).decode()


def _credential(key: ApproverKey) -> str:
    return key.id.partition(_SEPARATOR)[0]


def _check_size(response: str) -> None:
    if len(response) > MAX_RESPONSE_BYTES:
        raise VoteError(f"the answer is larger than {MAX_RESPONSE_BYTES:,} bytes")
