"""The answer to a hold is lost. Are the points held or not? Three ways to find out, and none holds them twice."""

from punktgenau import Client, Money, OutcomeUnknownError, Redemption
from punktgenau.testing import fake_provider

TOTAL = Money(amount_minor=5990, currency="EUR")


def hold(client: Client) -> Redemption:
    """Without a key of one's own, the client makes it from the order: the same call is the same intention."""
    return client.redemptions.authorize(member_id="mbr_2500", order_reference="A-1001", total=TOTAL, points=427)


def main() -> None:
    with fake_provider() as provider:
        client = Client(
            provider.url,
            client_id=provider.client_id,
            client_secret=provider.client_secret,
            clock=provider.clock,  # one clock for both sides, moved by hand: nothing here really waits
        )

        # The provider holds the points and then says nothing until the client's deadline has passed.
        provider.faults.next("authorize", "hang", when="after")
        try:
            hold(client)
        except OutcomeUnknownError as error:
            # Neither failed nor done: unknown, and the error names the call that finds out.
            print(f"{type(error).__name__}: outcome {error.outcome}, retry with {error.retry}")
            print(f"next: {error.next_call}")
            key = error.idempotency_key

        # 1. Look it up by the key of the lost call.
        [found] = client.redemptions.find(idempotency_key=key)
        print(f"found by key: {found.points} points {found.state}")

        # 2. Or by the order, where even the key is lost.
        print(f"found by order: {len(client.redemptions.find(order_reference='A-1001'))}")

        # 3. Or simply make the same call again.
        again = hold(client)
        print(f"same call again: {again.state}, replayed={again.replayed}")
        print(f"held at the provider: {provider.balance('mbr_2500').held} points")

        # A connection that breaks is repeated inside the call, with the same key, and is not even noticed.
        provider.faults.next("capture", "reset", when="after")
        captured = client.redemptions.capture(again.id)
        print(f"{captured.state}: {captured.captured_points} points, sent {captured.sends} times")
        client.close()


if __name__ == "__main__":
    main()
