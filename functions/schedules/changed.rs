//! A payment schedule changes. What one request asks for is done in this order, and written at once or not at all: another
//! method, another amount, an occurrence that is left out, another status. Asked for again it changes nothing.

use kessai_shared::ids::MethodId;
use kessai_shared::money::Currency;
use kessai_shared::ports::{StoreFault, Written};
use kessai_shared::recurring::calendar::Date;
use kessai_shared::recurring::schedule::change::Change;
use kessai_shared::recurring::schedule::refused::Refused;
use kessai_shared::recurring::schedule::step::{Event, step};
use kessai_shared::recurring::schedule::{Schedule, Status};
use kessai_shared::rejection::Fault;
use kessai_shared::stored::recurring::schedule::StoredSchedule;
use kessai_shared::time::Timestamp;

use super::runs::Runs;
use super::{Desk, asked, method, refuse, shown};
use crate::door::Subject;
use crate::event::HttpAnswer;
use crate::problem::Problem;
use crate::recurring::ensure_retry_run;
use crate::wire::members::Members;

const METHOD: &str = "defaultPaymentMethodId";

/// How often a change is tried that somebody else comes before. A run writes a schedule twice for each item.
const TRIES: usize = 10;

/// What a schedule is to become.
#[derive(Clone, Copy)]
enum Next {
    Open,
    OnHold,
    Canceled,
}

const STATUS: [(&str, Next); 3] = [("Open", Next::Open), ("On Hold", Next::OnHold), ("Canceled", Next::Canceled)];

#[derive(Default)]
struct Given {
    method: Option<MethodId>,
    amount: Option<i64>,
    skip: Option<Date>,
    status: Option<Next>,
}

pub(super) async fn serve(desk: &Desk<'_>, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    let id = desk.named()?;
    let text = desk.event.json_body()?;
    let members = Members::parse(&text)?;
    let stored = desk.read(id).await?;
    let given = Given::read(members, stored.schedule.currency)?;
    if let Some(id) = given.method {
        method::usable_at(desk, id, stored.schedule.gateway, METHOD).await?;
    }
    let runs = Runs::if_known(desk).await;
    let schedule = change(desk, stored, |schedule, now| given.changes(schedule, runs.as_ref(), now)).await?;
    Ok(shown(desk, 200, &schedule, runs.as_ref(), subject))
}

impl Given {
    fn read(mut members: Members<'_>, currency: Currency) -> Result<Self, Problem> {
        let recurrence = members.object("recurrence")?.map(|mut recurrence| {
            let amount =
                asked::needed(&mut recurrence, "amount", |members, name| asked::amount(members, name, currency))?;
            recurrence.finish().map(|()| amount)
        });
        let given = Self {
            method: asked::method(&mut members, METHOD)?,
            amount: recurrence.transpose()?,
            skip: asked::date(&mut members, "skip")?,
            status: members.literal("status", &STATUS)?,
        };
        members.finish()?;
        match given {
            Self { method: None, amount: None, skip: None, status: None } => {
                Err(Problem::missing("status, defaultPaymentMethodId, recurrence or skip"))
            }
            given => Ok(given),
        }
    }

    fn changes(&self, schedule: &Schedule, runs: Option<&Runs>, now: Timestamp) -> Result<Vec<Change>, Problem> {
        // What depends on the day waits until it can be said which one it is.
        let unknown = || Fault::Store(Box::new(StoreFault("nobody can say when runs come".into())));
        let today = || runs.ok_or_else(unknown)?.today(schedule, now);
        let status = self.status.map(|next| match (next, schedule.status) {
            (Next::Open, Status::OnHold { .. }) => today().map(|on| Change::Resume { on }),
            (Next::Open, Status::Draft | Status::Open | Status::Completed | Status::Canceled) => Ok(Change::Open),
            (Next::OnHold, _) => today().map(|on| Change::Hold { on }),
            (Next::Canceled, _) => Ok(Change::Cancel),
        });
        let status = status.transpose()?;
        let changes =
            [self.method.map(Change::Method), self.amount.map(Change::Amount), self.skip.map(Change::Skip), status];
        Ok(changes.into_iter().flatten().collect())
    }
}

/// Makes changes to a schedule, in one write; how it stands then.
pub(super) async fn change(
    desk: &Desk<'_>,
    mut stored: StoredSchedule,
    changes: impl Fn(&Schedule, Timestamp) -> Result<Vec<Change>, Problem>,
) -> Result<Schedule, Problem> {
    for _ in 0..TRIES {
        let (before, now) = (&stored.schedule, desk.now());
        let (mut schedule, changes) = (before.clone(), changes(before, now)?);
        let asks_more = changes.iter().any(|change| matches!(change, Change::AddItem(_)));
        for change in changes {
            schedule = step(&schedule, Event::Change(change), now).map_err(refused)?.schedule;
        }
        if schedule == *before {
            return Ok(schedule);
        }
        schedule.version = before.version.saturating_add(1);
        if let Some(at) = schedule.earliest_retry().filter(|at| before.earliest_retry() != Some(*at)) {
            ensure_retry_run(desk.app, desk.merchant.id, at, desk.deadline).await?;
        }
        match desk.write(Some(&stored), schedule.clone(), asks_more).await? {
            Written::Done => return Ok(schedule),
            Written::Conflict(found) => {
                let found = found.map(StoredSchedule::from_item).transpose().map_err(Fault::from)?;
                stored = found.ok_or_else(Problem::not_found)?;
            }
        }
    }
    Err(Fault::Busy.into())
}

fn refused(why: Refused) -> Problem {
    match why {
        Refused::NoItem => Problem::not_found(),
        why => refuse(why),
    }
}
