//! What recurs: its lists are indexes of its table, which hold keys alone. The items of a list are read by them.

use aws_sdk_dynamodb::types::AttributeValue;
use kessai_shared::ports::{Agenda, Listed, Pending, Span, StoreFault};
use kessai_shared::stored::Item;
use kessai_shared::stored::payment::KEY;
use kessai_shared::stored::recurring::lists::List;
use kessai_shared::together::together;

use super::{DynamoDb, convert, fault};

/// The ends of a piece of a list, and whether the last place belongs to it. The first does not.
#[derive(Clone, Copy)]
struct Ends<'a> {
    after: Option<&'a str>,
    last: Option<&'a str>,
    with_last: bool,
}

impl Ends<'_> {
    fn holds(&self, place: &str) -> bool {
        self.after.is_none_or(|after| place > after)
            && self.last.is_none_or(|last| place < last || self.with_last && place == last)
    }

    /// What is asked for. A condition has room for one comparison of the place, and "between" includes both ends, which
    /// are cut off here where they do not belong.
    fn condition(&self) -> &'static str {
        match (self.after, self.last) {
            (None, None) => "#list = :list",
            (Some(_), None) => "#list = :list AND #place > :after",
            (None, Some(_)) if self.with_last => "#list = :list AND #place <= :last",
            (None, Some(_)) => "#list = :list AND #place < :last",
            (Some(_), Some(_)) => "#list = :list AND #place BETWEEN :after AND :last",
        }
    }
}

impl DynamoDb {
    /// More than was asked for shows that there are more: one, and the ends that are cut off. A page may also end early,
    /// at 1 MB.
    async fn list_page(
        &self,
        list: &List,
        ends: Ends<'_>,
        newest_first: bool,
        limit: u16,
    ) -> Result<(Vec<Listed>, bool), StoreFault> {
        const MORE: i32 = 3;
        // The store refuses to look for what lies between ends in the wrong order.
        if ends.after.zip(ends.last).is_some_and(|(after, last)| after >= last) {
            return Ok((Vec::new(), false));
        }
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(list.index.name())
            .key_condition_expression(ends.condition())
            .expression_attribute_names("#list", list.index.list())
            .expression_attribute_values(":list", AttributeValue::S(list.name.clone()))
            .scan_index_forward(!newest_first)
            .limit(i32::from(limit).saturating_add(MORE));
        let bounds = [(":after", ends.after), (":last", ends.last)];
        let request = bounds.into_iter().fold(request, |request, (name, bound)| match bound {
            None => request,
            Some(bound) => request.expression_attribute_values(name, AttributeValue::S(bound.to_owned())),
        });
        let request = match bounds.iter().any(|(_, bound)| bound.is_some()) {
            true => request.expression_attribute_names("#place", list.index.place()),
            false => request,
        };
        let answer = request.send().await.map_err(fault)?;
        let ended_early = answer.last_evaluated_key.is_some();
        let found = answer.items.unwrap_or_default().into_iter();
        let found = found.map(|attributes| listed(list, attributes)).collect::<Result<Vec<_>, _>>()?;
        let mut page: Vec<_> = found.into_iter().filter(|listed| ends.holds(&listed.place)).collect();
        let more = ended_early || page.len() > limit.into();
        page.truncate(limit.into());
        Ok((page, more))
    }
}

fn listed(list: &List, attributes: convert::Attributes) -> Result<Listed, StoreFault> {
    let item = convert::to_item(attributes).map_err(fault)?;
    let text = |name: &str| item.text(name).map(str::to_owned).ok_or_else(|| fault("an index without its keys"));
    Ok(Listed { key: text(KEY)?, place: text(list.index.place())? })
}

impl Agenda for DynamoDb {
    fn listed<'a>(
        &'a self,
        list: &'a List,
        until: Option<&'a str>,
        after: Option<&'a str>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Listed>, bool), StoreFault>> {
        Box::pin(self.list_page(list, Ends { after, last: until, with_last: true }, false, limit))
    }

    fn of<'a>(
        &'a self,
        list: &'a List,
        span: Span<'a>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        Box::pin(async move {
            let Span { after, before, newest_first } = span;
            let ends = Ends { after, last: before, with_last: false };
            let (listed, more) = self.list_page(list, ends, newest_first, limit).await?;
            let reads = listed.iter().map(|listed| -> Pending<'_, _> { Box::pin(self.get(&listed.key, false)) });
            let items = together(reads).await.into_iter().filter_map(Result::transpose);
            Ok((items.collect::<Result<_, _>>()?, more))
        })
    }
}
