//! Turns what the streams of payments, of the vault and of what recurs show into reminders: of each item in a batch, what
//! its last image asks for.
//!
//! Most images ask for nothing any more by the time they are shown: the batch waits a few seconds, and an ordinary
//! operation is over by then. A record that cannot be read is noted, which raises an alarm, and passed over: to report
//! it would hold up all that comes behind it, and it would not become readable. If a reminder cannot be sent, the whole
//! batch comes again.

use std::panic::{AssertUnwindSafe, catch_unwind};

use kessai_shared::ports::{Journal, Note, Queue, QueueFault};
use kessai_shared::reminder::{Image, reminders};
use kessai_shared::stored::Unreadable;
use kessai_shared::time::Timestamp;

use crate::batch::StreamEvent;

pub const NAME: &str = "relay";

/// Sends the reminders that a batch of the stream asks for.
pub async fn relay(
    journal: &dyn Journal,
    queue: &dyn Queue,
    event: &StreamEvent,
    now: Timestamp,
) -> Result<(), QueueFault> {
    let mut images: Vec<Image> = Vec::with_capacity(event.records.len());
    for record in &event.records {
        // Nothing in it should panic; if it does, it is this record's affair.
        let read = catch_unwind(AssertUnwindSafe(|| record.image()));
        match read.unwrap_or_else(|_| Err(Unreadable("a record of the stream broke its reader".to_owned()))) {
            Ok(image) => images.extend(image),
            Err(unreadable) => journal.note(&Note::Unreadable { what: &unreadable.to_string() }),
        }
    }
    let reminders = reminders(images, now);
    if !reminders.is_empty() {
        queue.send(&reminders).await?;
    }
    journal.note(&Note::Relayed { images: event.records.len(), reminders: reminders.len() });
    Ok(())
}
