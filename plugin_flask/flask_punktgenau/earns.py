"""What a cart, or an article by itself, would earn, as the box and other pages show it. No request, no text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from punktgenau.checkout.earning.told import EarnPreview

EarnOf = Literal["order", "article"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Earns:
    """What would be earned; `usable_from`: when that can be used, None: at once."""

    of: EarnOf
    preview: EarnPreview
    usable_from: datetime | None = None

    @property
    def points(self) -> int:
        """All that is earned; without a link nobody knows whether a welcome is still to come."""
        return self.preview.points + (self.welcome if self.preview.is_linked else 0)

    @property
    def welcome(self) -> int:
        """What a first order brings, where it is one, or may be one."""
        return self.preview.welcome_points if self.of == "order" else 0
