"""`authorize`, as one would write it with Powertools for AWS Lambda (Python), after its documentation."""

import json
import os
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import boto3
import requests
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent
from aws_lambda_powertools.utilities.typing import LambdaContext

AUTHORIZATIONS = os.environ["GATEWAY_URL"] + "/authorizations"
GATEWAY_SECONDS = 15

gateway = requests.Session()
payments = boto3.resource("dynamodb").Table(os.environ["PAYMENTS_TABLE"])
persistence = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])
config = IdempotencyConfig(
    event_key_jmespath='headers."idempotency-key"',
    payload_validation_jmespath="powertools_json(body).amount",
    raise_on_no_idempotency_key=True,
)


@idempotent(config=config, persistence_store=persistence)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    request = json.loads(event["body"], parse_float=Decimal)
    payment = authorize(event["headers"]["idempotency-key"], request)
    payments.put_item(Item=payment)
    status = 201 if payment["status"] == "approved" else 402
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(payment)}


def authorize(key: str, request: dict[str, Any]) -> dict[str, Any]:
    """Has the gateway hold the amount, under the caller's key: a gateway that knows no keys ignores it."""
    card = request["paymentMethod"]["cardPaymentMethod"]
    minor_units = int(Decimal(request["amount"]) * 100)
    body = {
        "reference": key,
        "amount": minor_units,
        "currency": request["currencyIsoCode"],
        "card": {
            "number": card["cardNumber"],
            "expiryMonth": card["expiryMonth"],
            "expiryYear": card["expiryYear"],
            "cvc": card["cvv"],
        },
    }
    # What is not 200 raises, and so does no answer: Powertools then forgets the key, so that the caller can try again.
    response = gateway.post(AUTHORIZATIONS, json=body, headers={"idempotency-key": key}, timeout=GATEWAY_SECONDS)
    response.raise_for_status()
    answer = response.json()
    return {
        "id": str(uuid4()),
        "accountId": request["accountId"],
        "amount": minor_units,
        "currency": request["currencyIsoCode"],
        "status": answer["status"],
        "gatewayReference": answer["id"],
        "gatewayCode": answer["code"],
        "authorizationCode": answer.get("authorizationCode"),
        "createdAt": datetime.now(UTC).isoformat(),
    }
