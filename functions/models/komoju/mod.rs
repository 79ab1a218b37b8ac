//! KOMOJU as a value: payments with their states, customers, tokens, refunds, and webhooks for all of them.
//!
//! | request | what |
//! |---|---|
//! | `POST /payments`, `GET /payments/{id}` | a payment, and how it stands |
//! | `POST /payments/{id}/capture`, `/cancel`, `/refund`, `/refund_request` | what follows |
//! | `POST /tokens`, `POST /customers` | what can be paid with later: a token once, a customer any number of times |
//! | `GET /payment_methods` | the ways to pay |
//! | `GET /payers/{id}`, `POST /payers/{id}/approve`, `/decline` | the payer's page, without a key |
//!
//! A card is answered at once. At a store or a bank a payment is `authorized` and waits for the payer; with a wallet it is
//! `pending`, and the payer's page is its `redirect_url`. Of cards, KOMOJU's test cards decide first, then the magic
//! amounts: declines are errors; what is accepted comes to its end by itself; a dispute comes as a chargeback, and one that
//! is won never shows. Who asks for the payer's action pays with a wallet: KOMOJU has no page for a card that is charged
//! directly. A refund by bank is paid [`SETTLEMENT_MS`] after it is asked for, unless its amount says that it is rejected.
//!
//! Where KOMOJU's documentation is silent: a key that comes again with another body is unprocessable, and so is a member
//! that is not known; a payment that is captured in part shows that part; a payer who is about to pay cannot be stopped.
//! KOMOJU gives captures and cancellations no place for the asker's name, so their effects bear that of the payment.

mod acting;
mod opening;
mod payer;
mod payment;
mod refusal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use data_encoding::BASE64;
use kessai_shared::card::Secret;
use kessai_shared::gateways::signatures;
use serde_json::{Map, Value, json};

use self::opening::Paying;
use self::payment::{Payment, Status, moment};
use self::refusal::Refusal;
use super::{Answer, Effect, Model, Request, Webhook};
use crate::sandbox::{NOTICE_MS, SETTLEMENT_MS};

/// Where the payer's page is, unless it is said.
const URL: &str = "https://komoju.com/api/v1";

/// How long a key is known.
const KEY_WINDOW_MS: i64 = 24 * 60 * 60 * 1_000;

/// Characters of a key.
const KEY: usize = 100;

/// The ways to pay of the account: type, name.
const METHODS: [(&str, &str); 7] = [
    ("credit_card", "Credit Card"),
    ("konbini", "Convenience Store"),
    ("bank_transfer", "Bank Transfer"),
    ("pay_easy", "Pay-easy"),
    ("paypay", "PayPay"),
    ("linepay", "LINE Pay"),
    ("merpay", "Merpay"),
];

/// What came of a request: a status and a body, which may be empty.
type Done = Result<(u16, Value), Refusal>;

/// What was answered to a key.
struct Kept {
    at_ms: i64,
    path: String,
    body: Vec<u8>,
    answer: Answer,
}

/// A gateway with one account. It takes any secret key.
pub struct Komoju {
    secret: Secret,
    url: String,
    payments: BTreeMap<String, Payment>,
    tokens: BTreeMap<String, Paying>,
    customers: BTreeMap<String, Paying>,
    kept: BTreeMap<String, Kept>,
    outbox: Vec<Webhook>,
    made: u64,
}

