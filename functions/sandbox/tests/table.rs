//! Every row of the magic table, wherever its code can stand.

use super::super::{NOTICE_FIRST_MS, SLOW_MS, TABLE, card_number, method_id};
use super::*;

/// What a row does: at the first delivery, to the ledger, and at the second delivery.
struct Expected {
    code: u16,
    name: &'static str,
    first: Seen,
    delay_ms: u64,
    acts: bool,
    second: Seen,
}

fn expected() -> Vec<Expected> {
    let row = |code, name, first, delay_ms, acts, second| Expected { code, name, first, delay_ms, acts, second };
    let approved = || says("approved", "00");
    let accepted = || says("accepted", "09");
    let needs_payer = || says("action_required", "65");
    let declines = |code, name, reason| {
        let declined = || says("declined", reason);
        row(code, name, declined(), 0, false, declined())
    };
    let internal = || error(500, "internal_error");
    let too_many = error(429, "too_many_requests");
    vec![
        row(0, "approve", approved(), 0, true, approved()),
        declines(9001, "decline", "05"),
        declines(9002, "permanent-decline", "43"),
        declines(9003, "insufficient-funds", "51"),
        declines(9004, "expired-card", "54"),
        declines(9005, "cvc-mismatch", "82"),
        declines(9006, "suspected-fraud", "59"),
        declines(9007, "invalid-card-data", "14"),
        row(9011, "slow", approved(), SLOW_MS, true, approved()),
        row(9012, "lost-request", Seen::Closed, 0, false, approved()),
        row(9013, "lost-answer", Seen::Closed, 0, true, approved()),
        row(9014, "error-before", internal(), 0, false, approved()),
        row(9015, "error-after", internal(), 0, true, approved()),
        row(9016, "too-many-requests", too_many, 0, false, approved()),
        row(9017, "malformed-body", Seen::Garbled, 0, true, approved()),
        row(9018, "accepted-then-approved", accepted(), 0, true, accepted()),
        row(9019, "accepted-then-declined", accepted(), 0, true, accepted()),
        row(9020, "silence", Seen::Silent, 0, true, approved()),
        row(9021, "accepted-then-failed", accepted(), 0, true, accepted()),
        row(9022, "action-required", needs_payer(), 0, false, needs_payer()),
        row(9023, "charged-back", approved(), 0, true, approved()),
        row(9024, "dispute-won", approved(), 0, true, approved()),
        row(9025, "notice-first", approved(), NOTICE_FIRST_MS, true, approved()),
        row(9026, "token-accepted", approved(), 0, true, approved()),
        row(9027, "token-refused", approved(), 0, true, approved()),
    ]
}

/// Posts the same body twice where keys are ignored, and compares with the row.
fn check(row: &Expected, world: &mut World, path: &str, body: &Value) {
    let place = format!("code {} by {path} {body}", row.code);
    let before = world.effects().len();
    let first = world.post(path, body);
    assert_eq!(seen(&first), row.first, "first delivery of {place}");
    assert_eq!(first.delay_ms, row.delay_ms, "delay of {place}");
    let effects = world.effects().len() - before;
    assert_eq!(effects, usize::from(row.acts), "effects of {place}");
    let second = world.post(path, body);
    assert_eq!(seen(&second), row.second, "second delivery of {place}");
    assert_eq!(second.delay_ms, 0, "delay of the second delivery of {place}");
}

#[test]
fn a_code_means_the_same_in_an_amount_a_card_and_a_method() {
    for row in expected() {
        let (code, amount) = (row.code, u64::from(row.code));
        let plain = order("reference");
        let by_method = |id: String| {
            let without_card = with(order("reference"), "card", Value::Null);
            with(without_card, "method", json!(id))
        };
        let bodies = [
            with(plain.clone(), "amount", json!(amount + 70_000)),
            with(plain.clone(), "card", card(&card_number(code))),
            by_method(method_id(code)),
            by_method(method_id(code) + "AAW"),
        ];
        for body in bodies {
            for path in ["/none/authorizations", "/look-up/sales"] {
                check(&row, &mut World::new(), path, &body);
            }
        }
    }
}

#[test]
fn a_code_means_the_same_in_captures_reversals_and_refunds() {
    for row in expected() {
        let amount = u64::from(row.code) + 10_000;
        let mut world = World::new();
        let authorization = world.approved("/none/authorizations", &order("a"));
        let sale = world.approved("/none/sales", &order("s"));
        let paths = [
            format!("/none/authorizations/{authorization}/captures"),
            format!("/none/authorizations/{authorization}/reversals"),
            format!("/none/payments/{sale}/refunds"),
        ];
        for (path, reference) in paths.iter().zip(["capture", "reversal", "refund"]) {
            check(&row, &mut world, path, &part(reference, amount));
        }
    }
}

