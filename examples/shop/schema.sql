CREATE TABLE IF NOT EXISTS customers (
  id TEXT PRIMARY KEY,
  points INTEGER NOT NULL,          -- with how many points the demo begins, for the name only
  email TEXT NOT NULL,
  street TEXT NOT NULL,
  postcode TEXT NOT NULL,
  city TEXT NOT NULL
);
INSERT OR IGNORE INTO customers (id, points, email, street, postcode, city) VALUES
  ('cust_2500', 2500, 'demo-2500@example.org', 'Musterstraße 25', '10115', 'Berlin'),
  ('cust_42', 42, 'demo-42@example.org', 'Beispielweg 42', '50667', 'Köln'),
  ('cust_0', 0, 'demo-0@example.org', 'Am Muster 1', '20095', 'Hamburg');

CREATE TABLE IF NOT EXISTS orders (
  number INTEGER PRIMARY KEY,
  reference TEXT NOT NULL UNIQUE,
  owner TEXT NOT NULL,              -- the customer's id, or the id of a guest's browser
  customer_id TEXT REFERENCES customers (id),
  draft TEXT NOT NULL,              -- one per checkout form: a second click finds the first one's order
  state TEXT NOT NULL CHECK (state IN ('pending', 'paid', 'cancelled')),
  language TEXT NOT NULL,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  street TEXT NOT NULL,
  postcode TEXT NOT NULL,
  city TEXT NOT NULL,
  shipping_minor INTEGER NOT NULL,
  shipping_vat_rate TEXT NOT NULL,
  total_minor INTEGER NOT NULL,
  placed_at TEXT NOT NULL,
  paid_at TEXT,
  shipped_at TEXT,
  cancelled_at TEXT,
  UNIQUE (owner, draft)
);

CREATE TABLE IF NOT EXISTS order_lines (
  order_reference TEXT NOT NULL REFERENCES orders (reference),
  sku TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  unit_price_minor INTEGER NOT NULL,
  vat_rate TEXT NOT NULL,
  points_allowed INTEGER NOT NULL,
  PRIMARY KEY (order_reference, sku)
);

CREATE TABLE IF NOT EXISTS reward_lines (  -- what of an order must be paid with points, per unit
  order_reference TEXT NOT NULL REFERENCES orders (reference),
  sku TEXT NOT NULL,
  reward_points INTEGER NOT NULL CHECK (reward_points > 0),
  PRIMARY KEY (order_reference, sku)
);

CREATE TABLE IF NOT EXISTS payments (
  order_reference TEXT NOT NULL REFERENCES orders (reference),
  number INTEGER NOT NULL,          -- first try, second try: a second click asks for a number that is taken
  token TEXT NOT NULL UNIQUE,       -- what the bank's page knows the payment by
  method TEXT NOT NULL CHECK (method IN ('card', 'card_declined', 'bank', 'none')),
  state TEXT NOT NULL CHECK (state IN ('started', 'waiting', 'accepted', 'declined', 'stopped', 'refunded')),
  amount_minor INTEGER,             -- known once the payment is asked for
  started_at TEXT NOT NULL,
  ended_at TEXT,
  PRIMARY KEY (order_reference, number)
);
DROP INDEX IF EXISTS one_live_payment;
CREATE UNIQUE INDEX IF NOT EXISTS one_open_payment ON payments (order_reference)
  WHERE state IN ('started', 'waiting');

CREATE TABLE IF NOT EXISTS money_back (  -- what of a payment went back with the cancellation
  order_reference TEXT NOT NULL,
  number INTEGER NOT NULL,
  amount_minor INTEGER NOT NULL,
  PRIMARY KEY (order_reference, number),
  FOREIGN KEY (order_reference, number) REFERENCES payments (order_reference, number)
);

CREATE TABLE IF NOT EXISTS paid_otherwise (  -- payments that a person at the back office has stated
  order_reference TEXT PRIMARY KEY,
  number INTEGER NOT NULL,
  FOREIGN KEY (order_reference, number) REFERENCES payments (order_reference, number)
);

CREATE TABLE IF NOT EXISTS returns (
  reference TEXT PRIMARY KEY,       -- A-1001-R1: what the points provider knows the return by, too
  order_reference TEXT NOT NULL REFERENCES orders (reference),
  draft TEXT NOT NULL,              -- one per form: a second click finds the first one's return
  state TEXT NOT NULL CHECK (state IN ('asked', 'confirming', 'confirmed', 'refused')),
  reason TEXT NOT NULL,
  shipping_minor INTEGER NOT NULL,
  asked_at TEXT NOT NULL,
  decided_at TEXT,
  decided_by TEXT,
  points INTEGER,                   -- what went back, known once it is confirmed
  value_minor INTEGER,
  money_minor INTEGER,
  money_reference TEXT UNIQUE,
  UNIQUE (order_reference, draft)
);

CREATE TABLE IF NOT EXISTS return_lines (
  return_reference TEXT NOT NULL REFERENCES returns (reference),
  sku TEXT NOT NULL,
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  PRIMARY KEY (return_reference, sku)
);

CREATE TABLE IF NOT EXISTS filling (
  id INTEGER PRIMARY KEY CHECK (id = 1),  -- once per shop
  wanted INTEGER NOT NULL,
  done INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS changing (   -- a change from before the points engine is told until it is written down
  order_reference TEXT PRIMARY KEY REFERENCES orders (reference),
  kept TEXT NOT NULL                -- units by article, as JSON
);

CREATE TABLE IF NOT EXISTS order_changes (
  order_reference TEXT NOT NULL REFERENCES orders (reference),
  number INTEGER NOT NULL,
  total_minor INTEGER NOT NULL,     -- of the order as it was before
  points INTEGER NOT NULL,          -- what went back for it, and of what was paid in money
  money_minor INTEGER NOT NULL,
  changed_at TEXT NOT NULL,
  changed_by TEXT NOT NULL,
  PRIMARY KEY (order_reference, number)
);
