//! Records: enough to build the same gateway again, and never a card or a token.

use super::super::books::RECORDS_MAX;
use super::super::{Class, Stage, TABLE, Unacted, card_number};
use super::*;

/// Numbers whose traces are looked for; the CVC is one that no id, amount or moment contains.
const CARDS: [&str; 2] = [CARD, "4111111111111111"];
const CVC: &str = "737";

/// A bank account whose number is looked for; nothing else contains it.
const ACCOUNT: &str = "GB82WEST12345698765432";

/// A world in which everything that can be recorded has been.
fn busy_world() -> World {
    let mut world = World::new();
    let cards: Vec<String> =
        CARDS.iter().map(|number| (*number).to_owned()).chain(TABLE.iter().map(|row| card_number(row.code))).collect();
    for (index, number) in cards.iter().enumerate() {
        let body = with(order(&format!("r-{index}")), "card", card(number));
        for class in ["keyed", "look-up", "timeout-reversal", "none"] {
            let key = format!("{class}-{index}");
            world.post_under_key(&key, &format!("/{class}/sales"), &body);
            world.post(&format!("/{class}/authorizations"), &body);
            let saved = json!({"reference": format!("t-{index}"), "card": card(number), "savedByMerchant": true});
            let given = super::body(&world.post_under_key(&(key + "t"), &format!("/{class}/tokens"), &saved));
            let by_token = with(part(&format!("u-{index}"), 1000), "method", given["token"].clone());
            let how = with(with(by_token, "methodType", json!("Visa")), "merchantInitiated", json!(true));
            world.post(&format!("/{class}/sales"), &how);
            world.now_ms += 1;
        }
    }
    let account = json!({"reference": "b", "bankAccount": {"number": ACCOUNT}});
    world.approved("/keyed/tokens", &account);
    let browser = id(&world.post("/keyed/client-authorizations", &order("-")));
    let registered = with(part("p", 1000), "authorization", json!(browser));
    world.approved("/keyed/post-authorizations", &registered);
    let captures = format!("/keyed/authorizations/{browser}/captures");
    let capture = world.approved(&captures, &part("c", 1));
    world.approved(&format!("/keyed/payments/{capture}/refunds"), &part("f", 1));
    let needs_payer = with(order("q"), "card", card(&card_number(9022)));
    for (class, result) in [("keyed", "approve"), ("none", "decline")] {
        let id = id(&world.post(&format!("/{class}/sales"), &needs_payer));
        world.now_ms += 1;
        world.post(&format!("/{class}/challenges/{id}"), &json!({"result": result}));
    }
    world.records.push(world.gateway.taken(0, vec![Stage::Approved], world.now_ms));
    world.post("/notices/resend", &json!({}));
    world.records.push(world.gateway.taken(1, vec![Stage::Approved, Stage::DisputeOpened], world.now_ms));
    for reference in ["r-0", "t-0", "never"] {
        let reversal = json!({"reference": reference});
        world.post("/timeout-reversal/timeout-reversals", &reversal);
        world.post("/timeout-reversal/sales", &order(reference));
    }
    world
}

/// Every token that the gateways of a busy world have given out, with its class.
fn tokens_of(world: &mut World) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for class in ["keyed", "look-up"] {
        let references = (0..CARDS.len() + TABLE.len()).map(|index| format!("t-{index}")).chain(["b".to_owned()]);
        for reference in references {
            let told = world.get(&format!("/{class}/operations?reference={reference}"));
            let tokens = told["operations"].as_array().expect("operations").iter();
            found.extend(tokens.filter_map(|told| Some((class, told["token"].as_str()?.to_owned()))));
        }
    }
    found
}

#[test]
fn a_gateway_restored_from_its_records_is_the_same() {
    let mut world = busy_world();
    let restored = Gateway::restore(world.records.clone());
    assert_eq!(restored, world.gateway);
    let ledger = world.effects();
    world.gateway = restored;
    assert_eq!(world.effects(), ledger);
}

#[test]
fn tokens_are_known_after_a_restart_and_rest_nowhere() {
    let mut world = busy_world();
    let tokens = tokens_of(&mut world);
    assert_eq!(tokens.len(), 2 * (CARDS.len() + TABLE.len() - 4) + 1);
    let written: Vec<String> = world.records.iter().map(|record| json!(record).to_string()).collect();
    let lines = written.iter().map(|line| serde_json::from_str(line).expect("a record"));
    world.gateway = Gateway::restore(lines);
    assert_eq!(tokens_of(&mut world), tokens);
    for (index, (class, token)) in tokens.iter().enumerate() {
        assert!(written.iter().all(|line| !line.contains("tok_") && !line.contains(&token[9..])), "{token}");
        let sale = with(part(&format!("again-{index}"), 1000), "method", json!(token));
        // A fault of the world strikes what is now delivered first, and only that.
        world.post(&format!("/{class}/sales"), &sale);
        let reaction = world.post(&format!("/{class}/sales"), &sale);
        assert_ne!(body(&reaction)["message"], json!("Unknown Payment Method"), "{class} {token}");
    }
}

