"""Points that a customer turns into a voucher or into money: `calls` is what a shop asks, the rest carries it out."""
