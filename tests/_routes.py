"""Routes of apps that are made anew for each test: what builds their addresses is compiled once per run.

Werkzeug compiles two functions for each rule, which takes nine tenths of making a sandbox or a small shop.
"""

from collections.abc import Callable

from werkzeug.routing import Rule

_Builder = Callable[..., tuple[str, str]]
_compile = Rule._compile_builder
_compiled: dict[tuple[object, ...], _Builder] = {}


def _once(self: Rule, append_unknown: bool = True) -> _Builder:
    if self.defaults:
        # Their text comes from the converters of this very rule.
        return _compile(self, append_unknown)
    wanted = (self.rule, tuple(self._trace), append_unknown)
    if wanted not in _compiled:
        _compiled[wanted] = _compile(self, append_unknown)
    return _compiled[wanted]


Rule._compile_builder = _once  # type: ignore[method-assign]
