//! Messages in SQS.

use std::time::Duration;

use kessai_shared::ports::Http;
use kessai_shared::reminder::Delayed;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::signed::{CallFault, Patience, Service};

/// Nobody waits for the answer of whoever sends, and in a small function a first handshake alone may take most of a
/// second. All attempts together stay below ten seconds.
pub(crate) const PATIENCE: Patience =
    Patience { attempt: Duration::from_secs(3), attempts: 3, first_pause: Duration::from_millis(50) };

const TARGET: &str = "AmazonSQS.SendMessageBatch";

/// The queues of the account.
#[derive(Clone)]
pub(crate) struct Sqs(pub(crate) Service);

impl Sqs {
    /// Puts up to ten reminders into the queue at `url`.
    pub(crate) async fn send(&self, http: &dyn Http, url: &str, reminders: &[&Delayed]) -> Result<(), CallFault> {
        let Self(service) = self;
        let entries: Vec<_> = reminders.iter().enumerate().map(|(place, reminder)| entry(place, reminder)).collect();
        let body = json!({ "QueueUrl": url, "Entries": entries }).to_string();
        let Answer { failed } = service.call(http, TARGET, &body).await?;
        match failed.first() {
            None => Ok(()),
            Some(refused) => Err(service.fault(format_args!("a message was refused: {}", refused.code))),
        }
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
