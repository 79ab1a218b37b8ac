//! What an item costs, as the store's documentation counts it.

use crate::stored::{Attribute, Item};

fn check(value: impl Into<Attribute>, expected: usize) {
    let value = value.into();
    let item = Item::new().with("name", value.clone());
    assert_eq!(item.size_bytes(), "name".len() + expected, "{value:?}");
}

#[test]
fn every_value_has_the_size_that_the_store_bills() {
    check("", 0);
    check("text", 4);
    check("長", 3);
    check(vec![0_u8; 16], 16);
    check(true, 1);
    for (number, size) in
        [(0, 1), (7, 2), (12, 2), (123, 3), (1_200, 2), (-7, 3), (1_790_000_000_123, 8), (i64::MIN, 12)]
    {
        check(number, size);
    }
    check(Vec::<Attribute>::new(), 3);
    check(vec![Attribute::from("a"), Attribute::from("bc")], 3 + 2 + 1 + 2);
    check(Item::new(), 3);
    check(Item::new().with("a", "b").with("cd", "ef"), 3 + 2 + 2 + 4);
}

#[test]
fn a_write_costs_a_unit_for_each_kibibyte_begun() {
    for (length, units) in [(0, 1), (1_023, 1), (1_024, 2), (2_047, 2), (2_048, 3)] {
        assert_eq!(Item::new().with("n", "x".repeat(length)).write_units(), units, "{length}");
    }
    assert_eq!(Item::new().write_units(), 1);
}

#[test]
fn a_name_without_a_value_is_left_out() {
    let item = Item::new().with_some("none", None::<&str>).with_flag("false", false).with_flag("true", true);
    assert_eq!(item, Item::new().with("true", true));
    assert_eq!((item.text("true"), item.number("true"), item.text("none")), (None, None, None));
}

#[test]
fn an_item_is_in_the_order_of_its_names_and_holds_each_of_them_once() {
    let item = Item::new().with("b", 1).with("c", 2).with("a", 3).with("b", 4);
    let names = |item: &Item| item.iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&item), ["a", "b", "c"]);
    assert_eq!(item.number("b"), Some(4));

    let attributes = [("b", 1), ("c", 2), ("a", 3), ("b", 4)];
    let collected: Item = attributes.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    assert_eq!(collected, item);

    let mut rest = item;
    assert_eq!((rest.remove("b"), rest.remove("b")), (Some(4.into()), None));
    assert_eq!((rest.get("b"), names(&rest)), (None, vec!["a".to_owned(), "c".to_owned()]));
}
