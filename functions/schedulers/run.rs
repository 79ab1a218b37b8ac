//! Payment runs: those that schedulers started, those that try again, and those that somebody asks for. They are shown as
//! the wire's record `PaymentBatchRun`.

use kessai_shared::payment::IdempotencyKey;
use kessai_shared::ports::Pending;
use kessai_shared::recurring::calendar::Date;
use kessai_shared::recurring::ids::{Cause, RecurringKey, RunId};
use kessai_shared::recurring::run::{Counts, Lane, Run, Status, Takes, lanes};
use kessai_shared::rejection::Fault;
use kessai_shared::stored::recurring::lane::StoredLane;
use kessai_shared::stored::recurring::lists::List;
use kessai_shared::stored::recurring::run::StoredRun;
use kessai_shared::together::together;
use serde::Serialize;

use super::criteria::{self, ShownCriteria, criteria};
use super::page::{self, Asked};
use super::{Desk, Kind, asked, dated, hash_of, json, made};
use crate::door::{Subject, fresh_key, route};
use crate::event::HttpAnswer;
use crate::key;
use crate::problem::Problem;
use crate::wire::body::COMMENTS;
use crate::wire::members::Members;

const RUN: Kind<StoredRun> =
    Kind { decode: StoredRun::from_item, encode: StoredRun::to_item, version: |stored| stored.run.version };

const LANE: Kind<StoredLane> =
    Kind { decode: StoredLane::from_item, encode: StoredLane::to_item, version: |stored| stored.lane.version };

/// Days after today that a run may be for: what recurs each month can be charged ahead of time, and nobody charges years
/// of it by a slip of the pen.
const MOST_AHEAD: i64 = 31;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    payment_batch_run: Shown<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    payment_batch_runs: Vec<Shown<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// Makes a run that begins now.
pub(super) async fn start(desk: &Desk<'_>, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    let text = desk.body()?;
    let mut members = Members::parse(&text)?;
    let key = key::given(desk.event, &mut members)?.unwrap_or_else(|| fresh_key(desk.app));
    let run = run(desk, &mut members, &key)?;
    members.finish()?;
    let asked = run.asked;
    let new = StoredRun::following(None, run);
    let (stored, is_there) = desk.make(new, &RUN, |found| found.run.asked == asked).await?;
    subject.operation = Some(stored.run.id.id());
    let run = as_it_is(desk, stored.run).await?;
    Ok(made(&Envelope { payment_batch_run: shown(desk, &run) }, is_there, subject))
}

/// The run that is asked for. Without a date it is today's, also if it is asked for again tomorrow: so the date that is
/// compared under its key is the one that was given.
fn run(desk: &Desk<'_>, members: &mut Members<'_>, key: &IdempotencyKey) -> Result<Run, Problem> {
    let (given, zone) = (dated(members, "runDate", Date::parse)?, asked::zone(members)?);
    let criteria = criteria(members, false)?;
    let comments = members.text("comments", COMMENTS)?;
    let date = given.map(|date| date.to_string()).unwrap_or_default();
    let said = [date, zone.to_string(), comments.clone().unwrap_or_default()];
    let said: Vec<_> = said.into_iter().chain(criteria::parts(&criteria)).collect();
    let asked = Some(hash_of("payment run as asked", &said));
    let now = desk.now();
    let today = zone.date(now);
    if let (Some(given), Some(last)) = (given, today.plus_days(MOST_AHEAD))
        && given > last
    {
        let what = format!("must be at most {MOST_AHEAD} days ahead, by {last}");
        return Err(Problem::invalid("runDate", what));
    }
    let takes = Takes::ReadyOn(given.unwrap_or(today));
    Ok(Run { asked, comments, ..Run::new(desk.merchant.id, Cause::Asked(key), takes, criteria, now) })
}

pub(super) async fn show(desk: &Desk<'_>, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    let key = named(desk, subject)?;
    let stored = desk.read(key, &RUN).await?.ok_or_else(Problem::not_found)?;
    let run = as_it_is(desk, stored.run).await?;
    Ok(json(200, &Envelope { payment_batch_run: shown(desk, &run) }))
}

/// Stops it. To stop what is stopped already is no mistake: the first answer may have been lost.
pub(super) async fn change(desk: &Desk<'_>, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    let key = named(desk, subject)?;
    let text = desk.body()?;
    let mut members = Members::parse(&text)?;
    let status = members.literal("status", &[("Stopped", Status::Stopped)])?;
    members.finish()?;
    status.ok_or_else(|| Problem::missing("status"))?;
    let next = |stored: &StoredRun| {
        if stored.run.status == Status::Stopped {
            return Ok(None);
        }
        let ended = || {
            let message = format!("status: a run that is {} cannot be stopped", stored.run.status.literal());
            Problem::new(422, "INVALID_STATUS", message)
        };
        Ok(Some(StoredRun::following(Some(stored), stored.run.stopped().ok_or_else(ended)?)))
    };
    let stored = desk.change(key, &RUN, next).await?;
    Ok(json(200, &super::Status { status: stored.run.status.literal() }))
}

