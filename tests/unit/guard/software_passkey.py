"""An authenticator in memory: makes a key pair, registers it and signs challenges as a browser would report it."""

from __future__ import annotations

import hashlib
import json
import struct

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import bytes_to_base64url

USER_PRESENT, USER_VERIFIED, HAS_KEY = 0x01, 0x04, 0x40


class SoftwarePasskey:
    """A passkey for one site."""

    def __init__(self, party_id: str, origin: str) -> None:
        self.party_id, self.origin = party_id, origin
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.name = hashlib.sha256(b"credential").digest()
        self.flags = USER_PRESENT | USER_VERIFIED
        self.count = 0

    def register(self, options: str) -> str:
        """The answer to registration options."""
        numbers = self.private.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + struct.pack(">H", len(self.name)) + self.name + cbor2.dumps(key)
        data = self._data(HAS_KEY) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", options)
        return self._answer({"attestationObject": attestation, "clientDataJSON": client})

    def sign(self, options: str) -> str:
        """The answer to assertion options."""
        self.count += 1
        data, client = self._data(0), self._client("webauthn.get", options)
        signature = self.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer({"authenticatorData": data, "clientDataJSON": client, "signature": signature})

    def _data(self, extra: int) -> bytes:
        digest = hashlib.sha256(self.party_id.encode()).digest()
        return digest + struct.pack(">BI", self.flags | extra, self.count)

    def _client(self, kind: str, options: str) -> bytes:
        challenge = json.loads(options)["challenge"]
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}).encode()

    def _answer(self, response: dict[str, bytes]) -> str:
        name = bytes_to_base64url(self.name)
        encoded = {key: bytes_to_base64url(value) for key, value in response.items()}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": encoded})
