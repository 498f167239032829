"""The demo shop: lamps and things for the desk, with its own cart, orders and payments.

Start reading at `app.py` (what is wired together), then `till.py` (how an order is paid), then `views/`.
"""

from .app import create_app

__all__ = ["create_app"]
