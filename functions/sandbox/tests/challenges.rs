//! The payer's page: who may decide, until when, and that it stays decided.

use super::super::{ACTION_MS, card_number};
use super::*;

/// A sale that needs its payer.
fn sale(reference: &str) -> Value {
    with(order(reference), "card", card(&card_number(9022)))
}

/// The path of an operation's page, from what its answer says.
fn page_of(reaction: &Reaction) -> String {
    let url = body(reaction)["action"]["url"].as_str().expect("a URL").to_owned();
    url.strip_prefix("http://127.0.0.1:9401").expect("an absolute URL").to_owned()
}

fn status(world: &mut World) -> (String, String) {
    let found = world.get("/keyed/operations?reference=r")["operations"][0].clone();
    let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    (text("status"), text("code"))
}

#[test]
fn the_answer_says_where_the_payer_decides_and_until_when() {
    let mut world = World::new();
    world.gateway = Gateway::default().at("https://gateway");
    let reaction = world.post("/keyed/sales", &sale("r"));
    let told = json!({
        "id": "SF1000001",
        "reference": "r",
        "status": "action_required",
        "code": "65",
        "message": "Payer Action Required",
        "date": "2026-08-01T00:00:00.000Z",
        "action": {
            "url": "https://gateway/keyed/challenges/SF1000001",
            "expires": "2026-08-01T00:15:00.000Z",
        },
    });
    assert_eq!(body(&reaction), told);
    assert_eq!(world.get("/keyed/operations?reference=r"), json!({"operations": [told]}));
    assert_eq!(world.moved(), [""; 0]);
}

