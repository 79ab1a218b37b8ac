//! What is told unasked: of what, in which shape, under which signature, and what was taken.

use super::super::{Stage, TELL_MS, card_number, envelope, notices, ping};
use super::*;

const SECRET: &str = "whsec_sandbox";

fn told(world: &World, place: usize) -> Vec<Value> {
    world.gateway.notices(place).into_iter().map(|item| item.told).collect()
}

#[test]
fn every_item_has_its_shape() {
    let mut world = World::new();
    world.post("/keyed/sales", &with(order("r"), "card", card(&card_number(9024))));
    world.post("/keyed/sales", &with(order("s"), "card", card(&card_number(9021))));
    world.post("/keyed/tokens", &json!({"reference": "t", "card": card(&card_number(9026)), "savedByMerchant": true}));
    let operation = |id: &str, reference: &str, status: &str, code: &str, message: &str| {
        json!({
            "event": "operation", "id": id, "reference": reference, "status": status, "code": code,
            "message": message, "date": "2026-08-01T00:00:00.000Z",
        })
    };
    let dispute = |stage: &str| {
        json!({
            "event": "dispute", "reference": "r", "id": "SF1000001", "dispute": "D1000001", "stage": stage,
            "amount": 1000, "code": "10.4",
        })
    };
    let approved = "Transaction Normal";
    let disputed = [
        operation("SF1000001", "r", "approved", "00", approved),
        dispute("opened"),
        dispute("charged_back"),
        dispute("reversed"),
    ];
    assert_eq!(told(&world, 0), disputed);
    let failed = json!({
        "event": "failed", "reference": "s", "id": "SF1000002", "notice": "SF1000002-failed", "code": "96",
        "message": "Did Not Settle",
    });
    let failing = [
        operation("SF1000002", "s", "accepted", "09", "Request In Progress"),
        operation("SF1000002", "s", "approved", "00", approved),
        failed,
    ];
    assert_eq!(told(&world, 1), failing);
    let saved = |told: Value| with(told, "savedByMerchant", json!(true));
    let given = with(
        saved(operation("SF1000003", "t", "approved", "00", approved)),
        "token",
        // Of `printf 'keyed/SF1000003' | sha256sum`.
        json!("tok_9026_3dd8b8309b4ef19bb5a9462837b9c535"),
    );
    let accepted = saved(operation("SF1000003", "t", "accepted", "09", "Request In Progress"));
    assert_eq!(told(&world, 2), [accepted, given]);
    assert_eq!(ping(), json!({"event": "ping"}));
}

#[test]
fn nothing_is_told_of_what_a_browser_asked_or_a_reversal_ended() {
    let mut world = World::new();
    world.post("/keyed/client-authorizations", &order("-"));
    assert_eq!(told(&world, 0), [Value::Null; 0]);
    for reference in ["r", "s"] {
        world.post("/timeout-reversal/sales", &with(order(reference), "card", card(&card_number(9018))));
    }
    world.now_ms += 1_000;
    world.post("/timeout-reversal/timeout-reversals", &json!({"reference": "r"}));
    world.post("/timeout-reversal/sales", &order("r"));
    assert_eq!([1, 2, 3].map(|place| told(&world, place).len()), [1, 2, 0]);
    // What was told before it was reversed does not change by it.
    assert_eq!(told(&world, 1)[0]["status"], json!("accepted"));
}

#[test]
fn a_body_bears_the_moment_and_every_item_and_a_signature_of_each_secret() {
    let items = [json!({"event": "ping"}), json!({"event": "ping", "n": 2})];
    let sent = envelope(&items, &[SECRET, "second"], START_MS + 999);
    let body = r#"{"notices":[{"event":"ping"},{"event":"ping","n":2}],"sent":"2026-08-01T00:00:00.999Z"}"#;
    assert_eq!(sent.body, body);
    // Of `printf '%s.%s' 1785542400 "$body" | openssl dgst -sha256 -hmac "$secret"`.
    assert_eq!(
        sent.signature,
        "t=1785542400,v1=52714649581d17e59d1f19d3c4eddf01f33806dee72ae2668b917ce55c0988a3,v1=26062e401036cf1d4fe7fb86a0d6f556739aa58fe90f54a06a26e3603668e62f"
    );
}

