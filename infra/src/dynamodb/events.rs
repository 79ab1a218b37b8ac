//! Events: a table with partitions, of which each item is at its place. Nothing here is conditional: what happened does
//! not change, and of what came of telling it the last word counts.

use aws_sdk_dynamodb::types::AttributeValue;
use kessai_shared::ports::{Archive, Pending, Span, StoreFault};
use kessai_shared::stored::Item;
use kessai_shared::stored::event::PLACE;
use kessai_shared::stored::payment::KEY;

use super::{DynamoDb, convert, fault};

impl DynamoDb {
    async fn keep_event(&self, item: Item) -> Result<(), StoreFault> {
        let request = self.client.put_item().table_name(&self.table).set_item(Some(convert::to_attributes(item)));
        request.send().await.map(drop).map_err(fault)
    }

    async fn find_event(&self, partition: &str, place: &str) -> Result<Option<Item>, StoreFault> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(KEY, AttributeValue::S(partition.to_owned()))
            .key(PLACE, AttributeValue::S(place.to_owned()))
            .consistent_read(true);
        let answer = request.send().await.map_err(fault)?;
        answer.item.map(convert::to_item).transpose().map_err(fault)
    }

    /// One item more than was asked for shows that there are more. A page may also end early, at 1 MB.
    async fn list_events(&self, partition: &str, span: Span<'_>, limit: u16) -> Result<(Vec<Item>, bool), StoreFault> {
        // The condition of a key takes one comparison of its place, so one end is cut off here.
        let (condition, bound, end) = match span {
            Span { after: Some(after), before, newest_first: false } => (" AND #sk > :bound", Some(after), before),
            Span { after, before: Some(before), .. } => (" AND #sk < :bound", Some(before), after),
            Span { after, before: None, .. } => (if after.is_some() { " AND #sk > :bound" } else { "" }, after, None),
        };
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression(format!("#pk = :pk{condition}"))
            .expression_attribute_names("#pk", KEY)
            .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
            // Whoever registers something must see what was kept a moment ago.
            .consistent_read(true)
            .scan_index_forward(!span.newest_first)
            .limit(i32::from(limit) + 1);
        let request = match bound {
            None => request,
            Some(bound) => request
                .expression_attribute_names("#sk", PLACE)
                .expression_attribute_values(":bound", AttributeValue::S(bound.to_owned())),
        };
        let answer = request.send().await.map_err(fault)?;
        let ended_early = answer.last_evaluated_key.is_some();
        let found = answer.items.unwrap_or_default().into_iter();
        let mut page = found.map(convert::to_item).collect::<Result<Vec<_>, _>>().map_err(fault)?;
        let all = page.len();
        let is_within = |place: &str| {
            span.after.is_none_or(|after| place > after) && span.before.is_none_or(|before| place < before)
        };
        // Beyond the end nothing comes back into the span.
        page.retain(|item| end.is_none() || item.text(PLACE).is_some_and(is_within));
        let more = page.len() == all && ended_early || page.len() > limit.into();
        page.truncate(limit.into());
        Ok((page, more))
    }
}

impl Archive for DynamoDb {
    fn keep(&self, item: Item) -> Pending<'_, Result<(), StoreFault>> {
        Box::pin(self.keep_event(item))
    }

    fn find<'a>(&'a self, partition: &'a str, place: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Box::pin(self.find_event(partition, place))
    }

    fn list<'a>(
        &'a self,
        partition: &'a str,
        span: Span<'a>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        Box::pin(self.list_events(partition, span, limit))
    }
}
