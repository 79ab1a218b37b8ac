//! Finishes what a gateway left open: reminded by messages, it looks at payments and does what is due.
//!
//! A message is done with when somebody has looked. One that could not be handled is reported, comes again, and
//! ends as a dead letter if it never can be; its neighbours in the batch are none the worse for it.

use std::sync::Arc;
use std::time::Duration;

use kessai_shared::ids::{Id, PaymentKey};
use kessai_shared::merchant::Merchant;
use kessai_shared::payment::{Payment, State};
use kessai_shared::ports::{Looked, Note, Queue};
use kessai_shared::rejection::Refusal;
use kessai_shared::reminder::{Delayed, Errand, Reminder};
use kessai_shared::shell::{DUE_AT_ONCE, Look};
use kessai_shared::time::Timestamp;

use crate::batch::Message;
use crate::door::{App, owner, route};
use crate::notice::take_kept;
use crate::problem::chain;

pub const NAME: &str = "follow-up";

/// Looks at one payment; none where there is none.
pub async fn look(app: &App, key: PaymentKey, deadline: Timestamp) -> Result<Option<Look>, Refusal> {
    let Some(mut stored) = app.shell.read(key, deadline).await? else { return Ok(None) };
    let merchant = owner(app, key.merchant, deadline).await?;
    if take_all_kept(app, &merchant, &stored.payment, deadline).await? {
        stored = app.shell.read(key, deadline).await?.unwrap_or(stored);
    }
    let route = route(app, &merchant, stored.payment.gateway)?;
    Ok(Some(app.shell.follow_up(stored, route, deadline).await?))
}

/// Takes in what was told too early of what is due now: then nobody needs to be asked.
async fn take_all_kept(
    app: &App,
    merchant: &Merchant,
    payment: &Payment,
    deadline: Timestamp,
) -> Result<bool, Refusal> {
    let now = app.shell.clock.now();
    let mut is_any = false;
    let due = payment.numbered().filter(|(_, operation)| operation.state.due().is_some_and(|due| due <= now));
    for (ordinal, _) in due.take(DUE_AT_ONCE) {
        is_any |= take_kept(app, merchant, payment, ordinal, deadline).await?;
    }
    Ok(is_any)
}

/// Handles one message; whether it was.
pub async fn handle(app: &App, queue: &Arc<dyn Queue>, message: &Message, deadline: Timestamp) -> bool {
    let Some(reminder) = Reminder::parse(&message.body) else {
        app.shell.journal.note(&Note::Unreadable { what: "message" });
        return false;
    };
    let Some(key) = reminder.item.payment() else {
        app.shell.journal.note(&Note::Unreadable { what: "message" });
        return false;
    };
    let looked = look(app, key, deadline).await;
    note(app, key, &looked);
    let Ok(look) = looked else { return false };
    let Some(due) = look.and_then(|look| reminder.again(&look.payment)) else { return true };
    let errand = Errand::FollowUp;
    let again = [Delayed { reminder, errand, delay: errand.delay(due, app.shell.clock.now()), trace: message.trace() }];
    match queue.send(&again).await {
        Ok(()) => true,
        Err(fault) => {
            let fault = chain(&fault);
            app.shell.journal.note(&Note::Looked(Looked {
                item: key.into(),
                late: None,
                settled: &[],
                fault: Some(&fault),
            }));
            false
        }
    }
}

fn note(app: &App, payment: PaymentKey, looked: &Result<Option<Look>, Refusal>) {
    let look = looked.as_ref().ok().and_then(Option::as_ref);
    let settled: Vec<_> = look.map(settled).unwrap_or_default();
    let fault = looked.as_ref().err().map(|refusal| chain(refusal));
    let late = look.and_then(|look| look.late);
    app.shell.journal.note(&Note::Looked(Looked {
        item: payment.into(),
        late,
        settled: &settled,
        fault: fault.as_deref(),
    }));
}

/// What was found out, and how long after it was asked for.
fn settled(look: &Look) -> Vec<(Id, Duration)> {
    let known = look.settled.iter().filter_map(|ordinal| Some((*ordinal, look.payment.operation(*ordinal)?)));
    let with_age = known.filter_map(|(ordinal, operation)| match &operation.state {
        State::Settled(settled) => {
            let id = operation.record().id(look.payment.id, ordinal);
            Some((id, settled.at.since(operation.requested_at)))
        }
        State::Open(_) | State::Unsent | State::Accepted(_) => None,
    });
    with_age.collect()
}
