//! The way to the gateway and back. The gateway itself is the sandbox's model: here only its requests and
//! answers get lost, doubled and late, and it fails in the ways that a model does not.

use std::collections::BTreeMap;
use std::time::Duration;

use kessai_functions::sandbox::{Class, Operation, Outcome, Record, Request};
use kessai_shared::ports::{HttpFault, HttpRequest, HttpResponse};

use crate::cast::GATEWAY_URL;
use crate::chance::Fault;
use crate::models::is_key;
use crate::platform::millis;
use crate::port::Reply;
use crate::story::Lane;
use crate::world::{Happening, START_MS, World};

/// A request may arrive so long after its sender's deadline, and no longer, and be found so much later: with
/// clocks that differ by two seconds each, that is before anybody's margin of twenty has passed.
const LATENESS_MS: i64 = 12_000;
const BEHIND_MS: i64 = 5_500;

/// A request on its way.
#[derive(Clone)]
pub struct Parcel {
    task: usize,
    call: u32,
    request: Request,
    /// All of them; only models read any but the key.
    headers: BTreeMap<String, String>,
    /// The sender waits no longer.
    reply_by_ms: i64,
    is_doubled: bool,
}

impl World {
    /// A request leaves.
    pub(crate) fn depart(&mut self, task: usize, call: u32, request: &HttpRequest, timeout: Duration) {
        let served = |answer| Happening::Served { task, call, reply: Some(Reply::Answered(answer)) };
        let headers = self.headers_of(request);
        let request = as_the_gateway_sees(request);
        if self.chance.strikes_call(Fault::NoConnection, task, call) {
            self.tell(Lane::Worker(task), Lane::Gateway, || format!("finds no connection for {}", title(&request)));
            self.tasks[task].spent.disturbances += 1;
            let failed = self.chance.millis(5..500);
            return self.foresee_in(failed, served(Err(HttpFault::NotSent("refused".to_owned()))));
        }
        let reply_by_ms = self.now_ms + millis(timeout);
        self.foresee(reply_by_ms, served(Err(HttpFault::Lost("timeout".to_owned()))));
        if self.gateway_down_ms.contains(&self.now_ms) || self.chance.strikes_call(Fault::RequestLost, task, call) {
            return self.tell(Lane::Worker(task), Lane::Gateway, || format!("is lost: {}", title(&request)));
        }
        let latest_ms = self.tasks[task].deadline_ms + LATENESS_MS;
        let late = self.chance.strikes_call(Fault::RequestLate, task, call);
        let at = match self.chance.moment(task, call) {
            Some(at_ms) => at_ms.max(self.now_ms),
            None if late => self.chance.millis(self.now_ms..latest_ms),
            None => self.now_ms + self.latency(5..150),
        };
        // A second delivery of what has no key is a second operation to anybody.
        let may_be_doubled = match self.plan.model {
            None => self.plan.class == Class::Keyed || is_harmless(&request),
            Some(_) => request.idempotency_key.is_some() || request.method == "GET",
        };
        let is_doubled = may_be_doubled && self.chance.strikes_call(Fault::RequestDoubled, task, call);
        let parcel = Parcel { task, call, request, headers, reply_by_ms, is_doubled };
        if is_doubled {
            let again = self.chance.millis(at.min(latest_ms - 1)..latest_ms);
            self.foresee(again, Happening::Arrives(Box::new(parcel.clone())));
        }
        self.foresee(at.min(latest_ms), Happening::Arrives(Box::new(parcel)));
    }

    /// A request is there.
    pub(crate) fn arrive(&mut self, parcel: Parcel) {
        let Parcel { task, call, request, headers, reply_by_ms, is_doubled } = parcel;
        let response = match self.accounts {
            Some(_) => self.ask_model(task, call, &request, headers, is_doubled),
            None => self.ask_sandbox(task, call, &request, is_doubled),
        };
        self.tell(Lane::Worker(task), Lane::Gateway, || {
            format!("{} → {} {}", title(&request), response.status, String::from_utf8_lossy(&response.body))
        });
        self.answer(task, call, response, reply_by_ms);
    }

