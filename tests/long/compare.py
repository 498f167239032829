"""Do the three books say the same? The shop's orders, the journal and the provider's ledger, read by plain SQL.

Stands alone: knows the tables and nothing of the code that filled them. Prints what differs as JSON; exits with 1 if
anything does.

    python compare.py --shop URL --journal URL --ledger FILE --start '{"mbr_1": 1000}' [--orders 5000]
"""

import argparse
import json
import sqlite3
import sys
from collections import Counter, defaultdict

import psycopg

ORDERS = "SELECT reference, member_id, total_minor, state, points, value_minor, due_minor FROM orders"
ATTEMPTS = """SELECT key, order_reference, member_id, state, points, value_minor, captured_points, reversed_points,
    reversed_minor, provider_id, live_key FROM punktgenau_redemption ORDER BY order_reference, attempt"""
OPEN_OPERATIONS = "SELECT redemption_id, kind FROM punktgenau_operation WHERE open_key IS NOT NULL"
REDEMPTIONS = """SELECT id, idempotency_key, order_reference, member_id, state, points, value_minor, held_points,
    captured_points, captured_minor, reversed_points, reversed_minor, is_live FROM redemption"""
SUM = "SELECT sum(points) AS points FROM entry"
MOVEMENTS = "SELECT movement_number, sum(points) AS points FROM entry GROUP BY movement_number HAVING sum(points) <> 0"
ACCOUNTS = """SELECT name, account.points AS points, coalesce(sum(entry.points), 0) AS entries
    FROM account LEFT JOIN entry ON entry.account_id = account.id GROUP BY account.id"""
AVAILABLE = """SELECT member_id, sum(points) AS points FROM account
    WHERE kind IN ('available', 'held') GROUP BY member_id"""
CAPTURES = "SELECT redemption_id, sum(points) AS points, sum(value_minor) AS minor FROM capture GROUP BY redemption_id"
REVERSALS = (
    "SELECT redemption_id, sum(points) AS points, sum(value_minor) AS minor FROM reversal GROUP BY redemption_id"
)
CLOSED = {"declined", "voided", "expired", "abandoned"}


def read(url, query):
    """The rows of a query as dicts, from PostgreSQL or from an SQLite file that is not changed by being read."""
    if url.startswith("postgresql"):
        with psycopg.connect(
            url.replace("postgresql+psycopg", "postgresql"), row_factory=psycopg.rows.dict_row
        ) as base:
            return base.execute(query).fetchall()
    base = sqlite3.connect(url.removeprefix("sqlite:///"))
    try:
        base.row_factory = sqlite3.Row
        return [dict(row) for row in base.execute(query)]
    finally:
        base.close()