/// As of the last sums: to look at every lane of every run would take too long.
pub(super) async fn list(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let asked = Asked::parse(&desk.event.raw_query_string, true)?;
    let list = List::runs_of(&desk.merchant.id);
    let stands_at = |stored: &StoredRun| (stored.run.created_at, stored.run.id.id());
    let is_meant = |stored: &StoredRun| asked.scheduler.is_none_or(|id| stored.run.scheduler == Some(id));
    let (found, next_page_token) = page::read(desk, &list, &asked, &RUN, stands_at, is_meant).await?;
    let payment_batch_runs = found.iter().map(|stored| shown(desk, &stored.run)).collect();
    Ok(json(200, &Page { payment_batch_runs, next_page_token }))
}

fn named(desk: &Desk<'_>, subject: &mut Subject) -> Result<RecurringKey, Problem> {
    let id = desk.named("paymentBatchRunId", RunId::parse)?;
    subject.operation = Some(id.id());
    Ok(RecurringKey::Run(id))
}

/// The run with what its lanes have come to by now.
async fn as_it_is(desk: &Desk<'_>, run: Run) -> Result<Run, Fault> {
    if run.completed_at.is_some() || run.lanes == 0 {
        return Ok(run);
    }
    let reads = lanes(run.lanes).map(|lane| -> Pending<'_, Result<Option<StoredLane>, Fault>> {
        Box::pin(desk.read(RecurringKey::Lane(run.id, lane), &LANE))
    });
    let lanes: Result<Vec<_>, _> = together(reads).await.into_iter().collect();
    let lanes: Vec<Lane> = lanes?.into_iter().flatten().map(|stored| stored.lane).collect();
    let counts = lanes.iter().fold(Counts::default(), |sum, lane| sum.plus(lane.counts));
    Ok(Run { counts, ..run })
}

/// Requests in a second that the slowest of the merchant's active gateways takes; none where none has a limit.
fn slowest(desk: &Desk<'_>) -> Option<u16> {
    let active = desk.merchant.gateways.iter().filter(|(_, gateway)| gateway.is_active);
    let rates = active.filter_map(|(id, _)| {
        let route = route(desk.app, &desk.merchant, *id).ok()?;
        (route.adapter.rate)(route.gateway.mode)
    });
    rates.min()
}

/// As the record, and how far it has come.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    id: String,
    status: &'static str,
    is_payment_retry: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_batch_scheduler_id: Option<String>,
    /// It charges what is meant for this day or an earlier one;
    #[serde(skip_serializing_if = "Option::is_none")]
    run_date: Option<String>,
    /// or what is to be tried again by then.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_time: Option<String>,
    created_date: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_end_time: Option<String>,
    /// As of now: while it runs, where a gateway has a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    requests_per_second: Option<u16>,
    total_filtered_schedule_items: u64,
    total_processed_schedule_items: u64,
    total_failed_schedule_items: u64,
    /// Nothing is applied to invoices here.
    total_schedule_items_applied: u64,
    total_schedule_items_apply_failed: u64,
    pending_schedule_items: u64,
    listed_schedules: u64,
    seen_schedules: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    comments: Option<&'a str>,
    #[serde(flatten)]
    criteria: ShownCriteria<'a>,
}

fn shown<'a>(desk: &Desk<'_>, run: &'a Run) -> Shown<'a> {
    let (run_date, retry_time) = match run.takes {
        Takes::ReadyOn(day) => (Some(day.to_string()), None),
        Takes::RetriesBy(at) => (None, Some(at.to_string())),
    };
    let Counts { listed, seen, processed, failed, pending } = run.counts;
    let per_second = slowest(desk).filter(|_| run.completed_at.is_none());
    Shown {
        id: run.id.id().to_string(),
        status: run.status.literal(),
        is_payment_retry: run.is_retry(),
        billing_batch_scheduler_id: run.scheduler.map(|id| id.id().to_string()),
        run_date,
        retry_time,
        created_date: run.created_at.to_string(),
        start_time: run.started_at.map(|at| at.to_string()),
        completion_time: run.completed_at.map(|at| at.to_string()),
        expected_end_time: run.expected_end(per_second, desk.now()).map(|at| at.to_string()),
        requests_per_second: per_second,
        total_filtered_schedule_items: run.counts.filtered(),
        total_processed_schedule_items: processed,
        total_failed_schedule_items: failed,
        total_schedule_items_applied: 0,
        total_schedule_items_apply_failed: 0,
        pending_schedule_items: pending,
        listed_schedules: listed,
        seen_schedules: seen,
        comments: run.comments.as_deref(),
        criteria: criteria::shown(&run.criteria),
    }
}
