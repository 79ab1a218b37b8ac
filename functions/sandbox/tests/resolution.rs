//! What each class of gateway offers to whoever lost an answer, and what settles later.

use super::super::{KEY_WINDOW_MS, SETTLEMENT_MS, SLOW_MS, card_number};
use super::*;

const SALES: &str = "/keyed/sales";

fn advance(world: &mut World, ms: u64) {
    world.now_ms = world.now_ms.saturating_add_unsigned(ms);
}

#[test]
fn the_same_key_is_answered_as_the_first_time_and_moves_no_money() {
    let mut world = World::new();
    let first = world.post_under_key("k", SALES, &order("r"));
    advance(&mut world, 60_000);
    let second = world.post_under_key("k", SALES, &order("r"));
    assert_eq!(second.answer, first.answer);
    assert_eq!(world.moved(), ["sale r"]);
}

#[test]
fn every_way_to_lose_an_answer_is_healed_by_the_same_key() {
    for code in [9012, 9013, 9014, 9015, 9016, 9017, 9020] {
        let mut world = World::new();
        let body = with(order("r"), "amount", json!(code));
        let first = world.post_under_key("k", SALES, &body);
        assert_ne!(seen(&first), says("approved", "00"), "{code}");
        let second = world.post_under_key("k", SALES, &body);
        assert_eq!(seen(&second), says("approved", "00"), "{code}");
        assert_eq!(world.moved(), ["sale r"], "{code}");
    }
}

#[test]
fn a_key_is_in_progress_until_its_slow_answer_leaves() {
    let mut world = World::new();
    let body = with(order("r"), "amount", json!(9011));
    world.post_under_key("k", SALES, &body);
    advance(&mut world, SLOW_MS - 1);
    let early = world.post_under_key("k", SALES, &body);
    assert_eq!(seen(&early), error(409, "in_progress"));
    advance(&mut world, 1);
    let late = world.post_under_key("k", SALES, &body);
    assert_eq!(seen(&late), says("approved", "00"));
    assert_eq!(world.moved(), ["sale r"]);
}

/// What of a card the gateway must not keep, it cannot tell apart: the CVC, and all but the last
/// four digits.
#[test]
fn a_key_is_not_reused_for_anything_else() {
    let plain = || order("r");
    let another_cvc = json!({
        "number": CARD, "expiryMonth": 12, "expiryYear": 2030, "cvc": "111", "holder": "A B"
    });
    let same_last_four = card("0000000000004242");
    let another_year = with(card(CARD), "expiryYear", json!(2031));
    let rows = [
        (SALES, with(plain(), "amount", json!(1001)), false),
        (SALES, with(plain(), "currency", json!("EUR")), false),
        (SALES, with(plain(), "reference", json!("s")), false),
        (SALES, with(plain(), "card", card("4111111111111111")), false),
        (SALES, with(plain(), "card", another_year), false),
        (SALES, with(plain(), "note", json!("new")), false),
        ("/keyed/authorizations", plain(), false),
        (SALES, with(plain(), "card", another_cvc), true),
        (SALES, with(plain(), "card", same_last_four), true),
        (SALES, plain(), true),
    ];
    for (path, body, same) in rows {
        let mut world = World::new();
        world.post_under_key("k", SALES, &plain());
        let expected = if same { says("approved", "00") } else { error(422, "key_reused") };
        let second = world.post_under_key("k", path, &body);
        assert_eq!(seen(&second), expected, "{path} {body}");
        assert_eq!(world.moved(), ["sale r"], "{path} {body}");
    }
}

#[test]
fn the_same_parameters_in_another_order_are_the_same() {
    let mut world = World::new();
    let mut send = |body: &str| {
        let request = Request { idempotency_key: Some("k".to_owned()), ..request("POST", SALES, body) };
        seen(&world.send(&request))
    };
    let rows = [
        r#"{"reference":"r","amount":1,"currency":"USD","method":"03O000000000000"}"#,
        r#"{"method":"03O000000000000", "currency":"USD", "amount":1, "reference":"r"}"#,
    ];
    for body in rows {
        assert_eq!(send(body), says("approved", "00"), "{body}");
    }
    assert_eq!(world.moved(), ["sale r"]);
}

