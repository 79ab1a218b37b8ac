//! What a newer version wrote is carried along by this one.

use super::{item, payment, sale};
use crate::payment::tests::fixtures::START;
use crate::payment::{Nonce, Open, Operation, State};
use crate::stored::payment::Stored;
use crate::stored::{Attribute, Item};
use crate::time::Timestamp;

fn operations(item: &Item) -> Vec<&Item> {
    let maps =
        item.list("o").iter().map(|operation| if let Attribute::Map(map) = operation { Some(map) } else { None });
    maps.map(|map| map.expect("a map")).collect()
}

fn of_the_future(mut item: Item) -> Item {
    if let Some(Attribute::List(operations)) = item.get_mut("o") {
        for (place, operation) in operations.iter_mut().enumerate() {
            if let Attribute::Map(map) = operation {
                map.insert("later", Attribute::Number(i64::try_from(place).expect("a small number")));
            }
        }
    }
    item.with("events", vec![Attribute::from("of a newer version")])
}

#[test]
fn what_this_version_does_not_know_survives_a_rewrite() {
    let future = of_the_future(item(&payment(vec![sale(), sale()])));
    let read = Stored::from_item(future.clone()).expect("an item with more than we know");
    assert_eq!(read.to_item(), future);

    let mut next = read.payment.clone();
    next.version += 1;
    next.operations[0].state = State::Unsent;
    next.operations.push(sale());
    let written = Stored::following(Some(&read), next.clone()).to_item();
    assert_eq!(written.get("events"), future.get("events"));
    let later: Vec<Option<i64>> = operations(&written).iter().map(|map| map.number("later")).collect();
    assert_eq!(later, [Some(0), Some(1), None]);
    assert_eq!(Stored::from_item(written).map(|stored| stored.payment), Ok(next));
}

#[test]
fn what_this_version_does_know_is_never_carried_from_before() {
    let due = Some(Timestamp::from_millis(9));
    let open = State::Open(Open { nonce: Nonce(1), deadline: START, attempts: 1, unknown: true, undoing: true, due });
    let read = Stored::from_item(item(&payment(vec![Operation { state: open, ..sale() }]))).expect("an item");
    assert_eq!(read.to_item().number("d"), Some(9));
    let settled = payment(vec![sale()]);
    assert_eq!(Stored::following(Some(&read), settled.clone()).to_item(), item(&settled));
}
