//! Every flow, with a card number, a CVV, a token and an API key that are known; then nothing that rests
//! or was printed holds any of them, in plain or a common encoding.

use std::path::Path;

use data_encoding::{BASE64_NOPAD, HEXLOWER, HEXUPPER};
use serde_json::{Value, json};

use crate::harness::{Client, Kessai, Scratch};

/// A card number that approves and stands nowhere else.
const CARD: &str = "5512345678901231";
const CVV: &str = "8273";
const TOKEN: &str = "tok_canary_7d1f";
const FAULTS: [&str; 9] = [
    "approve",
    "decline",
    "suspected-fraud",
    "lost-request",
    "lost-answer",
    "error-after",
    "too-many-requests",
    "malformed-body",
    "accepted-then-approved",
];

/// Everything that a client heard.
fn run_every_flow(client: &Client) -> Vec<String> {
    let mut card = client.card_opening("KEYED", "50", CARD);
    card["paymentMethod"]["cardPaymentMethod"]["cvv"] = json!(CVV);
    let mut heard = vec![client.post("sales", None, &card).expect(201).text];
    for fault in FAULTS {
        for class in ["KEYED", "LOOK_UP", "TIMEOUT_REVERSAL", "NONE"] {
            card["paymentGatewayId"] = json!(client.gateway(class));
            client.script(json!([{ "fault": fault }]));
            let key = format!("{fault}-{class}");
            for path in ["authorizations", "authorizations", "sales"] {
                heard.push(client.post(path, Some(&key), &card).text);
            }
            client.control("DELETE", "SANDBOX_URL", "/faults", &Value::Null);
        }
    }
    for (member, value) in [
        ("cardNumber", json!([CARD])),
        ("cardNumber", json!({ "n": CARD })),
        ("pin", json!(CVV)),
        ("cvv", json!([CVV])),
    ] {
        let mut bad = card.clone();
        bad["paymentMethod"]["cardPaymentMethod"][member] = value;
        heard.push(client.post("sales", None, &bad).expect(400).text);
    }
    for (pointer, value) in [
        ("/paymentMethod", json!(CARD)),
        ("/paymentMethod/cardPaymentMethod", json!(CARD)),
        ("/paymentGatewayId", json!(CARD)),
    ] {
        let mut bad = card.clone();
        *bad.pointer_mut(pointer).expect("there") = value;
        heard.push(client.post("sales", None, &bad).expect(400).text);
    }
    let alternative = json!({
        "accountId": "001000000000001", "amount": 75, "currencyIsoCode": "EUR", "paymentGatewayId": client.gateway("KEYED"),
        "paymentMethod": { "alternativePaymentMethod": { "gatewayToken": TOKEN, "gatewayTokenDetails": TOKEN, "name": "iDEAL" } },
        "additionalData": { "reference": "1" },
    });
    heard.push(client.post("postAuths", None, &alternative).expect(402).text);
    client.advance("PT1M");
    let last = client.post("authorizations", Some("approve-KEYED"), &json!({})).expect(400).text;
    heard.push(last);
    let read = client.post("authorizations", None, &client.card_opening("KEYED", "50", CARD)).expect(201).id();
    heard.push(client.get(&format!("authorizations/{read}")).text);
    heard
}

/// The secret as it is, and as it would look when encoded.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let bytes = secret.as_bytes();
    let spaced: Vec<String> = bytes.chunks(4).map(|part| String::from_utf8_lossy(part).into_owned()).collect();
    let reversed: String = secret.chars().rev().collect();
    // Base 64 cuts into threes: whatever stands before, one of these three is inside.
    let base64 = (0..3).map(|skip| BASE64_NOPAD.encode(&bytes[skip..skip + (bytes.len() - skip) / 3 * 3]));
    let texts = [
        secret.to_owned(),
        spaced.join(" "),
        spaced.join("-"),
        reversed,
        HEXLOWER.encode(bytes),
        HEXUPPER.encode(bytes),
    ];
    texts.into_iter().chain(base64).map(String::into_bytes).collect()
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// Whether the digits stand there by themselves, not as part of a longer number or id.
fn holds_word(haystack: &[u8], word: &[u8]) -> bool {
    let alone = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    haystack.windows(word.len()).enumerate().any(|(start, window)| {
        window == word
            && alone(start.checked_sub(1).and_then(|before| haystack.get(before)))
            && alone(haystack.get(start + word.len()))
    })
}

fn contents(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).expect("a file")));
        }
    }
    found
}

#[test]
fn no_secret_rests_or_is_heard() {
    let scratch = Scratch::new();
    let log = scratch.path().join("log");
    let data = scratch.path().join("data");
    let kessai = Kessai::on_file_with_log(&data, &log);
    let heard = run_every_flow(&kessai.client);
    let api_key = kessai.client.variable("KESSAI_API_KEY").to_owned();
    drop(kessai);

    let mut places = contents(&data);
    assert!(
        places.iter().any(|(name, bytes)| name.contains("kessai.db") && holds(bytes, b"authorize")),
        "it sees the items"
    );
    assert!(places.iter().any(|(name, bytes)| name.ends_with("ledger.jsonl") && !bytes.is_empty()), "and the ledger");
    places.push(("the log".to_owned(), std::fs::read(&log).expect("a log")));
    assert!(holds(&places[places.len() - 1].1, b"POST /commerce/payments/postAuths 402"), "and the log");
    places.extend(heard.into_iter().map(|text| (format!("an answer: {text}"), text.into_bytes())));

    for (place, bytes) in &places {
        for secret in [CARD, TOKEN] {
            let found = forms(secret).into_iter().find(|form| holds(bytes, form));
            assert_eq!(found, None, "{secret} is in {place}");
        }
        assert!(!holds_word(bytes, CVV.as_bytes()), "the CVV is in {place}");
        assert!(place.ends_with("local.env") || !holds(bytes, api_key.as_bytes()), "the API key is in {place}");
    }
}
