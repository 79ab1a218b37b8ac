//! Batches as Lambda passes them: of a queue, of a table's stream, and what is said of those records that could not
//! be handled.

#[cfg(feature = "lambda")]
use std::time::Duration;

use data_encoding::BASE64;
#[cfg(feature = "lambda")]
use kessai_shared::ports::Clock;
use kessai_shared::reminder::{Image, LATE, OWED_LATE};
use kessai_shared::stored::payment::{DUE, KEY, OWED, VERSION};
use kessai_shared::stored::{Attribute, Item, Unreadable};
#[cfg(feature = "lambda")]
use kessai_shared::time::Timestamp;
use kessai_shared::trace::{TRACE, TraceId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Messages of SQS, or what looks like them.
#[derive(Deserialize)]
pub struct QueueEvent {
    #[serde(rename = "Records")]
    pub records: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    pub message_id: String,
    pub body: String,
    #[serde(default)]
    attributes: MessageAttributes,
}

#[derive(Default, Deserialize)]
struct MessageAttributes {
    #[serde(rename = "AWSTraceHeader")]
    trace: Option<String>,
}

impl Message {
    /// Of whoever wrote what the message reminds of.
    pub fn trace(&self) -> Option<TraceId> {
        self.attributes.trace.as_deref().and_then(TraceId::parse)
    }
}

/// Records of DynamoDB's stream. Each is read by itself, so that one that cannot be read harms no other.
#[derive(Deserialize)]
pub struct StreamEvent {
    #[serde(rename = "Records")]
    pub records: Vec<StreamRecord>,
}

#[derive(Deserialize)]
#[serde(transparent)]
pub struct StreamRecord(Box<RawValue>);

#[derive(Deserialize)]
struct Change {
    dynamodb: Shown,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    new_image: Option<Box<RawValue>>,
}

/// What an item says about when to look at it, under the names of [`kessai_shared::reminder`].
#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    pk: Option<Typed>,
    v: Option<Typed>,
    d: Option<Typed>,
    lt: Option<Typed>,
    ed: Option<Typed>,
    le: Option<Typed>,
    xr: Option<Typed>,
}

/// A value of DynamoDB's JSON, as far as these attributes can have one.
#[derive(Default, Deserialize)]
#[serde(rename_all = "UPPERCASE", default)]
struct Typed {
    s: Option<String>,
    n: Option<String>,
    b: Option<String>,
}

impl Typed {
    /// As an item has it. What is none of these is a list, which none of these attributes may be.
    fn value(self) -> Attribute {
        let text = self.s.map(Attribute::from);
        let number = || self.n.and_then(|digits| digits.parse::<i64>().ok()).map(Attribute::from);
        let bytes = || self.b.and_then(|text| BASE64.decode(text.as_bytes()).ok()).map(Attribute::from);
        text.or_else(number).or_else(bytes).unwrap_or_else(|| Attribute::List(Vec::new()))
    }
}

impl StreamRecord {
    /// None where the item was removed.
    pub fn image(&self) -> Result<Option<Image>, Unreadable> {
        let strange = |error| Unreadable(format!("a record of the stream: {error}"));
        let change: Change = serde_json::from_str(self.0.get()).map_err(strange)?;
        let Some(image) = change.dynamodb.new_image else { return Ok(None) };
        let attributes: Attributes = serde_json::from_str(image.get()).map_err(strange)?;
        Image::of(&attributes.item()).map(Some)
    }
}

impl Attributes {
    fn item(self) -> Item {
        Item::new()
            .with_some(KEY, self.pk.map(Typed::value))
            .with_some(VERSION, self.v.map(Typed::value))
            .with_some(DUE, self.d.map(Typed::value))
            .with_some(LATE, self.lt.map(Typed::value))
            .with_some(OWED, self.ed.map(Typed::value))
            .with_some(OWED_LATE, self.le.map(Typed::value))
            .with_some(TRACE, self.xr.map(Typed::value))
    }
}

/// The records of a batch that must come again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failures {
    batch_item_failures: Vec<Failure>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

