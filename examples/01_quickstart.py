"""Hold 427 points for an order and keep them: balance, quote, hold, capture.

A provider runs inside this script, so nothing has to be started. In a shop, `Client` gets the address and the
credentials of the real one, and nothing else changes.
"""

from punktgenau import Client, Money
from punktgenau.testing import fake_provider


def main() -> None:
    with (
        fake_provider() as provider,
        Client(provider.url, client_id=provider.client_id, client_secret=provider.client_secret) as client,
    ):
        # What does the customer have? Points are whole numbers, money is whole cents.
        balance = client.members.balance(member_id="mbr_2500")
        print(f"available: {balance.available} points, {balance.rate.points} point = {balance.rate.amount_minor} cent")

        # What would 427 of them do for this bill?
        total = Money(amount_minor=5990, currency="EUR")
        quote = client.redemptions.quote(member_id="mbr_2500", total=total, points=427)
        print(f"quote: {quote.points} points pay {quote.value.amount_minor} of {total.amount_minor} cents")

        # The order is placed: hold the points. Then charge what is left, by card or in any other way.
        red = client.redemptions.authorize(
            member_id="mbr_2500", order_reference="A-1001", total=total, points=427, value=quote.value
        )
        balance = client.members.balance(member_id="mbr_2500")
        print(f"{red.state}: {red.points} points; available {balance.available}, held {balance.held}")

        # The money came: the points are paid. Called again, it answers as before and takes nothing twice.
        red = client.redemptions.capture(red.id)
        again = client.redemptions.capture(red.id)
        print(
            f"{red.state}: {red.captured_points} points; once more: {again.captured_points}, replayed={again.replayed}"
        )


if __name__ == "__main__":
    main()