#[test]
fn lines_of_before_there_were_tokens_are_read_and_what_has_none_is_written_as_before() {
    let line = concat!(
        r#"{"record":"operation","id":"SF1000001","class":"keyed","kind":"sale","reference":"r","amount":1000,"#,
        r#""currency":"USD","on":null,"key":"k","fingerprint":7,"outcome":{"status":"approved"},"#,
        r#""at_ms":1785542400000,"answers_at_ms":1785542400000}"#,
    );
    let record: Record = serde_json::from_str(line).expect("an old line");
    assert_eq!(serde_json::to_string(&record).expect("a line"), line);
    let mut world = World::new();
    world.gateway = Gateway::restore([record]);
    assert_eq!(world.moved(), ["sale r"]);
}

#[test]
fn ids_go_on_after_a_restart() {
    let mut world = World::new();
    let expected = [
        ("/none/authorizations", "1000000001"),
        ("/none/sales", "SF1000001"),
        ("/none/authorizations", "1000000002"),
        ("/none/sales", "SF1000002"),
    ];
    for (path, expected) in expected {
        assert_eq!(world.approved(path, &order("r")), expected);
        world.gateway = Gateway::restore(world.records.clone());
    }
}

#[test]
fn a_fault_of_the_world_does_not_strike_again_after_a_restart() {
    let mut world = World::new();
    let body = with(order("r"), "amount", json!(9012));
    assert_eq!(seen(&world.post("/none/sales", &body)), Seen::Closed);
    world.gateway = Gateway::restore(world.records.clone());
    world.approved("/none/sales", &body);
}

#[test]
fn full_books_take_nothing_more() {
    let record = Record::Unacted(Unacted { class: Class::None, reference: None, key: None });
    let mut world = World::new();
    world.gateway = Gateway::restore(std::iter::repeat_n(record, RECORDS_MAX - 1));
    world.approved("/none/sales", &order("last"));
    let rows = [
        ("/none/sales", order("r")),
        ("/timeout-reversal/timeout-reversals", json!({"reference": "r"})),
        ("/notices/resend", json!({})),
    ];
    for (path, body) in rows {
        assert_eq!(seen(&world.post(path, &body)), error(507, "ledger_full"), "{path}");
    }
    assert_eq!(world.moved(), ["sale last"]);
}

#[test]
fn records_survive_being_written_and_read() {
    for record in busy_world().records {
        let line = serde_json::to_string(&record).expect("a line");
        let read: Record = serde_json::from_str(&line).expect("a record");
        assert_eq!(read, record, "{line}");
    }
}

#[test]
fn no_card_is_found_in_records_answers_or_the_gateway_itself() {
    let mut world = busy_world();
    let mut texts: Vec<String> = world.effects().iter().map(Value::to_string).collect();
    texts.extend(world.records.iter().map(|record| json!(record).to_string()));
    texts.push(format!("{:?}", world.gateway));
    texts.push(world.get("/keyed/operations?reference=r-0").to_string());
    texts.push(world.get("/faults").to_string());
    let untold = world.get("/notices")["notices"].as_array().expect("notices").clone();
    texts.extend(untold.iter().filter(|untold| untold["told"]["token"].is_null()).map(Value::to_string));
    let mut secrets: Vec<String> = CARDS.iter().map(|number| (*number).to_owned()).collect();
    secrets.extend(TABLE.iter().map(|row| card_number(row.code)));
    secrets.extend([CVC, ACCOUNT].map(str::to_owned));
    for text in texts {
        let text = without_chance(&text);
        for secret in &secrets {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

/// Fingerprints and tokens can contain any three digits by chance.
fn without_chance(text: &str) -> String {
    let of_chance = |letter: char| letter.is_ascii_hexdigit() || "_\": ".contains(letter);
    ["fingerprint", "tok_"].iter().fold(text.to_owned(), |text, name| {
        let mut pieces = text.split(name);
        let first = pieces.next().unwrap_or_default().to_owned();
        pieces.fold(first, |kept, piece| kept + piece.trim_start_matches(of_chance))
    })
}

#[test]
fn a_refusal_does_not_quote_a_card() {
    let bodies = [
        with(order("r"), "card", json!(CARD)),
        with(order("r"), "card", with(card(CARD), "expiryMonth", json!(CARD))),
        with(order("r"), "currency", json!(CARD)),
        with(order("r"), "amount", json!(CARD)),
        with(order("r"), "merchantInitiated", json!(CARD)),
        with(order("r"), "methodType", json!(CARD.repeat(4))),
    ];
    for body in bodies {
        let answer = World::new().post("/none/sales", &body).answer;
        assert_eq!(answer.status, 400);
        assert!(!answer.body.contains(CARD), "{}", answer.body);
    }
    let account = json!({"reference": "t", "bankAccount": {"number": format!("{ACCOUNT}-")}});
    let answer = World::new().post("/none/tokens", &account).answer;
    assert_eq!(answer.status, 400);
    assert!(!answer.body.contains(ACCOUNT), "{}", answer.body);
}
