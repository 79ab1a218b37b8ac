//! Every store keeps the contract, and DynamoDB's own promises hold: what it costs, and how it fails.

use std::sync::Arc;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use kessai_infra::aws::Account;
use kessai_infra::contract;
use kessai_infra::system::SystemEntropy;
use kessai_shared::memory::Memory;
use kessai_shared::ports::{Directory, Entropy, Expected, Store, StoreFault, Written};
use kessai_shared::stored::payment::{KEY, VERSION};
use kessai_shared::stored::{Attribute, Item};

use crate::embedded::Embedded;
use crate::scripted::{Act, Scripted, losing_the_first_answer};

/// Bytes of one write unit.
const UNIT: usize = 1024;

fn item(key: &str, version: i64) -> Item {
    Item::new().with(KEY, key.to_owned()).with(VERSION, version)
}

/// The causes of a fault, outermost first.
fn causes(fault: &StoreFault) -> String {
    let first: &dyn std::error::Error = fault;
    std::iter::successors(Some(first), |&error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_memory_keeps_the_contract() {
    contract::check(Arc::new(Memory::default()), "memory").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn dynamodb_keeps_the_contract() {
    let server = Embedded::start();
    contract::check(Arc::new(server.table("payments").await), "dynamodb").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a deployed table: CONTRACT_TABLE and the variables of AWS say which"]
async fn a_deployed_table_keeps_the_contract() {
    #[expect(clippy::disallowed_methods, reason = "whoever runs it says where")]
    let variable = |name: &str| std::env::var(name).ok();
    let table = Account::from_environment(&variable).unwrap().table(variable("CONTRACT_TABLE").unwrap());
    let prefix = format!("contract/{}", u128::from_be_bytes(SystemEntropy.bytes()));
    contract::check(Arc::new(table), &prefix).await.unwrap();
}

#[tokio::test]
async fn a_directory_finds_what_was_written() {
    let server = Embedded::start();
    let table = server.table("merchants").await;
    let merchant = item("merchant/1", 1).with("name", "Kissaten");
    table.write(merchant.clone(), Expected::Absent).await.unwrap();
    assert_eq!(table.find("merchant/1").await.unwrap(), Some(merchant));
    assert_eq!(table.find("merchant/2").await.unwrap(), None);
}

#[tokio::test]
async fn tables_share_a_client_and_nothing_else() {
    let server = Embedded::start();
    let account = Account::at(&server.url);
    let (payments, merchants) = (account.table("payments"), account.table("merchants"));
    payments.create_table().await.unwrap();
    assert!(merchants.read("one").await.is_err(), "there is no such table yet");
    merchants.create_table().await.unwrap();
    merchants.create_table().await.expect("a table that is there already is fine");
    payments.write(item("one", 1), Expected::Absent).await.unwrap();
    assert_eq!(merchants.read("one").await.unwrap(), None);
}

#[tokio::test]
async fn the_environment_says_where_the_table_is() {
    let server = Embedded::start();
    server.table("payments").await;
    let nowhere = "http://127.0.0.1:1";
    let rows = [
        (Some(server.url.as_str()), Some(nowhere), true),
        (None, Some(server.url.as_str()), true),
        (Some(""), Some(server.url.as_str()), true),
        (Some(nowhere), Some(server.url.as_str()), false),
    ];
    for (own, general, reachable) in rows {
        let environment = |name: &str| match name {
            "AWS_ENDPOINT_URL_DYNAMODB" => own.map(str::to_owned),
            "AWS_ENDPOINT_URL" => general.map(str::to_owned),
            _ => Some("eu-central-1".to_owned()),
        };
        let table = Account::from_environment(&environment).unwrap().table("payments");
        assert_eq!(table.find("nobody").await.is_ok(), reachable, "{own:?}, {general:?}");
    }
}

#[tokio::test]
async fn an_attribute_without_a_shape_is_a_fault_that_names_it() {
    let server = Embedded::start();
    let table = server.table("payments").await;
    let rows = [
        (AttributeValue::Null(true), "a null"),
        (AttributeValue::Ss(vec!["a".to_owned()]), "a set"),
        (AttributeValue::N("0.5".to_owned()), "a number that is no i64"),
    ];
    for (place, (value, kind)) in rows.into_iter().enumerate() {
        let key = format!("payment/{place}");
        let text = AttributeValue::S(key.clone());
        let put = server.client().put_item().table_name("payments").item(KEY, text).item("new", value);
        put.send().await.unwrap();
        let message = format!("attribute new holds {kind}, which this version cannot keep");
        let read = table.read(&key).await.unwrap_err();
        assert_eq!(causes(&read), message);
        let written = table.write(item(&key, 1), Expected::Absent).await.unwrap_err();
        assert_eq!(causes(&written), message, "what a write conflicts with must be readable");
    }
}

#[tokio::test]
async fn an_item_without_a_key_is_not_written() {
    let server = Embedded::start();
    let table = server.table("payments").await;
    let written = table.write(Item::new().with(VERSION, 1), Expected::Absent).await;
    assert_eq!(causes(&written.unwrap_err()), "the item has no key");
}

#[tokio::test]
async fn an_item_costs_what_its_size_says() {
    let server = Embedded::start();
    let table = server.table("payments").await;
    let map = Item::new().with("one", 1).with("two", "zwei");
    let mixed: Vec<Attribute> = vec!["".into(), (-123).into(), vec![1_u8, 2].into(), true.into(), map.clone().into()];
    let rows: [(&str, Attribute); 12] = [
        ("text", "text".into()),
        ("unicode", "決済".into()),
        ("zero", 0.into()),
        ("one digit", 7.into()),
        ("trailing zeros", 1_200_000.into()),
        ("a moment", 1_771_234_567_890_i64.into()),
        ("negative", (-12_345).into()),
        ("largest", i64::MAX.into()),
        ("bytes", vec![0_u8; 32].into()),
        ("flag", false.into()),
        ("map", map.into()),
        ("list", mixed.into()),
    ];
    for (name, value) in rows {
        for units in [1, 2, 5] {
            for (size, expected) in [(units * UNIT, units), (units * UNIT + 1, units + 1)] {
                let key = format!("{name}/{size}");
                let item = padded(item(&key, 1).with("value", value.clone()), size);
                assert_eq!(item.write_units(), expected as u64, "{key}");
                table.write(item.clone(), Expected::Absent).await.unwrap();
                assert_eq!(consumed(&server, &key).await, expected as f64, "{key}");
            }
        }
    }
}

/// The item with so much text that it is of that size.
fn padded(item: Item, size: usize) -> Item {
    let missing = size - item.clone().with("pad", "").size_bytes();
    let item = item.with("pad", "x".repeat(missing));
    assert_eq!(item.size_bytes(), size);
    item
}

/// The write units for writing what is there once more, by the server's reckoning.
async fn consumed(server: &Embedded, key: &str) -> f64 {
    let client = server.client();
    let get = client.get_item().table_name("payments").key(KEY, AttributeValue::S(key.to_owned()));
    let stored = get.send().await.unwrap().item;
    let put = client.put_item().table_name("payments").set_item(stored);
    let answer = put.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await.unwrap();
    answer.consumed_capacity.and_then(|consumed| consumed.capacity_units).unwrap()
}

#[tokio::test]
async fn a_write_whose_acknowledgement_was_lost_conflicts_with_itself() {
    let server = Embedded::start();
    server.table("payments").await;
    let proxy = losing_the_first_answer(server.address).await;
    let table = Account::at(&proxy).table("payments");
    let payment = item("payment", 1).with("by", "us");
    let written = table.write(payment.clone(), Expected::Absent).await.unwrap();
    assert_eq!(written, Written::Conflict(Some(payment)));
}

fn refusal(status: u16, code: &str) -> Vec<Act> {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{code}","message":"no"}}"#);
    vec![Act::Read, Act::answer(status, body.as_bytes())]
}

#[tokio::test]
async fn what_is_no_answer_is_a_fault_after_bounded_attempts() {
    let rows = [
        ("TransactionConflictException", refusal(400, "TransactionConflictException"), 1),
        ("AccessDeniedException", refusal(400, "AccessDeniedException"), 1),
        ("ThrottlingException", refusal(400, "ThrottlingException"), 3),
        ("ProvisionedThroughputExceeded", refusal(400, "ProvisionedThroughputExceededException"), 3),
        ("InternalServerError", refusal(500, "InternalServerError"), 3),
        ("closed without an answer", vec![Act::Read, Act::Close], 3),
    ];
    for (name, script, attempts) in rows {
        let server = Scripted::start(script).await;
        let table = Account::at(&server.url).table("payments");
        table.write(item("payment", 1), Expected::Absent).await.expect_err(name);
        assert_eq!(server.received("DynamoDB_20120810.PutItem"), attempts, "{name}");
    }
}

#[tokio::test]
async fn a_store_that_says_nothing_is_given_up_on() {
    let unreachable = "http://127.0.0.1:1".to_owned();
    let silent = Scripted::start(vec![Act::Read, Act::Hang]).await;
    for url in [&unreachable, &silent.url] {
        let table = Account::at(url).table("payments");
        table.read("payment").await.expect_err(url);
    }
    assert!((1..=3).contains(&silent.received("DynamoDB_20120810.GetItem")));
}
