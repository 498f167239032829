"""The provider of a shop that has none configured: nothing is sent, and what is under way waits."""

from __future__ import annotations

from typing import NoReturn, cast

from punktgenau.errors import NotSentError
from punktgenau.provider import AccrualsPort, MembersPort, Mode, ProviderProfile, RedemptionsPort


class _Nobody:
    """Answers every call of a noun with NotSentError: the journal keeps what is to be done."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("_") or name == "consent_url":
            raise AttributeError(name)
        return self._not_sent

    def _not_sent(self, *_: object, **__: object) -> NoReturn:
        raise NotSentError("No provider is configured, so nothing was sent.")


class AwayProvider:
    """Stands in while the provider's keys are missing: the journal can be made and read, and nothing leaves."""

    def __init__(self, partner_id: str, *, profile: ProviderProfile) -> None:
        self._partner_id = partner_id
        self._profile = profile

    @property
    def profile(self) -> ProviderProfile:
        """The configured one: its name tells whose rows of the journal are meant."""
        return self._profile

    @property
    def partner_id(self) -> str:
        """The shop's name at the provider, as far as it is configured."""
        return self._partner_id

    @property
    def mode(self) -> Mode | None:
        """None: nobody answers."""
        return None

    @property
    def members(self) -> MembersPort:
        """Nobody answers."""
        return cast(MembersPort, _Nobody())

    @property
    def redemptions(self) -> RedemptionsPort:
        """Nobody answers."""
        return cast(RedemptionsPort, _Nobody())

    @property
    def accruals(self) -> AccrualsPort:
        """Nobody answers."""
        return cast(AccrualsPort, _Nobody())
