//! The gateway as a value: requests and moments go in, reactions come out.
//!
//! It reads no clock, no network and no chance, so that it behaves in a simulation exactly as it
//! does behind a socket. A reaction carries the records that it made; whoever serves the gateway
//! stores them before the answer leaves, and [`Gateway::restore`] builds the same gateway from them.

use std::ops::Range;

use kessai_shared::time::Timestamp;
use serde_json::{Value, json};

use super::aim::Aim;
use super::answer::{Answer, of_operation, of_reversal};
use super::behaviour::{ACTION_MS, Behaviour, Decline, Ending, SETTLEMENT_MS, Verdict};
use super::books::Books;
use super::challenge;
use super::description::description;
use super::notice::{Item, Stage, notices};
use super::order::{Order, object, reference};
use super::record::{Effect, Operation, Outcome, Record, Resend, Reversal, Sequel, Taken, Unacted};
use super::route::{Class, Kind, Place, Route, parameter};
use super::script::{Mishap, Script};
use super::treatment::Treatment;

/// Where a gateway is that was not told otherwise.
pub const DEFAULT_URL: &str = "http://127.0.0.1:9401";

/// How long somebody who does not take a notice is told of it again.
pub const TELL_MS: i64 = 3 * 24 * 60 * 60 * 1_000;

/// An HTTP request. There is no `Debug`, because the body may hold a card.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// What follows the question mark; empty where there is none.
    pub query: String,
    pub idempotency_key: Option<String>,
    pub body: Vec<u8>,
}

/// What a request brings about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// What is delivered, or would have been; where the request itself was lost, a mere filler.
    pub answer: Answer,
    /// How long after the request the delivery happens.
    pub delay_ms: u64,
    pub delivery: Delivery,
    /// To be stored before anything is delivered.
    pub records: Vec<Record>,
}

impl Reaction {
    fn at_once(answer: Answer) -> Self {
        Self { answer, delay_ms: 0, delivery: Delivery::Answered, records: Vec::new() }
    }
}

/// What the asker sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    Answered,
    /// The connection is closed without an answer.
    Closed,
    /// Nothing ever comes; the connection stays open until the asker closes it.
    Silent,
}

/// Four gateways in one: what they have recorded, and what is to happen to them next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    url: String,
    books: Books,
    script: Script<Aim>,
}

impl Default for Gateway {
    fn default() -> Self {
        Self { url: DEFAULT_URL.to_owned(), books: Books::default(), script: Script::default() }
    }
}

impl Gateway {
    /// The same gateway where payers reach it at this URL.
    #[must_use]
    pub fn at(self, url: impl Into<String>) -> Self {
        Self { url: url.into(), ..self }
    }

    /// The gateway that made these records, with an empty script of faults.
    #[must_use]
    pub fn restore(records: impl IntoIterator<Item = Record>) -> Self {
        let mut gateway = Self::default();
        for record in records {
            gateway.books.apply(&record);
        }
        gateway
    }

