//! Reminders on their way, ten with each call: those of follow-ups into SQS, which can hold them back, and those of
//! deliveries to the function that delivers, which nobody has to ask whether there are any (docs/decisions/0019).
//!
//! A message that is refused fails the whole: whoever sends them sends all of them again, which does no harm.

use std::sync::Arc;

use kessai_shared::ports::{Http, Pending, Queue, QueueFault};
use kessai_shared::reminder::{Delayed, Errand};

use crate::invoke::Functions;
use crate::sqs::Sqs;

/// Messages that one call takes: as many as SQS takes, and as many as it would hand to a function.
const BATCH: usize = 10;

/// Where the reminders of each errand go.
#[derive(Clone)]
pub struct Reminders {
    http: Arc<dyn Http>,
    sqs: Sqs,
    functions: Functions,
    places: Vec<(Errand, String)>,
}

impl Reminders {
    /// `places`: the URL of a queue, or the name of a function.
    pub(crate) fn new(http: Arc<dyn Http>, sqs: Sqs, functions: Functions, places: Vec<(Errand, String)>) -> Self {
        Self { http, sqs, functions, places }
    }
}

impl Queue for Reminders {
    fn send<'a>(&'a self, reminders: &'a [Delayed]) -> Pending<'a, Result<(), QueueFault>> {
        Box::pin(async move {
            for errand in Errand::ALL {
                let reminders: Vec<_> = reminders.iter().filter(|reminder| reminder.errand == errand).collect();
                if reminders.is_empty() {
                    continue;
                }
                let place = self.places.iter().find(|(known, _)| *known == errand).map(|(_, place)| place);
                let place = place.ok_or_else(|| fault(format!("this function has nowhere to send {errand:?}")))?;
                for batch in reminders.chunks(BATCH) {
                    match errand {
                        Errand::FollowUp => self.sqs.send(&*self.http, place, batch).await,
                        Errand::Deliver => self.functions.invoke(&*self.http, place, batch).await,
                    }
                    .map_err(fault)?;
                }
            }
            Ok(())
        })
    }
}

fn fault(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> QueueFault {
    QueueFault(error.into())
}
