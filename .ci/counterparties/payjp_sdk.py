"""PAY.JP's own library for Python as a client of the model. It reads every answer strictly: what its types do not know, or
what they miss, is an error.
"""

import json
import os
import urllib.request

import payjpv2
from payjpv2 import ApiException, PaymentFlowsApi, PaymentMethodsApi, PaymentRefundsApi, CustomersApi
from payjpv2.models.customer_create_request import CustomerCreateRequest
from payjpv2.models.payment_flow_cancel_request import PaymentFlowCancelRequest
from payjpv2.models.payment_flow_capture_request import PaymentFlowCaptureRequest
from payjpv2.models.payment_flow_create_request import PaymentFlowCreateRequest
from payjpv2.models.payment_method_create_request import PaymentMethodCreateRequest
from payjpv2.models.payment_refund_create_request import PaymentRefundCreateRequest

TOLD = json.loads(os.environ["TOLD"])


def client(key: str) -> payjpv2.ApiClient:
    return payjpv2.ApiClient(payjpv2.Configuration(host=TOLD["baseUrls"]["payjp"], access_token=key))


def refused(status: int, code: str, ask) -> None:
    try:
        ask()
    except ApiException as error:
        body = json.loads(error.body)
        assert (error.status, body["code"]) == (status, code), (error.status, body)
        return
    raise AssertionError(f"not refused: {status} {code}")


def method(api: payjpv2.ApiClient, customer: str, number: str) -> str:
    asked = {
        "type": "card",
        "customer_id": customer,
        "card": {"number": number, "exp_month": 3, "exp_year": 2030, "cvc": "123"},
        "billing_details": {"email": "carol@example.com"},
    }
    made = PaymentMethodsApi(api).create_payment_method(PaymentMethodCreateRequest.from_dict(asked))
    return made.actual_instance.id


def main() -> None:
    api = client(TOLD["credential"]["secretKey"])
    flows, refunds = PaymentFlowsApi(api), PaymentRefundsApi(api)
    customer = CustomersApi(api).create_customer(CustomerCreateRequest(email="carol@example.com")).id
    good = method(api, customer, "4242424242424242")

    def flow(amount: int, capture: str, paid_with: str = good, reference: str = "sdk"):
        asked = {
            "amount": amount,
            "currency": "jpy",
            "customer_id": customer,
            "payment_method_id": paid_with,
            "capture_method": capture,
            "confirm": True,
            "metadata": {"reference": reference},
        }
        return PaymentFlowCreateRequest.from_dict(asked)

    held = flows.create_payment_flow(flow(1000, "manual"), idempotency_key="payjp-sdk-1")
    assert (held.status, held.amount_capturable) == ("requires_capture", 1000), held
    again = flows.create_payment_flow(flow(1000, "manual"), idempotency_key="payjp-sdk-1")
    assert again.id == held.id, "the same key is the same flow"
    refused(409, "idempotency_conflict", lambda: flows.create_payment_flow(flow(2000, "manual"), idempotency_key="payjp-sdk-1"))

    captured = flows.capture_payment_flow(held.id, payment_flow_capture_request=PaymentFlowCaptureRequest(amount_to_capture=600))
    assert (captured.status, captured.amount_received) == ("succeeded", 600), captured
    refused(400, "invalid_status", lambda: flows.capture_payment_flow(held.id, payment_flow_capture_request=PaymentFlowCaptureRequest()))

    def refund(amount: int):
        return refunds.create_payment_refund(PaymentRefundCreateRequest(payment_flow_id=held.id, amount=amount))

    assert refund(200).status == "succeeded"
    refused(400, "refund_exceeds_payment", lambda: refund(401))
    assert refund(400).status == "succeeded"
    refused(400, "already_refunded", lambda: refund(1))

    released = flows.create_payment_flow(flow(500, "manual"))
    assert flows.cancel_payment_flow(released.id, payment_flow_cancel_request=PaymentFlowCancelRequest()).status == "canceled"
    refused(400, "invalid_status", lambda: flows.cancel_payment_flow(released.id, payment_flow_cancel_request=PaymentFlowCancelRequest()))
    assert flows.create_payment_flow(flow(700, "automatic")).status == "succeeded"

    bad = method(api, customer, "4000000000080319")
    refused(402, "card_declined", lambda: flows.create_payment_flow(flow(800, "automatic", bad)))
    refused(404, "not_found", lambda: flows.get_payment_flow("pfw_nobody"))
    try:
        PaymentFlowsApi(client("pk_test_public")).get_payment_flow(held.id)
        raise AssertionError("a public key is taken")
    except ApiException as error:
        assert error.status == 401, error.status
    notices()
    print("payjpv2 1.3.0: hold, replay, conflict, capture of a part, refunds, too much, cancel, sale, decline, 401, 404")


def notices() -> None:
    """PAY.JP signs nothing: what its notices bear is the token that both know."""
    with urllib.request.urlopen(TOLD["hook"]) as answer:
        told = json.load(answer)
    assert told and all(one["headers"]["x-payjp-webhook-token"] == TOLD["secret"] for one in told), told
    types = {json.loads(one["body"])["type"] for one in told}
    assert "payment_flow.succeeded" in types, types


main()
