"""Stoplight Prism between Kessai's adapters and the models: it knows the gateways' own OpenAPI, and objects to a request or
an answer that is not as that says.
"""

import json
from pathlib import Path

import tools
from flow import Shop, card, everything
from front import Front
from kessai import LOGS, Kessai, Models

# Of each adapter: the OpenAPI document that its gateway publishes.
DOCUMENTS = {
    "payjp": "payjp-v2-openapi-1.3.0-augmented.json",
    "adyen": "adyen-CheckoutService-v71.json",
    "adyen-classic": "adyen-PaymentService-v68.json",
}

# PAY.JP's document demands a reason of every refund, and for the cancellation of every flow, canceled or not; PAY.JP's own
# library lets both be null.
NULLABLE = {"payjp": [("PaymentFlowResponse", "cancellation_reason"), ("PaymentRefundResponse", "reason")]}

# A warning that is none. PAY.JP's guide has declines as 402; its OpenAPI has no 402 anywhere.
EXPLAINED = [("payjp", "Unable to match the returned status code")]


def check() -> None:
    front = Front()
    kessai = Kessai(front.url, "prism")
    hooks = {"payjp": [kessai.hook("payjp")], "adyen": [kessai.hook("adyen"), kessai.hook("adyen-classic")]}
    models = Models(hooks, {name: kessai.notice_secret(name) for name in hooks})
    front.lead("", models.url)
    starting = {}
    for adapter, document in DOCUMENTS.items():
        port = tools.free_port()
        prism = ["node", tools.HOME / "node_modules/.bin/prism", "proxy", "--errors", "--port", port]
        tools.start([*prism, _read(adapter, document), models.base_url(adapter)], LOGS / f"prism-{adapter}.log")
        front.lead(models.path(adapter), f"http://127.0.0.1:{port}")
        starting[adapter] = port
    for adapter, port in starting.items():
        tools.until(f"Prism for {adapter}; see {LOGS}", lambda: tools.listens(port))

    try:
        yen = Shop(kessai, "payjp", "JPY")
        print(everything(yen, 1000, 600, 9003, yen.tokenize(card("4242424242424242", "123"))))
        checkout = Shop(kessai, "adyen", "EUR", {"additionalData": {"returnUrl": "https://shop.example/back"}})
        print(everything(checkout, 12.34, 10, 90.03, card("4111111111111111")))
        print(everything(Shop(kessai, "adyen-classic", "EUR"), 12.34, 10, 90.03, card("4111111111111111")))
    finally:
        # What goes wrong here goes wrong because of these.
        objections = [f"{where}: {what}" for is_error, where, what in front.objections if not _is_explained(is_error, where, what)]
        print("\n".join(sorted(set(objections))), end="")
    assert not objections
    seen = {adapter: sum(path.startswith(models.path(adapter)) for _, path, _ in front.passed) for adapter in DOCUMENTS}
    assert all(seen.values()), f"nothing went through Prism: {seen}"
    said = ", ".join(f"{count} of {adapter}" for adapter, count in seen.items())
    print(f"Prism has nothing against any request or answer: {said}")
    print("explained: a decline of PAY.JP is a 402, which its guide has and its OpenAPI has not")
    print("explained: not every flow of PAY.JP was canceled for a reason, nor refunded; its library knows that, its OpenAPI does not")


def _read(adapter: str, document: str) -> Path:
    """The document, with what it forgets."""
    text = json.loads((tools.SPECS / document).read_text())
    schemas = text["components"]["schemas"]
    for schema, member in NULLABLE.get(adapter, []):
        properties = schemas[schema]["properties"]
        named = schemas[properties[member]["$ref"].rsplit("/", 1)[1]]
        properties[member] = {**named, "nullable": True, "enum": [*named["enum"], None]}
    copy = tools.HOME / document
    copy.write_text(json.dumps(text))
    return copy


def _is_explained(is_error: bool, where: str, what: str) -> bool:
    return not is_error and any(f"/{model}/" in where and words in what for model, words in EXPLAINED)
