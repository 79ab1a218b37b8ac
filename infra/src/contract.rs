//! What every store promises, as a suite that any store can be put through.
//!
//! A promise that does not hold panics and says which; a store that fails on the way is a fault. The suite
//! writes under a prefix of its own and removes nothing, so a table that lives on needs a new one each
//! time.

use std::sync::Arc;

use kessai_shared::ports::{Agenda, Expected, Listed, Span, Store, StoreFault, Written};
use kessai_shared::stored::payment::{KEY, VERSION};
use kessai_shared::stored::recurring::lists::{Index, List};
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

/// Puts the lists of what recurs through the rest. What was written must be found at once.
pub async fn check_agenda(agenda: &dyn Agenda, prefix: &str) -> Result<(), StoreFault> {
    for index in [Index::Agenda, Index::Again] {
        a_list_is_read_in_pages(agenda, &format!("{prefix}/{}", index.name()), index).await?;
    }
    what_is_written_is_where_it_says(agenda, &format!("{prefix}/moving")).await?;
    what_a_merchant_has_is_read_whole(agenda, &format!("{prefix}/of")).await
}

/// On this list at this place, under a key of that name.
fn listed(list: &List, place: &str) -> Item {
    on(item(&format!("{}/{place}", list.name), 1).with("body", "x"), list, place)
}

fn on(item: Item, List { index, name }: &List, place: &str) -> Item {
    item.with(index.list(), name).with(index.place(), place.to_owned())
}

async fn a_list_is_read_in_pages(agenda: &dyn Agenda, prefix: &str, index: Index) -> Result<(), StoreFault> {
    let named = |name: &str| List { index, name: format!("{prefix}/{name}") };
    let list = &named("ours");
    let places = ["01#a", "01#b", "02#a", "03#a", "10#a"];
    // Written in another order than they are listed in.
    for place in [3, 0, 4, 2, 1].map(|place: usize| places[place]) {
        agenda.write(listed(list, place), Expected::Absent).await?;
    }
    agenda.write(listed(&named("other"), "02#b"), Expected::Absent).await?;
    agenda.write(item(&format!("{prefix}/on none"), 1), Expected::Absent).await?;
    let entry = |place: &str| Listed { key: format!("{}/{place}", list.name), place: place.to_owned() };
    for limit in [1, 2, 4, 5, 100, u16::MAX] {
        let (mut found, mut after) = (Vec::new(), None::<String>);
        loop {
            let (page, more) = agenda.listed(list, None, after.as_deref(), limit).await?;
            assert!(page.len() <= usize::from(limit), "pages of {limit}");
            assert!(!more || page.len() == usize::from(limit), "pages of {limit}");
            after = page.last().map(|listed| listed.place.clone());
            found.extend(page);
            if !more {
                break;
            }
        }
        assert_eq!(found, places.map(entry), "pages of {limit}");
    }
    let rows = [
        (Some("02#~"), None, 3),
        (Some("02#a"), None, 3),
        (Some("01"), None, 0),
        (None, Some("02#a"), 2),
        (None, Some("10#a"), 0),
        (Some("03#a"), Some("01#a"), 3),
        (Some("03#~"), Some("01#~"), 2),
        (Some("01#a"), Some("01#a"), 0),
        (Some("01#a"), Some("03#a"), 0),
    ];
    for (until, after, count) in rows {
        let (page, more) = agenda.listed(list, until, after, 100).await?;
        let is_within = |place: &&str| until.is_none_or(|until| *place <= until) && after.is_none_or(|a| *place > a);
        let expected: Vec<_> = places.iter().copied().filter(is_within).map(entry).collect();
        assert_eq!((expected.len(), more), (count, false), "until {until:?} after {after:?}");
        assert_eq!(page, expected, "until {until:?} after {after:?}");
        if count > 1 {
            let (page, more) = agenda.listed(list, until, after, 1).await?;
            assert_eq!((page.as_slice(), more), (&expected[..1], true), "until {until:?} after {after:?}");
        }
    }
    assert_eq!(agenda.listed(&named("none"), None, None, 5).await?, (Vec::new(), false));
    Ok(())
}

async fn what_is_written_is_where_it_says(agenda: &dyn Agenda, prefix: &str) -> Result<(), StoreFault> {
    let named = |index, name: &str| List { index, name: format!("{prefix}/{name}") };
    let [ready, active] = ["ready", "active"].map(|name| named(Index::Agenda, name));
    let retry = named(Index::Again, "retry");
    let at = |version: i64| item(prefix, version);
    let versions = [
        on(at(1), &ready, "01"),
        on(at(2), &ready, "02"),
        on(at(3), &active, "02"),
        on(on(at(4), &ready, "03"), &retry, "07"),
        at(5),
    ];
    let mut before = Expected::Absent;
    for (item, version) in versions.into_iter().zip(1..) {
        assert_eq!(agenda.write(item.clone(), before).await?, Written::Done);
        // One that is refused moves nothing.
        let refused = on(at(9), &active, "09");
        assert_eq!(agenda.write(refused, Expected::Absent).await?, Written::Conflict(Some(item.clone())));
        for list in [&ready, &active, &retry] {
            let is_on = item.text(list.index.list()) == Some(list.name.as_str());
            let place = item.text(list.index.place()).filter(|_| is_on);
            let expected: Vec<_> =
                place.map(|place| Listed { key: prefix.to_owned(), place: place.to_owned() }).into_iter().collect();
            let found = agenda.listed(list, None, None, 5).await?;
            assert_eq!(found, (expected, false), "version {version}, {}", list.name);
        }
        before = Expected::Version(version);
    }
    Ok(())
}

async fn what_a_merchant_has_is_read_whole(agenda: &dyn Agenda, prefix: &str) -> Result<(), StoreFault> {
    let named = |name: &str| List { index: Index::Of, name: format!("{prefix}/{name}") };
    let list = &named("ours");
    let places = ["01", "02", "03", "04"];
    for place in places {
        agenda.write(listed(list, place), Expected::Absent).await?;
    }
    let span = |after, before, newest_first| Span { after, before, newest_first };
    let rows: [(Span<'_>, u16, &[&str], bool); 9] = [
        (span(None, None, false), 9, &["01", "02", "03", "04"], false),
        (span(None, None, true), 9, &["04", "03", "02", "01"], false),
        (span(None, None, true), 4, &["04", "03", "02", "01"], false),
        (span(None, None, true), 3, &["04", "03", "02"], true),
        (span(Some("01"), None, false), 2, &["02", "03"], true),
        (span(None, Some("03"), true), 2, &["02", "01"], false),
        (span(Some("01"), Some("04"), true), 2, &["03", "02"], false),
        (span(Some("01"), Some("04"), false), 1, &["02"], true),
        (span(Some("04"), Some("01"), false), 2, &[], false),
    ];
    for (span, limit, expected, more) in rows {
        let expected: Vec<_> = expected.iter().map(|place| listed(list, place)).collect();
        assert_eq!(agenda.of(list, span, limit).await?, (expected, more), "{limit} of {span:?}");
    }
    assert_eq!(agenda.of(&named("none"), Span::default(), 9).await?, (Vec::new(), false));
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
