//! A model of Stripe: PaymentIntents, SetupIntents, refunds, payment methods, customers and disputes, as its API reference has them.
//!
//! Requests are forms under `/v1`, with a bearer of any secret key; a parameter that Stripe does not know is refused. A key
//! that comes again within 24 hours is answered as the first time (`idempotent-replayed: true`), with other parameters by
//! `idempotency_error`; what fails its validation is not kept under its key.
//!
//! | decides | how |
//! |---|---|
//! | the card | the numbers of "Test cards": 4000000000000002 is declined, 4000000000003220 needs 3-D Secure, 4000002500003155 until it was set up, and so on ([`cards`]) |
//! | the amount | the sandbox's magic, for every other card; a refund's own amount for a refund |
//!
//! Captures and cancellations are decided at once. `GET` or `POST /3d_secure/{intent}/approve` (or `/decline`) plays the
//! payer's page; it needs no key, and lies wherever [`Stripe::at`] says. Events are signed under `Stripe-Signature`. Stripe
//! cannot be told our name for a cancellation: its effect bears none.

mod cards;
mod disputes;
mod failure;
mod intents;
mod methods;
mod pages;
mod refunds;
mod setups;

use std::collections::BTreeMap;

use kessai_shared::card::Secret;
use kessai_shared::gateways::signatures;
use kessai_shared::money::Currency;
use serde_json::{Value, json};

use self::disputes::Dispute;
use self::failure::Failure;
use self::intents::PaymentIntent;
use self::methods::Method;
use self::refunds::Refund;
use self::setups::SetupIntent;
use super::form::Form;
use super::{Act, Answer, Effect, Model, Request, Webhook};
use crate::sandbox::NOTICE_MS;

/// How long a key is honoured.
const KEY_WINDOW_MS: i64 = 24 * 60 * 60 * 1_000;

/// Characters of a key at most.
const LONGEST_KEY: usize = 255;

/// Stripe, as a value.
pub struct Stripe {
    secret: Secret,
    base_url: String,
    serial: u64,
    intents: BTreeMap<String, Timed<PaymentIntent>>,
    setups: BTreeMap<String, SetupIntent>,
    refunds: BTreeMap<String, Timed<Refund>>,
    disputes: BTreeMap<String, Timed<Dispute>>,
    methods: BTreeMap<String, Method>,
    customers: BTreeMap<String, Value>,
    keys: BTreeMap<String, Kept>,
    ledger: Vec<Entry>,
    outbox: Vec<Webhook>,
}

/// A thing as it is now, and as it will be.
#[derive(Clone)]
struct Timed<T> {
    now: T,
    later: Vec<(i64, T)>,
}

impl<T> Timed<T> {
    fn new(now: T) -> Self {
        Self { now, later: Vec::new() }
    }

    fn at(&self, now_ms: i64) -> &T {
        self.later.iter().rev().find(|(at, _)| *at <= now_ms).map_or(&self.now, |(_, then)| then)
    }
}

/// An answer that is given again.
struct Kept {
    asked: Vec<u8>,
    at_ms: i64,
    status: u16,
    body: Value,
}

struct Entry {
    effect: Effect,
    undone_at_ms: Option<i64>,
}