impl Komoju {
    /// One that signs its webhooks with this secret.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self {
            secret: Secret::new(secret.into()),
            url: URL.to_owned(),
            payments: BTreeMap::new(),
            tokens: BTreeMap::new(),
            customers: BTreeMap::new(),
            kept: BTreeMap::new(),
            outbox: Vec::new(),
            made: 0,
        }
    }

    /// The same at another address, which payers can reach.
    #[must_use]
    pub fn at(self, url: impl Into<String>) -> Self {
        Self { url: url.into(), ..self }
    }

    /// The next id: 25 characters, as KOMOJU's are.
    fn id(&mut self, kind: &str) -> String {
        self.made = self.made.saturating_add(1);
        format!("{kind}{:0>width$}", self.made, width = 25_usize.saturating_sub(kind.len()))
    }

    /// Tells what happened, a moment after it did.
    fn tell(&mut self, at_ms: i64, kind: &'static str, data: &Value) {
        let id = self.id("evt");
        let body = json!({
            "id": id, "type": kind, "resource": "event", "data": data, "created_at": moment(at_ms), "reason": null,
        })
        .to_string();
        let signature = signatures::komoju(body.as_bytes(), &self.secret).unwrap_or_default();
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("user-agent", "Komoju-Webhook".to_owned()),
            ("x-komoju-id", id),
            ("x-komoju-event", kind.to_owned()),
            ("x-komoju-signature", signature),
        ];
        self.outbox.push(Webhook { at_ms: at_ms.saturating_add(NOTICE_MS), headers, body });
    }

    /// What becomes of a payment at that moment, and is told.
    fn turn(&mut self, id: &str, at_ms: i64, status: Status) {
        let Some(payment) = self.payments.get_mut(id) else { return };
        payment.turns.push((at_ms, status));
        let view = payment.view(at_ms);
        if let Some(kind) = status.event() {
            self.tell(at_ms, kind, &view);
        }
        if status == Status::Captured {
            self.dispute(id, at_ms);
        }
    }

    /// Payers who let their time pass.
    fn expire(&mut self, now_ms: i64) {
        let is_over = |payment: &Payment| payment.ends_ms.filter(|end| *end <= now_ms && !payment.is_told_expired);
        let over: Vec<(String, i64)> = self
            .payments
            .iter()
            .filter_map(|(id, payment)| Some((id.clone(), is_over(payment)?)))
            .filter(|(id, _)| self.payments.get(id).is_some_and(|payment| payment.status(now_ms) == Status::Expired))
            .collect();
        for (id, end_ms) in over {
            let Some(payment) = self.payments.get_mut(&id) else { continue };
            payment.is_told_expired = true;
            let view = payment.view(now_ms);
            self.tell(end_ms, "payment.expired", &view);
        }
    }

    fn answer(&mut self, request: &Request, now_ms: i64) -> Answer {
        match self.route(request, now_ms) {
            Ok((status, Value::Null)) => Answer { status, headers: Vec::new(), body: String::new() },
            Ok((status, body)) => Answer::json(status, &body),
            Err(refusal) => refusal.answer(),
        }
    }

    fn route(&mut self, request: &Request, now_ms: i64) -> Done {
        let path: Vec<&str> = request.path.trim_matches('/').split('/').collect();
        match (request.method.as_str(), path.as_slice()) {
            ("GET", ["payments", id]) => {
                let payment = self.payments.get(*id).ok_or_else(|| Refusal::not_found("payment"))?;
                Ok((200, payment.view(now_ms)))
            }
            ("GET", ["payment_methods"]) => Ok((200, methods())),
            ("POST", ["payments"]) => self.open(&object(&request.body)?, now_ms),
            ("POST", ["payments", id, act]) => self.act(id, act, &object(&request.body)?, now_ms),
            ("POST", ["tokens"]) => self.make_token(&object(&request.body)?, now_ms),
            ("POST", ["customers"]) => self.make_customer(&object(&request.body)?, now_ms),
            (_, _) => Err(Refusal::not_found("resource")),
        }
    }

    /// The same answer to the same request of the same key, for a day.
    fn answer_once(&mut self, request: &Request, key: &str, now_ms: i64) -> Answer {
        self.kept.retain(|_, kept| now_ms.saturating_sub(kept.at_ms) < KEY_WINDOW_MS);
        if key.len() > KEY || !key.is_ascii() {
            return Refusal::new(400, "bad_request", "the idempotency key has at most 100 ASCII characters").answer();
        }
        match self.kept.get(key) {
            Some(kept) if kept.path == request.path && kept.body == request.body => kept.answer.clone(),
            Some(_) => Refusal::unprocessable("this idempotency key was used for another request").answer(),
            None => {
                let answer = self.answer(request, now_ms);
                let (path, body) = (request.path.clone(), request.body.clone());
                let kept = Kept { at_ms: now_ms, path, body, answer: answer.clone() };
                self.kept.insert(key.to_owned(), kept);
                answer
            }
        }
    }
}

impl Model for Komoju {
    fn name(&self) -> &'static str {
        "komoju"
    }

    fn handle(&mut self, request: &Request, now_ms: i64) -> Answer {
        self.expire(now_ms);
        if let Some(visited) = request.path.trim_matches('/').strip_prefix("payers/") {
            return self.visit(visited, request, now_ms);
        }
        if !is_authorized(request.header("authorization")) {
            return Refusal::new(401, "unauthorized", "User authorization failed").answer();
        }
        match request.header("x-komoju-idempotency") {
            key if request.method == "POST" && !key.is_empty() => self.answer_once(request, key, now_ms),
            _ => self.answer(request, now_ms),
        }
    }

    fn effects(&self, now_ms: i64) -> Vec<Effect> {
        let mut effects: Vec<Effect> = self.payments.values().flat_map(|payment| payment.effects(now_ms)).collect();
        effects.sort_by_key(|effect| effect.at_ms);
        effects
    }

    fn webhooks(&mut self, now_ms: i64) -> Vec<Webhook> {
        self.expire(now_ms);
        let mut webhooks = std::mem::take(&mut self.outbox);
        webhooks.sort_by_key(|webhook| webhook.at_ms);
        webhooks
    }
}

/// Whether it is Basic with a secret key as user and an empty password.
fn is_authorized(header: &str) -> bool {
    let key = header.strip_prefix("Basic ").and_then(|text| BASE64.decode(text.as_bytes()).ok());
    let key = key.and_then(|bytes| String::from_utf8(bytes).ok());
    key.as_deref()
        .and_then(|text| text.strip_suffix(':'))
        .is_some_and(|key| !key.is_empty() && !key.contains(':') && !key.starts_with("pk_"))
}

fn object(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) | Err(_) => Err(Refusal::new(400, "bad_request", "the body must be a JSON object")),
    }
}

fn methods() -> Value {
    let method = |(slug, name): (&str, &str)| json!({"type_slug": slug, "name_en": name, "name_ja": name, "name_ko": name, "currency": "JPY"});
    METHODS.into_iter().map(method).collect()
}