    /// Money that moved in all classes, oldest first.
    pub fn effects(&self, now_ms: i64) -> impl Iterator<Item = Effect<'_>> {
        self.books.effects(now_ms)
    }

    /// An operation by its place among all that were recorded, from 0, as its payer has decided.
    #[must_use]
    pub fn operation(&self, place: usize) -> Option<&Operation> {
        self.books.at(place)
    }

    /// How many operations have been recorded.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.books.len()
    }

    /// The places of the operations of which there may be something to tell after this record, the last one.
    #[must_use]
    pub fn touched(&self, record: &Record) -> Range<usize> {
        self.books.touched(record)
    }

    /// Everything that is told unasked of the operation at that place, whether or not it was taken.
    #[must_use]
    pub fn notices(&self, place: usize) -> Vec<Item> {
        let Some(operation) = self.books.at(place) else { return Vec::new() };
        let mut items = notices(operation, &self.url);
        if let Some(end_ms) = self.books.silent_since(operation) {
            items.retain(|item| item.at_ms < end_ms);
        }
        items
    }

    /// What of that nobody has taken yet, as long as it is worth telling.
    #[must_use]
    pub fn untold(&self, place: usize, now_ms: i64) -> Vec<Item> {
        let mut items = self.notices(place);
        items.retain(|item| now_ms < item.at_ms.saturating_add(TELL_MS) && !self.books.is_taken(place, item.stage));
        items
    }

    /// What a script has planned for the next body that this class sends unasked.
    pub fn strike_notice(&mut self, class: Class) -> Option<Mishap> {
        self.script.take_where(|aim| aim.is_at_notices(class)).and_then(Mishap::of)
    }

    /// Remembers that notices of the operation at that place were taken.
    pub fn taken(&mut self, place: usize, stages: Vec<Stage>, now_ms: i64) -> Record {
        let record = Record::Taken(Taken { operation: place, stages, at_ms: now_ms });
        self.books.apply(&record);
        record
    }

    /// Answers one request that arrives at `now_ms`, in milliseconds since 1970.
    pub fn handle(&mut self, request: &Request, now_ms: i64) -> Reaction {
        let reaction = self.react(request, now_ms);
        for record in &reaction.records {
            self.books.apply(record);
        }
        reaction
    }

    fn react(&mut self, request: &Request, now_ms: i64) -> Reaction {
        let Some(route) = Route::parse(&request.path) else {
            return Reaction::at_once(Answer::error(404, "no_such_route", "no such route"));
        };
        let methods = route.methods();
        if !methods.split(", ").any(|method| method == request.method) {
            let message = format!("the methods of this route are {methods}");
            let answer = Answer::error(405, "wrong_method", &message);
            return Reaction::at_once(answer.with("allow", methods));
        }
        match route {
            Route::Description => Reaction::at_once(description()),
            Route::Ledger => Reaction::at_once(self.ledger(&request.query, now_ms)),
            Route::Faults => Reaction::at_once(self.direct(request)),
            Route::Operations(class) => Reaction::at_once(self.look_up(class, &request.query, now_ms)),
            Route::Challenge(class, id) => match self.books.challenge(class, id) {
                Some(operation) => {
                    let is_reversed = self.books.is_reversed(class, operation.reference.as_ref());
                    let (answer, act) = challenge::act(operation, is_reversed, request, &self.url, now_ms);
                    Reaction { records: act.map(Record::Act).into_iter().collect(), ..Reaction::at_once(answer) }
                }
                None => {
                    let message = "no operation of that id needs its payer";
                    Reaction::at_once(Answer::error(404, "unknown_id", message))
                }
            },
            Route::Notices => Reaction::at_once(self.list_notices(&request.query)),
            Route::Resend if self.books.is_full() => Reaction::at_once(full()),
            Route::Resend => {
                let answer = Answer::ok(&json!({"operations": self.operations()}));
                Reaction { records: vec![Record::Resend(Resend { at_ms: now_ms })], ..Reaction::at_once(answer) }
            }
            Route::TimeoutReversals(class) => self.reverse_by_reference(class, request, now_ms),
            Route::Operate(place) => self.operate(place, request, now_ms),
        }
    }

    fn ledger(&self, query: &str, now_ms: i64) -> Answer {
        let reference = match parameter(query, "reference") {
            Ok(reference) => reference,
            Err(message) => return Answer::invalid(&message),
        };
        let effects: Vec<Effect<'_>> = self
            .effects(now_ms)
            .filter(|effect| reference.is_none() || effect.reference == reference.as_deref())
            .collect();
        Answer::ok(&json!({"effects": effects}))
    }

    fn direct(&mut self, request: &Request) -> Answer {
        match request.method.as_str() {
            "GET" => return Answer::ok(&self.script.describe()),
            "DELETE" => self.script.clear(),
            _ => {
                if let Err(message) = self.script.add(&request.body) {
                    return Answer::invalid(&message);
                }
            }
        }
        Answer::ok(&json!({"pending": self.script.pending()}))
    }

    fn look_up(&self, class: Class, query: &str, now_ms: i64) -> Answer {
        if !class.can_be_asked() {
            return unsupported();
        }
        let reference = match parameter(query, "reference") {
            Ok(Some(reference)) => reference,
            Ok(None) => return Answer::invalid("reference is missing from the query"),
            Err(message) => return Answer::invalid(&message),
        };
        let operations: Vec<_> = self
            .books
            .under_reference(class, &reference)
            .map(|operation| {
                of_operation(operation, operation.outcome.at(now_ms), &self.url).with_sequel(operation, now_ms)
            })
            .collect();
        Answer::ok(&json!({"operations": operations}))
    }

    /// What would be told or was, of one class or all.
    fn list_notices(&self, query: &str) -> Answer {
        let class = match parameter(query, "class") {
            Ok(None) => None,
            Ok(Some(name)) => match Class::by_name(&name) {
                Some(class) => Some(class),
                None => return Answer::invalid("class must be a class of gateways"),
            },
            Err(message) => return Answer::invalid(&message),
        };
        let places = (0..self.books.len()).filter_map(|place| Some((place, self.books.at(place)?)));
        let listed: Vec<Value> = places
            .filter(|(_, operation)| class.is_none_or(|class| class == operation.class))
            .flat_map(|(place, operation)| {
                self.notices(place).into_iter().map(move |item| {
                    json!({
                        "class": operation.class,
                        "stage": item.stage,
                        "at": Timestamp::from_millis(item.at_ms).to_string(),
                        "taken": self.books.is_taken(place, item.stage),
                        "told": item.told,
                    })
                })
            })
            .collect();
        Answer::ok(&json!({"notices": listed}))
    }

    fn reverse_by_reference(&self, class: Class, request: &Request, now_ms: i64) -> Reaction {
        if !class.reverses_by_reference() {
            return Reaction::at_once(unsupported());
        }
        let body = object(&request.body).map(Value::Object);
        let reference = match body.and_then(|body| reference(&body)) {
            Ok(reference) => reference,
            Err(message) => return Reaction::at_once(Answer::invalid(&message)),
        };
        if let Some(earlier) = self.books.reversal(&reference) {
            return Reaction::at_once(Answer::ok(&of_reversal(earlier)));
        }
        if self.books.is_full() {
            return Reaction::at_once(full());
        }
        let mut operations = self.books.under_reference(class, &reference);
        let reversal = Reversal {
            id: self.books.next_other_id(),
            reversed: operations.any(|operation| operation.outcome.at(now_ms).is_alive()),
            reference,
            at_ms: now_ms,
        };
        let answer = Answer::ok(&of_reversal(&reversal));
        Reaction { records: vec![Record::Reversal(reversal)], ..Reaction::at_once(answer) }
    }

    /// The way of every operation: read it, see how this delivery is treated, act or not, deliver.
    fn operate(&mut self, place: Place<'_>, request: &Request, now_ms: i64) -> Reaction {
        let order = match Order::read(place, request) {
            Ok(order) => order,
            Err(message) => return Reaction::at_once(Answer::invalid(&message)),
        };
        if place.on.is_some() && self.books.target(&order).is_none() {
            let message = "no operation of that id can be acted on in this way";
            return Reaction::at_once(Answer::error(404, "unknown_id", message));
        }
        if self.books.is_full() {
            return Reaction::at_once(full());
        }
        let treatment = self.treat(&order, now_ms);
        let (meant, records) = if treatment.acts() {
            self.act(&order, &treatment, now_ms)
        } else {
            (Answer::internal_error(), vec![unacted(&order)])
        };
        let (answer, delivery) = treatment.deliver(meant);
        Reaction { answer, delay_ms: treatment.delay_ms, delivery, records }
    }

    /// A script goes before magic, magic strikes a first delivery only, and neither strikes what a
    /// browser asks, because the merchant would not be there to see it.
    fn treat(&mut self, order: &Order, now_ms: i64) -> Treatment {
        let magic = order.magic(self.books.carried(order, now_ms));
        if order.by_browser {
            return Treatment::unstruck(magic);
        }
        match self.script.take_where(|aim| aim.is_at(order)) {
            Some(cue) => Treatment::scripted(cue, magic),
            None if self.books.is_first_delivery(order) => Treatment::magic(magic),
            None => Treatment::unstruck(magic),
        }
    }

    fn act(&self, order: &Order, treatment: &Treatment, now_ms: i64) -> (Answer, Vec<Record>) {
        let key = order.key.as_ref();
        if let Some(earlier) = key.and_then(|key| self.books.under_key(key, now_ms)) {
            return (replay(earlier, order, now_ms, &self.url), Vec::new());
        }
        let authorization = self.books.authorized_by_browser(order, now_ms);
        let outcome = self.decide(order, treatment.behaviour, authorization, now_ms);
        let operation = Operation {
            id: match (order.kind, authorization) {
                (Kind::PostAuthorize, Some(authorization)) => authorization.id.clone(),
                (kind, _) => self.books.next_id(kind),
            },
            class: order.class,
            kind: order.kind,
            reference: order.reference.clone(),
            amount: order.amount,
            currency: order.currency.clone(),
            on: self.books.target(order).map(|target| target.id.clone()),
            carries: order.carries().filter(|_| outcome.is_alive()),
            saved_by_merchant: order.saved_by_merchant,
            method_type: order.method_type.clone(),
            merchant_initiated: order.merchant_initiated,
            key: order.key.clone(),
            fingerprint: order.fingerprint,
            outcome,
            sequel: sequel(order.kind, treatment.behaviour, outcome, now_ms),
            tells_first: treatment.tells_first(),
            at_ms: now_ms,
            answers_at_ms: now_ms.saturating_add_unsigned(treatment.delay_ms),
        };
        let answer = Answer::ok(&of_operation(&operation, operation.outcome, &self.url));
        (answer, vec![Record::Operation(operation)])
    }

    fn decide(&self, order: &Order, behaviour: Behaviour, authorization: Option<&Operation>, now_ms: i64) -> Outcome {
        let declined = |because| Outcome::Declined { because };
        if self.books.is_reversed(order.class, order.reference.as_ref()) {
            return declined(Decline::AlreadyReversed);
        }
        if order.kind == Kind::PostAuthorize && authorization.is_none() {
            return declined(Decline::UnknownAuthorization);
        }
        let accepted = |ends| Outcome::Accepted { ends, settles_at_ms: now_ms.saturating_add_unsigned(SETTLEMENT_MS) };
        match behaviour {
            Behaviour::AcceptToken(ends) if order.kind == Kind::Tokenize => accepted(ends),
            Behaviour::Approve | Behaviour::AcceptToken(_) | Behaviour::Dispute(_) | Behaviour::Fault(_) => {
                Outcome::Approved
            }
            Behaviour::Decline(because) => declined(because),
            Behaviour::Accept(ends) => accepted(ends),
            Behaviour::AcceptThenFail => accepted(Ending::Approved),
            Behaviour::Challenge => {
                let expires_at_ms = now_ms.saturating_add_unsigned(ACTION_MS);
                Outcome::ActionRequired { expires_at_ms, decision: None }
            }
        }
    }
}

