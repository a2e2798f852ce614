"""Sign requests: Web Bot Auth (draft-ietf-webbotauth-httpsig-protocol-00), HTTP Message Signatures (RFC 9421), Ed25519.

Each request, including each redirect, is signed separately with its own nonce; plain http is never signed. The
signature covers authority, method, path and the field that names the key's owner. The key never leaves this module: no
output, log or record contains it.
"""

import base64
import hashlib
import json
import os
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.errors import ConfigError
from tasks.values.url import Url

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LABEL = "sig1"
TAG = "web-bot-auth"
LASTS_S = 60
DIRECTORY_PATH = "/.well-known/http-message-signatures-directory"

# RFC 9421, B.1.4: its private key is public
_PUBLISHED = "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U"
_NONCE_SIZE = 64


class AgentForm(StrEnum):
    """The form of Signature-Agent, which differs between drafts: an origin, the directory's URL, or a bare string."""

    ORIGIN = "origin"
    URL = "url"
    STRING = "string"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A key, the address of its public part, and the form of that address."""

    key: "Ed25519PrivateKey" = field(repr=False)
    agent: str
    form: AgentForm = AgentForm.ORIGIN

    @property
    def key_id(self) -> str:
        """The thumbprint of the public key (RFC 7638)."""
        return _thumbprint(_public(self.key))

    def directory(self) -> dict[str, Any]:
        """Return the key directory to serve at the agent's address. It contains only the public key."""
        jwk = {"kty": "OKP", "crv": "Ed25519", "kid": self.key_id, "x": _public(self.key), "use": "sig"}
        return {"keys": [jwk]}

    def fields(self, target: Url, *, method: str = "GET") -> tuple[tuple[str, str], ...]:
        """Return the fields that sign a request now, none over plain http."""
        if target.parts.scheme != "https":
            return ()
        nonce = base64.b64encode(secrets.token_bytes(_NONCE_SIZE)).decode()
        return signed_fields(self, target, method=method, now=datetime.now(UTC), nonce=nonce)


def signed_fields(
    signer: Signer, target: Url, *, method: str, now: datetime, nonce: str
) -> tuple[tuple[str, str], ...]:
    """Return the fields that sign a request at a given time. Deterministic."""
    named, signed, component = _agent(signer)
    created = int(now.timestamp())
    parameters = (
        f'("@authority" "@method" "@path" {component});created={created};expires={created + LASTS_S}'
        f';keyid="{signer.key_id}";alg="ed25519";nonce="{nonce}";tag="{TAG}"'
    )
    base = "\n".join((
        f'"@authority": {target.authority.lower()}',
        f'"@method": {method}',
        f'"@path": {target.parts.path or "/"}',
        f"{component}: {signed}",
        f'"@signature-params": {parameters}',
    ))  # fmt: skip
    signature = base64.b64encode(signer.key.sign(base.encode("ascii"))).decode()
    return (
        ("Signature-Agent", named),
        ("Signature-Input", f"{LABEL}={parameters}"),
        ("Signature", f"{LABEL}=:{signature}:"),
    )


@lru_cache(maxsize=4)
def read_signer(path: Path, agent: str, form: AgentForm) -> Signer:
    """Load a signer from a PEM file. Raises ConfigError, whose message reveals nothing of the key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - few sign
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        body = path.read_bytes()
        is_open = os.name == "posix" and path.stat().st_mode & 0o077
    except OSError as error:
        raise ConfigError(f"PRESSLAKE_SIGNING_KEY: {path}: {error.strerror}") from error
    if is_open:
        raise ConfigError(f"PRESSLAKE_SIGNING_KEY: {path}: readable by other users: run chmod 600 {path}")
    try:
        key = load_pem_private_key(body, password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"PRESSLAKE_SIGNING_KEY: {path}: not an Ed25519 private key in PEM without a password")
    signer = Signer(key=key, agent=agent.rstrip("/"), form=form)
    if signer.key_id == _PUBLISHED:
        raise ConfigError(f"PRESSLAKE_SIGNING_KEY: {path}: this is the public test key of RFC 9421")
    return signer


def _agent(signer: Signer) -> tuple[str, str, str]:
    """Return the field's value, its signed part, and the component's name."""
    if signer.form is AgentForm.STRING:
        return f'"{signer.agent}"', f'"{signer.agent}"', '"signature-agent"'
    url = signer.agent if signer.form is AgentForm.ORIGIN else f"{signer.agent}{DIRECTORY_PATH}"
    return f'{LABEL}="{url}"', f'"{url}"', f'"signature-agent";key="{LABEL}"'


def _public(key: "Ed25519PrivateKey") -> str:
    return _base64url(key.public_key().public_bytes_raw())


def _thumbprint(x: str) -> str:
    canonical = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": x}, separators=(",", ":"))
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).decode().rstrip("=")
