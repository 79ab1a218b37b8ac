//! Events are found at their places, and listed in their order, in DynamoDB and in memory.

use kessai_infra::aws::Account;
use kessai_shared::memory::MemoryArchive;
use kessai_shared::ports::{Archive, Span};
use kessai_shared::stored::Item;
use kessai_shared::stored::event::PLACE;
use kessai_shared::stored::payment::KEY;

use crate::embedded::Embedded;

const MERCHANT: &str = "00D000000000001";

fn item(partition: &str, place: usize, says: &str) -> Item {
    Item::new().with(KEY, partition.to_owned()).with(PLACE, format!("evt_{place}")).with("n", says.to_owned())
}

fn places(items: &[Item]) -> Vec<usize> {
    let place = |item: &Item| item.text(PLACE).unwrap().strip_prefix("evt_").unwrap().parse().unwrap();
    items.iter().map(place).collect()
}

async fn check(archive: &dyn Archive) {
    // Written in another order than they are listed in.
    for place in [3, 1, 5, 2, 4] {
        archive.keep(item(MERCHANT, place, "first")).await.unwrap();
    }
    archive.keep(item("00D000000000002", 3, "another's")).await.unwrap();
    archive.keep(item(MERCHANT, 3, "last")).await.unwrap();
    let found = archive.find(MERCHANT, "evt_3").await.unwrap();
    assert_eq!(found, Some(item(MERCHANT, 3, "last")), "the last word counts");
    assert_eq!(archive.find(MERCHANT, "evt_6").await.unwrap(), None);

    let all = Span::default();
    let newest_first = Span { newest_first: true, ..all };
    let (after, before) = (Some("evt_2"), Some("evt_5"));
    let rows: [(Span<'_>, u16, &[usize], bool); 12] = [
        (all, 9, &[1, 2, 3, 4, 5], false),
        (all, 5, &[1, 2, 3, 4, 5], false),
        (all, 4, &[1, 2, 3, 4], true),
        (newest_first, 2, &[5, 4], true),
        (Span { after, ..all }, 2, &[3, 4], true),
        (Span { after, ..newest_first }, 9, &[5, 4, 3], false),
        (Span { before, ..all }, 9, &[1, 2, 3, 4], false),
        (Span { before, ..newest_first }, 3, &[4, 3, 2], true),
        (Span { after, before, ..all }, 9, &[3, 4], false),
        (Span { after, before, ..all }, 1, &[3], true),
        (Span { after, before, ..newest_first }, 2, &[4, 3], false),
        (Span { after: before, before: after, ..all }, 9, &[], false),
    ];
    for (span, limit, expected, more) in rows {
        let (found, is_more) = archive.list(MERCHANT, span, limit).await.unwrap();
        assert_eq!((places(&found).as_slice(), is_more), (expected, more), "{span:?}, {limit}");
    }
    assert_eq!(archive.list("00D000000000003", all, 9).await.unwrap(), (Vec::new(), false));
}

#[tokio::test]
async fn an_archive_in_dynamodb_keeps_and_lists() {
    let embedded = Embedded::start();
    let table = Account::at(&embedded.url).table("events");
    table.create_events_table().await.unwrap();
    check(&table).await;
}

#[tokio::test]
async fn an_archive_in_memory_does_the_same() {
    check(&MemoryArchive::default()).await;
}