impl Stripe {
    /// One that signs what it tells with this secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self {
            secret: Secret::new(secret.into()),
            base_url: "https://api.stripe.com".to_owned(),
            serial: 0,
            intents: BTreeMap::new(),
            setups: BTreeMap::new(),
            refunds: BTreeMap::new(),
            disputes: BTreeMap::new(),
            methods: BTreeMap::new(),
            customers: BTreeMap::new(),
            keys: BTreeMap::new(),
            ledger: Vec::new(),
            outbox: Vec::new(),
        }
    }

    /// The same where payers find its pages.
    #[must_use]
    pub fn at(self, base_url: impl Into<String>) -> Self {
        Self { base_url: base_url.into(), ..self }
    }

    fn id(&mut self, prefix: &str) -> String {
        self.serial = self.serial.saturating_add(1);
        format!("{prefix}_{:024}", self.serial)
    }

    /// Tells of something at that moment, right after the answer.
    fn tell(&mut self, name: &str, object: &Value, before: Option<&Value>, now_ms: i64) {
        let at_ms = now_ms.saturating_add(NOTICE_MS);
        let mut data = json!({"object": object});
        if let (Some(before), Some(data)) = (before, data.as_object_mut()) {
            data.insert("previous_attributes".to_owned(), before.clone());
        }
        let body = json!({
            "id": self.id("evt"), "object": "event", "api_version": "2024-06-20", "created": at_ms / 1_000, "livemode": false,
            "pending_webhooks": 1, "type": name, "data": data,
        });
        let body = body.to_string();
        if let Some(signature) = signatures::stripe(at_ms / 1_000, body.as_bytes(), &self.secret) {
            let content = ("content-type", "application/json; charset=utf-8".to_owned());
            self.outbox.push(Webhook { at_ms, headers: vec![content, ("stripe-signature", signature)], body });
        }
    }

    fn book(&mut self, effect: Effect) {
        self.ledger.push(Entry { effect, undone_at_ms: None });
    }

    fn serve(&mut self, request: &Request, now_ms: i64) -> Result<Value, Failure> {
        let is_key = |key: &str| (key.starts_with("sk_") || key.starts_with("rk_")) && key.len() > 3;
        if !request.header("authorization").strip_prefix("Bearer ").is_some_and(is_key) {
            return Err(Failure::of_the_key());
        }
        let query = || Form::parse(request.query.as_bytes()).unwrap_or_default();
        let path: Vec<&str> = request.path.split('/').filter(|part| !part.is_empty()).collect();
        match (request.method.as_str(), path.as_slice()) {
            ("GET", ["v1", "balance"]) => {
                let none = json!([{"amount": 0, "currency": "usd"}]);
                Ok(json!({"object": "balance", "available": none, "pending": none, "livemode": false}))
            }
            ("GET", ["v1", "payment_intents", id]) => self.show_intent(id, &query(), now_ms),
            ("GET", ["v1", "setup_intents", id]) => self.show_setup(id),
            ("GET", ["v1", "refunds", id]) => {
                let found = self.refunds.get(*id).map(|refund| refund.at(now_ms).shown());
                found.ok_or_else(|| Failure::missing("refund", id))
            }
            ("GET", ["v1", "disputes", id]) => self.show_dispute(id, &query(), now_ms),
            ("POST", path) => self.post(request, path, now_ms),
            _ => Err(Failure::unrecognized(&request.method, &request.path)),
        }
    }

    /// What changes something: once under its key.
    fn post(&mut self, request: &Request, path: &[&str], now_ms: i64) -> Result<Value, Failure> {
        let form = Form::parse(&request.body).ok_or_else(Failure::unreadable)?;
        match path {
            ["v1", "payment_intents"] => self.create_intent(&form, now_ms),
            ["v1", "payment_intents", id, "capture"] => self.capture(id, &form, now_ms),
            ["v1", "payment_intents", id, "cancel"] => self.cancel(id, &form, now_ms),
            ["v1", "setup_intents"] => self.create_setup(&form, now_ms),
            ["v1", "setup_intents", id, "cancel"] => self.cancel_setup(id, &form, now_ms),
            ["v1", "refunds"] => self.create_refund(&form, now_ms),
            ["v1", "payment_methods"] => self.create_method(&form, now_ms),
            ["v1", "payment_methods", id, "attach"] => self.attach(id, &form),
            ["v1", "customers"] => self.create_customer(&form, now_ms),
            _ => Err(Failure::unrecognized(&request.method, &request.path)),
        }
    }

    fn answer(&mut self, request: &Request, now_ms: i64) -> Answer {
        let key = request.header("idempotency-key");
        let is_keyed = request.method == "POST" && !key.is_empty();
        let asked = [request.path.as_bytes(), b"?", &request.body].concat();
        if is_keyed && key.len() > LONGEST_KEY {
            return Failure::invalid("idempotency_key", "parameter_invalid_string", "The key is too long").answer();
        }
        let window = now_ms.saturating_sub(KEY_WINDOW_MS);
        if let Some(kept) = self.keys.get(key).filter(|kept| is_keyed && kept.at_ms > window) {
            if kept.asked != asked {
                return Failure::of_another_request().answer();
            }
            let mut answer = Answer::json(kept.status, &kept.body);
            answer.headers.push(("idempotent-replayed", "true".to_owned()));
            return answer;
        }
        let (status, body, is_kept) = match self.serve(request, now_ms) {
            Ok(body) => (200, body, true),
            Err(failure) => (failure.status, failure.body(), failure.is_kept),
        };
        let answer = Answer::json(status, &body);
        if is_keyed && is_kept {
            self.keys.insert(key.to_owned(), Kept { asked, at_ms: now_ms, status, body });
        }
        answer
    }
}