impl Failures {
    pub fn is_empty(&self) -> bool {
        self.batch_item_failures.is_empty()
    }

    /// `identifier`: the id of a message.
    pub fn add(&mut self, identifier: String) {
        self.batch_item_failures.push(Failure { item_identifier: identifier });
    }
}

/// Kept back before the deadline for saying which messages were not handled: without that all of them come again.
#[cfg(feature = "lambda")]
const ANSWER_RESERVE: Duration = Duration::from_secs(1);

/// Handles the messages of a batch side by side, and says which must come again. One that panics is such a one, or one
/// that takes too long and is ended. Nothing goes on when this returns.
#[cfg(feature = "lambda")]
pub async fn side_by_side(
    handling: Vec<(String, impl Future<Output = bool> + Send + 'static)>,
    clock: &dyn Clock,
    deadline: Timestamp,
) -> Failures {
    let started: Vec<_> = handling.into_iter().map(|(id, handle)| (id, tokio::spawn(handle))).collect();
    let mut failures = Failures::default();
    for (id, mut handled) in started {
        let left = deadline.since(clock.now()).saturating_sub(ANSWER_RESERVE);
        let is_handled = match tokio::time::timeout(left, &mut handled).await {
            Ok(done) => done.unwrap_or(false),
            Err(_) => {
                // The platform stops the process after the answer and lets it go on with the next batch: whatever is
                // under way then would reach a gateway long after its claim has ended.
                handled.abort();
                handled.await.unwrap_or(false)
            }
        };
        if !is_handled {
            failures.add(id);
        }
    }
    failures
}

#[cfg(test)]
mod tests {
    use super::*;
    use kessai_shared::reminder::Errand;
    use serde_json::{Value, json};

    const PAYMENT: &str = "00D000000000001/1f";

    fn event(records: &[Value]) -> StreamEvent {
        serde_json::from_value(json!({ "Records": records })).unwrap()
    }

    #[test]
    fn the_attributes_are_named_as_they_are_stored() {
        let names = json!({ KEY: { "S": PAYMENT }, VERSION: { "N": "3" }, DUE: { "N": "4" }, LATE: { "N": "1" },
            OWED: { "N": "5" }, OWED_LATE: { "N": "2" }, TRACE: { "B": BASE64.encode(&[7; 16]) }, "o": { "L": [] } });
        let attributes: Attributes = serde_json::from_value(names).unwrap();
        let expected = Item::new()
            .with(KEY, PAYMENT)
            .with(VERSION, 3)
            .with(DUE, 4)
            .with(LATE, 1)
            .with(OWED, 5)
            .with(OWED_LATE, 2)
            .with(TRACE, vec![7_u8; 16]);
        assert_eq!(attributes.item(), expected);
    }

    #[test]
    fn each_record_is_read_by_itself() {
        let broken = [
            json!({ "dynamodb": { "SequenceNumber": "11", "NewImage": { "pk": { "S": "x" }, "v": { "N": "1" } } } }),
            json!({ "dynamodb": { "SequenceNumber": "12", "NewImage": { "v": { "N": "1" } } } }),
            json!({ "dynamodb": { "SequenceNumber": "13", "NewImage": 7 } }),
            json!({ "dynamodb": { "NewImage": { "pk": { "S": PAYMENT }, "v": { "N": "1" }, "d": { "N": "1e40" } } } }),
            json!({ "dynamodb": { "NewImage": { "pk": { "S": PAYMENT }, "v": { "N": "1" }, "d": { "NULL": true } } } }),
            json!({}),
        ];
        for record in &event(&broken).records {
            assert!(record.image().is_err());
        }
        let sound =
            json!({ "dynamodb": { "NewImage": { "pk": { "S": PAYMENT }, "v": { "N": "1" }, "d": { "N": "7" } } } });
        assert!(event(&[sound]).records[0].image().unwrap().is_some_and(|image| image.due(Errand::FollowUp).is_some()));
        let removed = event(&[json!({ "eventName": "REMOVE", "dynamodb": { "SequenceNumber": "1" } })]);
        assert_eq!(removed.records[0].image().unwrap(), None);
    }
}
