//! Models of payment gateways: servers that keep the states, limits and errors that a gateway documents, for development,
//! tests and simulations.
//!
//! A model is a plain value. Requests and moments go in, answers and notices come out; it reads no clock, no network and
//! no chance, so that it behaves in a simulation exactly as behind a socket. It stands for a gateway that works: what the
//! world does to a request on its way is not its affair, but that of whoever serves it.
//!
//! A model refuses what its gateway refuses, so that a request of ours that is wrong is found here. It decides about money
//! by the gateway's own test cards, and by the sandbox's magic amounts where the gateway has no way to ask for an outcome:
//! the last four digits of the amount ([`magic`]).
//!
//! What moved money stands in its ledger ([`Effect`]), so that anybody can see whether the asker was right.

pub mod adyen;
mod drive;
mod form;
pub mod komoju;
pub mod payeezy;
pub mod payjp;
pub mod stripe;

use std::collections::BTreeMap;

pub use drive::{answered, arriving};

use crate::sandbox::{Behaviour, of_amount};

/// A request as it came. There is no `Debug`, because it may hold a card or a key.
#[derive(Clone, Default)]
pub struct Request {
    pub method: String,
    /// Without the query, as it stands in the request line.
    pub path: String,
    /// What follows the question mark; empty where there is none.
    pub query: String,
    /// By names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    /// A header by its name in lower case, empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What a gateway answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl Answer {
    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self { status, headers: vec![("content-type", "application/json".to_owned())], body: body.to_string() }
    }
}

/// A post that a gateway sends unasked. Whoever receives it says where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// When it is to be sent.
    pub at_ms: i64,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

/// What an effect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    Authorize,
    Sale,
    Capture,
    Reverse,
    Refund,
}

/// Money that moved, or was held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    pub at_ms: i64,
    pub act: Act,
    /// The asker's name for it, as the request bore it.
    pub reference: String,
    /// The gateway's name for it.
    pub id: String,
    /// In the minor units of the currency as ISO 4217 has them, whatever the gateway counts in.
    pub minor: i64,
    pub currency: String,
    /// It did not stand: undone by the asker's reference, or failed afterwards.
    pub undone: bool,
}

/// A gateway as a value.
pub trait Model: Send {
    /// As the adapter is called that speaks to it.
    fn name(&self) -> &'static str;

    /// Does what is asked at that moment.
    fn handle(&mut self, request: &Request, now_ms: i64) -> Answer;

    /// Everything that moved money, oldest first.
    fn effects(&self, now_ms: i64) -> Vec<Effect>;

    /// What is to be told unasked, of which it has not been taken out here before; some of it later than now.
    fn webhooks(&mut self, now_ms: i64) -> Vec<Webhook>;
}

/// What an amount asks for, in minor units of ISO 4217.
#[must_use]
pub fn magic(minor: i64) -> Behaviour {
    of_amount(u64::try_from(minor).unwrap_or_default())
}