#[test]
fn whatever_is_changed_has_another_signature() {
    let mut world = World::new();
    world.post("/keyed/sales", &order("r"));
    let items = told(&world, 0);
    let sign = |items: &[Value], secret: &str, now_ms: i64| envelope(items, &[secret], now_ms).signature;
    let v1 = |signature: String| signature.split_once(",v1=").expect("a signature").1.to_owned();
    let right = v1(sign(&items, SECRET, START_MS));
    assert_eq!(right, v1(sign(&items, SECRET, START_MS)));
    let reference = items[0]["reference"].as_str().expect("a reference");
    for bit in 0..8 * reference.len() {
        let mut bytes = reference.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let flipped = with(items[0].clone(), "reference", json!(String::from_utf8_lossy(&bytes)));
        assert_ne!(v1(sign(&[flipped], SECRET, START_MS)), right, "bit {bit}");
    }
    assert_ne!(v1(sign(&[], SECRET, START_MS)), right);
    assert_ne!(v1(sign(&items, SECRET, START_MS + 1_000)), right);
    for bit in 0..8 * SECRET.len() {
        let mut bytes = SECRET.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let other = String::from_utf8_lossy(&bytes).into_owned();
        assert_ne!(v1(sign(&items, &other, START_MS)), right, "bit {bit}");
    }
}

#[test]
fn what_was_taken_is_not_owed_and_old_news_are_not_either() {
    let mut world = World::new();
    world.post("/keyed/sales", &with(order("r"), "card", card(&card_number(9018))));
    let owed = |gateway: &Gateway, after_ms: i64| -> Vec<Stage> {
        gateway.untold(0, START_MS + after_ms).into_iter().map(|item| item.stage).collect()
    };
    assert_eq!(owed(&world.gateway, 0), [Stage::Accepted, Stage::Approved]);
    let record = world.gateway.taken(0, vec![Stage::Accepted], START_MS + 200);
    world.records.push(record);
    assert_eq!(owed(&world.gateway, 200), [Stage::Approved]);
    assert_eq!(owed(&Gateway::restore(world.records.clone()), 200), [Stage::Approved]);
    assert_eq!(owed(&world.gateway, 5_000 + TELL_MS - 1), [Stage::Approved]);
    assert_eq!(owed(&world.gateway, 5_000 + TELL_MS), [Stage::Approved; 0]);
    world.post("/notices/resend", &json!({}));
    assert_eq!(owed(&world.gateway, 200), [Stage::Accepted, Stage::Approved]);
    assert_eq!(owed(&Gateway::restore(world.records), 200), [Stage::Accepted, Stage::Approved]);
}

#[test]
fn what_is_told_is_listed_with_whether_it_was_taken() {
    let mut world = World::new();
    world.post("/keyed/sales", &with(order("r"), "card", card(&card_number(9018))));
    world.post("/none/sales", &order("s"));
    world.gateway.taken(0, vec![Stage::Accepted], START_MS + 200);
    let listed = world.get("/notices?class=keyed");
    let text = |listed: &Value| format!("{} {} {}", listed["at"], listed["stage"], listed["taken"]);
    let told: Vec<String> = listed["notices"].as_array().expect("notices").iter().map(text).collect();
    let expected = [r#""2026-08-01T00:00:00.100Z" "accepted" true"#, r#""2026-08-01T00:00:05.000Z" "approved" false"#];
    assert_eq!(told, expected);
    assert_eq!(listed["notices"][1]["told"]["status"], json!("approved"));
    assert_eq!(world.get("/notices")["notices"].as_array().map(Vec::len), Some(3));
    let refused = world.send(&request("GET", "/notices?class=card", ""));
    assert_eq!(seen(&refused), error(400, "invalid_request"));
}

#[test]
fn an_operation_tells_the_same_wherever_it_is() {
    let mut world = World::new();
    world.post("/keyed/sales", &with(order("r"), "card", card(&card_number(9022))));
    let operation = world.gateway.operation(0).expect("an operation");
    let items = notices(operation, "https://elsewhere");
    assert_eq!(items[0].told["action"]["url"], json!("https://elsewhere/keyed/challenges/SF1000001"));
    assert_eq!(items[1..], world.gateway.notices(0)[1..]);
}
