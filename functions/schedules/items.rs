//! Items of payment schedules: added, shown, made ready and canceled, one at a time.

use kessai_shared::merchant::set_up::Made;
use kessai_shared::recurring::ids::{ItemNumber, ScheduleId};
use kessai_shared::recurring::schedule::change::Change;
use kessai_shared::recurring::schedule::making::AskedItem;
use kessai_shared::recurring::schedule::{Item, Schedule};

use super::changed::change as change_schedule;
use super::runs::Runs;
use super::{Desk, asked, json, method};
use crate::door::{Subject, fresh_key};
use crate::event::HttpAnswer;
use crate::key;
use crate::problem::Problem;
use crate::wire::members::Members;
use crate::wire::schedule::ItemReading;

/// What an item is to become.
#[derive(Clone, Copy)]
enum Next {
    Ready,
    Canceled,
}

const STATUS: [(&str, Next); 2] = [("Ready for Processing", Next::Ready), ("Canceled", Next::Canceled)];

/// Under a key an item is added once, for as long as its schedule keeps it.
pub(super) async fn add(desk: &Desk<'_>, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    let id = desk.named()?;
    let text = desk.event.json_body()?;
    let mut members = Members::parse(&text)?;
    let key = key::given(desk.event, &mut members)?.unwrap_or_else(|| fresh_key(desk.app));
    let stored = desk.read(id).await?;
    let item = asked::item_of(&mut members, stored.schedule.currency)?;
    members.finish()?;
    let made = Made::of(&key, &asked::canonical_item(&item).to_string());
    let item = AskedItem { made: Some(made), ..item };
    let is_known = stored.schedule.made_under(made).is_some();
    if let Some(method) = item.method.filter(|_| !is_known) {
        method::usable_at(desk, method, stored.schedule.gateway, "paymentMethodId").await?;
    }
    let schedule = change_schedule(desk, stored, |_, _| Ok(vec![Change::AddItem(item.clone())])).await?;
    let added = schedule.made_under(made).ok_or_else(Problem::not_found)?;
    subject.replayed = is_known;
    let answer = shown(desk, 201, &schedule, added, subject).await;
    Ok(if is_known { answer.with_header("idempotent-replayed", "true") } else { answer })
}

pub(super) async fn show(desk: &Desk<'_>, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    let (id, number) = named(desk)?;
    let schedule = desk.read(id).await?.schedule;
    let item = schedule.item(number).ok_or_else(Problem::not_found)?;
    Ok(shown(desk, 200, &schedule, item, subject).await)
}

pub(super) async fn change(desk: &Desk<'_>, subject: &mut Subject) -> Result<HttpAnswer, Problem> {
    let (id, number) = named(desk)?;
    let text = desk.event.json_body()?;
    let mut members = Members::parse(&text)?;
    let next = asked::needed(&mut members, "status", |members, name| members.literal(name, &STATUS))?;
    members.finish()?;
    let stored = desk.read(id).await?;
    let change = match next {
        Next::Ready => Change::ReadyItem(number),
        Next::Canceled => Change::CancelItem(number),
    };
    let schedule = change_schedule(desk, stored, |_, _| Ok(vec![change.clone()])).await?;
    let item = schedule.item(number).ok_or_else(Problem::not_found)?;
    Ok(shown(desk, 200, &schedule, item, subject).await)
}

/// The item that the path names.
fn named(desk: &Desk<'_>) -> Result<(ScheduleId, ItemNumber), Problem> {
    let text = desk.event.path_parameter("paymentScheduleItemId");
    text.and_then(ScheduleId::locate_item).ok_or_else(Problem::not_found)
}

/// An item as it stands now.
async fn shown(desk: &Desk<'_>, status: u16, schedule: &Schedule, item: &Item, subject: &mut Subject) -> HttpAnswer {
    subject.operation = Some(schedule.id.item_id(item.number));
    subject.state = Some(item.state.literal());
    let runs = Runs::if_known(desk).await;
    desk.beside(runs.as_ref(), |beside| json(status, &ItemReading::of(schedule, item, beside)))
}