#[test]
fn a_key_is_forgotten_after_a_day() {
    let mut world = World::new();
    world.post_under_key("k", SALES, &order("r"));
    world.now_ms = START_MS + KEY_WINDOW_MS - 1;
    world.post_under_key("k", SALES, &order("r"));
    assert_eq!(world.moved(), ["sale r"]);
    world.now_ms = START_MS + KEY_WINDOW_MS;
    world.post_under_key("k", SALES, &order("r"));
    assert_eq!(world.moved(), ["sale r", "sale r"]);
    let other = with(order("r"), "amount", json!(5));
    let reused = world.post_under_key("k", SALES, &other);
    assert_eq!(seen(&reused), error(422, "key_reused"));
}

#[test]
fn a_decline_is_replayed_too() {
    let mut world = World::new();
    let body = with(order("r"), "amount", json!(9001));
    let first = world.post_under_key("k", SALES, &body);
    let second = world.post_under_key("k", SALES, &body);
    assert_eq!(seen(&first), says("declined", "05"));
    assert_eq!(second.answer, first.answer);
}

#[test]
fn a_request_that_was_not_carried_out_leaves_nothing_under_its_key() {
    for code in [9012, 9014, 9016] {
        let mut world = World::new();
        world.post_under_key("k", SALES, &with(order("r"), "amount", json!(code)));
        let other = world.post_under_key("k", SALES, &order("r"));
        assert_eq!(seen(&other), says("approved", "00"), "{code}");
    }
    let mut world = World::new();
    let invalid = world.post_under_key("k", SALES, &json!({}));
    assert_eq!(seen(&invalid), error(400, "invalid_request"));
    let valid = world.post_under_key("k", SALES, &order("r"));
    assert_eq!(seen(&valid), says("approved", "00"));
}

#[test]
fn without_a_key_that_is_honoured_a_second_delivery_moves_the_money_again() {
    let rows = [("keyed", None), ("look-up", Some("k")), ("timeout-reversal", Some("k")), ("none", Some("k"))];
    for (class, key) in rows {
        let mut world = World::new();
        let path = format!("/{class}/sales");
        let mut send = || match key {
            Some(key) => id(&world.post_under_key(key, &path, &order("r"))),
            None => id(&world.post(&path, &order("r"))),
        };
        assert_ne!(send(), send(), "{class}");
        assert_eq!(world.moved(), ["sale r", "sale r"], "{class}");
        assert_eq!(world.effects()[0]["key"], Value::Null, "{class}");
    }
}

#[test]
fn a_key_stands_in_the_ledger() {
    let mut world = World::new();
    world.post_under_key("k", SALES, &order("r"));
    assert_eq!(world.effects()[0]["key"], json!("k"));
}

#[test]
fn a_gateway_that_can_be_asked_tells_every_operation_of_a_reference_in_order() {
    for class in ["keyed", "look-up"] {
        let mut world = World::new();
        let path = format!("/{class}/authorizations");
        let lost = with(order("r /+é"), "amount", json!(9013));
        assert_eq!(seen(&world.post(&path, &lost)), Seen::Closed);
        world.post(&path, &with(order("r /+é"), "amount", json!(9001)));
        world.post(&path, &order("other"));
        let found = world.get(&format!("/{class}/operations?reference=r+%2F%2b%C3%A9"));
        let statuses: Vec<&Value> =
            found["operations"].as_array().expect("operations").iter().map(|operation| &operation["status"]).collect();
        assert_eq!(statuses, ["approved", "declined"], "{class}");
        assert_eq!(
            found["operations"][0],
            json!({
                "id": "1000000001",
                "reference": "r /+é",
                "status": "approved",
                "code": "00",
                "message": "Transaction Normal",
                "authorizationCode": "SF000001",
                "date": "2026-08-01T00:00:00.000Z",
            })
        );
        let unseen = world.get(&format!("/{class}/operations?reference=never"));
        assert_eq!(unseen, json!({"operations": []}));
    }
}

