//! Reminders in SQS.
//!
//! Messages go in batches of ten, the most that one call takes. A message that SQS refuses fails the whole: whoever
//! sends them sends all of them again, which does no harm.

use std::sync::Arc;
use std::time::Duration;

use kessai_shared::ports::{Http, Pending, Queue, QueueFault};
use kessai_shared::reminder::{Delayed, Errand};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::signed::{Patience, Service};

/// Messages that one call takes.
const BATCH: usize = 10;

/// Nobody waits for the answer of whoever sends, and in a small function a first handshake alone may take most of a
/// second. All attempts together stay below ten seconds.
pub(crate) const PATIENCE: Patience =
    Patience { attempt: Duration::from_secs(3), attempts: 3, first_pause: Duration::from_millis(50) };

const TARGET: &str = "AmazonSQS.SendMessageBatch";

/// The queue of each errand.
#[derive(Clone)]
pub struct Sqs {
    service: Service,
    http: Arc<dyn Http>,
    urls: Vec<(Errand, String)>,
}

impl Sqs {
    pub(crate) fn new(service: Service, http: Arc<dyn Http>, urls: Vec<(Errand, String)>) -> Self {
        Self { service, http, urls }
    }

    async fn send_batch(&self, url: &str, reminders: &[&Delayed]) -> Result<(), QueueFault> {
        let entries: Vec<_> = reminders.iter().enumerate().map(|(place, reminder)| entry(place, reminder)).collect();
        let body = json!({ "QueueUrl": url, "Entries": entries }).to_string();
        let Answer { failed } = self.service.call(&*self.http, TARGET, &body).await.map_err(fault)?;
        match failed.first() {
            None => Ok(()),
            Some(refused) => Err(fault(format!("SQS refused a message: {}", refused.code))),
        }
    }
}

impl Queue for Sqs {
    fn send<'a>(&'a self, reminders: &'a [Delayed]) -> Pending<'a, Result<(), QueueFault>> {
        Box::pin(async move {
            for errand in Errand::ALL {
                let reminders: Vec<_> = reminders.iter().filter(|reminder| reminder.errand == errand).collect();
                if reminders.is_empty() {
                    continue;
                }
                let url = self.urls.iter().find(|(known, _)| *known == errand).map(|(_, url)| url);
                let url = url.ok_or_else(|| fault(format!("this function has no queue for {errand:?}")))?;
                for batch in reminders.chunks(BATCH) {
                    self.send_batch(url, batch).await?;
                }
            }
            Ok(())
        })
    }
}

fn entry(place: usize, delayed: &Delayed) -> Value {
    let mut entry = json!({
        "Id": place.to_string(),
        "MessageBody": delayed.reminder.message(),
        "DelaySeconds": delayed.delay.as_secs(),
    });
    if let Some(trace) = delayed.trace {
        let header = json!({ "DataType": "String", "StringValue": format!("Root={trace}") });
        entry["MessageSystemAttributes"] = json!({ "AWSTraceHeader": header });
    }
    entry
}

/// What is of interest in it: what was sent nobody asks for.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    failed: Vec<Refused>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Refused {
    code: String,
}

fn fault(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> QueueFault {
    QueueFault(error.into())
}
