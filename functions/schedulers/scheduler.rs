//! Payment schedulers: what starts payment runs, and when. The wire calls one a billing batch scheduler, and shows it as
//! its record `BillingBatchScheduler`.

use kessai_shared::recurring::ids::{RecurringKey, SchedulerId};
use kessai_shared::recurring::scheduler::{MOST_ACTIVE, Scheduler, Status};
use kessai_shared::rejection::Fault;
use kessai_shared::stored::recurring::lists::List;
use kessai_shared::stored::recurring::scheduler::StoredScheduler;
use serde::Serialize;

use super::criteria::{self, ShownCriteria};
use super::page::{self, Asked};
use super::{Desk, Kind, asked, json, made};
use crate::door::{Subject, fresh_key};
use crate::event::HttpAnswer;
use crate::key;
use crate::problem::Problem;
use crate::wire::members::Members;

const KIND: Kind<StoredScheduler> = Kind {
    decode: StoredScheduler::from_item,
    encode: StoredScheduler::to_item,
    version: |stored| stored.scheduler.version,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<T> {
    billing_batch_scheduler: T,
}

#[derive(Serialize)]
struct Made {
    id: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    billing_batch_schedulers: Vec<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) async fn create(desk: &Desk<'_>, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    let text = desk.body()?;
    let mut members = Members::parse(&text)?;
    let key = key::given(desk.event, &mut members)?.unwrap_or_else(|| fresh_key(desk.app));
    let asked = asked::asked(&mut members, key)?;
    members.finish()?;
    let hash = asked.hash;
    let new = StoredScheduler::following(None, Scheduler::new(desk.merchant.id, asked, desk.now()));
    // What was made before is answered as it was, whatever there is since.
    let is_one_more = new.scheduler.status == Status::Active && no_more_active(desk).await?;
    if is_one_more && desk.read(RecurringKey::Scheduler(new.scheduler.id), &KIND).await?.is_none() {
        return Err(too_many());
    }
    let (stored, is_there) = desk.make(new, &KIND, |found| found.scheduler.asked == hash).await?;
    let id = stored.scheduler.id.id();
    subject.operation = Some(id);
    Ok(made(&Envelope { billing_batch_scheduler: Made { id: id.to_string() } }, is_there, subject))
}

pub(super) async fn show(desk: &Desk<'_>, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    let key = named(desk, subject)?;
    let stored = desk.read(key, &KIND).await?.ok_or_else(Problem::not_found)?;
    Ok(json(200, &Envelope { billing_batch_scheduler: shown(&stored.scheduler) }))
}

/// Its status, which is all of it that changes.
pub(super) async fn change(desk: &Desk<'_>, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    let key = named(desk, subject)?;
    let text = desk.body()?;
    let mut members = Members::parse(&text)?;
    let status = asked::status(&mut members)?;
    members.finish()?;
    let no_more = status == Status::Active && no_more_active(desk).await?;
    let next = |stored: &StoredScheduler| {
        let scheduler = &stored.scheduler;
        // To be made anew what it is would leave out a run whose time has come just now.
        if scheduler.status == status {
            return Ok(None);
        }
        let next = scheduler.with_status(status, desk.now()).ok_or_else(|| illegal(scheduler.status, status))?;
        if no_more && next.status == Status::Active {
            return Err(too_many());
        }
        Ok(Some(StoredScheduler::following(Some(stored), next)))
    };
    let stored = desk.change(key, &KIND, next).await?;
    Ok(json(200, &super::Status { status: stored.scheduler.status.literal() }))
}

pub(super) async fn list(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let asked = Asked::parse(&desk.event.raw_query_string, false)?;
    let list = List::schedulers_of(&desk.merchant.id);
    let stands_at = |stored: &StoredScheduler| (stored.scheduler.created_at, stored.scheduler.id.id());
    let (found, next_page_token) = page::read(desk, &list, &asked, &KIND, stands_at, |_| true).await?;
    let billing_batch_schedulers = found.iter().map(|stored| shown(&stored.scheduler)).collect();
    Ok(json(200, &Page { billing_batch_schedulers, next_page_token }))
}

fn named(desk: &Desk<'_>, subject: &mut Subject) -> Result<RecurringKey, Problem> {
    let id = desk.named("billingBatchSchedulerId", SchedulerId::parse)?;
    subject.operation = Some(id.id());
    Ok(RecurringKey::Scheduler(id))
}

/// Whether as many of the merchant's schedulers are active as may be. The list lags behind what is written, so that where
/// several are made at once there may be a few more.
async fn no_more_active(desk: &Desk<'_>) -> Result<bool, Fault> {
    let (agenda, list) = (desk.agenda, List::active_schedulers_of(&desk.merchant.id));
    let ask = || agenda.listed(&list, None, None, MOST_ACTIVE);
    let (active, _) = desk.app.shell.patiently(desk.deadline, ask).await?;
    Ok(active.len() >= usize::from(MOST_ACTIVE))
}

fn too_many() -> Problem {
    Problem::new(422, "LIMIT_EXCEEDED", format!("status: at most {MOST_ACTIVE} schedulers may be Active"))
}

fn illegal(is: Status, asked: Status) -> Problem {
    let message = format!("status: a scheduler that is {} cannot become {}", is.literal(), asked.literal());
    Problem::new(422, "INVALID_STATUS", message)
}

/// As the record, and what started runs take.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    id: String,
    billing_scheduler_name: &'a str,
    status: &'static str,
    job_type: &'static str,
    frequency_cadence: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    recurring_sub_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recurs_on_day: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recurs_on_date: Option<String>,
    start_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_date: Option<String>,
    start_time: String,
    time_zone: &'a str,
    should_exclude_wkend_and_hldy: bool,
    should_start_run_immediately: bool,
    /// None where it is not active.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_run_time: Option<String>,
    /// The days of the runs, by its zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_run_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_run_date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<&'a str>,
    #[serde(flatten)]
    criteria: ShownCriteria<'a>,
    created_date: String,
}

fn shown(scheduler: &Scheduler) -> Shown<'_> {
    let dates = &scheduler.timetable.dates;
    let recurs_on_date = asked::day_of_month(dates);
    Shown {
        id: scheduler.id.id().to_string(),
        billing_scheduler_name: &scheduler.name,
        status: scheduler.status.literal(),
        job_type: "Payment",
        frequency_cadence: asked::cadence(dates),
        recurring_sub_type: recurs_on_date.as_ref().map(|_| asked::SPECIFIC_DATE),
        recurs_on_day: asked::day_of_week(dates),
        recurs_on_date,
        start_date: dates.first().to_string(),
        end_date: dates.last().map(|last| last.to_string()),
        start_time: scheduler.timetable.at.to_string(),
        time_zone: scheduler.timetable.zone.name(),
        should_exclude_wkend_and_hldy: false,
        should_start_run_immediately: false,
        next_run_time: scheduler.next_run.map(|next| next.at.to_string()),
        next_run_date: scheduler.next_run.map(|next| next.date.to_string()),
        last_run_date: scheduler.last_run.map(|day| day.to_string()),
        comments: scheduler.comments.as_deref(),
        criteria: criteria::shown(&scheduler.criteria),
        created_date: scheduler.created_at.to_string(),
    }
}