class Books:
    """All three, and what is wrong with them."""

    def __init__(self, options):
        self.start = json.loads(options.start)
        self.expected = options.orders
        self.orders = read(options.shop, ORDERS)
        self.attempts = read(options.journal, ATTEMPTS)
        self.operations = read(options.journal, OPEN_OPERATIONS)
        self.redemptions = read(options.ledger, REDEMPTIONS)
        self.ledger = {
            name: read(options.ledger, query)
            for name, query in (
                ("sum", SUM), ("movements", MOVEMENTS), ("accounts", ACCOUNTS), ("available", AVAILABLE),
                ("captures", CAPTURES), ("reversals", REVERSALS),
            )
        }  # fmt: skip
        self.wrong = []
        self.attempts_by_order = grouped(self.attempts)
        self.redemptions_by_order = grouped(self.redemptions)

    def say(self, where, what):
        self.wrong.append(f"{where}: {what}")

    def compare(self):
        if self.expected is not None and len(self.orders) != self.expected:
            self.say("shop", f"{len(self.orders)} orders, {self.expected} were placed")
        for order in self.orders:
            self.order(order)
        known = {order["reference"] for order in self.orders}
        for reference in (self.attempts_by_order.keys() | self.redemptions_by_order.keys()) - known - {""}:
            self.say(reference, "the shop has no such order")
        self.keys()
        for operation in self.operations:
            self.say(operation["redemption_id"], f"{operation['kind']} is still open in the journal")
        self.entries()
        self.members()

    def order(self, order):
        name = order["reference"]
        theirs = self.redemptions_by_order.get(name, [])
        points = sum(one["captured_points"] - one["reversed_points"] for one in theirs)
        minor = sum(one["captured_minor"] - one["reversed_minor"] for one in theirs)
        ours = self.attempts_by_order.get(name, [])
        our_points = sum(one["captured_points"] - one["reversed_points"] for one in ours)
        our_minor = sum(one["value_minor"] - one["reversed_minor"] for one in ours if one["captured_points"])
        if (points, minor) != (our_points, our_minor):
            self.say(name, f"provider took {points} points, {minor} cents; journal says {our_points}, {our_minor}")
        live = [one for one in theirs if one["is_live"]]
        if len(live) > 1:
            self.say(name, f"{len(live)} live redemptions at the provider")
        held = sum(one["held_points"] for one in theirs)
        if held and order["state"] != "pending":
            self.say(name, f"{held} points are held for an order that is {order['state']}")
        if order["state"] == "paid":
            if (points, minor) != (order["points"], order["value_minor"]):
                counted = f"{order['points']} points, {order['value_minor']} cents"
                self.say(name, f"provider took {points} points, {minor} cents; the order counts on {counted}")
            if order["value_minor"] + order["due_minor"] != order["total_minor"]:
                self.say(name, "points and money are not the total")
        elif order["state"] == "cancelled":
            if points or minor:
                self.say(name, f"cancelled, and {points} points, {minor} cents were not given back")
        else:
            self.say(name, f"is {order['state']} at the end")

    def keys(self):
        ours = {one["key"]: one for one in self.attempts}
        theirs = {one["idempotency_key"]: one for one in self.redemptions}
        captures, reversals = (
            {row["redemption_id"]: (row["points"], row["minor"]) for row in self.ledger[name]}
            for name in ("captures", "reversals")
        )
        for key, red in theirs.items():
            where = f"{red['order_reference']} {red['id']}"
            if captures.get(red["id"], (0, 0)) != (red["captured_points"], red["captured_minor"]):
                self.say(where, "its captures are not what it says was captured")
            if reversals.get(red["id"], (0, 0)) != (red["reversed_points"], red["reversed_minor"]):
                self.say(where, "its reversals are not what it says was reversed")
            row = ours.get(key)
            if row is None:
                self.say(where, "the journal knows nothing of it")
            elif red["order_reference"] == "":
                if row["state"] not in CLOSED:
                    self.say(where, f"its key is buried, the journal says {row['state']}")
            else:
                self.pair(where, row, red)
        for key, row in ours.items():
            if key not in theirs and row["state"] not in CLOSED:
                self.say(row["order_reference"], f"{row['state']} in the journal, unknown at the provider")
            if (row["state"] in CLOSED or row["state"] == "reversed") and row["live_key"] is not None:
                self.say(row["order_reference"], f"{row['state']}, and still the live attempt")

    def pair(self, where, row, red):
        for name in ("order_reference", "member_id", "points", "value_minor"):
            if row[name] != red[name]:
                self.say(where, f"{name} is {red[name]} at the provider, {row[name]} in the journal")
        if row["provider_id"] not in (None, red["id"]):
            self.say(where, f"the journal thinks that it is {row['provider_id']}")
        for name in ("captured_points", "reversed_points", "reversed_minor"):
            if row[name] != red[name]:
                self.say(where, f"{name} is {red[name]} at the provider, {row[name]} in the journal")
        if row["state"] in CLOSED and red["is_live"]:
            self.say(where, f"{row['state']} in the journal, {red['state']} and live at the provider")

    def entries(self):
        if self.ledger["sum"][0]["points"]:
            self.say("ledger", f"all entries together are {self.ledger['sum'][0]['points']}, not 0")
        for row in self.ledger["movements"]:
            self.say("ledger", f"the entries of movement {row['movement_number']} are {row['points']}, not 0")
        for row in self.ledger["accounts"]:
            if row["points"] != row["entries"]:
                self.say("ledger", f"{row['name']} says {row['points']}, its entries say {row['entries']}")

    def members(self):
        spent = Counter()
        for order in self.orders:
            if order["state"] == "paid":
                spent[order["member_id"]] += order["points"]
        has = {row["member_id"]: row["points"] for row in self.ledger["available"]}
        for member_id, start in self.start.items():
            if has.get(member_id, 0) != start - spent[member_id]:
                self.say(member_id, f"has {has.get(member_id, 0)}, began with {start}, paid with {spent[member_id]}")

    def told(self):
        newest = {name: rows[-1]["state"] for name, rows in self.attempts_by_order.items()}
        ends = Counter(f"{one['state']}, points {newest.get(one['reference'], 'none')}" for one in self.orders)
        return {
            "orders": len(self.orders),
            "attempts": len(self.attempts),
            "redemptions": len(self.redemptions),
            "points_paid": sum(one["points"] for one in self.orders if one["state"] == "paid"),
            "ends": dict(sorted(ends.items())),
            "violations": self.wrong,
        }


def grouped(rows):
    found = defaultdict(list)
    for row in rows:
        found[row["order_reference"]].append(row)
    return dict(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("shop", "journal", "ledger", "start"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--orders", type=int)
    books = Books(parser.parse_args())
    books.compare()
    told = books.told()
    sys.stdout.write(json.dumps(told, indent=1) + "\n")
    return 1 if told["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
