// What the Stripe model refuses and repeats, beside what another server that plays Stripe does: stripe-stateful-mock, of
// Stripe's version 2020-08-27, which knows Charges and no PaymentIntents.
//
// So the adapter, which speaks PaymentIntents, cannot be put over it. The same client asks both the same, each in its own
// words, and what must not depend on the words is compared: HTTP status, type and code of a refusal, and what a key does.

import assert from "node:assert/strict";
import { replayed, stripe } from "./stripe_client.mjs";

const told = JSON.parse(process.env.TOLD);
const old = stripe(told.mock, "sk_test_mock", { apiVersion: "2020-08-27" });
const model = stripe(told.model, "sk_test_model");

const NUMBERS = {
  tok_visa: "4242424242424242",
  tok_chargeDeclined: "4000000000000002",
  tok_chargeDeclinedInsufficientFunds: "4000000000009995",
};

const charges = {
  open: (amount, source, capture, options) => old.charges.create({ amount, currency: "usd", source, capture }, options),
  capture: (id, amount) => old.charges.capture(id, { amount }),
  refund: (charge, amount) => old.refunds.create({ charge, ...(amount && { amount }) }),
  read: (id) => old.charges.retrieve(id),
};

const methods = {};
for (const [token, number] of Object.entries(NUMBERS)) {
  methods[token] = (await model.paymentMethods.create({ type: "card", card: { number, exp_month: 3, exp_year: 2030, cvc: "123" } })).id;
}
const intents = {
  open: (amount, token, capture, options) => model.paymentIntents.create({
    amount, currency: "usd", confirm: true, payment_method_types: ["card"], payment_method: methods[token],
    capture_method: capture ? "automatic" : "manual",
  }, options),
  capture: (id, amount) => model.paymentIntents.capture(id, { amount_to_capture: amount }),
  refund: (payment_intent, amount) => model.refunds.create({ payment_intent, ...(amount && { amount }) }),
  read: (id) => model.paymentIntents.retrieve(id),
};

const how = (asking) => asking.then(
  (answer) => (replayed(answer) ? [200, "again"] : [200]),
  (error) => [error.statusCode, error.rawType, error.code, error.decline_code].filter((part) => part !== undefined),
);

async function asked(server) {
  const seen = {};
  const held = await server.open(1000, "tok_visa", false, { idempotencyKey: "beside-1" });
  seen["the same key"] = await how(server.open(1000, "tok_visa", false, { idempotencyKey: "beside-1" }));
  seen["the same key, another amount"] = await how(server.open(1001, "tok_visa", false, { idempotencyKey: "beside-1" }));
  seen["capture of a part"] = await how(server.capture(held.id, 600));
  seen["a second capture"] = await how(server.capture(held.id, 100));
  seen["refund of a part"] = await how(server.refund(held.id, 200));
  seen["refund of more than is left"] = await how(server.refund(held.id, 500));
  seen["refund of the rest"] = await how(server.refund(held.id));
  seen["one refund more"] = await how(server.refund(held.id));
  seen["declined"] = await how(server.open(1000, "tok_chargeDeclined", true));
  seen["declined for want of funds"] = await how(server.open(1000, "tok_chargeDeclinedInsufficientFunds", true));
  seen["nothing of that name"] = await how(server.read("nobody"));
  return seen;
}

// Where the two objects differ by design: an intent has states, which a charge has not.
const EXPLAINED = {
  "a second capture": "Stripe names the state of an intent (payment_intent_unexpected_state), and of a charge that it is captured",
  "refund of more than is left": "the mock gives no code, and the model one of its choice",
};

const [theirs, ours] = [await asked(charges), await asked(intents)];
const differing = Object.keys(theirs).filter((what) => JSON.stringify(theirs[what]) !== JSON.stringify(ours[what]));
for (const what of Object.keys(theirs)) {
  const said = differing.includes(what) ? `${theirs[what].join(" ")} there, ${ours[what].join(" ")} here` : ours[what].join(" ");
  console.log(`${what}: ${said}${EXPLAINED[what] ? ` (explained: ${EXPLAINED[what]})` : ""}`);
}
assert.deepEqual(differing.filter((what) => !EXPLAINED[what]), []);
const unknown = await how(stripe(told.mock, "sk_test_mock").paymentIntents.create({ amount: 1000, currency: "usd" }));
assert(unknown[0] >= 400, "it has learnt PaymentIntents: put the adapter over it");
console.log(`a PaymentIntent is ${unknown[0]} there: the adapter itself cannot be put over it`);
