// Adyen's own library for Node as a client of the model, and as whoever verifies its notices.

import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.NODE_MODULES}/client.js`);
const { Client, CheckoutAPI, Config, EnvironmentEnum, hmacValidator } = require("@adyen/api-library");
const told = JSON.parse(process.env.TOLD);
const { apiKey, merchantAccount } = told.credential;

// The library speaks TLS alone; this is its own interface for who wants something else.
const httpClient = {
  async request(endpoint, json, config, _isApiKeyRequired, options) {
    const headers = { "content-type": "application/json", "x-api-key": config.apiKey, ...options?.headers };
    if (options?.idempotencyKey) headers["idempotency-key"] = options.idempotencyKey;
    const answer = await fetch(endpoint, { method: options?.method ?? "POST", headers, body: json });
    const text = await answer.text();
    if (answer.ok) return text;
    throw Object.assign(new Error(text), { statusCode: answer.status, errorCode: JSON.parse(text).errorCode });
  },
};

function checkout(key) {
  const client = new Client(new Config({ apiKey: key, environment: EnvironmentEnum.TEST }), httpClient);
  const { PaymentsApi: payments, ModificationsApi: modifications } = new CheckoutAPI(client);
  payments.baseUrl = modifications.baseUrl = told.baseUrls.adyen;
  return { payments, modifications };
}

const { payments, modifications } = checkout(apiKey);
const amount = (value) => ({ currency: "EUR", value });
const card = { type: "scheme", number: "4111111111111111", expiryMonth: "03", expiryYear: "2030", cvc: "737", holderName: "Carol" };
const payment = (value, reference) => ({
  merchantAccount, amount: amount(value), reference, returnUrl: "https://shop.example/back", paymentMethod: card,
});

const paid = await payments.payments(payment(1234, "node-1"), { idempotencyKey: "adyen-node-1" });
assert.equal(paid.resultCode, "Authorised");
const again = await payments.payments(payment(1234, "node-1"), { idempotencyKey: "adyen-node-1" });
assert.equal(again.pspReference, paid.pspReference);
const capture = { merchantAccount, amount: amount(1234), reference: "node-capture" };
assert.equal((await modifications.captureAuthorisedPayment(paid.pspReference, capture)).status, "received");
const refund = { merchantAccount, amount: amount(34), reference: "node-refund" };
assert.equal((await modifications.refundCapturedPayment(paid.pspReference, refund)).status, "received");
const other = await payments.payments(payment(500, "node-2"));
const reversal = { merchantAccount, reference: "node-reversal" };
assert.equal((await modifications.refundOrCancelPayment(other.pspReference, reversal)).status, "received");
assert.equal((await payments.payments(payment(9003, "node-3"))).resultCode, "Refused");
await assert.rejects(checkout("x").payments.payments(payment(1234, "node-4")), { statusCode: 401 });

const validator = new hmacValidator();
let items = [];
for (const end = Date.now() + 60_000; Date.now() < end; await new Promise((then) => setTimeout(then, 200))) {
  const posted = await (await fetch(told.hook)).json();
  items = posted.flatMap(({ body }) => JSON.parse(body).notificationItems.map((item) => item.NotificationRequestItem));
  if (items.some((item) => item.merchantReference === "node-refund")) break;
}
assert(items.some((item) => item.merchantReference === "node-refund"), "no notice of the refund");
for (const item of items) {
  assert(validator.validateHMAC(item, told.secret), JSON.stringify(item));
  assert(!validator.validateHMAC({ ...item, success: item.success === "true" ? "false" : "true" }, told.secret));
}
console.log(`@adyen/api-library 32.1.0: pay, replay, capture, refund, reversal, refusal, 401; ${items.length} notices verified`);
