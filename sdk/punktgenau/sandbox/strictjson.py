"""JSON as the contract reads it: no NaN, no key twice, no number and no nesting without end."""

from __future__ import annotations

import json
from typing import NoReturn

from flask.json.provider import DefaultJSONProvider


class StrictJSON(DefaultJSONProvider):
    """Flask's JSON, refusing on the way in whatever two readers could understand differently."""

    def loads(self, s: str | bytes, **kwargs: object) -> object:
        """Raises ValueError for anything that is not plain JSON."""
        try:
            text = s.decode("utf-8") if isinstance(s, bytes) else s
            return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_double_keys)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _no_double_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands there twice")
    return result