#[test]
fn a_payer_decides_once_by_the_form_or_in_json() {
    let rows = [
        ("result=approve", ("approved", "00"), "result=decline", 1),
        (r#"{"result":"approve"}"#, ("approved", "00"), r#"{"result":"decline"}"#, 1),
        ("a=b&result=decline", ("declined", "05"), "result=approve", 0),
        (r#" {"result":"decline"}"#, ("declined", "05"), "result=approve", 0),
    ];
    for (said, (name, code), otherwise, effects) in rows {
        let mut world = World::new();
        let first = world.post_under_key("k", "/keyed/sales", &sale("r"));
        let page = page_of(&first);
        world.now_ms += 60_000;
        let decided = world.send(&request("POST", &page, said));
        assert_eq!(decided.answer.status, 200, "{said}");
        assert_eq!(decided.answer.body.contains("<html"), !said.contains('{'), "{said}");
        assert_eq!(status(&mut world), (name.to_owned(), code.to_owned()), "{said}");
        assert_eq!(world.moved().len(), effects, "{said}");
        let records = world.records.len();
        let again = world.send(&request("POST", &page, said));
        assert_eq!(again.answer, decided.answer, "{said}");
        let other = world.send(&request("POST", &page, otherwise));
        assert_eq!(seen(&other), error(409, "closed"), "{said}");
        assert_eq!(world.records.len(), records, "{said}");
        world.now_ms += 3_600_000;
        assert_eq!(status(&mut world), (name.to_owned(), code.to_owned()), "{said}");
        let replayed = world.post_under_key("k", "/keyed/sales", &sale("r"));
        assert_eq!(replayed.answer, first.answer, "a key is answered as the first time");
    }
}

#[test]
fn a_decision_outlives_a_restart_and_is_told_in_place_of_the_end() {
    let mut world = World::new();
    let page = page_of(&world.post("/keyed/sales", &sale("r")));
    world.now_ms += 60_000;
    world.post(&page, &json!({"result": "approve"}));
    let lines = world.records.iter().map(|record| serde_json::to_string(record).expect("a line"));
    let records = lines.map(|line| serde_json::from_str::<Record>(&line).expect("a record"));
    let restored = Gateway::restore(records);
    assert_eq!(restored, world.gateway);
    let told: Vec<_> = restored.notices(0).into_iter().map(|item| (item.at_ms - START_MS, item.told)).collect();
    let told: Vec<_> = told.iter().map(|(at_ms, told)| (*at_ms, told["status"].as_str().unwrap_or("-"))).collect();
    assert_eq!(told, [(100, "action_required"), (60_000, "approved")]);
    assert_eq!(restored.effects(world.now_ms).count(), 1);
}

#[test]
fn nobody_decides_when_the_time_is_over_or_what_was_reversed() {
    let mut world = World::new();
    let page = page_of(&world.post("/keyed/sales", &sale("r")));
    world.now_ms = START_MS.saturating_add_unsigned(ACTION_MS);
    let late = world.send(&request("POST", &page, "result=approve"));
    assert_eq!(seen(&late), error(409, "closed"));
    assert_eq!(status(&mut world), ("declined".to_owned(), "78".to_owned()));

    let mut world = World::new();
    let page = page_of(&world.post("/timeout-reversal/sales", &sale("r")));
    let reversed = world.post("/timeout-reversal/timeout-reversals", &json!({"reference": "r"}));
    assert_eq!(seen(&reversed), says("reversed", "00"));
    let late = world.send(&request("POST", &page, "result=approve"));
    assert_eq!(seen(&late), error(409, "closed"));
    assert_eq!(world.moved(), [""; 0]);
}

#[test]
fn what_a_page_is_told_must_be_a_decision_and_of_an_operation_that_needs_one() {
    let mut world = World::new();
    let page = page_of(&world.post("/keyed/sales", &sale("r")));
    let plain = world.approved("/keyed/sales", &order("s"));
    for said in ["", "approve", "result=", "result=yes", "result=%f", "{", "{}", r#"{"result":true}"#] {
        let refused = world.send(&request("POST", &page, said));
        assert_eq!(seen(&refused), error(400, "invalid_request"), "{said}");
    }
    for path in [format!("/keyed/challenges/{plain}"), page.replace("keyed", "none"), "/keyed/challenges/".to_owned()] {
        let refused = world.send(&request("GET", &path, ""));
        assert_eq!(seen(&refused), error(404, "unknown_id"), "{path}");
    }
    let deeper = world.send(&request("GET", &format!("{page}/x"), ""));
    assert_eq!(seen(&deeper), error(404, "no_such_route"));
    assert_eq!(status(&mut world), ("action_required".to_owned(), "65".to_owned()));
}

#[test]
fn the_page_has_two_buttons_until_it_is_decided() {
    let mut world = World::new();
    let page = page_of(&world.post("/keyed/sales", &sale("r")));
    let shown = world.send(&request("GET", &page, "")).answer;
    assert!(shown.headers.contains(&("content-type", "text/html; charset=utf-8".to_owned())));
    assert_eq!(shown.body.matches("<button").count(), 2, "{}", shown.body);
    world.post(&page, &json!({"result": "approve"}));
    let shown = world.send(&request("GET", &page, "")).answer.body;
    assert!(!shown.contains("<button") && shown.contains("approved"), "{shown}");
}

#[test]
fn a_card_can_be_kept_only_when_its_payer_agrees() {
    for (result, is_given) in [("approve", true), ("decline", false)] {
        let mut world = World::new();
        world.post("/faults", &json!({"next": [{"fault": "action-required", "kind": "tokenize"}]}));
        let asked = world.post("/keyed/tokens", &json!({"reference": "r", "card": card(CARD)}));
        assert_eq!((seen(&asked), &body(&asked)["token"]), (says("action_required", "65"), &Value::Null));
        world.now_ms += 1;
        let decided = world.post(&page_of(&asked), &json!({"result": result}));
        let token = body(&decided)["token"].clone();
        assert_eq!(token.is_string(), is_given, "{result}");
        if is_given {
            world.approved("/keyed/sales", &with(part("s", 1000), "method", token));
        }
    }
}
