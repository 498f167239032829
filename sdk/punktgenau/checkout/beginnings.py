"""Order references by how they begin: compared byte by byte, as an index has them, whatever the database's language."""

from __future__ import annotations

import re

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

_CURSOR = re.compile(r"([0-9]{1,9})~((?:[0-9a-f]{2}){1,144})")


class bytewise(FunctionElement[str]):
    """A text compared byte by byte; in most languages PostgreSQL would ignore signs, and find nothing by its index."""

    name = "bytewise"
    type = String()
    inherit_cache = True


@compiles(bytewise)
def _plain(element: bytewise, compiler: SQLCompiler, **options: object) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(bytewise, "postgresql")
def _in_c(element: bytewise, compiler: SQLCompiler, **options: object) -> str:
    return f'{compiler.process(element.clauses, **options)} COLLATE "C"'


def write_cursor(order_reference: str, attempt: int) -> str:
    """Where a page has ended, as text for an address."""
    return f"{attempt}~{order_reference.encode().hex()}"


def read_cursor(text: str) -> tuple[str, int] | None:
    """The order reference and the attempt; None: the text is no such cursor."""
    found = _CURSOR.fullmatch(text)
    if found is None:
        return None
    try:
        reference = bytes.fromhex(found[2]).decode()
    except UnicodeDecodeError:
        return None
    return (reference, int(found[1])) if reference.isprintable() else None