/// What comes after an operation of that kind is approved. A token has no sequel, and disputed is what took money.
fn sequel(kind: Kind, behaviour: Behaviour, outcome: Outcome, now_ms: i64) -> Option<Sequel> {
    let after = |settlements: u64| now_ms.saturating_add_unsigned(settlements * SETTLEMENT_MS);
    if !outcome.is_alive() || !kind.moves_money() {
        return None;
    }
    match behaviour {
        Behaviour::AcceptThenFail => Some(Sequel::Fails { at_ms: after(2) }),
        Behaviour::Dispute(verdict) if kind.takes_money() => Some(Sequel::Disputed {
            opened_at_ms: after(1),
            charged_back_at_ms: after(2),
            reversed_at_ms: match verdict {
                Verdict::ChargedBack => None,
                Verdict::Won => Some(after(3)),
            },
        }),
        Behaviour::Approve
        | Behaviour::Decline(_)
        | Behaviour::Accept(_)
        | Behaviour::AcceptToken(_)
        | Behaviour::Challenge
        | Behaviour::Dispute(_)
        | Behaviour::Fault(_) => None,
    }
}

/// What the same key is answered the second time.
fn replay(earlier: &Operation, order: &Order, now_ms: i64, url: &str) -> Answer {
    if earlier.fingerprint != order.fingerprint {
        let message = "this key came with other parameters before";
        return Answer::error(422, "key_reused", message);
    }
    if now_ms < earlier.answers_at_ms {
        let message = "the first request with this key is still running";
        return Answer::error(409, "in_progress", message).with("retry-after", "1");
    }
    Answer::ok(&of_operation(earlier, earlier.outcome.undecided(), url))
}

fn unacted(order: &Order) -> Record {
    Record::Unacted(Unacted { class: order.class, reference: order.reference.clone(), key: order.key.clone() })
}

fn unsupported() -> Answer {
    Answer::error(404, "unsupported", "this class of gateway does not offer that")
}

fn full() -> Answer {
    Answer::error(507, "ledger_full", "the ledger is full; start with an empty one")
}
