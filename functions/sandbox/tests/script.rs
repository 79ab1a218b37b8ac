//! Scripted faults: which delivery they strike, and what they leave to the card and the amount.

use super::super::{Class, Fault, SLOW_MS};
use super::*;

fn script(world: &mut World, next: &Value) -> Reaction {
    world.post("/faults", &json!({"next": next}))
}

#[test]
fn a_fault_waits_for_the_delivery_that_it_is_meant_for() {
    let mut world = World::new();
    let next = json!([
        {"fault": "lost-answer", "class": "keyed", "kind": "capture"},
        {"fault": "decline", "kind": "sale"},
        {"fault": "error-before", "class": "none"},
    ]);
    assert_eq!(body(&script(&mut world, &next)), json!({"pending": 3}));
    let authorization = world.approved("/keyed/authorizations", &order("a"));
    let captures = format!("/keyed/authorizations/{authorization}/captures");
    let rows = [
        (captures.as_str(), part("c", 1), Seen::Closed),
        (captures.as_str(), part("c", 1), says("approved", "00")),
        ("/none/sales", order("s"), says("declined", "05")),
        ("/none/sales", order("s"), error(500, "internal_error")),
        ("/none/sales", order("s"), says("approved", "00")),
    ];
    for (path, body, expected) in rows {
        assert_eq!(seen(&world.post(path, &body)), expected, "{path}");
    }
    assert_eq!(world.get("/faults"), json!({"pending": 0, "next": []}));
}

#[test]
fn a_fault_strikes_as_often_as_it_was_asked_to_replays_included() {
    let mut world = World::new();
    script(&mut world, &json!([{"fault": "lost-answer", "times": 3}]));
    let send = |world: &mut World| seen(&world.post_under_key("k", "/keyed/sales", &order("r")));
    for pending in [2, 1, 0] {
        assert_eq!(send(&mut world), Seen::Closed);
        assert_eq!(world.get("/faults")["pending"], json!(pending));
    }
    assert_eq!(send(&mut world), says("approved", "00"));
    assert_eq!(world.moved(), ["sale r"]);
}

#[test]
fn a_fault_can_be_delayed_and_keeps_its_key_in_progress() {
    let mut world = World::new();
    script(&mut world, &json!([{"fault": "lost-answer", "delayMs": 5000}]));
    let send = |world: &mut World| world.post_under_key("k", "/keyed/sales", &order("r"));
    let lost = send(&mut world);
    assert_eq!((seen(&lost), lost.delay_ms), (Seen::Closed, 5000));
    world.now_ms += 4_999;
    assert_eq!(seen(&send(&mut world)), error(409, "in_progress"));
    world.now_ms += 1;
    assert_eq!(seen(&send(&mut world)), says("approved", "00"));
}

#[test]
fn a_script_goes_before_magic_but_leaves_the_outcome_to_it_when_it_only_breaks_the_world() {
    let rows = [
        ("approve", 9001, says("approved", "00"), true),
        ("approve", 9013, says("approved", "00"), true),
        ("decline", 9018, says("declined", "05"), false),
        ("accepted-then-approved", 9020, says("accepted", "09"), true),
        ("lost-answer", 9001, Seen::Closed, false),
        ("lost-answer", 9012, Seen::Closed, true),
        ("silence", 9018, Seen::Silent, true),
        ("error-before", 9013, error(500, "internal_error"), false),
    ];
    for (fault, amount, expected, moves) in rows {
        let mut world = World::new();
        script(&mut world, &json!([{"fault": fault}]));
        let reaction = world.post("/none/sales", &with(order("r"), "amount", json!(amount)));
        assert_eq!(seen(&reaction), expected, "{fault} {amount}");
        assert_eq!(world.effects().len(), usize::from(moves), "{fault} {amount}");
    }
}

