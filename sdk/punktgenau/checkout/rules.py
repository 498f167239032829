"""Provider's limits + shop's rules -> what points may do in this cart, with a reason for each bound."""

from __future__ import annotations

from dataclasses import dataclass

from punktgenau.errors import ConfigurationError
from punktgenau.money import AMOUNT_MINOR_MAX, POINTS_MAX


def require_setting(value: int, *, field: str, least: int, most: int) -> None:
    """A whole number within its bounds, or ConfigurationError that names the setting."""
    if type(value) is not int or not least <= value <= most:
        raise ConfigurationError(f"{field} must be a whole number from {least} to {most}, not {value!r}.", field=field)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopRules:
    """The shop's own rules, on top of the programme's: points per order and their step, share of the total in percent.

    `money_minimum_minor` is the least that the shop's cards take, in the smallest unit.
    Raises ConfigurationError that names the field.
    """

    min_points: int = 1
    max_points: int | None = None
    step: int = 1
    max_share_percent: int | None = None
    shipping_allowed: bool = True
    money_minimum_minor: int = 50

    def __post_init__(self) -> None:
        require_setting(self.min_points, field="min_points", least=1, most=POINTS_MAX)
        if self.max_points is not None:
            require_setting(self.max_points, field="max_points", least=self.min_points, most=POINTS_MAX)
        require_setting(self.step, field="step", least=1, most=POINTS_MAX)
        if self.max_share_percent is not None:
            require_setting(self.max_share_percent, field="max_share_percent", least=1, most=100)
        if type(self.shipping_allowed) is not bool:
            raise ConfigurationError("shipping_allowed must be True or False.", field="shipping_allowed")
        require_setting(self.money_minimum_minor, field="money_minimum_minor", least=0, most=AMOUNT_MINOR_MAX)
