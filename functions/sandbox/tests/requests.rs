//! What a request must be, and what operations can be done to.

use super::super::{Class, Kind, card_number};
use super::*;

/// An error of this status and code that says this much, and nothing recorded.
fn check_refused(world: &mut World, request: &Request, status: u16, code: &str, says: &str) {
    let records = world.records.len();
    let place = format!("{} {}", request.method, request.path);
    let reaction = world.send(request);
    assert_eq!(seen(&reaction), error(status, code), "{place}, {says}");
    let message = body(&reaction)["message"].to_string();
    assert!(message.contains(says), "{message} should say {says}");
    assert_eq!(world.records.len(), records, "{place} recorded something");
}

fn check_invalid(path: &str, body: &Value, says: &str) {
    let request = request("POST", path, body.to_string());
    check_refused(&mut World::new(), &request, 400, "invalid_request", says);
}

#[test]
fn a_wrong_member_is_named() {
    let plain = || order("r");
    let of_card = |name: &str, value: Value| with(plain(), "card", with(card(CARD), name, value));
    let rows = [
        (with(plain(), "reference", Value::Null), "reference is missing"),
        (with(plain(), "reference", json!(1)), "reference must be a string"),
        (with(plain(), "reference", json!("")), "reference must have"),
        (with(plain(), "reference", json!("é".repeat(81))), "reference must have"),
        (with(plain(), "amount", Value::Null), "amount is missing"),
        (with(plain(), "amount", json!(0)), "amount must be"),
        (with(plain(), "amount", json!(-1)), "amount must be"),
        (with(plain(), "amount", json!(1.5)), "amount must be"),
        (with(plain(), "amount", json!("1")), "amount must be"),
        (with(plain(), "amount", json!(1_000_000_000_000_u64)), "amount must be"),
        (with(plain(), "currency", Value::Null), "currency is missing"),
        (with(plain(), "currency", json!("usd")), "currency must be"),
        (with(plain(), "currency", json!(840)), "currency must be"),
        (with(plain(), "card", Value::Null), "exactly one of card and method"),
        (with(plain(), "method", json!("03O000000000000")), "exactly one of card and method"),
        (with(plain(), "card", json!(CARD)), "card must be an object"),
        (with(plain(), "method", json!(7)), "method must be a string"),
        (with(plain(), "methodType", json!(7)), "methodType must be a string"),
        (with(plain(), "methodType", json!("é".repeat(61))), "methodType must have"),
        (with(plain(), "merchantInitiated", json!(1)), "merchantInitiated must be"),
        (of_card("number", Value::Null), "card.number is missing"),
        (of_card("number", json!(4_242_424_242_424_242_u64)), "card.number must be"),
        (of_card("expiryMonth", Value::Null), "card.expiryMonth is missing"),
        (of_card("expiryMonth", json!(13)), "card.expiryMonth must be"),
        (of_card("expiryYear", json!(30)), "card.expiryYear must be"),
        (of_card("cvc", json!(737)), "card.cvc must be a string"),
        (of_card("holder", json!({})), "card.holder must be a string"),
        (json!([]), "must be a JSON object"),
    ];
    for (body, says) in rows {
        check_invalid("/keyed/authorizations", &body, says);
    }
    let browser = with(plain(), "card", Value::Null);
    check_invalid("/none/client-authorizations", &browser, "card is missing");
    check_invalid("/none/post-authorizations", &plain(), "authorization is missing");
    check_invalid("/timeout-reversal/timeout-reversals", &json!({}), "reference is missing");
}

#[test]
fn what_cannot_be_read_is_refused() {
    let rows: [(&str, &str, &[u8], &str); 4] = [
        ("POST", "/none/sales", b"{\"reference\":", "the body is not JSON"),
        ("POST", "/none/sales", b"\xff", "the body is not JSON"),
        ("GET", "/keyed/operations", b"", "reference is missing"),
        ("GET", "/ledger?reference=%f", b"", "reference is not percent-encoded"),
    ];
    for (method, target, body, says) in rows {
        let request = request(method, target, body);
        check_refused(&mut World::new(), &request, 400, "invalid_request", says);
    }
}

#[test]
fn a_key_has_a_length_and_visible_characters() {
    for key in ["", "a b", "é", &"k".repeat(256)] {
        let keyed = Request {
            idempotency_key: Some(key.to_owned()),
            ..request("POST", "/keyed/sales", order("r").to_string())
        };
        let says = "Idempotency-Key must be";
        check_refused(&mut World::new(), &keyed, 400, "invalid_request", says);
    }
}

