//! Payment schedulers and payment runs: when what is ready to be charged is charged, and how that goes.
//!
//! To make a scheduler or a run is to write an item with a due time; whoever looks at it then does the rest
//! ([`crate::recurring`]). Nothing here charges anybody.

mod asked;
mod criteria;
mod page;
mod run;
mod scheduler;

use kessai_shared::ids::{ItemKey, hash};
use kessai_shared::merchant::{Merchant, Scope};
use kessai_shared::ports::{Agenda, Expected, Written};
use kessai_shared::recurring::calendar::Unfit;
use kessai_shared::recurring::ids::RecurringKey;
use kessai_shared::rejection::Fault;
use kessai_shared::stored::{Item, Unreadable};
use kessai_shared::time::Timestamp;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::door::{App, Caller, Function, Needs, Subject, authenticate};
use crate::event::{HttpAnswer, HttpEvent};
use crate::problem::Problem;
use crate::recurring::schedules;
use crate::wire::members::Members;

/// Whoever makes others charge needs what a sale needs.
pub const FUNCTION: Function = Function {
    name: "schedulers",
    scopes: &[Scope::Authorize, Scope::CaptureReverse],
    needs: Needs::TO_SCHEDULE,
    answer: |app, function, event, deadline, subject| Box::pin(answer(app, function, event, deadline, subject)),
};

/// What whoever only reads needs.
const TO_READ: &[Scope] = &[Scope::Read];

/// What stands before a path that names a version of the wire format.
const VERSIONED: &str = "/services/data/{version}";

/// Looks at something that somebody else changes meanwhile; workers write it a few times a minute.
const LOOKS: usize = 8;

async fn answer(
    app: &App,
    function: &Function,
    event: &HttpEvent,
    deadline: Timestamp,
    subject: &mut Subject,
) -> Result<HttpAnswer, Problem> {
    let (method, path) = event.route_key.split_once(' ').unwrap_or_default();
    let scopes = if method == "GET" { TO_READ } else { function.scopes };
    let function = Function { scopes, ..*function };
    let Caller { merchant, .. } = authenticate(app, &function, event, deadline, subject).await?;
    let desk = Desk { app, agenda: schedules(app)?, event, merchant, deadline };
    match (method, path.strip_prefix(VERSIONED).unwrap_or(path)) {
        ("GET", "/commerce/payments/payment-schedulers") => scheduler::list(&desk).await,
        ("POST", "/commerce/payments/payment-schedulers") => scheduler::create(&desk, subject).await,
        // Nothing lies below, but the path may end in a slash.
        ("POST", "/commerce/payments/payment-schedulers/{proxy+}") if event.path_parameter("proxy").is_none() => {
            scheduler::create(&desk, subject).await
        }
        ("GET", "/commerce/payments/payment-schedulers/{billingBatchSchedulerId}") => {
            scheduler::show(&desk, subject).await
        }
        ("PATCH", "/commerce/payments/payment-schedulers/{billingBatchSchedulerId}") => {
            scheduler::change(&desk, subject).await
        }
        ("GET", "/commerce/payments/payment-batch-runs") => run::list(&desk).await,
        ("POST", "/commerce/payments/payment-batch-runs") => run::start(&desk, subject).await,
        ("GET", "/commerce/payments/payment-batch-runs/{paymentBatchRunId}") => run::show(&desk, subject).await,
        ("PATCH", "/commerce/payments/payment-batch-runs/{paymentBatchRunId}") => run::change(&desk, subject).await,
        _ => Err(Problem::not_found()),
    }
}

/// One request, with whoever asks.
struct Desk<'a> {
    app: &'a App,
    agenda: &'a dyn Agenda,
    event: &'a HttpEvent,
    merchant: Merchant,
    deadline: Timestamp,
}

/// How something is stored: as what it is read, and as what it is written.
struct Kind<S> {
    decode: fn(Item) -> Result<S, Unreadable>,
    encode: fn(&S) -> Item,
    version: fn(&S) -> u64,
}

