"""A merchant's backend: speaks HTTP to the API and knows nothing of what is behind it."""

import json
import ssl
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Barrier
from typing import Any, TypeVar
from urllib.parse import urlsplit

from telling import expect, until

T = TypeVar("T")

# A card of the sandbox that approves, and the account that it is stored for.
CARD = "4242424242424242"
TYPES = {"4": "Visa", "5": "MasterCard"}
ACCOUNT = "001000000000001"

# In seconds; an API gives up after 30.
LONGEST_ANSWER = 90

RECORDS = ("paymentAuthorization", "payment", "paymentAuthAdjustment", "refund")


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def at(self, *path: str | int) -> Any:
        """A member of the body, or none."""
        found = self.json()
        for name in path:
            try:
                found = found[name]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    def expect(self, status: int) -> "Reply":
        expect(self.status, status, f"the status of {self.body[:500]!r}")
        return self

    @property
    def record(self) -> dict[str, Any]:
        """The record in an envelope, whatever its kind."""
        body = self.json()
        return next((body[kind] for kind in RECORDS if isinstance(body, dict) and kind in body), {})

    @property
    def id(self) -> str:
        assert "id" in self.record, f"no record in {self.status} {self.body!r}"
        return self.record["id"]

    @property
    def method(self) -> str:
        """The stored method that came of it."""
        assert self.at("paymentMethod", "id"), f"no method in {self.status} {self.body!r}"
        return self.at("paymentMethod", "id")

    @property
    def is_replayed(self) -> bool:
        return self.headers.get("idempotent-replayed") == "true"


class Caller:
    """Asks on behalf of one merchant."""

    def __init__(self, address: str, host: str, variables: dict[str, str]) -> None:
        self.address = urlsplit(address)
        self.host = host
        self.variables = variables
        # A stored method for each class of gateway.
        self.methods: dict[str, str] = {}

    def with_key(self, key: str) -> "Caller":
        """Whoever has another API key."""
        address = self.address.geturl()
        return Caller(address, self.host, {**self.variables, "KESSAI_API_KEY": key})

    def gateway(self, kind: str) -> str:
        """The id of the sandbox gateway of a class, as in `look-up`."""
        return self.variables[f"KESSAI_GATEWAY_ID_SANDBOX_{kind.upper().replace('-', '_')}"]

    def send(self, method: str, path: str, body: Any = None, **headers: str | None) -> Reply:
        """Sends a request on a connection of its own. A header of none is left out."""
        default = {"host": self.host, "authorization": f"Bearer {self.variables['KESSAI_API_KEY']}"}
        if body is not None:
            default["content-type"] = "application/json"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {name: value for name, value in {**default, **named}.items() if value is not None}
        connection = self._connect()
        try:
            raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            connection.request(method, path, raw, sent)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, named, answer.read())
        finally:
            connection.close()

    def _connect(self) -> HTTPConnection:
        place = (self.address.hostname or "", self.address.port)
        if self.address.scheme == "https":
            return HTTPSConnection(*place, timeout=LONGEST_ANSWER, context=ssl.create_default_context())
        return HTTPConnection(*place, timeout=LONGEST_ANSWER)

    def post(self, path: str, body: Any, key: str | None = None) -> Reply:
        return self.send("POST", f"/commerce/payments/{path}", body, idempotency_key=key)

    def get(self, path: str) -> Reply:
        return self.send("GET", f"/commerce/payments/{path}")

    def opening(self, kind: str, amount: str, card: str | None = None) -> dict[str, Any]:
        """The body of a request that opens a payment."""
        number = {"cardNumber": card, "expiryMonth": 12, "expiryYear": 2030, "cvv": "123"}
        return {
            "accountId": ACCOUNT, "amount": amount, "currencyIsoCode": "USD",
            "paymentGatewayId": self.gateway(kind),
            "paymentMethod": {"cardPaymentMethod": number} if card else {"id": self.methods[kind]},
        }

    def tokenize(self, kind: str, key: str, card: str = CARD, account: str = ACCOUNT) -> Reply:
        """Has the gateway of a class keep a card."""
        names = {"cardHolderName": "Carol Smith", "cardHolderFirstName": "Carol", "cardHolderLastName": "Smith"}
        number = {"cardNumber": card, "cardCategory": "CreditCard", "expiryMonth": 12, "expiryYear": 2030, "cvv": "123"}
        of_card = {"accountId": account, "nickName": key, "cardType": TYPES[card[0]], **names, **number}
        body = {"cardPaymentMethod": of_card, "paymentGatewayId": self.gateway(kind)}
        return self.post("payment-methods", body, key)

    def authorize(self, kind: str, key: str, amount: str, card: str | None = None) -> Reply:
        return self.post("authorizations", self.opening(kind, amount, card), key)

    def settled(self, path: str) -> Reply:
        """Reads a record until it is no longer pending."""

        def look() -> Reply | None:
            reply = self.get(path).expect(200)
            return None if reply.record["status"] == "Pending" else reply

        return until(f"{path} is settled", look)


def at_once(count: int, work: Callable[[int], T]) -> list[T]:
    """Does the same thing in many threads, all beginning together."""
    barrier = Barrier(count)

    def one(index: int) -> T:
        barrier.wait()
        return work(index)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def without_answer(ask: Callable[[], Reply]) -> Reply | None:
    """The reply, or none where the connection broke."""
    try:
        return ask()
    except (HTTPException, OSError):
        return None
