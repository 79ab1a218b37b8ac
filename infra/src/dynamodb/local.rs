//! What a local server does for itself, and what in the cloud is the template's.

use aws_sdk_dynamodb::operation::create_table::CreateTableError;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};
use kessai_shared::ports::StoreFault;
use kessai_shared::reminder::Errand;
use kessai_shared::stored::event::PLACE;
use kessai_shared::stored::method::{ACCOUNT, SHOWN};
use kessai_shared::stored::payment::{KEY, VERSION};
use kessai_shared::stored::recurring::lists::Index;
use kessai_shared::trace::TRACE;

use super::{DynamoDb, fault, vault};

impl DynamoDb {
    /// Creates the table, if there is none. Does not wait: a local server's table is there at once.
    pub async fn create_table(&self) -> Result<(), StoreFault> {
        self.create(self.plain_table()?).await
    }

    /// The same with the indexes of what is due late. Keeping it slows an embedded database down, so a local server,
    /// which reminds itself, has none.
    pub async fn create_indexed_table(&self) -> Result<(), StoreFault> {
        self.create(with_late(self.plain_table()?)?).await
    }

    /// The table of stored payment methods, with the index of those of an account.
    pub async fn create_vault_table(&self) -> Result<(), StoreFault> {
        let request = self
            .plain_table()?
            .attribute_definitions(attribute(ACCOUNT, ScalarAttributeType::S)?)
            .global_secondary_indexes(index(vault::INDEX, ACCOUNT, KEY, &[VERSION, vault::FORMAT, SHOWN])?);
        self.create(request).await
    }

    /// The table of what recurs, with its lists.
    pub async fn create_schedules_table(&self) -> Result<(), StoreFault> {
        self.create(with_lists(self.plain_table()?)?).await
    }

    /// The same with the indexes of what is due late.
    pub async fn create_indexed_schedules_table(&self) -> Result<(), StoreFault> {
        self.create(with_late(with_lists(self.plain_table()?)?)?).await
    }

    /// The table of events, which has places within its partitions.
    pub async fn create_events_table(&self) -> Result<(), StoreFault> {
        let request = self.plain_table()?.key_schema(key(PLACE, KeyType::Range)?);
        self.create(request.attribute_definitions(attribute(PLACE, ScalarAttributeType::S)?)).await
    }

    fn plain_table(&self) -> Result<CreateTableFluentBuilder, StoreFault> {
        let request = self.client.create_table().table_name(&self.table).billing_mode(BillingMode::PayPerRequest);
        let keyed = request.key_schema(key(KEY, KeyType::Hash)?);
        Ok(keyed.attribute_definitions(attribute(KEY, ScalarAttributeType::S)?))
    }

    async fn create(&self, request: CreateTableFluentBuilder) -> Result<(), StoreFault> {
        let Err(error) = request.send().await else { return Ok(()) };
        match error.as_service_error() {
            Some(CreateTableError::ResourceInUseException(_)) => Ok(()),
            _ => Err(fault(error)),
        }
    }
}

fn with_late(request: CreateTableFluentBuilder) -> Result<CreateTableFluentBuilder, StoreFault> {
    Errand::ALL.iter().try_fold(request, |request, errand| {
        let (mark, due) = (errand.mark(), errand.due());
        let request = request.attribute_definitions(attribute(mark, ScalarAttributeType::N)?);
        let request = request.attribute_definitions(attribute(due, ScalarAttributeType::N)?);
        Ok(request.global_secondary_indexes(index(errand.index(), mark, due, &[VERSION, TRACE])?))
    })
}

fn with_lists(request: CreateTableFluentBuilder) -> Result<CreateTableFluentBuilder, StoreFault> {
    Index::ALL.iter().try_fold(request, |request, list| {
        let (name, place) = (list.list(), list.place());
        let request = request.attribute_definitions(attribute(name, ScalarAttributeType::S)?);
        let request = request.attribute_definitions(attribute(place, ScalarAttributeType::S)?);
        Ok(request.global_secondary_indexes(index(list.name(), name, place, &[])?))
    })
}

/// An index with these attributes, or with keys alone.
fn index(name: &str, hash: &str, range: &str, included: &[&str]) -> Result<GlobalSecondaryIndex, StoreFault> {
    let included: Vec<_> = included.iter().map(|&name| name.to_owned()).collect();
    let projection = match included.is_empty() {
        true => Projection::builder().projection_type(ProjectionType::KeysOnly),
        false => Projection::builder().projection_type(ProjectionType::Include).set_non_key_attributes(Some(included)),
    };
    GlobalSecondaryIndex::builder()
        .index_name(name)
        .key_schema(key(hash, KeyType::Hash)?)
        .key_schema(key(range, KeyType::Range)?)
        .projection(projection.build())
        .build()
        .map_err(fault)
}

fn attribute(name: &str, kind: ScalarAttributeType) -> Result<AttributeDefinition, StoreFault> {
    AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().map_err(fault)
}

fn key(name: &str, kind: KeyType) -> Result<KeySchemaElement, StoreFault> {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().map_err(fault)
}
