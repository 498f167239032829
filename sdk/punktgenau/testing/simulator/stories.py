"""What customers, payment providers and points providers do with an order, one after the other; and how often.

"|" is asked of two at about the same time, ">" of two of which the second comes while the first is under way; "~" is a
time in which holds end.
"""

from __future__ import annotations

Stories = tuple[tuple[str, int], ...]

STORIES: Stories = (
    ("place pay", 3),
    ("place|place pay|pay", 6),
    ("place|place|place pay", 4),
    ("place pay cancel", 2),
    ("place pay|cancel", 5),
    ("place pay>cancel", 6),
    ("place>cancel", 2),
    ("place pay|cancel|cancel", 3),
    ("place cancel", 2),
    ("place|cancel", 3),
    ("place|place cancel|cancel", 3),
    ("place decline place pay", 3),
    ("place decline|decline|place pay", 4),
    ("place void|pay", 3),
    ("place without pay", 3),
    ("place|without pay", 6),
    ("place|cancel without", 3),
    ("place other pay", 1),
    ("place decline|other pay", 3),
    ("place show pay cancel|cancel", 3),
    ("place place pay", 1),
    ("place ~ pay", 3),
    ("place ~ place|pay", 3),
    ("place ~ pay|cancel", 4),
    ("place ~ pay>cancel", 4),
    ("place ~ pay cancel", 1),
    ("place ~ cancel", 1),
    ("place", 2),
    ("place pay|capture cancel", 2),
)
SENT_BACK: Stories = (
    ("place pay return", 2),
    ("place pay return|return", 4),
    ("place pay return|rest", 4),
    ("place pay return>rest", 3),
    ("place pay return rest", 3),
    ("place pay return amount", 2),
    ("place pay return|amount rest", 2),
    ("place pay rest|rest return|return", 2),
    ("place pay return|cancel", 4),
    ("place pay return>cancel", 3),
    ("place pay return cancel|cancel", 2),
    ("place pay|return rest", 3),
    ("place return pay rest", 1),
    ("place ~ pay return", 1),
)
"""Parts of an order that was paid come back."""
REWARDED: Stories = (
    ("place without pay", 4),
    ("place|without pay", 3),
    ("place decline without place pay", 3),
    ("place ~ without|pay", 2),
    ("place pay return|rest", 3),
    ("place pay return rest", 2),
    ("place pay|cancel", 2),
)
"""The goods are reward articles, and somebody tries to have them without points."""
PARCELS: Stories = (
    ("place pay parcel last", 4),
    ("place pay parcel|parcel last", 3),
    ("place pay parcel|last", 4),
    ("place pay>parcel last", 2),
    ("place pay parcel cancel", 3),
    ("place pay parcel|cancel", 3),
    ("place pay parcel last|cancel", 2),
    ("place pay parcel ~ last", 3),
    ("place pay parcel ~ cancel", 2),
    ("place pay parcel capture", 2),
    ("place pay parcel|capture", 2),
    ("place pay parcel last return|rest", 3),
    ("place pay parcel return last rest", 3),
    ("place pay parcel return|last", 3),
    ("place pay parcel|return last", 2),
    ("place pay parcel return|cancel", 2),
    ("place pay parcel return ~ rest", 2),
    ("place cancel", 1),
    ("place decline|decline", 1),
)
"""Points are taken with the goods that leave."""
CORRECTED: Stories = (
    ("place voided pay", 3),
    ("place pay|voided", 2),
    ("place voided cancel", 2),
    ("place voided|cancel", 2),
    ("place ended pay", 2),
    ("place ended place|pay", 1),
    ("place pay>ended", 2),
    ("place pay corrected", 3),
    ("place pay corrected|cancel", 2),
    ("place pay corrected return|rest", 3),
    ("place pay return corrected rest", 3),
    ("place pay revoked", 3),
    ("place pay return revoked", 6),
    ("place pay revoked|cancel", 2),
    ("place pay>revoked return", 2),
)
"""The provider changes something by itself."""
EARNED: Stories = (
    ("buy pay", 2),
    ("buy pay return", 3),
    ("buy pay return|rest", 3),
    ("buy pay ~ return", 4),
    ("buy pay ~ ~ return|rest", 5),
    ("buy pay ~ return rest", 3),
    ("buy pay ~ ~ rest>return", 3),
    ("buy pay cancel", 2),
    ("buy pay|cancel", 3),
    ("buy pay>cancel", 3),
    ("buy pay ~ cancel", 3),
    ("buy pay ~ ~ cancel", 3),
    ("buy pay return cancel", 1),
    ("~ place pay", 6),
    ("~ place pay ~ buy", 1),
    ("~ buy pay ~ return", 3),
    ("~ buy pay", 3),
    ("place pay", 2),
    ("place pay return|rest", 2),
    ("place pay ~ return", 3),
    ("place pay ~ return rest", 2),
    ("place pay ~ cancel", 2),
    ("place pay>cancel", 2),
    ("place without pay ~ return", 1),
)
"""What money pays earns points; they are posted, spent, and the goods come back."""
SPENT_AND_BACK: tuple[Stories, ...] = (
    (("buy pay ~ return|rest", 3), ("buy pay ~ cancel", 1)),
    (("~ place pay", 1),),
    (("~ ~ buy pay", 2), ("~ ~ buy pay return", 1)),
)
"""Earned with one order, spent with the next, and the first one comes back; then there is a third."""
