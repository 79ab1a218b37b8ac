"""What a merchant does with a gateway, through Kessai; each step is seen to end as it should."""

import itertools
from typing import Any

import tools
from kessai import Kessai

# Whose payments these are.
ACCOUNT = "001000000000001"

_keys = itertools.count()


def key() -> str:
    return f"flow-{next(_keys)}"


def card(number: str, cvv: str = "737") -> dict[str, Any]:
    return {
        "cardPaymentMethod": {
            "cardNumber": number,
            "cardType": "Visa",
            "cardCategory": "CreditCard",
            "expiryMonth": 3,
            "expiryYear": 2030,
            "cvv": cvv,
            "cardHolderName": "Carol Smith",
            "cardHolderFirstName": "Carol",
            "cardHolderLastName": "Smith",
            "accountId": ACCOUNT,
        }
    }


class Shop:
    def __init__(self, kessai: Kessai, adapter: str, currency: str, more: dict[str, Any] | None = None) -> None:
        self.kessai = kessai
        self.gateway = kessai.gateway(adapter)
        self.adapter = adapter
        self.currency = currency
        self.more = more or {}

    def tokenize(self, method: dict[str, Any]) -> dict[str, Any]:
        body = {**method, "paymentGatewayId": self.gateway, "email": "carol@example.com", **self.more}
        status, answer = self.kessai.ask("POST", "payment-methods", body, key())
        assert status == 201, (self.adapter, status, answer)
        return {"id": answer["paymentMethod"]["id"]}

    def open(self, what: str, amount: float, method: dict[str, Any], under: str | None = None) -> tuple[int, Any]:
        body = {
            "accountId": ACCOUNT,
            "amount": amount,
            "currencyIsoCode": self.currency,
            "paymentGatewayId": self.gateway,
            "paymentMethod": method,
            **self.more,
        }
        return self.kessai.ask("POST", what, body, under or key())

    def act(self, path: str, amount: float) -> tuple[int, Any]:
        return self.kessai.ask("POST", path, {"amount": amount}, key())

    def settled(self, answer: tuple[int, Any], record: str, reads: str) -> str:
        """Its id, once it is carried out: at once, or when the gateway has told."""
        status, body = answer
        assert status in (201, 202) and record in body, (self.adapter, status, body)
        found = body[record]["id"]
        if body[record]["status"] != "Processed":
            path = f"{reads}/{found}"
            seen = tools.until(f"{self.adapter}: {path} Processed", lambda: self._is_processed(path, record))
            assert seen
        return found

    def _is_processed(self, path: str, record: str) -> bool:
        status, body = self.kessai.ask("GET", path)
        assert status == 200, (path, status, body)
        return body[record]["status"] == "Processed"

    def refused(self, answer: tuple[int, Any]) -> str:
        """How."""
        status, body = answer
        result = body.get("gatewayResponse", {}).get("salesforceResultCode") if isinstance(body, dict) else None
        assert result in ("Decline", "PermanentFail", "ValidationError", "RequiresReview"), (self.adapter, status, body)
        return result


def everything(shop: Shop, whole: float, part: float, declined: float, method: dict[str, Any]) -> str:
    """Hold, the same again, capture, refund, release, sale, and something that is declined."""
    under = key()
    first = shop.open("authorizations", whole, method, under)
    authorization = shop.settled(first, "paymentAuthorization", "authorizations")
    assert shop.open("authorizations", whole, method, under) == first, "the same again"
    capture = shop.act(f"authorizations/{authorization}/captures", part)
    payment = shop.settled(capture, "payment", "payments")
    shop.settled(shop.act(f"payments/{payment}/refunds", part), "refund", "refunds")
    released = shop.settled(shop.open("authorizations", whole, method), "paymentAuthorization", "authorizations")
    shop.settled(shop.act(f"authorizations/{released}/reversals", whole), "paymentAuthAdjustment", f"authorizations/{released}/reversals")
    shop.settled(shop.open("sales", whole, method), "payment", "payments")
    how = shop.refused(shop.open("authorizations", declined, method))
    return f"{shop.adapter}: hold, the same again, capture of {part}, refund, release, sale; {declined} declined ({how})"
