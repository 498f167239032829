"""The tax report: redeemed points that the shop gave out, by the order that earned them and by VAT rate."""
