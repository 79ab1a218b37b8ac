//! Lambda functions that are called and not waited for: Lambda keeps the event and answers at once.
//!
//! The event is what SQS would hand to a function, so that a function need not know which of them called it.

use kessai_shared::ports::Http;
use kessai_shared::reminder::Delayed;
use serde_json::{Value, json};

use crate::signed::{Call, CallFault, Service};

/// Nobody waits for what the function says.
const ASYNCHRONOUSLY: (&str, &str) = ("x-amz-invocation-type", "Event");

/// The event is kept.
const ACCEPTED: u16 = 202;

/// The functions of the account.
#[derive(Clone)]
pub(crate) struct Functions(pub(crate) Service);

impl Functions {
    /// Hands the reminders to the function `name`.
    pub(crate) async fn invoke(&self, http: &dyn Http, name: &str, reminders: &[&Delayed]) -> Result<(), CallFault> {
        let path = format!("/2015-03-31/functions/{name}/invocations");
        let records: Vec<_> = reminders.iter().map(|reminder| record(reminder)).collect();
        let body = json!({ "Records": records }).to_string();
        let call = Call { path: &path, header: ASYNCHRONOUSLY, body: &body, success: ACCEPTED };
        self.0.ask(http, &call).await.map(drop)
    }
}

fn record(delayed: &Delayed) -> Value {
    let Delayed { reminder, trace, .. } = delayed;
    let mut record = json!({
        "messageId": format!("{}/{}", reminder.item, reminder.version),
        "body": reminder.message(),
    });
    if let Some(trace) = trace {
        record["attributes"] = json!({ "AWSTraceHeader": format!("Root={trace}") });
    }
    record
}
