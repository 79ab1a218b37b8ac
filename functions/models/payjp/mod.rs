//! PAY.JP, version 2, as a value: payment flows, refunds, payment methods and customers.
//!
//! It keeps to PAY.JP's OpenAPI and guides: which status follows which, what is refused and with which code, how long a
//! hold lasts and a refund can be asked for, which cards are declined. Live and test keys see worlds of their own.
//!
//! | route | does |
//! |---|---|
//! | `POST /v2/payment_flows` | makes a flow, and confirms it where `confirm` says so |
//! | `GET /v2/payment_flows/{id}`, `GET /v2/payment_flows?customer_id=` | shows |
//! | `POST /v2/payment_flows/{id}/confirm`, `/capture`, `/cancel` | as they say; a capture takes a hold once |
//! | `POST /v2/payment_refunds`, `GET /v2/payment_refunds/{id}` | as the OpenAPI has it; `refunds` instead of `payment_refunds` as the guide does |
//! | `POST /v2/payment_methods`, `GET /v2/payment_methods/{id}` | a card (test mode) or `PayPay` |
//! | `POST /v2/customers`, `GET /v2/customers/{id}` | owns a payment method |
//! | `GET /v2/payment_method_configurations` | what the account offers |
//! | `GET`, `POST /payer/{flow}/approve`, `/decline` | the payer decides |
//!
//! Card 4000000000000002 is declined when it is registered and 4000000000080319 when it is charged; else the amount
//! decides, by the sandbox's magic. `PayPay` always needs the payer, and its refunds are pending at first. A capture is
//! never declined, because PAY.JP documents nothing of the kind, nor does anything fail that was approved.
//!
//! What PAY.JP leaves open: it forgets a key after a day, the payer's page is `next_action.redirect_to_url.url`, and the
//! later stages of a dispute are told as `dispute.updated`.

mod fields;
mod flows;
mod keeping;
mod problem;
mod refunds;
mod telling;

use std::collections::BTreeMap;

use data_encoding::BASE64;
use kessai_shared::time::Timestamp;
use serde_json::{Map, Value, json};

use self::fields::object;
use self::flows::Flow;
use self::keeping::{Customer, Method};
use self::problem::Problem;
use self::refunds::Refund;
use super::{Answer, Effect, Model, Request, Webhook};

/// How long a key is remembered.
const KEY_MS: i64 = 24 * 60 * 60 * 1_000;

/// A gateway of PAY.JP's, with everything that was asked of it.
pub struct Payjp {
    /// What its notices bear.
    token: String,
    /// Where it is reached, for what the payer must visit.
    base_url: String,
    made: u64,
    flows: BTreeMap<String, Flow>,
    refunds: BTreeMap<String, Refund>,
    methods: BTreeMap<String, Method>,
    customers: BTreeMap<String, Customer>,
    keys: BTreeMap<(bool, String), Remembered>,
    ledger: Vec<Effect>,
    outbox: Vec<Webhook>,
}

/// What was asked under a key, and what it was answered.
struct Remembered {
    at_ms: i64,
    asked: String,
    answer: Answer,
}

/// Who asks, and when.
#[derive(Clone, Copy)]
struct Call {
    is_live: bool,
    now_ms: i64,
}

type Answered = Result<Value, Problem>;

