"""What the provider says ahead of a return: how many of its points would come back expired."""

from __future__ import annotations

from punktgenau._redact import logger
from punktgenau.checkout.schema import RedemptionRow
from punktgenau.errors import PunktgenauError
from punktgenau.provider import Provider, ReversalQuotesPort


def already_expired(provider: Provider, row: RedemptionRow, points: int, *, deadline_s: float) -> int | None:
    """How many of these points would come back expired; None where the provider does not tell, or is away."""
    calls = provider.redemptions
    if points == 0 or row.provider_id is None:
        return 0 if points == 0 else None
    if not provider.profile.quotes_reversals or not isinstance(calls, ReversalQuotesPort):
        return None
    try:
        return calls.quote_reversal(row.provider_id, points=points, deadline_s=deadline_s).already_expired
    except PunktgenauError as error:
        # A look ahead that fails stops nobody.
        logger.warning("what would come back expired is not known: %s", error.code)
        return None
