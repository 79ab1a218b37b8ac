//! On which lists a schedule is.

use super::super::lists::{Entry, Index, schedules_of};
use crate::recurring::schedule::{Processing, Retry, Schedule, State, Status, Tried};
use crate::time::Timestamp;

/// Where it is found: by runs, and by whoever asks for those of an account.
pub fn entries(schedule: &Schedule) -> Vec<Entry> {
    let Schedule { merchant, id, account, created_at, .. } = schedule;
    let made = Entry::made(schedules_of(merchant, account.as_ref()), *created_at, id.id());
    [agenda(schedule), again(schedule), Some(made)].into_iter().flatten().collect()
}

/// What is being charged must be asked about, whatever its status; what is ready is charged while the schedule is open.
fn agenda(schedule: &Schedule) -> Option<Entry> {
    let Schedule { merchant, id, items, .. } = schedule;
    let (lane, id) = (id.lane(), id.id());
    if let Some((processing, tried)) = processing(schedule) {
        let list = format!("open/{}/{lane:02}", tried.run.as_str());
        return Some(Entry { index: Index::Agenda, list, place: format!("{}#{}", digits(processing.due), id.as_str()) });
    }
    let ready = items.iter().filter(|item| item.state == State::Ready && schedule.status == Status::Open);
    let day = ready.map(|item| item.target).min()?;
    let list = format!("ready/{}/{lane:02}", merchant.as_str());
    Some(Entry { index: Index::Agenda, list, place: format!("{day}#{}", id.as_str()) })
}

fn again(schedule: &Schedule) -> Option<Entry> {
    let Schedule { merchant, id, items, .. } = schedule;
    let retries = items.iter().filter_map(|item| match item.state {
        State::Failed { retry: Some(Retry { at, .. }), .. } => Some(at),
        State::Failed { retry: None, .. }
        | State::Draft
        | State::Ready
        | State::Processing(_)
        | State::Processed { .. }
        | State::Canceled { .. } => None,
    });
    let at = retries.min().filter(|_| schedule.status == Status::Open && processing(schedule).is_none())?;
    let list = format!("retry/{}/{:02}", merchant.as_str(), id.lane());
    Some(Entry { index: Index::Again, list, place: format!("{}#{}", digits(at), id.id().as_str()) })
}

/// The attempt that must be looked at first, and the run that made it.
fn processing(schedule: &Schedule) -> Option<(Processing, Tried)> {
    let processing = schedule.items.iter().filter_map(|item| match item.state {
        State::Processing(processing) => Some((processing, item.tried_by?)),
        State::Draft | State::Ready | State::Processed { .. } | State::Failed { .. } | State::Canceled { .. } => None,
    });
    processing.min_by_key(|(processing, _)| processing.due)
}

fn digits(at: Timestamp) -> String {
    format!("{:015}", at.as_millis().max(0))
}
