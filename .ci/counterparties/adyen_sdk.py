"""Adyen's own library for Python as a client of the model, in both dialects, and as whoever verifies its notices."""

import json
import os
import time
import urllib.request

import Adyen
from Adyen.exceptions import AdyenError
from Adyen.util import is_valid_hmac_notification

TOLD = json.loads(os.environ["TOLD"])
ACCOUNT = TOLD["credential"]["merchantAccount"]
CARD = {"number": "4111111111111111", "expiryMonth": "03", "expiryYear": "2030", "cvc": "737", "holderName": "Carol"}

adyen = Adyen.Adyen(platform="test", xapikey=TOLD["credential"]["apiKey"])
payments, modifications = adyen.checkout.payments_api, adyen.checkout.modifications_api
payments.baseUrl = modifications.baseUrl = TOLD["baseUrls"]["adyen"]
classic, classic_modifications = adyen.payment.payments_api, adyen.payment.modifications_api
classic.baseUrl = classic_modifications.baseUrl = TOLD["baseUrls"]["adyen-classic"]


def euros(value: int) -> dict:
    return {"currency": "EUR", "value": value}


def refused(status: int, ask) -> None:
    try:
        ask()
    except AdyenError as error:
        assert error.status_code == status, error.debug()
        return
    raise AssertionError(f"not refused: {status}")


def checkout() -> None:
    def request(value: int, reference: str) -> dict:
        return {
            "merchantAccount": ACCOUNT,
            "amount": euros(value),
            "reference": reference,
            "returnUrl": "https://shop.example/back",
            "paymentMethod": {"type": "scheme", **CARD},
        }

    paid = payments.payments(request(1234, "py-1"), idempotency_key="adyen-py-1").message
    assert paid["resultCode"] == "Authorised", paid
    again = payments.payments(request(1234, "py-1"), idempotency_key="adyen-py-1").message
    assert again["pspReference"] == paid["pspReference"], "the same key is the same payment"
    psp = paid["pspReference"]
    asked = {"merchantAccount": ACCOUNT, "amount": euros(1000), "reference": "py-capture"}
    captured = modifications.capture_authorised_payment(asked, psp)
    assert (captured.status_code, captured.message["status"]) == (201, "received"), captured.message
    asked = {"merchantAccount": ACCOUNT, "amount": euros(400), "reference": "py-refund"}
    assert modifications.refund_captured_payment(asked, psp).message["status"] == "received"
    other = payments.payments(request(500, "py-2")).message["pspReference"]
    asked = {"merchantAccount": ACCOUNT, "reference": "py-cancel"}
    assert modifications.cancel_authorised_payment_by_psp_reference(asked, other).message["status"] == "received"
    declined = payments.payments(request(9003, "py-3")).message
    assert declined["resultCode"] == "Refused" and declined["refusalReason"], declined
    without = {name: value for name, value in request(1234, "py-4").items() if name != "amount"}
    refused(422, lambda: payments.payments(without))
    stranger = Adyen.Adyen(platform="test", xapikey="x").checkout.payments_api
    stranger.baseUrl = payments.baseUrl
    refused(401, lambda: stranger.payments(request(1234, "py-5")))


def older() -> None:
    def request(value: int, reference: str) -> dict:
        return {"merchantAccount": ACCOUNT, "amount": euros(value), "reference": reference, "card": CARD}

    paid = classic.authorise(request(1234, "py-c1"), idempotency_key="adyen-py-c1").message
    assert paid["resultCode"] == "Authorised", paid
    again = classic.authorise(request(1234, "py-c1"), idempotency_key="adyen-py-c1").message
    assert again["pspReference"] == paid["pspReference"]
    asked = {"merchantAccount": ACCOUNT, "originalReference": paid["pspReference"], "reference": "py-c-capture"}
    captured = classic_modifications.capture({**asked, "modificationAmount": euros(1234)}).message
    assert captured["response"] == "[capture-received]", captured
    refunded = classic_modifications.refund({**asked, "reference": "py-c-refund", "modificationAmount": euros(34)}).message
    assert refunded["response"] == "[refund-received]", refunded
    other = classic.authorise(request(500, "py-c2")).message["pspReference"]
    canceled = classic_modifications.cancel({**asked, "reference": "py-c-cancel", "originalReference": other}).message
    assert canceled["response"] == "[cancel-received]", canceled
    assert classic.authorise(request(9003, "py-c3")).message["resultCode"] == "Refused"


WANTED = {"AUTHORISATION", "CAPTURE", "REFUND", "CANCELLATION"}


def notices() -> int:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with urllib.request.urlopen(TOLD["hook"]) as answer:
            told = [json.loads(one["body"]) for one in json.load(answer)]
        items = [item["NotificationRequestItem"] for one in told for item in one["notificationItems"]]
        if {item["eventCode"] for item in items} >= WANTED:
            break
        time.sleep(0.2)
    assert {item["eventCode"] for item in items} >= WANTED, {item["eventCode"] for item in items}
    for one, item in zip(told, items, strict=True):
        assert is_valid_hmac_notification(one, TOLD["secret"]), one
        item["amount"] = {**item["amount"], "value": item["amount"]["value"] + 1}
        assert not is_valid_hmac_notification(one, TOLD["secret"]), "an amount that was changed"
    return len(told)


checkout()
older()
print(f"Adyen 16.0.0 (Python): both dialects; pay, replay, capture, refund, cancel, refusal, 401, 422; {notices()} notices verified")
