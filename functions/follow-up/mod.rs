//! Finishes what a gateway left open, and begins what recurs: reminded by messages, it looks at what they name and does
//! what is due.
//!
//! A message is done with when somebody has looked. One that could not be handled is reported, comes again, and
//! ends as a dead letter if it never can be; its neighbours in the batch are none the worse for it.

use std::sync::Arc;
use std::time::Duration;

use kessai_shared::ids::{Id, ItemKey, PaymentKey};
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
use crate::recurring;

pub const NAME: &str = "follow-up";

/// How a look left an item.
#[derive(Clone, Debug)]
pub struct Left {
    pub version: u64,
    /// When somebody must look next.
    pub due: Option<Timestamp>,
    /// How long it was due; none where nothing was.
    pub late: Option<Duration>,
    /// What was found out, and how long after it was asked for.
    pub settled: Vec<(Id, Duration)>,
}

impl From<Look> for Left {
    fn from(look: Look) -> Self {
        let settled = settled(&look);
        Self { version: look.payment.version, due: look.payment.due_at(), late: look.late, settled }
    }
}

/// Looks at an item; none where there is none, or nothing that could be done.
pub async fn look_at(app: &App, item: ItemKey, deadline: Timestamp) -> Result<Option<Left>, Refusal> {
    match item {
        ItemKey::Payment(key) => Ok(look(app, key, deadline).await?.map(Left::from)),
        // Of a method nothing can be found out.
        ItemKey::Method(..) => Ok(None),
        ItemKey::Recurring(merchant, key) => recurring::look(app, merchant, key, deadline).await,
    }
}

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
    // Nobody sends one about a method.
    let reminder = Reminder::parse(&message.body).filter(|reminder| !matches!(reminder.item, ItemKey::Method(..)));
    let Some(reminder) = reminder else {
        app.shell.journal.note(&Note::Unreadable { what: "message" });
        return false;
    };
    let Reminder { item, .. } = reminder;
    let looked = look_at(app, item, deadline).await;
    note(app, item, &looked);
    let Ok(left) = looked else { return false };
    let Some(due) = left.and_then(|left| reminder.again(left.version, left.due)) else { return true };
    let errand = Errand::FollowUp;
    let again = [Delayed { reminder, errand, delay: errand.delay(due, app.shell.clock.now()), trace: message.trace() }];
    match queue.send(&again).await {
        Ok(()) => true,
        Err(fault) => {
            let fault = chain(&fault);
            app.shell.journal.note(&Note::Looked(Looked { item, late: None, settled: &[], fault: Some(&fault) }));
            false
        }
    }
}

fn note(app: &App, item: ItemKey, looked: &Result<Option<Left>, Refusal>) {
    let left = looked.as_ref().ok().and_then(Option::as_ref);
    let settled = left.map(|left| left.settled.as_slice()).unwrap_or_default();
    let fault = looked.as_ref().err().map(|refusal| chain(refusal));
    let late = left.and_then(|left| left.late);
    app.shell.journal.note(&Note::Looked(Looked { item, late, settled, fault: fault.as_deref() }));
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
