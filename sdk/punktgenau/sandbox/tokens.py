"""What must not be guessed, and how it is kept: only its digest is in the database."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets


def new_token(prefix: str) -> str:
    """A fresh token such as `pat_...`."""
    return f"{prefix}_{secrets.token_urlsafe(24)}"


def digest(secret: str) -> str:
    """The form in which a secret is stored and looked up."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same(left: str, right: str) -> bool:
    """Equal, compared in constant time."""
    return hmac.compare_digest(left.encode(), right.encode())


def challenge_of(verifier: str) -> str:
    """The S256 challenge that belongs to a PKCE verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
