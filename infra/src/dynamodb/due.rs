//! What is due, page by page: where no reminder can be held back so long, and after something was lost.

use aws_sdk_dynamodb::types::AttributeValue;
use kessai_shared::ports::StoreFault;
use kessai_shared::reminder::{Errand, Image, LATE, MARKED, OWED_LATE};
use kessai_shared::stored::Unreadable;
use kessai_shared::stored::payment::{DUE, KEY, OWED, VERSION};
use kessai_shared::time::Timestamp;
use kessai_shared::trace::TRACE;

use super::convert::{self, Attributes};
use super::{DynamoDb, fault};

/// Some of what is due.
pub struct Page {
    pub images: Vec<Image>,
    /// Items that say nothing that this version can read.
    pub unreadable: Vec<Unreadable>,
    /// Where the next page begins; none after the last.
    pub next: Option<Place>,
}

/// A place in an index or a table.
pub struct Place(Attributes);

impl Place {
    /// Behind this payment in the table.
    pub fn after(key: &str) -> Self {
        Self(Attributes::from([(KEY.to_owned(), AttributeValue::S(key.to_owned()))]))
    }

    /// The payment behind which it lies.
    pub fn key(&self) -> Option<&str> {
        self.0.get(KEY).and_then(|key| key.as_s().ok()).map(String::as_str)
    }
}

impl DynamoDb {
    /// What is due until `horizon` of what is due late, the longest overdue first.
    pub async fn late(&self, errand: Errand, horizon: Timestamp, place: Option<Place>) -> Result<Page, StoreFault> {
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(errand.index())
            .key_condition_expression("#late = :marked AND #due <= :horizon")
            .expression_attribute_names("#late", errand.mark())
            .expression_attribute_names("#due", errand.due())
            .expression_attribute_values(":marked", AttributeValue::N(MARKED.to_string()))
            .expression_attribute_values(":horizon", AttributeValue::N(horizon.as_millis().to_string()))
            .set_exclusive_start_key(place.map(|place| place.0))
            .send()
            .await
            .map_err(fault)?;
        Ok(page(answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }

    /// What is due until `horizon` in the whole table, in no order. Reads every item.
    pub async fn due(&self, horizon: Timestamp, place: Option<Place>) -> Result<Page, StoreFault> {
        let answer = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression("#due <= :horizon OR #owed <= :horizon")
            .projection_expression("#key, #version, #due, #late, #owed, #owed_late, #trace")
            .expression_attribute_names("#key", KEY)
            .expression_attribute_names("#version", VERSION)
            .expression_attribute_names("#due", DUE)
            .expression_attribute_names("#late", LATE)
            .expression_attribute_names("#owed", OWED)
            .expression_attribute_names("#owed_late", OWED_LATE)
            .expression_attribute_names("#trace", TRACE)
            .expression_attribute_values(":horizon", AttributeValue::N(horizon.as_millis().to_string()))
            .set_exclusive_start_key(place.map(|place| place.0))
            .send()
            .await
            .map_err(fault)?;
        Ok(page(answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }
}

fn page(items: Vec<Attributes>, next: Option<Attributes>) -> Page {
    let mut page = Page { images: Vec::with_capacity(items.len()), unreadable: Vec::new(), next: next.map(Place) };
    for attributes in items {
        let item = convert::to_item(attributes).map_err(|foreign| Unreadable(foreign.to_string()));
        match item.and_then(|item| Image::of(&item)) {
            Ok(image) => page.images.push(image),
            Err(unreadable) => page.unreadable.push(unreadable),
        }
    }
    page
}
