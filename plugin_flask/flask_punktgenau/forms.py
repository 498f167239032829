"""Where forms and links of ours lead, and what every form carries. No request, no text."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Urls:
    """Where forms and links lead; what is left empty is not shown. `back` is the page to return to (`next`)."""

    apply: str = ""
    remove: str = ""
    quote: str = ""
    panel: str = ""
    connect: str = ""
    disconnect: str = ""
    history: str = ""
    exchange: str = ""
    vouchers: str = ""
    add_voucher: str = ""
    use_voucher: str = ""
    remove_voucher: str = ""
    retry: str = ""
    without: str = ""
    sign_in: str = ""
    back: str = ""
    style: str = ""
    script: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CsrfField:
    """The hidden field that every form of ours carries."""

    name: str
    value: str
