//! The sandbox, asked as a merchant asks it. The model is tested without a clock or a socket; the
//! server and the ledger are tested for what only they do.

mod challenges;
#[cfg(feature = "local")]
mod ledger;
mod notices;
#[cfg(feature = "local")]
mod post;
mod records;
mod requests;
mod resolution;
mod script;
#[cfg(feature = "local")]
mod server;
mod table;
mod timelines;
mod tokens;

use serde_json::{Value, json};

use super::{Delivery, Gateway, Reaction, Record, Request};

/// 2026-08-01T00:00:00.000Z
const START_MS: i64 = 1_785_542_400_000;

/// A card that approves.
const CARD: &str = "4242424242424242";

/// A gateway, the moment, and what it has recorded so far.
struct World {
    gateway: Gateway,
    now_ms: i64,
    records: Vec<Record>,
}

/// What a merchant sees of a reaction.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// An answer of status 200: the operation's status and code.
    Says(String, String),
    /// An answer of another status, and its error code.
    Error(u16, String),
    /// An answer of status 200 that cannot be read.
    Garbled,
    Closed,
    Silent,
}

impl World {
    fn new() -> Self {
        Self { gateway: Gateway::default(), now_ms: START_MS, records: Vec::new() }
    }

    fn send(&mut self, request: &Request) -> Reaction {
        let reaction = self.gateway.handle(request, self.now_ms);
        self.records.extend(reaction.records.iter().cloned());
        reaction
    }

    fn post(&mut self, path: &str, body: &Value) -> Reaction {
        self.send(&request("POST", path, body.to_string()))
    }

    fn post_under_key(&mut self, key: &str, path: &str, body: &Value) -> Reaction {
        self.send(&Request { idempotency_key: Some(key.to_owned()), ..request("POST", path, body.to_string()) })
    }

    fn get(&mut self, path: &str) -> Value {
        let reaction = self.send(&request("GET", path, ""));
        assert_eq!(reaction.answer.status, 200, "GET {path}");
        body(&reaction)
    }

    /// Posts something that must be approved, and returns its id.
    fn approved(&mut self, path: &str, body: &Value) -> String {
        let reaction = self.post(path, body);
        assert_eq!(seen(&reaction), says("approved", "00"), "POST {path}");
        id(&reaction)
    }

    fn effects(&mut self) -> Vec<Value> {
        let ledger = self.get("/ledger");
        ledger["effects"].as_array().expect("effects").clone()
    }

    /// The kinds and references of all effects, in order.
    fn moved(&mut self) -> Vec<String> {
        let effects = self.effects();
        let text = |effect: &Value, name: &str| effect[name].as_str().unwrap_or("-").to_owned();
        effects.iter().map(|effect| text(effect, "kind") + " " + &text(effect, "reference")).collect()
    }
}

fn request(method: &str, target: &str, body: impl Into<Vec<u8>>) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        idempotency_key: None,
        body: body.into(),
    }
}

fn body(reaction: &Reaction) -> Value {
    serde_json::from_str(&reaction.answer.body).expect("a JSON body")
}

fn id(reaction: &Reaction) -> String {
    body(reaction)["id"].as_str().expect("an id").to_owned()
}

fn seen(reaction: &Reaction) -> Seen {
    match reaction.delivery {
        Delivery::Closed => return Seen::Closed,
        Delivery::Silent => return Seen::Silent,
        Delivery::Answered => {}
    }
    let Ok(body) = serde_json::from_str::<Value>(&reaction.answer.body) else {
        assert_eq!(reaction.answer.status, 200);
        return Seen::Garbled;
    };
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    match reaction.answer.status {
        200 => Seen::Says(text("status"), text("code")),
        status => Seen::Error(status, text("code")),
    }
}

fn says(status: &str, code: &str) -> Seen {
    Seen::Says(status.to_owned(), code.to_owned())
}

fn error(status: u16, code: &str) -> Seen {
    Seen::Error(status, code.to_owned())
}

fn card(number: &str) -> Value {
    json!({"number": number, "expiryMonth": 12, "expiryYear": 2030, "cvc": "737", "holder": "A B"})
}

/// An authorization or sale of 10.00 with a card that approves.
fn order(reference: &str) -> Value {
    json!({"reference": reference, "amount": 1000, "currency": "USD", "card": card(CARD)})
}

/// A capture, reversal or refund.
fn part(reference: &str, amount: u64) -> Value {
    json!({"reference": reference, "amount": amount, "currency": "USD"})
}

/// The same body with one member changed, added, or (by null) taken away.
fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}