    /// What the sandbox says, or what is said in its stead.
    fn ask_sandbox(&mut self, task: usize, call: u32, request: &Request, is_doubled: bool) -> HttpResponse {
        // An earlier request of the same operation, not the same request delivered twice.
        let known = self.auditor.sent(request, (task, call));
        // Somebody who delivers twice does so because he heard nothing the first time.
        if !is_doubled && self.chance.strikes_call(Fault::TooManyRequests, task, call) {
            self.tasks[task].spent.disturbances += 1;
            HttpResponse { status: 429, body: Vec::new() }
        } else if known && request.idempotency_key.is_some() && self.chance.strikes_call(Fault::InProgress, task, call)
        {
            HttpResponse { status: 409, body: br#"{"code":"in_progress"}"#.to_vec() }
        } else if known && !is_doubled && self.chance.strikes_call(Fault::RefusesAgain, task, call) {
            let status = if self.chance.one_in(2) { 400 } else { 404 };
            HttpResponse { status, body: br#"{"code":"invalid_request","message":"no"}"#.to_vec() }
        } else if self.is_behind(request, task, call) {
            HttpResponse { status: 200, body: br#"{"operations":[]}"#.to_vec() }
        } else if self.chance.strikes_call(Fault::ErrorBefore, task, call) {
            HttpResponse { status: 500, body: b"{}".to_vec() }
        } else {
            self.act(task, call, request)
        }
    }

    /// The answer leaves, if it does.
    fn answer(&mut self, task: usize, call: u32, response: HttpResponse, reply_by_ms: i64) {
        if self.chance.strikes_call(Fault::AnswerLost, task, call) {
            return self.tell(Lane::Gateway, Lane::Worker(task), || "its answer is lost".to_owned());
        }
        let slow = self.chance.strikes_call(Fault::AnswerSlow, task, call);
        let at = match self.chance.moment(task, call) {
            Some(_) => self.now_ms,
            None if slow => self.now_ms + self.chance.millis(1_000..20_000),
            None => self.now_ms + self.latency(5..150),
        };
        if at < reply_by_ms {
            self.foresee(at, Happening::Served { task, call, reply: Some(Reply::Answered(Ok(response))) });
        }
    }

    /// Whether a look-up does not find yet what it asks for.
    fn is_behind(&mut self, request: &Request, task: usize, call: u32) -> bool {
        let reference = request.query.strip_prefix("reference=");
        let Some(reference) = reference else { return false };
        // What Kessai was told is accepted may be lost from sight for longer: it is known to be there.
        let behind_ms = if self.auditor.is_accepted(reference, &self.table) { 60_000 } else { BEHIND_MS };
        // What needs its payer is there before it takes effect.
        let known = (0..self.gateway.operations()).filter_map(|place| self.gateway.operation(place));
        let mut entered = known.filter(|known| known.reference.as_deref() == Some(reference)).map(|known| known.at_ms);
        entered.any(|at_ms| START_MS + self.now_ms - at_ms < behind_ms)
            && self.chance.strikes_call(Fault::LookUpBehind, task, call)
    }

    /// The gateway does what it is asked.
    fn act(&mut self, task: usize, call: u32, request: &Request) -> HttpResponse {
        let account = self.tasks[task].account;
        let (request, before) = (&self.as_understood(account, request), self.gateway.operations());
        let reaction = self.gateway.handle(request, START_MS + self.now_ms);
        self.owns_since(before, account);
        let mut body = reaction.answer.body.into_bytes();
        self.enter(&reaction.records);
        if let Some(card) = card_in(request)
            && self.chance.strikes_call(Fault::EchoesCard, task, call)
        {
            let text = String::from_utf8_lossy(&body);
            body = text.replace(r#""message":""#, &format!(r#""message":"{card} "#)).into_bytes();
        }
        if self.chance.strikes_call(Fault::ErrorAfter, task, call) {
            self.tell(Lane::Gateway, Lane::Worker(task), || "breaks after it acted".to_owned());
            return HttpResponse { status: 500, body: b"{}".to_vec() };
        }
        if self.chance.strikes_call(Fault::Malformed, task, call) {
            body.truncate(body.len() / 2);
        }
        if self.chance.strikes_call(Fault::ForeignAnswer, task, call) {
            let text = String::from_utf8_lossy(&body).replace(r#""reference":""#, r#""reference":"X"#);
            // Of another operation, which went the other way.
            let text = match text.contains(r#""status":"approved""#) {
                true => text.replace(r#""status":"approved""#, r#""status":"declined""#),
                false => text.replace(r#""status":"declined""#, r#""status":"approved""#),
            };
            body = text.into_bytes();
        }
        HttpResponse { status: reaction.answer.status, body }
    }
}

impl World {
    /// The gateway has written something down.
    pub(crate) fn enter(&mut self, records: &[Record]) {
        for record in records {
            let place = match record {
                Record::Operation(_) => self.gateway.operations().checked_sub(1),
                Record::Act(_) => self.gateway.touched(record).next(),
                Record::Unacted(_) | Record::Reversal(_) | Record::Taken(_) | Record::Resend(_) => None,
            };
            let Some((place, operation)) = place.and_then(|place| Some((place, self.gateway.operation(place)?))) else {
                continue;
            };
            self.auditor.acted(operation, &self.table, &self.gateway, START_MS + self.now_ms);
            self.story.tell(self.now_ms, Lane::Gateway, Lane::Gateway, || format!("enters {}", entry(operation)));
            if let (Record::Operation(_), Outcome::ActionRequired { .. }) = (record, operation.outcome) {
                self.await_payer(place);
            }
            if self.plan.tells {
                self.foresee_notices(record);
            }
        }
    }
}

impl World {
    /// What a model reads beside the body.
    fn headers_of(&self, request: &HttpRequest) -> BTreeMap<String, String> {
        let headers = request.headers.iter().filter(|_| self.accounts.is_some());
        headers.map(|(name, value)| (name.to_lowercase(), value.clone())).collect()
    }
}

pub(crate) fn as_the_gateway_sees(request: &HttpRequest) -> Request {
    let url = request.url.strip_prefix(GATEWAY_URL).expect("the gateway's address");
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let key = request.headers.iter().find(|(name, _)| is_key(name));
    Request {
        method: request.method.name().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        idempotency_key: key.map(|(_, key)| key.clone()),
        body: request.body.to_vec(),
    }
}

/// Whether it does the same however often it comes.
fn is_harmless(request: &Request) -> bool {
    request.method == "GET" || request.path.ends_with("/timeout-reversals")
}

fn card_in(request: &Request) -> Option<&str> {
    let body = std::str::from_utf8(&request.body).ok()?;
    body.split_once(r#""number":""#)?.1.split('"').next()
}

fn title(request: &Request) -> String {
    let path = request.path.splitn(3, '/').nth(2).unwrap_or_default();
    let what = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    format!("{} {path}{what}", request.method)
}

fn entry(operation: &Operation) -> String {
    let Operation { id, kind, amount, reference, outcome, .. } = operation;
    format!("{} {amount} {} as {id}, reference {}", kind.name(), outcome.name(), reference.as_deref().unwrap_or("none"))
}