impl Model for Stripe {
    fn name(&self) -> &'static str {
        "stripe"
    }

    fn handle(&mut self, request: &Request, now_ms: i64) -> Answer {
        match request.path.strip_prefix("/3d_secure/") {
            Some(page) => self.page(page, now_ms),
            None => self.answer(request, now_ms),
        }
    }

    fn effects(&self, now_ms: i64) -> Vec<Effect> {
        let happened = self.ledger.iter().filter(|entry| entry.effect.at_ms <= now_ms);
        let mut effects: Vec<Effect> = happened
            .map(|entry| Effect { undone: entry.undone_at_ms.is_some_and(|at| at <= now_ms), ..entry.effect.clone() })
            .collect();
        effects.sort_by_key(|effect| effect.at_ms);
        effects
    }

    fn webhooks(&mut self, _: i64) -> Vec<Webhook> {
        std::mem::take(&mut self.outbox)
    }
}

/// Currencies that have no decimals at Stripe ("Supported currencies").
const WITHOUT_DECIMALS: [&str; 15] =
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"];

/// Those that have three, of which the last is 0.
const OF_THREE_DECIMALS: [&str; 5] = ["bhd", "jod", "kwd", "omr", "tnd"];

/// Stripe's units in the minor units of ISO 4217; none of a currency that there is not.
fn minor(units: i64, currency: &str) -> Option<i64> {
    let ours = Currency::parse(&currency.to_uppercase())?.exponent();
    let theirs = match currency {
        _ if WITHOUT_DECIMALS.contains(&currency) => 0,
        _ if OF_THREE_DECIMALS.contains(&currency) => 3,
        _ => 2,
    };
    let unit = 10_i64.checked_pow(ours.abs_diff(theirs))?;
    if ours >= theirs { units.checked_mul(unit) } else { units.checked_div(unit) }
}

/// Money that moved, in the terms of the ledger.
fn effect(act: Act, of: &PaymentIntent, id: &str, reference: Option<&String>, units: i64, at_ms: i64) -> Effect {
    Effect {
        at_ms,
        act,
        reference: reference.cloned().unwrap_or_default(),
        id: id.to_owned(),
        minor: minor(units, &of.currency).unwrap_or_default(),
        currency: of.currency.to_uppercase(),
        undone: false,
    }
}

/// What is said of an object beside what it is.
fn metadata(form: &Form) -> BTreeMap<String, String> {
    form.inside("metadata").map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The names of a form must be among these; a name with a bracket stands for all that lies inside.
fn only(form: &Form, known: &[&str]) -> Result<(), Failure> {
    let is_known = |name: &str| {
        let outer = name.split_once('[').map_or(name, |(outer, _)| outer);
        known.contains(&outer)
    };
    match form.names().find(|name| !is_known(name)) {
        Some(name) => Err(Failure::invalid(name, "parameter_unknown", &format!("Received unknown parameter: {name}"))),
        None => Ok(()),
    }
}

/// A whole number above zero.
fn amount(form: &Form, name: &str) -> Result<Option<i64>, Failure> {
    let Some(text) = form.text(name) else { return Ok(None) };
    let invalid = || Failure::invalid(name, "parameter_invalid_integer", "Invalid integer or not greater than zero");
    text.parse().ok().filter(|amount| *amount > 0).map(Some).ok_or_else(invalid)
}

fn flag(form: &Form, name: &str) -> Result<bool, Failure> {
    match form.text(name) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Failure::invalid(name, "parameter_invalid", "Invalid boolean")),
    }
}

#[cfg(test)]
mod tests;
