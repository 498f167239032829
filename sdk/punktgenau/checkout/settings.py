"""How a shop uses points: the engine's settings, checked when they are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from punktgenau.checkout.earning.rules import ClawBack, EarnRules
from punktgenau.checkout.rules import ShopRules, require_setting
from punktgenau.errors import ConfigurationError
from punktgenau.money import AMOUNT_MINOR_MAX

CaptureTime = Literal["paid", "placed", "shipped"]
"""shipped: recovery captures nothing because an order is paid; the shop does, parcel by parcel."""
RefundPolicy = Literal["proportional", "points_first", "money_first"]
ExpiredPoints = Literal["tell", "money", "new_points"]
TaxMode = Literal["tender", "discount"]

HOLD_S_MIN = 300
HOLD_S_MAX = 90 * 86_400
"""A provider that holds points for a shorter time has its holds extended, where it allows that."""
DEADLINE_S_MAX = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a shop decides about points; each field is a key of the shop's configuration.

    `hold_s`: how long points are kept in all; `min_money_minor`: the least that the shop's cards take, in the smallest
    unit; `deadline_s` and `worker_deadline_s`: for one call in a request and in the worker; `expired_points`: what
    comes back already expired is told to the customer, paid in money, or given as new points; `tax_mode`: points are a
    tender, which leaves VAT alone, or a discount of the shop's own programme. `earn_points` for each `earn_per_minor`
    of money, and what else an order earns, see `EarnRules`; None, and no welcome points: nothing is earned, and no
    order costs a statement more; 0: only by articles and campaigns, and what was earned before goes on. The rest limits
    points per order, see `ShopRules`. Raises ConfigurationError whose `.field` names the key.
    """

    enabled: bool = True
    capture: CaptureTime = "paid"
    hold_s: int = 7200
    min_money_minor: int = 50
    refund_policy: RefundPolicy = "proportional"
    expired_points: ExpiredPoints = "tell"
    tax_mode: TaxMode = "tender"
    deadline_s: float = 4.0
    worker_deadline_s: float = 8.0
    min_points: int = 1
    max_points: int | None = None
    step: int = 1
    max_share_percent: int | None = None
    shipping_allowed: bool = True
    rewards_beyond_limits: bool = False
    earn_points: int | None = None
    earn_per_minor: int = 100
    earn_shipping: bool = False
    earn_pending_s: int = 14 * 86_400
    claw_back: ClawBack = "to_zero"
    welcome_points: int = 0

    def __post_init__(self) -> None:
        if type(self.enabled) is not bool:
            raise ConfigurationError("enabled must be True or False.", field="enabled")
        _require_choice(self.capture, field="capture", choices=get_args(CaptureTime))
        require_setting(self.hold_s, field="hold_s", least=HOLD_S_MIN, most=HOLD_S_MAX)
        require_setting(self.min_money_minor, field="min_money_minor", least=0, most=AMOUNT_MINOR_MAX)
        _require_choice(self.refund_policy, field="refund_policy", choices=get_args(RefundPolicy))
        _require_choice(self.expired_points, field="expired_points", choices=get_args(ExpiredPoints))
        _require_choice(self.tax_mode, field="tax_mode", choices=get_args(TaxMode))
        _require_seconds(self.deadline_s, field="deadline_s")
        _require_seconds(self.worker_deadline_s, field="worker_deadline_s")
        self.rules  # noqa: B018  checks its own fields
        self.earn_rules  # noqa: B018  likewise

    @property
    def expired_rule(self) -> str:
        """What a return has for its rule about points that come back already expired."""
        return "accrue" if self.expired_points == "new_points" else self.expired_points

    @property
    def earn_rules(self) -> EarnRules:
        """What an order earns; campaigns and articles come from the shop's own functions."""
        return EarnRules(
            points=self.earn_points or 0,
            per_minor=self.earn_per_minor,
            shipping=self.earn_shipping,
            pending_s=self.earn_pending_s,
            claw_back=self.claw_back,
            welcome_points=self.welcome_points,
        )

    @property
    def earns(self) -> bool:
        """Whether orders earn anything, or did before."""
        return self.earn_points is not None or self.welcome_points > 0

    @property
    def rules(self) -> ShopRules:
        """The part of the settings that limits a quote."""
        return ShopRules(
            min_points=self.min_points,
            max_points=self.max_points,
            step=self.step,
            max_share_percent=self.max_share_percent,
            shipping_allowed=self.shipping_allowed,
            money_minimum_minor=self.min_money_minor,
            rewards_beyond_limits=self.rewards_beyond_limits,
        )


def _require_choice(value: str, *, field: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigurationError(f"{field} must be one of {', '.join(choices)}, not {value!r}.", field=field)


def _require_seconds(value: float, *, field: str) -> None:
    if type(value) not in (int, float) or not 0 < value <= DEADLINE_S_MAX:
        raise ConfigurationError(f"{field} must be seconds, above 0 and at most {DEADLINE_S_MAX:g}.", field=field)