#[test]
fn a_scripted_name_means_the_same_as_its_code() {
    for row in expected() {
        let mut world = World::new();
        world.post("/faults", &json!({"next": [{"fault": row.name}]}));
        let reaction = world.post("/none/sales", &order("r"));
        assert_eq!(seen(&reaction), row.first, "{}", row.name);
        assert_eq!(reaction.delay_ms, row.delay_ms, "{}", row.name);
        assert_eq!(world.effects().len(), usize::from(row.acts), "{}", row.name);
    }
}

#[test]
fn the_table_the_tests_and_the_documentation_have_the_same_rows() {
    let documentation = include_str!("../mod.rs");
    let tested = expected();
    assert_eq!(TABLE.len(), tested.len());
    for (row, tested) in TABLE.iter().zip(tested) {
        assert_eq!((row.code, row.name), (tested.code, tested.name));
        let line = format!("//! | {} | `{}` | {} |\n", row.code, row.name, row.meaning);
        assert!(documentation.contains(&line), "missing: {line}");
    }
}

#[test]
fn the_page_at_the_root_lists_the_table_and_only_routes_that_exist() {
    let mut world = World::new();
    let page = world.get("/");
    assert_eq!(page["magic"].as_array().map(Vec::len), Some(TABLE.len()));
    assert_eq!(page["magic"][10]["card"], json!(card_number(9013)));
    for route in page["routes"].as_array().expect("routes") {
        let route = route.as_str().expect("a route").replace("{class}", "keyed");
        let (method, target) = route.split_once(' ').expect("a method and a path");
        let answer = world.send(&request(method, target, "")).answer;
        assert!(!answer.body.contains("no_such_route"), "{route}");
        assert_ne!(answer.status, 405, "{route}");
    }
}

#[test]
fn a_card_goes_before_an_amount_and_a_card_without_magic_leaves_it_to_the_amount() {
    let rows = [
        (card(&card_number(9003)), 9001, says("declined", "51")),
        (card(&card_number(9018)), 9001, says("accepted", "09")),
        (card(&card_number(9013)), 9001, Seen::Closed),
        (card(&card_number(0)), 9001, says("declined", "05")),
        (card(CARD), 9001, says("declined", "05")),
        (card(CARD), 9008, says("approved", "00")),
    ];
    for (card, amount, expected) in rows {
        let body = with(with(order("r"), "amount", json!(amount)), "card", card);
        let reaction = World::new().post("/none/sales", &body);
        assert_eq!(seen(&reaction), expected, "{body}");
    }
}

#[test]
fn a_card_that_can_exist_approves_and_any_other_is_declined() {
    let rows = [
        ("4242424242424242", "00"),
        ("4111111111111111", "00"),
        ("378282246310005", "00"),
        ("4242424242424241", "14"),
        ("4242 4242 4242 4242", "00"),
        ("4242-4242-4242-4242", "14"),
        ("0", "14"),
        ("", "14"),
        ("４２", "14"),
    ];
    for (number, code) in rows {
        let body = with(order("r"), "card", card(number));
        let reaction = World::new().post("/none/authorizations", &body);
        assert_eq!(super::body(&reaction)["code"], json!(code), "{number}");
    }
}

#[test]
fn a_method_that_nobody_stored_is_declined() {
    let ids = ["03O000000009999", "03O00000000900", "03Oabcdefghijkl", "pm_1", "03O+00000009001", ""];
    for id in ids {
        let body = with(with(order("r"), "card", Value::Null), "method", json!(id));
        let reaction = World::new().post("/none/sales", &body);
        assert_eq!(seen(&reaction), says("declined", "14"), "{id}");
    }
}

#[test]
fn a_second_delivery_is_known_by_its_reference_or_by_its_key() {
    let lost = |reference: &str| with(order(reference), "amount", json!(9012));
    let rows = [
        ("keyed", "k", "r", says("approved", "00")),
        ("keyed", "k", "other", says("approved", "00")),
        ("keyed", "other", "r", says("approved", "00")),
        ("keyed", "other", "other", Seen::Closed),
        ("none", "k", "r", Seen::Closed),
    ];
    for (class, key, reference, expected) in rows {
        let mut world = World::new();
        world.post_under_key("k", "/keyed/sales", &lost("r"));
        let path = format!("/{class}/sales");
        let second = world.post_under_key(key, &path, &lost(reference));
        assert_eq!(seen(&second), expected, "{class} {key} {reference}");
    }
}

#[test]
fn too_many_requests_says_when_to_come_again() {
    let reaction = World::new().post("/none/sales", &with(order("r"), "amount", json!(9016)));
    assert!(reaction.answer.headers.contains(&("retry-after", "1".to_owned())));
}
