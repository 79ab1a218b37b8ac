//! What recurs is found by its lists, in DynamoDB and in memory.

use std::sync::Arc;

use kessai_infra::contract;
use kessai_infra::dynamodb::DynamoDb;
use kessai_shared::memory::Memory;
use kessai_shared::ports::{Agenda, Expected, Store};
use kessai_shared::stored::Item;
use kessai_shared::stored::payment::{KEY, VERSION};
use kessai_shared::stored::recurring::lists::{Index, List};

use crate::embedded::Embedded;

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_keeps_the_contract_of_lists() {
    contract::check_agenda(&Memory::default(), "memory").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamodb_keeps_the_contract_of_lists() {
    let server = Embedded::start();
    let table = Arc::new(server.schedules().await);
    contract::check_agenda(&*table, "dynamodb").await.unwrap();
    contract::check(table, "dynamodb").await.unwrap();
}

/// Writes so many, each with a kilobyte of keys; their places.
async fn write_many(table: &DynamoDb, count: usize) -> Vec<String> {
    let places: Vec<_> = (0..count).map(|place| format!("{place:05}{}", "x".repeat(500))).collect();
    for place in &places {
        let item = Item::new().with(KEY, format!("{place}/{}", "k".repeat(400))).with(VERSION, 1);
        let item = item.with(Index::Agenda.list(), "list").with(Index::Agenda.place(), place.clone());
        table.write(item, Expected::Absent).await.unwrap();
    }
    places
}

#[tokio::test]
async fn a_page_of_a_list_that_ends_early_is_followed_by_another() {
    let server = Embedded::start();
    let table = server.schedules().await;
    let places = write_many(&table, 1_500).await;
    let list = List { index: Index::Agenda, name: "list".to_owned() };
    let (mut found, mut pages) = (Vec::<String>::new(), 0);
    loop {
        let after = found.last().cloned();
        let (page, more) = table.listed(&list, None, after.as_deref(), u16::MAX).await.unwrap();
        found.extend(page.into_iter().map(|listed| listed.place));
        pages += 1;
        if !more {
            break;
        }
    }
    assert!(pages >= 2, "{pages} pages of more than a megabyte");
    assert_eq!(found, places);
}
