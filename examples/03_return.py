"""Goods come back: give points back in parts, never more than were taken, and know what became of them."""

from datetime import timedelta

from punktgenau import Client, Money, ReversalExceedsCaptureError
from punktgenau.testing import fake_provider


def main() -> None:
    with fake_provider() as provider:
        client = Client(
            provider.url, client_id=provider.client_id, client_secret=provider.client_secret, clock=provider.clock
        )
        # 100 points that end in 30 days, and 900 more that never do.
        anna = provider.member("mbr_anna", 100, expires_at=provider.clock.now() + timedelta(days=30))
        provider.member(anna, 1000)

        red = client.redemptions.authorize(
            member_id=anna,
            order_reference="A-1001",
            total=Money(amount_minor=5990, currency="EUR"),
            points=427,
            capture="now",  # hold and capture in one step
        )
        print(f"{red.state}: {red.captured_points} points, {provider.balance(anna).available} left")

        # One lamp of three comes back. The reference is the shop's own: it gives back once, however often it is sent.
        for _ in range(2):
            back = client.redemptions.reverse(red.id, points=142, return_reference="R-1")
            print(f"R-1: {back.points} points = {back.value.amount_minor} cents back, replayed={back.replayed}")

        # Somebody adds up wrongly: refused, with what is still possible.
        try:
            client.redemptions.reverse(red.id, points=300, return_reference="R-2")
        except ReversalExceedsCaptureError as error:
            print(f"R-2: refused ({error.code}), {error.remaining} points can still go back")

        # The rest comes back after 40 days. Points keep their date, so those that ended meanwhile stay ended.
        provider.clock.advance(40 * 86_400)
        rest = client.redemptions.reverse(red.id, points=285, return_reference="R-3")
        print(f"R-3: {rest.restored} restored, {rest.already_expired} already expired, now {rest.redemption.state}")
        print(f"available: {provider.balance(anna).available} points")

        # What the member reads about it.
        for entry in client.members.entries(member_id=anna).items[:3]:
            print(f"  {entry.kind} {entry.points:+d}: {entry.reason}")
        client.close()


if __name__ == "__main__":
    main()
