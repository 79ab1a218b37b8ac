//! Tells merchants what happened: reminded by messages, it looks at payments and stored methods and delivers
//! what their outboxes owe.
//!
//! A message is done with when what was due has been tried and what came of it is written: that write asks for the next
//! reminder, if there is more to tell. Where one could not be handled the call fails: Lambda makes it twice more, and
//! then it ends as a dead letter. What it was about stays due in the payment, where a sweep finds it, and the tick too if
//! it was due late.

use std::time::Duration;

use kessai_shared::delivery::{About, Delivering};
use kessai_shared::ids::{ItemKey, PaymentKey};
use kessai_shared::merchant::Merchant;
use kessai_shared::payment::Payment;
use kessai_shared::ports::{Deliveries, Looked, Note};
use kessai_shared::rejection::{Fault, Refusal};
use kessai_shared::reminder::Reminder;
use kessai_shared::stored::event::Recorded;
use kessai_shared::time::Timestamp;

use crate::batch::Message;
use crate::door::{App, owner, route};
use crate::problem::chain;
use crate::wire::event::Told;

pub const NAME: &str = "deliver-event";

/// Tells what is due of one payment or method; when there is more to tell.
pub async fn tell_of(
    app: &App,
    deliveries: &dyn Deliveries,
    item: ItemKey,
    deadline: Timestamp,
) -> Result<Option<Timestamp>, Refusal> {
    match item {
        ItemKey::Payment(key) => Ok(tell(app, deliveries, key, deadline).await?.and_then(|told| told.outbox.due())),
        ItemKey::Method(merchant, method) => {
            let Some(stored) = app.shell.method(&merchant, &method, deadline).await? else { return Ok(None) };
            let merchant = owner(app, merchant, deadline).await?;
            let with = delivering(app, &merchant, deliveries)?;
            Ok(app.shell.deliver_of_method(&with, stored, deadline).await?.outbox.due())
        }
    }
}

/// Tells what is due of one payment; how it stands then. None where there is none.
pub async fn tell(
    app: &App,
    deliveries: &dyn Deliveries,
    key: PaymentKey,
    deadline: Timestamp,
) -> Result<Option<Payment>, Refusal> {
    let Some(stored) = app.shell.read(key, deadline).await? else { return Ok(None) };
    let merchant = owner(app, key.merchant, deadline).await?;
    let route = route(&merchant, stored.payment.gateway)?;
    let with = delivering(app, &merchant, deliveries)?;
    Ok(Some(app.shell.deliver(&with, route, stored, deadline).await?))
}

fn delivering<'a>(
    app: &'a App,
    merchant: &'a Merchant,
    deliveries: &'a dyn Deliveries,
) -> Result<Delivering<'a>, Fault> {
    let no_archive = || Fault::SetUp("this function has no archive".to_owned());
    Ok(Delivering {
        merchant,
        deliveries,
        archive: app.archive.as_deref().ok_or_else(no_archive)?,
        directory: &*app.directory,
        merchants: &*app.merchants,
        render,
    })
}

/// Handles one message; whether it was.
pub async fn handle(app: &App, deliveries: &dyn Deliveries, message: &Message, deadline: Timestamp) -> bool {
    let Some(Reminder { item, .. }) = Reminder::parse(&message.body) else {
        app.shell.journal.note(&Note::Unreadable { what: "message" });
        return false;
    };
    let told = tell_of(app, deliveries, item, deadline).await;
    let fault = told.as_ref().err().map(|refusal| chain(refusal));
    if let Some(fault) = &fault {
        let (late, settled): (Option<Duration>, _) = (None, &[]);
        app.shell.journal.note(&Note::Looked(Looked { item, late, settled, fault: Some(fault) }));
    }
    fault.is_none()
}

/// What is delivered.
fn render(event: &Recorded, about: About<'_>, now: Timestamp) -> Vec<u8> {
    serde_json::to_vec(&Told::of(event, Some(about), now)).unwrap_or_default()
}