#[test]
fn what_a_class_does_not_offer_is_unsupported() {
    let rows = [
        ("GET", "/timeout-reversal/operations?reference=r"),
        ("GET", "/none/operations?reference=r"),
        ("POST", "/keyed/timeout-reversals"),
        ("POST", "/look-up/timeout-reversals"),
        ("POST", "/none/timeout-reversals"),
    ];
    for (method, target) in rows {
        let body = json!({"reference": "r"}).to_string();
        let reaction = World::new().send(&request(method, target, body));
        assert_eq!(seen(&reaction), error(404, "unsupported"), "{target}");
    }
}

const VOIDS: &str = "/timeout-reversal/timeout-reversals";
const VOIDABLE: &str = "/timeout-reversal/sales";

fn voided(world: &mut World) -> Vec<bool> {
    let effects = world.effects();
    effects.iter().map(|effect| effect["voided"] == json!(true)).collect()
}

#[test]
fn a_timeout_reversal_voids_every_operation_of_the_reference_once() {
    let mut world = World::new();
    world.post(VOIDABLE, &with(order("r"), "amount", json!(9013)));
    world.post(VOIDABLE, &order("r"));
    world.post(VOIDABLE, &order("other"));
    world.post("/none/sales", &order("r"));
    assert_eq!(voided(&mut world), [false, false, false, false]);
    let first = world.post(VOIDS, &json!({"reference": "r"}));
    assert_eq!(seen(&first), says("reversed", "00"));
    let records = world.records.len();
    let second = world.post(VOIDS, &json!({"reference": "r"}));
    assert_eq!(second.answer, first.answer);
    assert_eq!(world.records.len(), records);
    assert_eq!(voided(&mut world), [true, true, false, false]);
}

#[test]
fn a_request_that_comes_after_its_reversal_is_refused() {
    let amounts = [1000, 9011, 9013, 9018];
    for amount in amounts {
        let mut world = World::new();
        let reversal = world.post(VOIDS, &json!({"reference": "r"}));
        assert_eq!(seen(&reversal), says("nothing_to_reverse", "00"));
        let late = world.post(VOIDABLE, &with(order("r"), "amount", json!(amount)));
        assert_eq!(body(&late)["code"], json!("12"), "{amount}");
        assert_eq!(world.moved(), [""; 0], "{amount}");
        let again = world.post(VOIDS, &json!({"reference": "r"}));
        assert_eq!(again.answer, reversal.answer, "{amount}");
        assert_ne!(id(&again), id(&late), "{amount}");
    }
}

#[test]
fn a_declined_operation_is_nothing_to_reverse() {
    let mut world = World::new();
    world.post(VOIDABLE, &with(order("r"), "amount", json!(9001)));
    let reversal = world.post(VOIDS, &json!({"reference": "r"}));
    assert_eq!(seen(&reversal), says("nothing_to_reverse", "00"));
}

#[test]
fn an_accepted_operation_settles_when_its_time_has_come() {
    let rows = [(9018, "approved", "00", true), (9019, "declined", "05", false)];
    for (code, status, reason, moves) in rows {
        let mut world = World::new();
        let body = with(order("r"), "card", card(&card_number(code)));
        let first = world.post_under_key("k", "/keyed/authorizations", &body);
        let look_up = |world: &mut World| {
            let found = world.get("/keyed/operations?reference=r")["operations"][0].clone();
            let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
            (text("status"), text("code"), found["authorizationCode"].is_string())
        };
        advance(&mut world, SETTLEMENT_MS - 1);
        assert_eq!(look_up(&mut world), ("accepted".into(), "09".into(), false));
        assert_eq!(world.effects()[0]["status"], json!("accepted"), "{code}");
        advance(&mut world, 1);
        assert_eq!(look_up(&mut world), (status.into(), reason.into(), moves));
        assert_eq!(world.effects().len(), usize::from(moves), "{code}");
        let replayed = world.post_under_key("k", "/keyed/authorizations", &body);
        assert_eq!(replayed.answer, first.answer, "{code}");
    }
}
