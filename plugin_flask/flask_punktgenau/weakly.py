"""Methods of what must not be kept alive by whoever calls them."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from punktgenau.errors import ConfigurationError

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
Owner = TypeVar("Owner")


def weakly(
    me: weakref.ref[Owner], method: Callable[Concatenate[Owner, Arguments], Answer]
) -> Callable[Arguments, Answer]:
    """The method of whoever `me` is. Raises ConfigurationError once that is gone."""

    def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        owner = me()
        if owner is None:
            raise ConfigurationError("The app that this engine belongs to is gone.")
        return method(owner, *args, **kwargs)

    return call
