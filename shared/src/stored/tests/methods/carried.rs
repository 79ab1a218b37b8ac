//! What a newer version wrote is carried along by this one, on both levels.

use super::item;
use crate::method::tests::fixtures::{full, plain};
use crate::method::{Changes, Method, State};
use crate::stored::method::{SHOWN, StoredMethod, TOKEN};
use crate::stored::{Attribute, Item};

fn shown(item: &mut Item) -> &mut Item {
    match item.get_mut(SHOWN) {
        Some(Attribute::Map(shown)) => shown,
        other => panic!("{other:?}"),
    }
}

fn of_the_future(mut item: Item) -> Item {
    shown(&mut item).insert("later", Item::new().with("of", "a newer version"));
    item.with("events", vec![Attribute::from("of a newer version")])
}

#[test]
fn what_this_version_does_not_know_survives_a_rewrite() {
    for method in [full(), plain()] {
        let future = of_the_future(item(&method));
        let read = StoredMethod::from_item(future.clone()).expect("an item with more than we know");
        assert_eq!((&read.method, read.to_item()), (&method, future.clone()));

        let next = Method { version: 8, state: State::Unsent, token: None, ..method };
        let mut written = StoredMethod::following(Some(&read), next.clone()).to_item();
        assert_eq!(written.get("events"), future.get("events"));
        assert_eq!(shown(&mut written).get("later"), Some(&Item::new().with("of", "a newer version").into()));
        assert_eq!(StoredMethod::from_item(written).map(|stored| stored.method), Ok(next));
    }
}

#[test]
fn what_this_version_does_know_is_never_carried_from_before() {
    let read = StoredMethod::from_item(item(&full())).expect("an item");
    let mut next = Method { token: None, changes: Changes::default(), fingerprint: None, ..full() };
    next.asked = plain().asked;
    assert_eq!(StoredMethod::following(Some(&read), next.clone()).to_item(), item(&next));
    assert_eq!(item(&next).get(TOKEN), None);
}