#[test]
fn members_that_are_unknown_or_null_or_written_as_digits_do_no_harm() {
    let written = json!({"number": CARD, "expiryMonth": "01", "expiryYear": "2030", "cvc": null});
    let body = with(with(order("r"), "card", written), "shopper", json!({"ip": "::1"}));
    World::new().approved("/none/sales", &body);
}

#[test]
fn a_route_that_is_not_there_is_told_from_a_method_that_is_not_there() {
    let missing = ["/sales", "/card/sales", "/none", "/none/", "/none/sales/", "/none/payments/1", "x", ""];
    for path in missing {
        let request = request("POST", path, "{}");
        check_refused(&mut World::new(), &request, 404, "no_such_route", "");
    }
    let rows = [
        ("POST", "/", "GET"),
        ("DELETE", "/ledger", "GET"),
        ("PUT", "/faults", "GET, POST, DELETE"),
        ("POST", "/keyed/operations", "GET"),
        ("GET", "/keyed/sales", "POST"),
        ("get", "/ledger", "GET"),
    ];
    for (method, path, allowed) in rows {
        let request = request(method, path, "{}");
        check_refused(&mut World::new(), &request, 405, "wrong_method", allowed);
        let answer = World::new().send(&request).answer;
        assert!(answer.headers.contains(&("allow", allowed.to_owned())), "{method} {path}");
    }
}

#[test]
fn an_operation_acts_only_on_its_own_kind_and_class() {
    let mut world = World::new();
    let authorization = world.approved("/keyed/authorizations", &order("a"));
    let sale = world.approved("/keyed/sales", &order("s"));
    let captures = format!("/keyed/authorizations/{authorization}/captures");
    let capture = world.approved(&captures, &part("c", 400));
    let rows = [
        ("keyed", "authorizations", &authorization, "captures", true),
        ("keyed", "authorizations", &authorization, "reversals", true),
        ("keyed", "authorizations", &sale, "captures", false),
        ("keyed", "authorizations", &capture, "reversals", false),
        ("keyed", "payments", &sale, "refunds", true),
        ("keyed", "payments", &capture, "refunds", true),
        ("keyed", "payments", &authorization, "refunds", false),
        ("look-up", "payments", &sale, "refunds", false),
        ("none", "authorizations", &authorization, "captures", false),
        ("keyed", "payments", &"SF9".to_owned(), "refunds", false),
    ];
    for (class, resource, target, action, found) in rows {
        let path = format!("/{class}/{resource}/{target}/{action}");
        let body = part("p", 1);
        if found {
            world.approved(&path, &body);
        } else {
            let request = request("POST", &path, body.to_string());
            check_refused(&mut world, &request, 404, "unknown_id", "");
        }
    }
}

#[test]
fn no_balance_is_checked_and_the_ledger_shows_it() {
    let mut world = World::new();
    let declined = world.post("/none/authorizations", &with(order("a"), "amount", json!(9001)));
    let captures = format!("/none/authorizations/{}/captures", id(&declined));
    let capture = world.approved(&captures, &part("c", 5_000));
    world.approved(&captures, &part("c", 5_000));
    let refunds = format!("/none/payments/{capture}/refunds");
    world.approved(&refunds, &part("f", 777_777));
    assert_eq!(world.moved(), ["capture c", "capture c", "refund f"]);
}

#[test]
fn a_line_of_the_ledger_tells_everything_about_an_effect() {
    let mut world = World::new();
    let sale = world.approved("/look-up/sales", &order("s"));
    world.now_ms += 61_001;
    let body = with(part("f", 250), "reason", json!("too small"));
    world.approved(&format!("/look-up/payments/{sale}/refunds"), &body);
    assert_eq!(
        world.get("/ledger?reference=f"),
        json!({"effects": [{
            "id": "SF1000002",
            "class": "look-up",
            "kind": "refund",
            "reference": "f",
            "amount": 250,
            "currency": "USD",
            "on": sale,
            "key": null,
            "status": "approved",
            "voided": false,
            "at": "2026-08-01T00:01:01.001Z",
        }]})
    );
    assert_eq!(world.get("/ledger?reference=x"), json!({"effects": []}));
}

