//! Payments, merchants, stored payment methods, what recurs and events in DynamoDB, one table each.
//!
//! A payment is one item, and every write is one `PutItem` with a condition: nothing is there yet, or the
//! version we read still is. So there are no transactions, no locks, and nothing is half written.
//!
//! - A condition that does not hold is an answer, a conflict, and DynamoDB sends along what is there.
//! - Everything else that is not success is a fault: throttling, a timeout, a lost connection. After one
//!   the write may have happened, or may yet.
//! - The SDK asks again, a few times and not for long. If a write succeeded and its acknowledgement was
//!   lost, the second attempt finds the condition broken by the first. **That is a conflict that holds the
//!   very item we wanted to write**, and callers must take it for what it is: each version is written by
//!   one writer, who knows its own.
//! - What is due later than a reminder can be held back is marked on its way in: only such items are in the index that a
//!   tick reads, so nobody else pays for it.
//! - An attempt that we gave up on may arrive late. It counts if it is the first of its version, and does
//!   nothing if it is not.

mod agenda;
mod convert;
pub mod due;
mod events;
mod local;
pub mod vault;

use std::error::Error;
use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use kessai_shared::ports::{Clock, Directory, Expected, Pending, Store, StoreFault, Written};
use kessai_shared::reminder::mark;
use kessai_shared::stored::Item;
use kessai_shared::stored::payment::{KEY, VERSION};

use crate::system::SystemClock;

/// One table.
#[derive(Clone)]
pub struct DynamoDb {
    client: Client,
    table: String,
    /// By which it is marked what is due late.
    clock: Arc<dyn Clock>,
    /// What a read asks for, where that is not the whole item.
    only: Option<&'static [&'static str]>,
    /// How it is listed, where it is.
    page: Option<vault::Page>,
}

impl DynamoDb {
    pub(crate) fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into(), clock: Arc::new(SystemClock), only: None, page: None }
    }

    /// The same by another clock.
    #[must_use]
    pub fn with_clock(self, clock: Arc<dyn Clock>) -> Self {
        Self { clock, ..self }
    }

    async fn get(&self, key: &str, consistent: bool) -> Result<Option<Item>, StoreFault> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(KEY, AttributeValue::S(key.to_owned()))
            .consistent_read(consistent);
        let request = match self.only {
            None => request,
            Some(names) => vault::only(request, names),
        };
        let answer = request.send().await.map_err(fault)?;
        answer.item.map(|attributes| decode(key, attributes)).transpose()
    }

    async fn put(&self, mut item: Item, expected: Expected) -> Result<Written, StoreFault> {
        if self.only.is_some() {
            return Err(fault("what is read in part is not written"));
        }
        mark(&mut item, self.clock.now());
        let key = item.text(KEY).ok_or_else(|| fault("the item has no key"))?.to_owned();
        let request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(convert::to_attributes(item)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = on_condition(request, expected).send().await else { return Ok(Written::Done) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refusal)) => {
                let found = refusal.item().map(|attributes| decode(&key, attributes.clone())).transpose()?;
                Ok(Written::Conflict(found))
            }
            _ => Err(fault(error)),
        }
    }
}

impl Store for DynamoDb {
    fn read<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Box::pin(self.get(key, true))
    }

    fn write(&self, item: Item, expected: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        Box::pin(self.put(item, expected))
    }
}

impl Directory for DynamoDb {
    /// Costs half of a consistent read.
    fn find<'a>(&'a self, key: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Box::pin(self.get(key, false))
    }
}

fn on_condition(request: PutItemFluentBuilder, expected: Expected) -> PutItemFluentBuilder {
    match expected {
        Expected::Absent => {
            request.condition_expression("attribute_not_exists(#k)").expression_attribute_names("#k", KEY)
        }
        Expected::Version(version) => request
            .condition_expression("#v = :v")
            .expression_attribute_names("#v", VERSION)
            .expression_attribute_values(":v", AttributeValue::N(version.to_string())),
    }
}

/// Refuses what is not the item that was asked for.
fn decode(key: &str, attributes: convert::Attributes) -> Result<Item, StoreFault> {
    let item = convert::to_item(attributes).map_err(fault)?;
    if item.text(KEY) == Some(key) { Ok(item) } else { Err(fault("the store answered with another item")) }
}

fn fault(error: impl Into<Box<dyn Error + Send + Sync>>) -> StoreFault {
    StoreFault(error.into())
}
