"""The statements of shipments; values are bound by the names used here."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, literal_column, select, update

from punktgenau.checkout.schema_returns import shipment

_s = shipment.c
_OF_REDEMPTION = _s.redemption_id == bindparam("redemption_id")
_REQUESTED = _s.state == literal_column("'requested'")

ADD = insert(shipment).values({column.name: bindparam(column.name) for column in shipment.columns})
ALL = select(shipment).where(_OF_REDEMPTION).order_by(_s.number)
NEXT = select(shipment).where(_OF_REDEMPTION, _REQUESTED).order_by(_s.number).limit(1)
BEGIN = (
    update(shipment)
    .where(_OF_REDEMPTION, _s.number == bindparam("number"), _REQUESTED)
    .values(state="capturing", operation_id=bindparam("operation_id"))
)
END = update(shipment).where(_OF_REDEMPTION, _REQUESTED).values(state="short")
FINISH = update(shipment).where(_s.operation_id == bindparam("operation_id")).values(state=bindparam("state"))
