"""Codes about reward articles, which points must pay."""

from __future__ import annotations

from punktgenau import errors as e
from punktgenau._code import NONE_MOVED, Code, row

REWARD_CODES: tuple[Code, ...] = (
    row(
        "reward_points_missing",
        e.InsufficientPointsError,
        "An article in this cart must be paid with more points than can be used for it.",
        NONE_MOVED,
        "Let the customer take the named article out of the cart; the rest of it stays.",
    ),
    row(
        "reward_needs_points",
        e.LimitError,
        "The cart holds an article that must be paid with points.",
        NONE_MOVED,
        "Use at least the points that its articles need, or take these out of the cart.",
    ),
    row(
        "reward_price",
        e.InvalidArgumentError,
        "The points that must pay an article are worth nothing, or more than the article costs.",
        NONE_MOVED,
        "Price the line by `reward_price`.",
    ),
)
