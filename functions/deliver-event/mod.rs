//! Tells merchants what happened: reminded by messages, it looks at payments, stored methods and payment schedules and
//! delivers what their outboxes owe.
//!
//! A message is done with when what was due has been tried and what came of it is written: that write asks for the next
//! reminder, if there is more to tell. Where one could not be handled the call fails: Lambda makes it twice more, and
//! then it ends as a dead letter. What it was about stays due in the payment, where a sweep finds it, and the tick too if
//! it was due late.

use std::time::Duration;

use kessai_shared::delivery::{About, Delivering, OnBus};
use kessai_shared::ids::{ItemKey, PaymentKey};
use kessai_shared::merchant::Merchant;
use kessai_shared::payment::Payment;
use kessai_shared::ports::{Bus, Deliveries, Looked, Note};
use kessai_shared::recurring::ids::RecurringKey;
use kessai_shared::rejection::{Fault, Refusal};
use kessai_shared::reminder::Reminder;
use kessai_shared::stored::event::Recorded;
use kessai_shared::time::Timestamp;

use crate::batch::Message;
use crate::door::{App, owner, route};
use crate::problem::chain;
use crate::recurring::{schedules, stored_schedule};
use crate::wire::creation::Creation;
use crate::wire::event::Told;

pub const NAME: &str = "deliver-event";

/// By what it tells.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    pub deliveries: &'a dyn Deliveries,
    /// The account's own, where it is told anything.
    pub bus: Option<&'a dyn Bus>,
}

/// Tells what is due of one payment, method or schedule; when there is more to tell.
pub async fn tell_of(
    app: &App,
    means: Means<'_>,
    item: ItemKey,
    deadline: Timestamp,
) -> Result<Option<Timestamp>, Refusal> {
    match item {
        ItemKey::Payment(key) => Ok(tell(app, means, key, deadline).await?.and_then(|told| told.outbox.due())),
        ItemKey::Recurring(merchant, RecurringKey::Schedule(id)) => {
            let Some(stored) = stored_schedule(app, merchant, id, deadline).await? else { return Ok(None) };
            let merchant = owner(app, merchant, deadline).await?;
            let with = delivering(app, &merchant, means)?;
            Ok(app.shell.deliver_of_schedule(&with, schedules(app)?, stored, deadline).await?.outbox.due())
        }
        ItemKey::Recurring(..) => {
            Err(Fault::SetUp("merchants are told of schedules, and of nothing else that recurs".to_owned()).into())
        }
        ItemKey::Method(merchant, method) => {
            let Some(stored) = app.shell.method(&merchant, &method, deadline).await? else { return Ok(None) };
            let merchant = owner(app, merchant, deadline).await?;
            let with = delivering(app, &merchant, means)?;
            Ok(app.shell.deliver_of_method(&with, stored, deadline).await?.outbox.due())
        }
    }
}

/// Tells what is due of one payment; how it stands then. None where there is none.
pub async fn tell(
    app: &App,
    means: Means<'_>,
    key: PaymentKey,
    deadline: Timestamp,
) -> Result<Option<Payment>, Refusal> {
    let Some(stored) = app.shell.read(key, deadline).await? else { return Ok(None) };
    let merchant = owner(app, key.merchant, deadline).await?;
    let route = route(app, &merchant, stored.payment.gateway)?;
    let with = delivering(app, &merchant, means)?;
    Ok(Some(app.shell.deliver(&with, route, stored, deadline).await?))
}

fn delivering<'a>(app: &'a App, merchant: &'a Merchant, means: Means<'a>) -> Result<Delivering<'a>, Fault> {
    let no_archive = || Fault::SetUp("this function has no archive".to_owned());
    Ok(Delivering {
        merchant,
        deliveries: means.deliveries,
        bus: means.bus.map(|bus| OnBus { bus, render: render_creation }),
        archive: app.archive.as_deref().ok_or_else(no_archive)?,
        directory: &*app.directory,
        merchants: &*app.merchants,
        render,
    })
}

/// Handles one message; whether it was.
pub async fn handle(app: &App, means: Means<'_>, message: &Message, deadline: Timestamp) -> bool {
    let Some(Reminder { item, .. }) = Reminder::parse(&message.body) else {
        app.shell.journal.note(&Note::Unreadable { what: "message" });
        return false;
    };
    let told = tell_of(app, means, item, deadline).await;
    let fault = told.as_ref().err().map(|refusal| chain(refusal));
    if let Some(fault) = &fault {
        let (late, settled): (Option<Duration>, _) = (None, &[]);
        app.shell.journal.note(&Note::Looked(Looked { item, late, settled, fault: Some(fault) }));
    }
    fault.is_none()
}

/// What is put on the bus.
fn render_creation(event: &Recorded, payment: &Payment) -> String {
    serde_json::to_string(&Creation::of(event, payment)).unwrap_or_default()
}

/// What is delivered.
fn render(event: &Recorded, about: About<'_>, now: Timestamp) -> Vec<u8> {
    serde_json::to_vec(&Told::of(event, Some(about), now)).unwrap_or_default()
}