#[test]
fn a_request_that_is_refused_uses_up_no_fault() {
    let mut world = World::new();
    script(&mut world, &json!([{"fault": "silence"}]));
    world.post("/none/sales", &json!({}));
    world.post("/none/payments/1/refunds", &part("f", 1));
    world.post("/timeout-reversal/timeout-reversals", &json!({"reference": "r"}));
    world.get("/keyed/operations?reference=r");
    assert_eq!(world.get("/faults")["pending"], json!(1));
}

#[test]
fn a_notice_is_struck_by_what_was_meant_for_it_alone() {
    let mut world = World::new();
    let next = json!([
        {"fault": "lost-answer", "kind": "notice", "class": "keyed"},
        {"fault": "slow"},
        {"fault": "slow", "kind": "notice"},
        {"fault": "lost-request", "kind": "notice", "delayMs": 7},
    ]);
    script(&mut world, &next);
    assert_eq!(world.get("/faults")["next"][0]["kind"], json!("notice"));
    let rows = [
        (Class::None, Some((Fault::Slow, SLOW_MS))),
        (Class::Keyed, Some((Fault::LostAnswer, 0))),
        (Class::Keyed, Some((Fault::LostRequest, 7))),
        (Class::Keyed, None),
    ];
    for (class, expected) in rows {
        let mishap = world.gateway.strike_notice(class);
        assert_eq!(mishap.map(|mishap| (mishap.fault, mishap.delay_ms)), expected);
    }
    assert_eq!(world.post("/keyed/sales", &order("r")).delay_ms, SLOW_MS);
}

#[test]
fn pending_faults_can_be_seen_and_cleared() {
    let mut world = World::new();
    let entry = json!({
        "fault": "slow", "class": "look-up", "kind": "post-authorize", "delayMs": 7, "times": 2,
    });
    script(&mut world, &json!([entry]));
    assert_eq!(world.get("/faults"), json!({"pending": 2, "next": [entry]}));
    let cleared = world.send(&request("DELETE", "/faults", ""));
    assert_eq!(body(&cleared), json!({"pending": 0}));
    assert_eq!(world.get("/faults"), json!({"pending": 0, "next": []}));
}

#[test]
fn a_script_that_cannot_be_meant_is_refused_as_a_whole() {
    let rows = [
        (json!([{"fault": "slow"}, {"fault": "lost-mind"}]), "lost-request, lost-answer"),
        (json!([{}]), "next.fault must be one of approve, decline"),
        (json!(["slow"]), "next.fault must be one of"),
        (json!([{"fault": "slow", "class": "kinged"}]), "keyed, look-up, timeout-reversal, none"),
        (json!([{"fault": "slow", "kind": "steal"}]), "authorize, capture"),
        (json!([{"fault": "slow", "kind": "steal"}]), "tokenize, notice"),
        (json!([{"fault": "decline", "kind": "notice"}]), "next.fault of a notice"),
        (json!([{"fault": "silence", "kind": "notice"}]), "next.fault of a notice"),
        (json!([{"fault": "slow", "delayMs": -1}]), "next.delayMs"),
        (json!([{"fault": "slow", "times": 0}]), "next.times"),
        (json!([{"fault": "slow", "clas": "keyed"}]), "the members are fault, class"),
        (json!([{"fault": "slow", "times": 600}, {"fault": "slow", "times": 401}]), "1000"),
        (json!({}), "next must be an array"),
        (Value::Null, "next must be an array"),
    ];
    for (next, says) in rows {
        let mut world = World::new();
        let reaction = script(&mut world, &next);
        assert_eq!(seen(&reaction), error(400, "invalid_request"), "{next}");
        let message = body(&reaction)["message"].to_string();
        assert!(message.contains(says), "{message} should say {says}");
        assert_eq!(world.get("/faults")["pending"], json!(0), "{next}");
    }
    let mut world = World::new();
    let most = json!([{"fault": "slow", "times": 1000}]);
    assert_eq!(body(&script(&mut world, &most)), json!({"pending": 1000}));
    let more = script(&mut world, &json!([{"fault": "slow"}]));
    assert_eq!(seen(&more), error(400, "invalid_request"));
}
