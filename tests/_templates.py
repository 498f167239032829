"""Pages of apps that are made anew for each test: their templates are compiled once per run."""

from typing import ClassVar

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class CompiledOnce(BytecodeCache):
    """Templates are compiled once per test run, not once per app."""

    compiled: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.compiled:
            bucket.bytecode_from_string(self.compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.compiled[bucket.key] = bucket.bytecode_to_string()


def compiled_once(app: Flask) -> Flask:
    """This app, whose templates need no more compiling once another one has used them."""
    app.jinja_env.bytecode_cache = CompiledOnce()
    return app
