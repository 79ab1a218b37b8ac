//! What a local server does for itself, and what in the cloud is the template's and the stream's.

use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use kessai_shared::ports::StoreFault;
use kessai_shared::stored::payment::{DUE, KEY};

use super::convert::{self, Attributes};
use super::{DynamoDb, fault};

impl DynamoDb {
    /// Creates the table, if there is none. Does not wait: a local server's table is there at once.
    pub async fn create_table(&self) -> Result<(), StoreFault> {
        let name = AttributeDefinition::builder().attribute_name(KEY).attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder().attribute_name(KEY).key_type(KeyType::Hash);
        let request = self
            .client
            .create_table()
            .table_name(&self.table)
            .attribute_definitions(name.build().map_err(fault)?)
            .key_schema(key.build().map_err(fault)?)
            .billing_mode(BillingMode::PayPerRequest);
        let Err(error) = request.send().await else { return Ok(()) };
        match error.as_service_error() {
            Some(CreateTableError::ResourceInUseException(_)) => Ok(()),
            _ => Err(fault(error)),
        }
    }

    /// Every payment that somebody must look at some time, with the time in
    /// milliseconds since the epoch, in no order. Reads the whole
    /// table, page by page, where a page is 1 MB: a local server asks once, when it starts, for what was
    /// left open when it ended.
    pub async fn due(&self) -> Result<Vec<(String, i64)>, StoreFault> {
        let request = self
            .client
            .scan()
            .table_name(&self.table)
            .filter_expression("attribute_exists(#d)")
            .projection_expression("#k, #d")
            .expression_attribute_names("#k", KEY)
            .expression_attribute_names("#d", DUE);
        let mut pages = request.into_paginator().items().send();
        let mut due = Vec::new();
        while let Some(attributes) = pages.next().await {
            due.push(decode_due(attributes.map_err(fault)?)?);
        }
        Ok(due)
    }
}

fn decode_due(attributes: Attributes) -> Result<(String, i64), StoreFault> {
    let item = convert::to_item(attributes).map_err(fault)?;
    match (item.text(KEY), item.number(DUE)) {
        (Some(key), Some(due_ms)) => Ok((key.to_owned(), due_ms)),
        (key, _) => Err(fault(format!("item {key:?} is due at no time that this version can read"))),
    }
}
