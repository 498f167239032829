"""JSON as the contract reads it: no NaN, no key twice, no number and no nesting without end."""

from __future__ import annotations

import json
from typing import NoReturn

from flask.json.provider import DefaultJSONProvider


def loads(text: str | bytes) -> object:
    """Refuses whatever two readers could understand differently. Raises ValueError for what is not plain JSON."""
    try:
        text = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_double_keys)
    except RecursionError:
        raise ValueError("nested too deeply") from None


class StrictJSON(DefaultJSONProvider):
    """Flask's JSON, as strict on the way in."""

    def loads(self, s: str | bytes, **kwargs: object) -> object:
        """Raises ValueError for anything that is not plain JSON."""
        return loads(s)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _no_double_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands there twice")
    return result
