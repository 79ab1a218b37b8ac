/** `authorize`, as one would write it with Powertools for AWS Lambda (TypeScript), after its documentation. */

import { randomUUID } from 'node:crypto';
import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';

interface HttpEvent {
  headers: Record<string, string>;
  body: string;
}

interface Request {
  accountId: string;
  amount: number;
  currencyIsoCode: string;
  paymentMethod: {
    cardPaymentMethod: { cardNumber: string; expiryMonth: number; expiryYear: number; cvv: string };
  };
}

interface Answer {
  id: string;
  status: string;
  code: string;
  authorizationCode?: string;
}

const AUTHORIZATIONS = `${process.env.GATEWAY_URL}/authorizations`;
const GATEWAY_MS = 15_000;

const client = new DynamoDBClient({});
const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
const persistenceStore = new DynamoDBPersistenceLayer({
  tableName: process.env.IDEMPOTENCY_TABLE ?? '',
  awsSdkV3Client: client,
});
const config = new IdempotencyConfig({
  eventKeyJmesPath: 'headers."idempotency-key"',
  payloadValidationJmesPath: 'powertools_json(body).amount',
  throwOnNoIdempotencyKey: true,
});

export const handler = makeIdempotent(
  async (event: HttpEvent, _context: unknown) => {
    const payment = await authorize(event.headers['idempotency-key'], JSON.parse(event.body));
    await documents.send(new PutCommand({ TableName: process.env.PAYMENTS_TABLE, Item: payment }));
    return {
      statusCode: payment.status === 'approved' ? 201 : 402,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(payment),
    };
  },
  { persistenceStore, config },
);

/** Has the gateway hold the amount, under the caller's key: a gateway that knows no keys ignores it. */
async function authorize(key: string, request: Request) {
  const card = request.paymentMethod.cardPaymentMethod;
  const minorUnits = Math.round(request.amount * 100);
  const response = await fetch(AUTHORIZATIONS, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({
      reference: key,
      amount: minorUnits,
      currency: request.currencyIsoCode,
      card: { number: card.cardNumber, expiryMonth: card.expiryMonth, expiryYear: card.expiryYear, cvc: card.cvv },
    }),
    signal: AbortSignal.timeout(GATEWAY_MS),
  });
  // Powertools then forgets the key, so that the caller can try again; so it does where fetch throws.
  if (!response.ok) throw new Error(`the gateway answered ${response.status}`);
  const answer = (await response.json()) as Answer;
  return {
    id: randomUUID(),
    accountId: request.accountId,
    amount: minorUnits,
    currency: request.currencyIsoCode,
    status: answer.status,
    gatewayReference: answer.id,
    gatewayCode: answer.code,
    authorizationCode: answer.authorizationCode,
    createdAt: new Date().toISOString(),
  };
}