impl Payjp {
    /// Its notices bear this token.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self {
            token: secret.into(),
            base_url: "https://api.pay.jp".to_owned(),
            made: 0,
            flows: BTreeMap::new(),
            refunds: BTreeMap::new(),
            methods: BTreeMap::new(),
            customers: BTreeMap::new(),
            keys: BTreeMap::new(),
            ledger: Vec::new(),
            outbox: Vec::new(),
        }
    }

    /// The same at another address, without a slash at its end.
    #[must_use]
    pub fn at(self, base_url: impl Into<String>) -> Self {
        Self { base_url: base_url.into(), ..self }
    }

    /// A name that nothing else has.
    fn name(&mut self, prefix: &str) -> String {
        self.made = self.made.saturating_add(1);
        let digits = format!("{:012}", self.made);
        let letters: String = digits.bytes().map(|digit| char::from(digit.saturating_add(b'a' - b'0'))).collect();
        format!("{prefix}_{letters}")
    }

    fn answer(&mut self, request: &Request, now_ms: i64) -> Answer {
        if let Some(path) = request.path.strip_prefix("/payer/") {
            return self.payer(path, now_ms);
        }
        let Some(is_live) = mode_of(request.header("authorization")) else {
            return Problem::new(401, "unauthorized", "Unauthorized", "The API key is missing or invalid.").answer("");
        };
        let call = Call { is_live, now_ms };
        match request.method.as_str() {
            "GET" => self.shown(request, call),
            "POST" => self.under_key(request, call),
            _ => Problem::no_route(&request.path).answer(&request.path),
        }
    }

    /// A request that comes again under its key is answered as before.
    fn under_key(&mut self, request: &Request, call: Call) -> Answer {
        let key = request.header("idempotency-key").to_owned();
        if key.is_empty() {
            return self.done(request, call);
        }
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if key.len() > 255 || !key.bytes().all(is_name) {
            let detail = "The idempotency key must be 255 letters, digits, hyphens and underscores at most.";
            return Problem::new(400, "invalid_idempotency_key", "Invalid Idempotency Key", detail)
                .answer(&request.path);
        }
        let asked = format!("{} {}", request.path, String::from_utf8_lossy(&request.body));
        self.keys.retain(|_, known| call.now_ms.saturating_sub(known.at_ms) < KEY_MS);
        let place = (call.is_live, key);
        match self.keys.get(&place) {
            Some(known) if known.asked == asked => known.answer.clone(),
            Some(_) => {
                let detail = "The idempotency key was used with other parameters.";
                Problem::new(409, "idempotency_conflict", "Idempotency Conflict", detail).answer(&request.path)
            }
            None => {
                let answer = self.done(request, call);
                // What could not even be read was not begun.
                if answer.status != 422 {
                    let remembered = Remembered { at_ms: call.now_ms, asked, answer: answer.clone() };
                    self.keys.insert(place, remembered);
                }
                answer
            }
        }
    }

    fn done(&mut self, request: &Request, call: Call) -> Answer {
        let done = object(&request.body).and_then(|body| {
            let path: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
            match path.as_slice() {
                ["v2", "payment_flows"] => self.make_flow(&body, call),
                ["v2", "payment_flows", id, "confirm"] => self.confirm_flow(id, &body, call),
                ["v2", "payment_flows", id, "capture"] => self.capture_flow(id, &body, call),
                ["v2", "payment_flows", id, "cancel"] => self.cancel_flow(id, &body, call),
                ["v2", "payment_refunds"] => self.make_refund("payment_flow_id", &body, call),
                ["v2", "refunds"] => self.make_refund("payment_flow", &body, call),
                ["v2", "payment_methods"] => self.make_method(&body, call),
                ["v2", "customers"] => self.make_customer(&body, call),
                _ => Err(Problem::no_route(&request.path)),
            }
        });
        answered(done, &request.path)
    }

    fn shown(&self, request: &Request, call: Call) -> Answer {
        let path: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        let shown = match path.as_slice() {
            ["v2", "payment_flows"] => Ok(self.flows_of(&request.query, call)),
            ["v2", "payment_flows", id] => self.flow(id, call).map(Flow::shown),
            ["v2", "payment_refunds" | "refunds", id] => self.refund(id, call),
            ["v2", "payment_methods", id] => self.method(id, call).map(|(id, method)| method.shown(id)),
            ["v2", "customers", id] => self.customer(id, call).map(|customer| customer.shown(id)),
            ["v2", "payment_method_configurations"] => Ok(configurations(call)),
            _ => Err(Problem::no_route(&request.path)),
        };
        answered(shown, &request.path)
    }
}

impl Model for Payjp {
    fn name(&self) -> &'static str {
        "payjp"
    }

    fn handle(&mut self, request: &Request, now_ms: i64) -> Answer {
        self.advance(now_ms);
        self.answer(request, now_ms)
    }

    fn effects(&self, now_ms: i64) -> Vec<Effect> {
        let mut effects: Vec<_> = self.ledger.iter().filter(|effect| effect.at_ms <= now_ms).cloned().collect();
        effects.sort_by_key(|effect| effect.at_ms);
        effects
    }

    fn webhooks(&mut self, now_ms: i64) -> Vec<Webhook> {
        self.advance(now_ms);
        let mut webhooks = std::mem::take(&mut self.outbox);
        webhooks.sort_by_key(|webhook| webhook.at_ms);
        webhooks
    }
}

fn answered(done: Answered, path: &str) -> Answer {
    match done {
        Ok(value) => Answer::json(200, &value),
        Err(problem) => problem.answer(path),
    }
}

/// Whether a key is one of live mode, as bearer or as the user of somebody without a password; none where it is no secret
/// key.
fn mode_of(authorization: &str) -> Option<bool> {
    let of_basic = |text: &str| String::from_utf8(BASE64.decode(text.as_bytes()).ok()?).ok();
    let key = match authorization.split_once(' ')? {
        ("Bearer", key) => key.to_owned(),
        ("Basic", text) => of_basic(text)?.strip_suffix(':')?.to_owned(),
        _ => return None,
    };
    let is_any = |rest: &str| !rest.is_empty();
    match (key.strip_prefix("sk_live_"), key.strip_prefix("sk_test_")) {
        (Some(rest), _) => Some(true).filter(|_| is_any(rest)),
        (None, Some(rest)) => Some(false).filter(|_| is_any(rest)),
        (None, None) => None,
    }
}

/// A moment as PAY.JP writes it.
fn moment(at_ms: i64) -> String {
    Timestamp::from_millis(at_ms).to_string()
}

/// What the asker called it.
fn reference_of(metadata: &Map<String, Value>) -> String {
    metadata.get("reference").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn list(url: &str, data: &[Value]) -> Value {
    json!({"object": "list", "url": url, "has_more": false, "data": data})
}

fn configurations(call: Call) -> Value {
    let offered = |is_offered: bool| {
        let value = if is_offered { "on" } else { "off" };
        json!({"available": is_offered, "display_preference": {"preference": value, "value": value}})
    };
    let one = json!({
        "object": "payment_method_configuration", "id": "pmc_a", "livemode": call.is_live, "active": true,
        "name": "default", "card": offered(true), "paypay": offered(true), "apple_pay": offered(false),
    });
    list("/v2/payment_method_configurations", &[one])
}

#[cfg(test)]
mod tests;
