//! Stored payment methods are found by their account, in DynamoDB and in memory, and tokens only by whoever asks for
//! them.

use kessai_infra::aws::Account;
use kessai_infra::dynamodb::vault::{FORMAT, INDEX, LISTED, WITHOUT_TOKENS};
use kessai_shared::memory::Memory;
use kessai_shared::ports::{Directory, Expected, Store, Vault, Written};
use kessai_shared::stored::Item;
use kessai_shared::stored::method::{ACCOUNT, SHOWN, TOKEN};
use kessai_shared::stored::payment::{KEY, VERSION};

use crate::embedded::Embedded;
use crate::scripted::{Act, Scripted};

const MERCHANT: &str = "00D000000000001";
const ACCOUNT_ID: &str = "001000000000001";

fn account(merchant: &str, account: &str) -> String {
    format!("{merchant}/{account}")
}

fn key(merchant: &str, place: usize) -> String {
    format!("{merchant}/03O{place:012}")
}

/// What may be shown of a method, whoever it belongs to.
fn shown(merchant: &str, place: usize) -> Item {
    let shown = Item::new().with("last4", "4242").with("place", i64::try_from(place).unwrap());
    Item::new().with(KEY, key(merchant, place)).with(VERSION, 1).with(FORMAT, 1).with(SHOWN, shown)
}

/// A method as it is stored.
fn method(merchant: &str, place: usize, of: Option<&str>) -> Item {
    let token = Item::new().with("k", "k1").with("sealed", vec![7_u8; 64]);
    shown(merchant, place).with(TOKEN, token).with_some(ACCOUNT, of.map(|of| account(merchant, of)))
}

async fn write(store: &dyn Store, item: Item) {
    assert_eq!(store.write(item, Expected::Absent).await.unwrap(), Written::Done);
}

/// All pages of an account, in order.
async fn pages(vault: &dyn Vault, of: &str, limit: u16) -> Vec<Vec<Item>> {
    let (mut pages, mut after) = (Vec::new(), None::<String>);
    loop {
        let (page, more) = vault.of_account(of, after.as_deref(), limit).await.unwrap();
        after = page.last().and_then(|item| item.text(KEY)).map(str::to_owned);
        pages.push(page);
        if !more {
            return pages;
        }
    }
}

async fn check(vault: &dyn Vault) {
    // Written in another order than they are listed in.
    for place in [4, 0, 3, 1, 2] {
        write(vault, method(MERCHANT, place, Some(ACCOUNT_ID))).await;
    }
    write(vault, method(MERCHANT, 5, Some("001000000000002"))).await;
    write(vault, method(MERCHANT, 6, None)).await;
    write(vault, method("00D000000000002", 7, Some(ACCOUNT_ID))).await;
    let expected: Vec<_> = (0..5).map(|place| shown(MERCHANT, place)).collect();
    let of = account(MERCHANT, ACCOUNT_ID);
    for (limit, sizes) in [(1, vec![1; 5]), (2, vec![2, 2, 1]), (4, vec![4, 1]), (5, vec![5]), (u16::MAX, vec![5])] {
        let pages = pages(vault, &of, limit).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "pages of {limit}");
        assert_eq!(pages.concat(), expected, "in order, without account and token");
    }
    let (_, more) = vault.of_account(&of, Some(&key(MERCHANT, 2)), 2).await.unwrap();
    assert!(!more, "two are left");
    let beyond = vault.of_account(&of, Some(&key(MERCHANT, 4)), 2).await.unwrap();
    assert_eq!(beyond, (Vec::new(), false));
    let nobody = vault.of_account(&account(MERCHANT, "001000000000009"), None, 2).await.unwrap();
    assert_eq!(nobody, (Vec::new(), false));
    // Whoever loses its account is listed no more.
    write(vault, method(MERCHANT, 8, Some(ACCOUNT_ID))).await;
    let unlisted = shown(MERCHANT, 8).with(VERSION, 2);
    assert_eq!(vault.write(unlisted, Expected::Version(1)).await.unwrap(), Written::Done);
    assert_eq!(pages(vault, &of, 5).await.concat(), expected);
}

