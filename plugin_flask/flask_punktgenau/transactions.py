"""Whether the shop's own database session holds uncommitted writes: then no call to the provider may start.

Such a call would keep the shop's locks over the network, and an order that is rolled back later would have paid.
Watches Flask-SQLAlchemy's session where the shop has one; a transaction that only reads does not count.
"""

from __future__ import annotations

import re

from flask import current_app
from sqlalchemy import TextClause, event
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, UOWTransaction, scoped_session

from punktgenau.errors import OpenTransactionError

_WRITTEN = "punktgenau_written"
_WRITES = re.compile(r"\s*(insert|update|delete|replace|merge)\b", re.IGNORECASE)


def require_no_open_transaction() -> None:
    """Refuse to go on inside the host's open transaction.

    Raises OpenTransactionError; nothing was sent and nothing written.
    """
    session = _host_session()
    if session is None:
        return
    if session.new or session.dirty or session.deleted:
        raise OpenTransactionError(
            "The database session has changes that are not written yet. Commit the order first, or call this before "
            "the order is added."
        )
    if session.info.get(_WRITTEN):
        raise OpenTransactionError(
            "The database session has written without a commit. Commit the order first, or call this before the order "
            "is added."
        )


def watch_sessions() -> None:
    """Let every session of this process remember whether its transaction has written; once per process."""
    if event.contains(Session, "after_flush", _after_flush):
        return
    event.listen(Session, "after_flush", _after_flush)
    event.listen(Session, "do_orm_execute", _on_execute)
    event.listen(Session, "after_transaction_end", _after_transaction_end)


def _host_session() -> Session | None:
    session = getattr(current_app.extensions.get("sqlalchemy"), "session", None)
    if isinstance(session, scoped_session):
        return session() if session.registry.has() else None
    return session if isinstance(session, Session) else None


def _after_flush(session: Session, _context: UOWTransaction) -> None:
    session.info[_WRITTEN] = True


def _on_execute(state: ORMExecuteState) -> None:
    if state.is_insert or state.is_update or state.is_delete or _is_written_by_hand(state):
        state.session.info[_WRITTEN] = True


def _is_written_by_hand(state: ORMExecuteState) -> bool:
    return isinstance(state.statement, TextClause) and _WRITES.match(state.statement.text) is not None


def _after_transaction_end(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info.pop(_WRITTEN, None)
