"""The checkout engine: pay an order with points, and never lose one."""

from punktgenau.checkout.articles import Article
from punktgenau.checkout.cart import Cart, Line, Order
from punktgenau.checkout.earning.rules import ArticlePoints, Campaign, EarnRules
from punktgenau.checkout.earning.told import Earned, EarnedMove, EarnPreview
from punktgenau.checkout.engine import Checkout
from punktgenau.checkout.exchanging.told import Exchange
from punktgenau.checkout.invoice import Invoice, InvoiceTax, InvoiceTender
from punktgenau.checkout.links import Link
from punktgenau.checkout.movements import Expiring
from punktgenau.checkout.payment import Payment, PaymentState
from punktgenau.checkout.quote import CartQuote, parse_points
from punktgenau.checkout.recovery import Recovery
from punktgenau.checkout.refund import Refund, RefundPreview, Split, VoucherBack
from punktgenau.checkout.rewards import RewardPrice
from punktgenau.checkout.schema import include_name
from punktgenau.checkout.settings import Settings
from punktgenau.checkout.vouchers import CartVoucher

__all__ = [
    "Article",
    "ArticlePoints",
    "Campaign",
    "Cart",
    "CartQuote",
    "CartVoucher",
    "Checkout",
    "EarnPreview",
    "EarnRules",
    "Earned",
    "EarnedMove",
    "Exchange",
    "Expiring",
    "Invoice",
    "InvoiceTax",
    "InvoiceTender",
    "Line",
    "Link",
    "Order",
    "Payment",
    "PaymentState",
    "Recovery",
    "Refund",
    "RefundPreview",
    "RewardPrice",
    "Settings",
    "Split",
    "VoucherBack",
    "include_name",
    "parse_points",
]