#[tokio::test]
async fn the_memory_lists_the_methods_of_an_account() {
    check(&Memory::default()).await;
}

#[tokio::test]
async fn dynamodb_lists_the_methods_of_an_account() {
    let server = Embedded::start();
    check(&server.vault().await).await;
}

#[tokio::test]
async fn a_page_that_ends_early_is_followed_by_another() {
    let server = Embedded::start();
    let table = server.vault().await;
    // Ten methods of 300 KB are three pages of 1 MB and more.
    for place in 0..10 {
        let large = Item::new().with("padding", "x".repeat(300 * 1024));
        write(&table, method(MERCHANT, place, Some(ACCOUNT_ID)).with(SHOWN, large)).await;
    }
    let pages = pages(&table, &account(MERCHANT, ACCOUNT_ID), u16::MAX).await;
    assert!(pages.len() >= 3, "{} pages", pages.len());
    let keys: Vec<_> = pages.iter().flatten().filter_map(|item| item.text(KEY)).collect();
    assert_eq!(keys, (0..10).map(|place| key(MERCHANT, place)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_view_without_tokens_reads_none_and_writes_nothing() {
    let server = Embedded::start();
    let table = server.vault().await;
    let stored = method(MERCHANT, 1, Some(ACCOUNT_ID));
    write(&table, stored.clone()).await;
    let view = table.clone().without_tokens();
    let seen = shown(MERCHANT, 1).with(ACCOUNT, account(MERCHANT, ACCOUNT_ID));
    assert_eq!(view.read(&key(MERCHANT, 1)).await.unwrap(), Some(seen.clone()));
    assert_eq!(view.find(&key(MERCHANT, 1)).await.unwrap(), Some(seen.clone()));
    assert_eq!(view.read(&key(MERCHANT, 2)).await.unwrap(), None);
    view.write(seen.with(VERSION, 2), Expected::Version(1)).await.unwrap_err();
    assert_eq!(table.read(&key(MERCHANT, 1)).await.unwrap(), Some(stored), "the table itself knows the token");
}

/// IAM compares what a request names with what the function may read. No emulator does.
#[tokio::test]
async fn a_view_without_tokens_asks_for_what_the_template_allows() {
    let template = include_str!("../../../template.yaml");
    let allowed = format!("\"dynamodb:Attributes\": [{}] }}", WITHOUT_TOKENS.join(", "));
    assert_eq!(template.matches(&allowed).count(), 3, "the table's policy, the index's, and that of schedules");
    assert!(template.contains(&format!("[!GetAtt Data.Outputs.VaultTableArn, index, {INDEX}]")));
    assert!(LISTED.iter().all(|name| WITHOUT_TOKENS.contains(name)) && !WITHOUT_TOKENS.contains(&TOKEN));
    let server = Scripted::start(vec![Act::Read, Act::answer(200, b"{}")]).await;
    let view = Account::at(&server.url).table("vault").with_lists().without_tokens();
    view.read("one").await.unwrap();
    view.find("one").await.unwrap();
    assert_eq!(server.received("DynamoDB_20120810.GetItem"), 2);
    let asked_for = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| format!("#{name}")).collect();
        server.received(&format!("\"ProjectionExpression\":\"{}\"", names.join(", ")))
    };
    assert_eq!(asked_for(&WITHOUT_TOKENS), 2);
    view.of_account("one", Some("two"), 7).await.unwrap();
    view.of_account("one", None, 7).await.unwrap();
    assert_eq!(server.received("DynamoDB_20120810.Query"), 2);
    assert_eq!(asked_for(&LISTED), 2);
    assert_eq!(server.received("\"Select\":\"SPECIFIC_ATTRIBUTES\""), 2);
}
