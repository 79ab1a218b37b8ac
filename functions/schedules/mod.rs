//! Payment schedules: what an account is to pay, and when. They are made, shown and changed here, and nothing is charged:
//! a payment run does that, when its scheduler starts it. So that nobody waits in vain each answer says when that is.
//!
//! | route, below `/commerce/payments` | does |
//! |---|---|
//! | `POST /payment-schedules` | makes one, of items or of what recurs ([`made`]) |
//! | `GET /payment-schedules?accountId=` | lists those of an account, the newest first ([`list`]) |
//! | `GET /payment-schedules/{paymentScheduleId}` | shows one |
//! | `PATCH /payment-schedules/{paymentScheduleId}` | opens, holds, resumes, cancels, skips; another method or amount ([`changed`]) |
//! | `POST /payment-schedules/{paymentScheduleId}/payment-schedule-items` | adds an item ([`items`]) |
//! | `GET`, `PATCH /payment-schedule-items/{paymentScheduleItemId}` | shows an item, makes it ready or cancels it |
//!
//! Each answer is the record as `GET` shows it.

mod asked;
mod changed;
mod items;
mod list;
mod made;
mod method;
mod runs;

use kessai_shared::merchant::{Merchant, Scope};
use kessai_shared::ports::{Agenda, Expected, Written};
use kessai_shared::recurring::ids::ScheduleId;
use kessai_shared::recurring::schedule::refused::Refused;
use kessai_shared::recurring::schedule::{Item, Schedule};
use kessai_shared::rejection::Fault;
use kessai_shared::stored::recurring::schedule::{MAX_SIZE, StoredSchedule};
use kessai_shared::time::Timestamp;
use serde::Serialize;

use self::runs::Runs;
use crate::door::{App, Caller, Function, Needs, Subject, authenticate};
use crate::event::{HttpAnswer, HttpEvent};
use crate::problem::Problem;
use crate::recurring::{schedules, stored_schedule};
use crate::wire::schedule::{Beside, NextRun, Reading};

/// Whoever makes others charge needs what a sale needs.
pub const FUNCTION: Function = Function {
    name: "schedules",
    scopes: &[Scope::Authorize, Scope::CaptureReverse],
    needs: Needs::TO_SHOW,
    answer: |app, function, event, deadline, subject| Box::pin(answer(app, function, event, deadline, subject)),
};

/// What whoever only reads needs.
const TO_READ: &[Scope] = &[Scope::Read];

/// Characters of what runs choose by, as the wire has them.
const MATCHING_VALUE: usize = 40;

/// What stands before a path that names a version of the wire format.
const VERSIONED: &str = "/services/data/{version}";

/// One request, with whoever asks.
struct Desk<'a> {
    app: &'a App,
    event: &'a HttpEvent,
    merchant: Merchant,
    deadline: Timestamp,
}

/// Answers one request.
pub async fn answer(
    app: &App,
    function: &Function,
    event: &HttpEvent,
    deadline: Timestamp,
    subject: &mut Subject,
) -> Result<HttpAnswer, Problem> {
    let (method, path) = event.route_key.split_once(' ').unwrap_or_default();
    let scopes = if method == "GET" { TO_READ } else { function.scopes };
    let Caller { merchant, .. } =
        authenticate(app, &Function { scopes, ..*function }, event, deadline, subject).await?;
    let desk = Desk { app, event, merchant, deadline };
    match (method, path.strip_prefix(VERSIONED).unwrap_or(path)) {
        ("POST", "/commerce/payments/payment-schedules") => made::serve(&desk, subject).await,
        ("GET", "/commerce/payments/payment-schedules") => list::show(&desk).await,
        ("GET", "/commerce/payments/payment-schedules/{paymentScheduleId}") => desk.show(subject).await,
        ("PATCH", "/commerce/payments/payment-schedules/{paymentScheduleId}") => changed::serve(&desk, subject).await,
        ("POST", "/commerce/payments/payment-schedules/{paymentScheduleId}/payment-schedule-items") => {
            items::add(&desk, subject).await
        }
        ("GET", "/commerce/payments/payment-schedule-items/{paymentScheduleItemId}") => {
            items::show(&desk, subject).await
        }
        ("PATCH", "/commerce/payments/payment-schedule-items/{paymentScheduleItemId}") => {
            items::change(&desk, subject).await
        }
        _ => Err(Problem::not_found()),
    }
}

impl Desk<'_> {
    fn now(&self) -> Timestamp {
        self.app.shell.clock.now()
    }

    fn agenda(&self) -> Result<&dyn Agenda, Fault> {
        schedules(self.app)
    }

    /// The schedule that the path names: another merchant's cannot be named.
    fn named(&self) -> Result<ScheduleId, Problem> {
        let text = self.event.path_parameter("paymentScheduleId");
        text.and_then(ScheduleId::parse).ok_or_else(Problem::not_found)
    }

    async fn find(&self, id: ScheduleId) -> Result<Option<StoredSchedule>, Fault> {
        stored_schedule(self.app, self.merchant.id, id, self.deadline).await
    }

    async fn read(&self, id: ScheduleId) -> Result<StoredSchedule, Problem> {
        self.find(id).await?.ok_or_else(Problem::not_found)
    }

    async fn show(&self, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
        let stored = self.read(self.named()?).await?;
        Ok(shown(self, 200, &stored.schedule, Runs::if_known(self).await.as_ref(), subject))
    }

    /// What is said beside a schedule.
    fn beside<T>(&self, runs: Option<&Runs>, say: impl FnOnce(Beside<'_>) -> T) -> T {
        let next_run = |item: &Item| runs?.next_for(item);
        let next_run = runs.map(|_| -> NextRun<'_> { &next_run });
        say(Beside { next_run, rules: self.merchant.retry_rules().as_ref() })
    }

    /// Writes a schedule in the place of what was read, if anything was, with what is to be told of the difference. Where
    /// more is asked of it than before it must stay small: what is not to be charged can always be said.
    async fn write(
        &self,
        before: Option<&StoredSchedule>,
        mut schedule: Schedule,
        asks_more: bool,
    ) -> Result<Written, Problem> {
        let agenda = self.agenda()?;
        schedule.tell(before.map(|before| &before.schedule), self.merchant.wanted(), self.now());
        let expected = before.map_or(Expected::Absent, |before| Expected::Version(before.schedule.version));
        let item = StoredSchedule::following(before, schedule).to_item();
        if asks_more && item.size_bytes() > MAX_SIZE {
            return Err(refuse(Refused::TooLarge));
        }
        let written = self.app.shell.patiently(self.deadline, || agenda.write(item.clone(), expected)).await;
        Ok(written?)
    }
}

fn refuse(refused: Refused) -> Problem {
    let (status, code) = refused.code();
    Problem::new(status, code, refused.to_string())
}

/// A schedule as it stands now.
fn shown(desk: &Desk<'_>, status: u16, schedule: &Schedule, runs: Option<&Runs>, subject: &mut Subject) -> HttpAnswer {
    subject.operation = Some(schedule.id.id());
    subject.state = Some(schedule.status.literal());
    desk.beside(runs, |beside| json(status, &Reading::of(schedule, beside)))
}

fn json(status: u16, body: &impl Serialize) -> HttpAnswer {
    HttpAnswer::json(status, serde_json::to_string(body).unwrap_or_default())
}
