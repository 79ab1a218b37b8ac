//! What every store promises, as a suite that any store can be put through.
//!
//! A promise that does not hold panics and says which; a store that fails on the way is a fault. The suite
//! writes under a prefix of its own and removes nothing, so a table that lives on needs a new one each
//! time.

use std::sync::Arc;

use kessai_shared::ports::{Expected, Store, StoreFault, Written};
use kessai_shared::stored::payment::{KEY, VERSION};
use kessai_shared::stored::{Attribute, Item};
use tokio::task::JoinSet;

/// Writers that race for one version.
const WRITERS: i64 = 50;

/// A large payment: more than the domain allows after a request, less than DynamoDB's 400 KB.
const LARGE: usize = 300 * 1024;

/// Levels of maps within maps, of the 32 that DynamoDB allows an item.
const DEPTH: usize = 30;

/// Puts a store through the whole suite, under keys that begin with `prefix`.
pub async fn check(store: Arc<dyn Store>, prefix: &str) -> Result<(), StoreFault> {
    let key = |name: &str| format!("{prefix}/{name}");
    what_is_not_there_is_not_found(&*store, &key("nothing")).await?;
    the_first_write_wins(&*store, &key("first")).await?;
    a_version_is_followed_once(&*store, &key("version")).await?;
    a_version_of_nothing_conflicts_with_nothing(&*store, &key("void")).await?;
    a_write_replaces_the_whole_item(&*store, &key("whole")).await?;
    one_of_many_writers_wins(store.clone(), &key("race")).await?;
    one_of_many_openers_wins(store.clone(), &key("opening")).await?;
    for (place, value) in every_kind().into_iter().enumerate() {
        a_value_comes_back_as_it_was(&*store, &key(&format!("kind {place}")), value).await?;
    }
    Ok(())
}

fn item(key: &str, version: i64) -> Item {
    Item::new().with(KEY, key.to_owned()).with(VERSION, version)
}

async fn what_is_not_there_is_not_found(store: &dyn Store, key: &str) -> Result<(), StoreFault> {
    assert_eq!(store.read(key).await?, None);
    Ok(())
}

async fn the_first_write_wins(store: &dyn Store, key: &str) -> Result<(), StoreFault> {
    let (first, second) = (item(key, 1).with("by", "first"), item(key, 1).with("by", "second"));
    assert_eq!(store.write(first.clone(), Expected::Absent).await?, Written::Done);
    assert_eq!(store.read(key).await?.as_ref(), Some(&first));
    assert_eq!(store.write(second.clone(), Expected::Absent).await?, Written::Conflict(Some(first.clone())));
    assert_eq!(store.read(key).await?, Some(first), "a refused write changes nothing");
    Ok(())
}

async fn a_version_is_followed_once(store: &dyn Store, key: &str) -> Result<(), StoreFault> {
    store.write(item(key, 1), Expected::Absent).await?;
    let second = item(key, 2).with("by", "us");
    assert_eq!(store.write(second.clone(), Expected::Version(1)).await?, Written::Done);
    assert_eq!(store.read(key).await?.as_ref(), Some(&second));
    for stale in [0, 1, 3] {
        let written = store.write(item(key, 4), Expected::Version(stale)).await?;
        assert_eq!(written, Written::Conflict(Some(second.clone())), "on version {stale}");
    }
    assert_eq!(store.write(item(key, 3), Expected::Version(2)).await?, Written::Done);
    assert_eq!(store.read(key).await?, Some(item(key, 3)));
    Ok(())
}

async fn a_version_of_nothing_conflicts_with_nothing(store: &dyn Store, key: &str) -> Result<(), StoreFault> {
    assert_eq!(store.write(item(key, 2), Expected::Version(1)).await?, Written::Conflict(None));
    assert_eq!(store.read(key).await?, None);
    Ok(())
}

async fn a_write_replaces_the_whole_item(store: &dyn Store, key: &str) -> Result<(), StoreFault> {
    store.write(item(key, 1).with("old", true), Expected::Absent).await?;
    let next = item(key, 2).with("new", true);
    assert_eq!(store.write(next.clone(), Expected::Version(1)).await?, Written::Done);
    assert_eq!(store.read(key).await?, Some(next), "what is not written again is gone");
    Ok(())
}

async fn one_of_many_writers_wins(store: Arc<dyn Store>, key: &str) -> Result<(), StoreFault> {
    store.write(item(key, 1), Expected::Absent).await?;
    race(store, key, 2, Expected::Version(1)).await
}

async fn one_of_many_openers_wins(store: Arc<dyn Store>, key: &str) -> Result<(), StoreFault> {
    race(store, key, 1, Expected::Absent).await
}

async fn race(store: Arc<dyn Store>, key: &str, version: i64, expected: Expected) -> Result<(), StoreFault> {
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (store, item) = (store.clone(), item(key, version).with("by", writer));
        writers.spawn(async move { (store.write(item.clone(), expected).await, item) });
    }
    let (mut won, mut lost) = (Vec::new(), Vec::new());
    for (written, item) in writers.join_all().await {
        match written? {
            Written::Done => won.push(item),
            Written::Conflict(found) => lost.push(found),
        }
    }
    assert_eq!(won.len(), 1, "one writer wins");
    let winner = store.read(key).await?;
    assert_eq!(winner, won.pop(), "what the winner wrote is there");
    assert!(lost.iter().all(|found| *found == winner), "the others are told what the winner wrote");
    Ok(())
}

async fn a_value_comes_back_as_it_was(store: &dyn Store, key: &str, value: Attribute) -> Result<(), StoreFault> {
    let item = item(key, 1).with("value", value);
    assert_eq!(store.write(item.clone(), Expected::Absent).await?, Written::Done);
    assert_eq!(store.read(key).await?.as_ref(), Some(&item));
    assert_eq!(store.write(item.clone(), Expected::Absent).await?, Written::Conflict(Some(item)));
    Ok(())
}

fn every_kind() -> Vec<Attribute> {
    let texts = ["", " ", "決済 é 🂡", "\"\\\u{0}\n", "{\"S\":\"\"}"].map(Attribute::from);
    let numbers = [0, 1, -1, 100, i64::from(i32::MAX), i64::MAX, i64::MIN].map(Attribute::from);
    let bytes = [Vec::new(), vec![0], (0..=u8::MAX).collect()].map(Attribute::from);
    let flags = [true, false].map(Attribute::from);
    let one_of_each: Vec<Attribute> = vec!["".into(), i64::MIN.into(), vec![0_u8, 255].into(), true.into()];
    let nested = (0..DEPTH).fold(Attribute::from("core"), |inner, _| Item::new().with("in", inner).into());
    let strange_names = Item::new().with(".", "").with("[0]", 1).with("#v", 2).with("決済", Item::new());
    let containers = [
        Attribute::List(Vec::new()),
        Item::new().into(),
        Attribute::List(vec![Attribute::List(Vec::new()), Item::new().into(), one_of_each.clone().into()]),
        Item::new().with("list", one_of_each).with("map", Item::new()).into(),
        strange_names.into(),
        nested,
    ];
    let large = [Attribute::from("x".repeat(LARGE))];
    [&texts[..], &numbers, &bytes, &flags, &containers, &large].concat()
}
