//! What is due is found: in the index what is due late, in the table everything.

use std::time::Duration;

use kessai_infra::dynamodb::DynamoDb;
use kessai_infra::dynamodb::due::Place;
use kessai_infra::system::SystemClock;
use kessai_shared::ids::{MerchantId, PaymentId, PaymentKey};
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::ports::{Clock, Expected, Store};
use kessai_shared::reminder::{Errand, LATE, LONGEST_DELAY};
use kessai_shared::stored::Item;
use kessai_shared::stored::payment::{DUE, KEY, VERSION};
use kessai_shared::time::Timestamp;

use crate::embedded::Embedded;

fn key(place: i64) -> PaymentKey {
    let merchant = MerchantId::from_random([1; 16]);
    PaymentKey {
        merchant,
        payment: PaymentId::opened_by(&merchant, &IdempotencyKey::parse(&place.to_string()).unwrap()),
    }
}

fn item(place: i64, version: i64, due: Option<Timestamp>) -> Item {
    let item = Item::new().with(KEY, key(place).to_string()).with(VERSION, version);
    item.with_some(DUE, due.map(Timestamp::as_millis))
}

/// What is found until then, in order of the keys.
async fn late(table: &DynamoDb, horizon: Timestamp) -> Vec<(PaymentKey, u64)> {
    let page = table.late(Errand::FollowUp, horizon, None).await.unwrap();
    assert!(page.next.is_none() && page.unreadable.is_empty());
    let mut found: Vec<_> = page
        .images
        .iter()
        .map(|image| (image.reminder.item.payment().expect("a payment"), image.reminder.version))
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn what_is_due_later_than_a_queue_can_wait_is_in_the_index_as_long_as_it_is() {
    let server = Embedded::start();
    let table = server.table("payments").await;
    let now = SystemClock.now();
    let (soon, later) = (now.plus(Duration::from_secs(60)), now.plus(LONGEST_DELAY * 2));
    let end = now.plus(LONGEST_DELAY * 3);
    for (place, due) in [(1, Some(soon)), (2, Some(later)), (3, None), (4, Some(later.plus(LONGEST_DELAY)))] {
        table.write(item(place, 1, due), Expected::Absent).await.unwrap();
    }
    let mut both = vec![(key(2), 1), (key(4), 1)];
    both.sort();
    assert_eq!(late(&table, end).await, both);
    assert_eq!(late(&table, later).await, [(key(2), 1)], "only what is due until then");
    // What comes with a read is written back, unless it is no longer so.
    let read = table.read(&key(2).to_string()).await.unwrap().unwrap();
    assert!(read.number(LATE).is_some());
    table.write(read.with(VERSION, 2).with(DUE, soon.as_millis()), Expected::Version(1)).await.unwrap();
    assert_eq!(late(&table, end).await, [(key(4), 1)]);
}

#[tokio::test]
async fn a_sweep_finds_what_is_due_on_every_page_and_goes_on_where_it_was() {
    let server = Embedded::start();
    let table = server.table("payments").await;
    let now = SystemClock.now();
    // Three pages of 1 MB.
    let padding = "x".repeat(300 * 1024);
    for place in 0..10 {
        let due = (place % 2 == 0).then_some(now);
        let payment = item(place, 1, due).with("padding", &padding);
        table.write(payment, Expected::Absent).await.unwrap();
    }
    let (mut found, mut pages, mut after) = (Vec::new(), 0, None::<String>);
    loop {
        let page = table.due(now, after.as_deref().map(Place::after)).await.unwrap();
        pages += 1;
        found.extend(page.images.iter().filter_map(|image| image.reminder.item.payment()));
        let Some(next) = page.next else { break };
        after = next.key().map(str::to_owned);
    }
    let mut expected: Vec<_> = (0..5).map(|place| key(place * 2)).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert!(pages >= 3, "{pages} pages");
    let before = Timestamp::from_millis(now.as_millis() - 1);
    assert!(table.due(before, None).await.unwrap().images.is_empty(), "not due yet");
}

#[tokio::test]
async fn an_item_of_nobody_is_told_of_and_hides_no_other() {
    let server = Embedded::start();
    let table = server.table("payments").await;
    let now = SystemClock.now();
    let strange = Item::new().with(KEY, "nonsense").with(VERSION, 1).with(DUE, now.as_millis());
    table.write(strange, Expected::Absent).await.unwrap();
    table.write(item(1, 1, Some(now)), Expected::Absent).await.unwrap();
    let page = table.due(now, None).await.unwrap();
    assert_eq!(page.images.len(), 1);
    assert_eq!(page.unreadable.len(), 1);
    assert!(page.unreadable[0].to_string().contains("pk"));
}