#[test]
fn the_ledger_tells_how_an_authorization_or_sale_was_asked_for_and_nothing_where_it_was_not_said() {
    let longest = "é".repeat(60);
    let told = json!({"methodType": longest, "merchantInitiated": true});
    let asked = |order: Value| with(with(order, "methodType", json!(longest)), "merchantInitiated", json!(true));
    let silent = with(with(order("s"), "methodType", Value::Null), "merchantInitiated", json!(false));
    let rows = [
        ("/none/authorizations", asked(order("a")), Some(&told)),
        ("/none/sales", asked(order("s")), Some(&told)),
        ("/none/sales", asked(with(order("s"), "amount", json!(9018))), Some(&told)),
        ("/none/sales", silent, None),
        ("/none/client-authorizations", asked(order("-")), None),
    ];
    for (path, body, told) in rows {
        let mut world = World::new();
        world.post(path, &body);
        let effect = &world.effects()[0];
        for name in ["methodType", "merchantInitiated"] {
            assert_eq!(effect.get(name), told.map(|told| &told[name]), "{path} {body}");
        }
    }
}

#[test]
fn a_post_authorization_registers_what_a_browser_obtained() {
    let mut world = World::new();
    let browser = world.approved("/none/client-authorizations", &order("ignored"));
    let server = world.approved("/none/authorizations", &order("a"));
    let accepted = with(order("-"), "card", card(&card_number(9018)));
    let accepted = id(&world.post("/none/client-authorizations", &accepted));
    let declined = with(order("-"), "card", card(&card_number(9001)));
    let declined = id(&world.post("/none/client-authorizations", &declined));
    let rows = [
        (browser.as_str(), 1000, "USD", says("approved", "00")),
        (accepted.as_str(), 1000, "USD", says("approved", "00")),
        (browser.as_str(), 1001, "USD", says("declined", "14")),
        (browser.as_str(), 1000, "EUR", says("declined", "14")),
        (declined.as_str(), 1000, "USD", says("declined", "14")),
        (server.as_str(), 1000, "USD", says("declined", "14")),
        ("1", 1000, "USD", says("declined", "14")),
    ];
    for (authorization, amount, currency, expected) in rows {
        let body = json!({
            "reference": "p", "authorization": authorization, "amount": amount, "currency": currency,
        });
        let reaction = world.post("/none/post-authorizations", &body);
        assert_eq!(seen(&reaction), expected, "{body}");
        let same_id = id(&reaction) == authorization;
        assert_eq!(same_id, expected == says("approved", "00"), "{body}");
    }
    world.approved(&format!("/none/authorizations/{browser}/captures"), &part("c", 1));
    let moved = world.moved();
    let expected = ["authorize -", "authorize a", "authorize -", "post-authorize p", "post-authorize p", "capture c"];
    assert_eq!(moved, expected);
}

#[test]
fn a_lost_answer_strikes_the_post_authorization_and_not_the_browser() {
    let mut world = World::new();
    let asked = with(order("-"), "amount", json!(9013));
    world.post("/faults", &json!({"next": [{"fault": "silence"}]}));
    let browser = world.approved("/none/client-authorizations", &asked);
    world.send(&request("DELETE", "/faults", ""));
    let body = with(part("p", 9013), "authorization", json!(browser));
    let lost = world.post("/none/post-authorizations", &body);
    assert_eq!(seen(&lost), Seen::Closed);
    assert_eq!(world.approved("/none/post-authorizations", &body), browser);
}

#[test]
fn only_authorizations_bear_an_authorization_code() {
    let mut world = World::new();
    let authorized = world.post("/none/authorizations", &order("a"));
    let code = body(&authorized)["authorizationCode"].clone();
    assert_eq!(code, json!("SF000001"));
    let captures = format!("/none/authorizations/{}/captures", id(&authorized));
    for (path, order) in [("/none/sales", order("s")), (&captures, part("c", 1))] {
        let reaction = world.post(path, &order);
        assert_eq!(body(&reaction)["authorizationCode"], Value::Null, "{path}");
    }
}

#[test]
fn names_on_the_wire_are_names_in_the_ledger() {
    for class in Class::ALL {
        assert_eq!(json!(class), json!(class.name()));
    }
    for kind in Kind::ALL {
        assert_eq!(json!(kind), json!(kind.name()));
    }
}

#[test]
fn a_moment_is_written_in_utc_with_milliseconds() {
    let rows = [
        (0, "1970-01-01T00:00:00.000Z"),
        (951_782_399_999, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (951_868_800_000, "2000-03-01T00:00:00.000Z"),
        (START_MS + 1_000, "2026-08-01T00:00:01.000Z"),
        (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
    ];
    for (now_ms, expected) in rows {
        let mut world = World { now_ms, ..World::new() };
        let reaction = world.post("/none/sales", &order("r"));
        assert_eq!(body(&reaction)["date"], json!(expected));
    }
}
