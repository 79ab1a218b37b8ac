// Stripe's own library for Node as a client of the model, and as whoever verifies its events.

import assert from "node:assert/strict";
import { replayed, stripe } from "./stripe_client.mjs";

const told = JSON.parse(process.env.TOLD);
const client = stripe(told.baseUrls.stripe, told.credential.secretKey);

const card = async (number) => {
  const method = await client.paymentMethods.create({ type: "card", card: { number, exp_month: 3, exp_year: 2030, cvc: "123" } });
  return method.id;
};
const asked = async (amount, capture_method, number = "4242424242424242") => ({
  amount, currency: "usd", capture_method, confirm: true, payment_method_types: ["card"],
  payment_method: await card(number), metadata: { reference: "sdk" },
});
const refused = (asking, type, code) => assert.rejects(asking, (error) => {
  assert.deepEqual([error.type, error.code], [type, code], error.message);
  return true;
});

const hold = await asked(1000, "manual");
const held = await client.paymentIntents.create(hold, { idempotencyKey: "stripe-sdk-1" });
assert.deepEqual([held.status, held.amount_capturable], ["requires_capture", 1000]);
const again = await client.paymentIntents.create(hold, { idempotencyKey: "stripe-sdk-1" });
assert.equal(again.id, held.id);
assert(replayed(again) && !replayed(held));
await assert.rejects(client.paymentIntents.create({ ...hold, amount: 1001 }, { idempotencyKey: "stripe-sdk-1" }), { type: "StripeIdempotencyError" });

const captured = await client.paymentIntents.capture(held.id, { amount_to_capture: 600 });
assert.deepEqual([captured.status, captured.amount_received], ["succeeded", 600]);
await refused(client.paymentIntents.capture(held.id), "StripeInvalidRequestError", "payment_intent_unexpected_state");
assert.equal((await client.refunds.create({ payment_intent: held.id, amount: 200, reason: "requested_by_customer" })).status, "succeeded");
await assert.rejects(client.refunds.create({ payment_intent: held.id, amount: 401 }), { type: "StripeInvalidRequestError", statusCode: 400 });
assert.equal((await client.refunds.create({ payment_intent: held.id })).amount, 400);
await refused(client.refunds.create({ payment_intent: held.id }), "StripeInvalidRequestError", "charge_already_refunded");

const other = await client.paymentIntents.create(await asked(500, "manual"));
assert.equal((await client.paymentIntents.cancel(other.id)).status, "canceled");
await refused(client.paymentIntents.capture(other.id), "StripeInvalidRequestError", "payment_intent_unexpected_state");
assert.equal((await client.paymentIntents.create(await asked(700, "automatic"))).status, "succeeded");
await refused(client.paymentIntents.create(await asked(800, "automatic", "4000000000009995")), "StripeCardError", "card_declined");
await refused(client.paymentIntents.retrieve("pi_nobody"), "StripeInvalidRequestError", "resource_missing");
await assert.rejects(stripe(told.baseUrls.stripe, "nobody").balance.retrieve(), { type: "StripeAuthenticationError" });

const wanted = ["payment_intent.succeeded", "payment_intent.canceled", "payment_intent.payment_failed"];
let types = new Set();
let events = [];
for (const end = Date.now() + 60_000; Date.now() < end; await new Promise((then) => setTimeout(then, 200))) {
  const posted = await (await fetch(told.hook)).json();
  events = posted.map(({ body, headers }) => [body, headers["stripe-signature"]]);
  types = new Set(events.map(([body, signature]) => client.webhooks.constructEvent(body, signature, told.secret).type));
  if (wanted.every((type) => types.has(type))) break;
}
assert(wanted.every((type) => types.has(type)), [...types].join(", "));
for (const [body, signature] of events) {
  assert.throws(() => client.webhooks.constructEvent(`${body} `, signature, told.secret));
  assert.throws(() => client.webhooks.constructEvent(body, signature, "whsec_of_somebody_else"));
}
console.log(`stripe 23.1.0: hold, replay, conflict, capture of a part, refunds, too much, cancel, sale, decline, 401, 404; ${events.length} events verified`);
