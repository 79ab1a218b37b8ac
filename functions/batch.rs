//! Batches as Lambda passes them: of a queue, of a table's stream, and what is said of those records that could not
//! be handled.

use data_encoding::BASE64;
use kessai_shared::reminder::{Image, LATE};
use kessai_shared::stored::payment::{DUE, KEY, VERSION};
use kessai_shared::stored::{Item, Unreadable};
use kessai_shared::trace::{TRACE, TraceId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Messages of SQS.
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
    sequence_number: Option<String>,
    new_image: Option<Box<RawValue>>,
}

/// What an item says about when to look at it, under the names of [`kessai_shared::reminder`].
#[derive(Default, Deserialize)]
#[serde(default)]
struct Attributes {
    pk: Typed,
    v: Typed,
    d: Typed,
    lt: Typed,
    xr: Typed,
}

/// A value of DynamoDB's JSON, as far as these attributes can have one.
#[derive(Default, Deserialize)]
#[serde(rename_all = "UPPERCASE", default)]
struct Typed {
    s: Option<String>,
    n: Option<String>,
    b: Option<String>,
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

    /// What Lambda knows the record by.
    pub fn sequence_number(&self) -> String {
        let change: Option<Change> = serde_json::from_str(self.0.get()).ok();
        change.and_then(|change| change.dynamodb.sequence_number).unwrap_or_default()
    }
}

impl Attributes {
    fn item(self) -> Item {
        let number = |typed: Typed| typed.n.and_then(|digits| digits.parse::<i64>().ok());
        let bytes = |typed: Typed| typed.b.and_then(|text| BASE64.decode(text.as_bytes()).ok());
        Item::new()
            .with_some(KEY, self.pk.s)
            .with_some(VERSION, number(self.v))
            .with_some(DUE, number(self.d))
            .with_some(LATE, number(self.lt))
            .with_some(TRACE, bytes(self.xr))
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
    /// `identifier`: the id of a message, or the sequence number of a stream's record. An empty one, which Lambda
    /// takes for the whole batch, is right for a record of which not even that can be read.
    pub fn add(&mut self, identifier: String) {
        self.batch_item_failures.push(Failure { item_identifier: identifier });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const PAYMENT: &str = "merchant";

    fn event(records: &[Value]) -> StreamEvent {
        serde_json::from_value(json!({ "Records": records })).unwrap()
    }

    #[test]
    fn the_attributes_are_named_as_they_are_stored() {
        let names = json!({ KEY: { "S": PAYMENT }, VERSION: { "N": "3" }, DUE: { "N": "4" }, LATE: { "N": "1" },
            TRACE: { "B": BASE64.encode(&[7; 16]) }, "o": { "L": [] } });
        let attributes: Attributes = serde_json::from_value(names).unwrap();
        let expected =
            Item::new().with(KEY, PAYMENT).with(VERSION, 3).with(DUE, 4).with(LATE, 1).with(TRACE, vec![7_u8; 16]);
        assert_eq!(attributes.item(), expected);
    }

    #[test]
    fn each_record_is_read_by_itself() {
        let broken = [
            json!({ "dynamodb": { "SequenceNumber": "11", "NewImage": { "pk": { "S": "x" }, "v": { "N": "1" } } } }),
            json!({ "dynamodb": { "SequenceNumber": "12", "NewImage": { "v": { "N": "1" } } } }),
            json!({ "dynamodb": { "SequenceNumber": "13", "NewImage": 7 } }),
            json!({}),
        ];
        for (record, number) in event(&broken).records.iter().zip(["11", "12", "13", ""]) {
            assert!(record.image().is_err());
            assert_eq!(record.sequence_number(), number);
        }
        let removed = event(&[json!({ "eventName": "REMOVE", "dynamodb": { "SequenceNumber": "1" } })]);
        assert_eq!(removed.records[0].image().unwrap(), None);
    }
}
