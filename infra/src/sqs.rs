//! Reminders in SQS.
//!
//! Messages go in batches of ten, the most that one call takes. A message that SQS refuses fails the whole: whoever
//! sends them sends all of them again, which does no harm.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    MessageSystemAttributeNameForSends, MessageSystemAttributeValue, SendMessageBatchRequestEntry,
};
use kessai_shared::ports::{Pending, Queue, QueueFault};
use kessai_shared::reminder::{Delayed, Errand};
use kessai_shared::trace::TraceId;

/// Messages that one call takes.
const BATCH: usize = 10;

/// The queue of each errand.
#[derive(Clone, Debug)]
pub struct Sqs {
    client: Client,
    urls: Vec<(Errand, String)>,
}

impl Sqs {
    pub(crate) fn new(client: Client, urls: Vec<(Errand, String)>) -> Self {
        Self { client, urls }
    }

    async fn send_batch(&self, url: &str, reminders: &[&Delayed]) -> Result<(), QueueFault> {
        let entries: Result<Vec<_>, _> =
            reminders.iter().enumerate().map(|(place, reminder)| entry(place, reminder)).collect();
        let request = self.client.send_message_batch().queue_url(url).set_entries(Some(entries.map_err(fault)?));
        let answer = request.send().await.map_err(fault)?;
        match answer.failed.first() {
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

fn entry(place: usize, delayed: &Delayed) -> Result<SendMessageBatchRequestEntry, aws_sdk_sqs::error::BuildError> {
    let entry = SendMessageBatchRequestEntry::builder()
        .id(place.to_string())
        .message_body(delayed.reminder.message())
        .delay_seconds(i32::try_from(delayed.delay.as_secs()).unwrap_or(i32::MAX));
    match delayed.trace {
        Some(trace) => {
            entry.message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, trace_header(trace)?)
        }
        None => entry,
    }
    .build()
}

fn trace_header(trace: TraceId) -> Result<MessageSystemAttributeValue, aws_sdk_sqs::error::BuildError> {
    MessageSystemAttributeValue::builder().data_type("String").string_value(format!("Root={trace}")).build()
}

fn fault(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> QueueFault {
    QueueFault(error.into())
}