impl Desk<'_> {
    fn now(&self) -> Timestamp {
        self.app.shell.clock.now()
    }

    /// The thing that the path names.
    fn named<T>(&self, parameter: &str, parse: fn(&str) -> Option<T>) -> Result<T, Problem> {
        self.event.path_parameter(parameter).and_then(parse).ok_or_else(Problem::not_found)
    }

    /// The body; an empty one where nothing must be said.
    fn body(&self) -> Result<Zeroizing<String>, Problem> {
        let text = self.event.json_body()?;
        Ok(if text.is_empty() { Zeroizing::new("{}".to_owned()) } else { text })
    }

    /// Another merchant's is not there.
    async fn read<S>(&self, key: RecurringKey, kind: &Kind<S>) -> Result<Option<S>, Fault> {
        let key = ItemKey::Recurring(self.merchant.id, key).to_string();
        let item = self.app.shell.patiently(self.deadline, || self.agenda.read(&key)).await?;
        Ok(item.map(kind.decode).transpose()?)
    }

    async fn write(&self, item: Item, expected: Expected) -> Result<Written, Fault> {
        self.app.shell.patiently(self.deadline, || self.agenda.write(item.clone(), expected)).await
    }

    /// Writes something new, where it is not there already; as it is stored, and whether it was there. `is_same`: whether
    /// what is there was made of the same.
    async fn make<S>(&self, new: S, kind: &Kind<S>, is_same: impl Fn(&S) -> bool) -> Result<(S, bool), Problem> {
        match self.write((kind.encode)(&new), Expected::Absent).await? {
            Written::Done => Ok((new, false)),
            Written::Conflict(found) => {
                let found = found.ok_or(Fault::Busy)?;
                let found = (kind.decode)(found).map_err(Fault::from)?;
                if is_same(&found) { Ok((found, true)) } else { Err(reused()) }
            }
        }
    }

    /// Writes what comes after what is stored; none of `next`: it is so already.
    async fn change<S>(
        &self,
        key: RecurringKey,
        kind: &Kind<S>,
        next: impl Fn(&S) -> Result<Option<S>, Problem>,
    ) -> Result<S, Problem> {
        for _ in 0..LOOKS {
            let stored = self.read(key, kind).await?.ok_or_else(Problem::not_found)?;
            let Some(next) = next(&stored)? else { return Ok(stored) };
            let expected = Expected::Version((kind.version)(&stored));
            if let Written::Done = self.write((kind.encode)(&next), expected).await? {
                return Ok(next);
            }
        }
        Err(Fault::Busy.into())
    }
}

fn reused() -> Problem {
    let message = "This idempotency key was used before with different parameters";
    Problem::new(422, "IDEMPOTENCY_KEY_REUSED", message)
}

/// What it is and becomes; asked for by its owner.
#[derive(Serialize)]
struct Status {
    status: &'static str,
}

fn json(status: u16, body: &impl Serialize) -> HttpAnswer {
    HttpAnswer::json(status, serde_json::to_string(body).unwrap_or_default())
}

/// What was made, now or before.
fn made(body: &impl Serialize, is_there: bool, subject: &mut Subject) -> HttpAnswer {
    subject.replayed = is_there;
    let answer = json(201, body);
    if is_there { answer.with_header("idempotent-replayed", "true") } else { answer }
}

/// What is asked for, as it is compared under a key: the same in whatever words has the same hash, in every version.
fn hash_of(purpose: &str, parts: &[String]) -> [u8; 16] {
    let parts: Vec<_> = parts.iter().map(String::as_bytes).collect();
    hash(purpose, &parts).to_be_bytes()
}

/// Longer than any date, time, day or zone.
const LONGEST: usize = 64;

/// Something of the calendar.
fn dated<T>(
    members: &mut Members<'_>,
    member: &str,
    parse: fn(&str) -> Result<T, Unfit>,
) -> Result<Option<T>, Problem> {
    let Some(text) = members.text(member, LONGEST)? else { return Ok(None) };
    parse(&text).map(Some).map_err(|unfit| Problem::invalid(&members.name(member), unfit))
}
