"""The Stripe adapter over localstripe, a server that others wrote (GPL: it runs as a process of its own, and nothing of it
is here).

It knows less of Stripe than Stripe does. What it does not know is taken out of the adapter's requests on their way to it,
and said; what it does differently is not asked of it, and said.
"""

import re
import sys
import time

import tools
from flow import Shop, card
from front import Front
from kessai import LOGS, Kessai

# What it takes of what the adapter sends; anything else is "Unexpected" to it.
KNOWN = [
    (r"/v1/payment_methods", r"type|metadata\[.*|card\[.*|billing_details\[.*"),
    (r"/v1/customers", r"name|email|payment_method|metadata\[.*"),
    (r"/v1/payment_intents", r"amount|currency|capture_method|confirm|off_session|customer|payment_method|metadata\[.*|payment_method_types\[.*|expand\[.*"),
    (r"/v1/payment_intents/[^/]+/capture", r"amount_to_capture|expand\[.*"),
    (r"/v1/payment_intents/[^/]+/cancel", r"expand\[.*"),
    (r"/v1/refunds", r"payment_intent|amount|metadata\[.*"),
]

DIFFERENCES = [
    "cards come with a payment method first: it takes no payment_method_data with an intent",
    "no idempotency: a second request under the same key is a second payment, so that nothing is lost here on purpose",
    "a part cannot be captured: the intent says that all of it was",
    "a capture bears no metadata: its events name what the payment was opened as",
    "refunds may exceed the payment, and a canceled intent can be captured: what our balances refuse is not asked of it",
    "the card 4000000000000002 is declined only where it is attached to a customer; 4000000000000341 is declined when charged",
    "there are no events of cancellations and refunds",
]


def is_known(path: str, member: str) -> bool:
    [members] = [members for known, members in KNOWN if re.fullmatch(known, path)] or [""]
    return re.fullmatch(members, member) is not None


def events(front: Front) -> list[int]:
    """What Kessai answered to each, after a while."""
    time.sleep(2)
    return [status for _, path, status in front.passed if path.startswith("/commerce")]


def check() -> None:
    if sys.platform != "linux":
        sys.exit("localstripe listens on IPv6 and IPv4 at once, as Linux does")
    port = tools.free_port()
    command = [tools.HOME / "venv/bin/python", "-m", "localstripe", "--port", port, "--from-scratch"]
    tools.start(command, LOGS / "localstripe.log")
    front = Front()
    kessai = Kessai(front.url, "localstripe")
    front.lead("/stripe", f"http://127.0.0.1:{port}", is_known)
    front.lead("/commerce", f"{kessai.url}/commerce")
    tools.until(f"localstripe; see {LOGS}", lambda: tools.listens(port))
    hook = kessai.hook("stripe").removeprefix(kessai.url)
    told = {"url": f"{front.url}{hook}", "secret": kessai.notice_secret("stripe")}
    status, answer = tools.ask("POST", f"http://127.0.0.1:{port}/_config/webhooks/kessai", told)
    assert status == 200, answer

    shop = Shop(kessai, "stripe", "USD")
    method = shop.tokenize(card("4242424242424242", "123"))
    print("a card is kept: a payment method with a customer")
    opened = shop.open("authorizations", 50, method)
    authorization = shop.settled(opened, "paymentAuthorization", "authorizations")
    payment = shop.settled(shop.act(f"authorizations/{authorization}/captures", 50), "payment", "payments")
    shop.settled(shop.act(f"payments/{payment}/refunds", 12.5), "refund", "refunds")
    shop.settled(shop.act(f"payments/{payment}/refunds", 37.5), "refund", "refunds")
    print("held, captured, refunded in two parts")
    released = shop.settled(shop.open("authorizations", 20, method), "paymentAuthorization", "authorizations")
    shop.settled(shop.act(f"authorizations/{released}/reversals", 20), "paymentAuthAdjustment", f"authorizations/{released}/reversals")
    shop.settled(shop.open("sales", 30, method), "payment", "payments")
    print("held and released; sold")
    declined = shop.tokenize(card("4000000000000341", "123"))
    print("declined:", shop.refused(shop.open("sales", 30, declined)))

    # It tells of each thing a second later.
    delivered = events(front)
    while len(delivered) != len(events(front)) or not delivered:
        delivered = events(front)
    assert all(status == 200 for status in delivered), f"its signatures are not believed: {delivered}"
    tell = f"http://127.0.0.1:{port}/_config/webhooks/kessai"
    tools.ask("POST", tell, {**told, "secret": "whsec_of_somebody_else"})
    before = len(delivered)
    shop.settled(shop.open("sales", 31, method), "payment", "payments")
    later = tools.until("an event that is signed wrong", lambda: events(front)[before:])
    assert all(400 <= status < 500 for status in later), later
    print(f"{len(delivered)} events believed; under another secret, none")

    for member, paths in sorted(front.lost.items()):
        shown = ", ".join(sorted({re.sub(r"pi_\w+|pm_\w+", "…", path) for path in paths}))
        print(f"taken out, for it does not know it: {member} of {shown}")
    for difference in DIFFERENCES:
        print(f"explained: {difference}")
