//! The payment schedules of an account, page by page, the newest first and without their items.

use kessai_shared::payment::asked::AccountId;
use kessai_shared::ports::Span;
use kessai_shared::recurring::ids::ScheduleId;
use kessai_shared::rejection::Fault;
use kessai_shared::stored::recurring::lists::List;
use kessai_shared::stored::recurring::schedule::StoredSchedule;
use kessai_shared::time::Timestamp;

use super::runs::Runs;
use super::{Desk, json};
use crate::event::HttpAnswer;
use crate::problem::Problem;
use crate::wire::query::count;
use crate::wire::schedule::{Fields, Page};

/// Schedules of a page where nothing else is asked for, and at most.
const USUAL_PAGE: u16 = 20;
const MOST: u16 = 100;

/// Between the time of a schedule and its id, in the token of the page that goes on after it.
const SEPARATOR: char = '.';

pub(super) async fn show(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let account = desk.event.parameter("accountId").ok_or_else(|| Problem::missing("accountId"))?;
    let account = AccountId::parse(account).ok_or_else(|| Problem::invalid("accountId", "is no account id"))?;
    let before = desk.event.parameter("pageToken").map(|token| place(token).ok_or(()));
    let before = before.transpose();
    let before = before.map_err(|()| Problem::invalid("pageToken", "must be the nextPageToken of a page"))?;
    let limit = match desk.event.parameter("pageSize") {
        Some(text) => count("pageSize", text, MOST)?,
        None => USUAL_PAGE,
    };
    let (agenda, list) = (desk.agenda()?, List::schedules_of(&desk.merchant.id, Some(&account)));
    let span = Span { before: before.as_deref(), newest_first: true, ..Span::default() };
    let (items, more) = desk.app.shell.patiently(desk.deadline, || agenda.of(&list, span, limit)).await?;
    let read: Result<Vec<_>, _> = items.into_iter().map(StoredSchedule::from_item).collect();
    let schedules: Vec<_> = read.map_err(Fault::from)?.into_iter().map(|stored| stored.schedule).collect();
    let runs = Runs::if_known(desk).await;
    let next = schedules.last().filter(|_| more).map(|last| token(last.created_at, last.id));
    let payment_schedules =
        desk.beside(runs.as_ref(), |beside| schedules.iter().map(|schedule| Fields::of(schedule, beside)).collect());
    Ok(json(200, &Page { payment_schedules, next_page_token: next }))
}

fn token(at: Timestamp, id: ScheduleId) -> String {
    format!("{}{SEPARATOR}{}", at.as_millis(), id.id())
}

/// The place on the list that a token names.
fn place(token: &str) -> Option<String> {
    let (millis, id) = token.split_once(SEPARATOR)?;
    let is_number = millis.len() <= 15 && millis.bytes().all(|byte| byte.is_ascii_digit());
    let millis = is_number.then(|| millis.parse().ok())??;
    Some(List::made_at(Timestamp::from_millis(millis), ScheduleId::parse(id)?.id()))
}
