"""What linking asks of a provider, beyond the engine's port: the page where a member consents, and who it was."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from punktgenau.provider import Identification


@runtime_checkable
class ConsentPort(Protocol):
    """Members that can be linked by signing in at the provider (authorization code with PKCE)."""

    def consent_url(
        self,
        *,
        redirect_uri: str,
        state: str,
        code_challenge: str,
        scope: str = "balance redeem",
        locale: str | None = None,
    ) -> str:
        """Where the browser goes."""
        ...

    def identify(
        self, *, code: str, redirect_uri: str, code_verifier: str, deadline_s: float | None = None
    ) -> Identification:
        """Which member it was, by the code that came back."""
        ...
