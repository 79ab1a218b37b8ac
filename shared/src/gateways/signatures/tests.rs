//! The vectors of `../shared/fixtures`, each of them; and whatever is changed in one is noticed.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::*;

fn fixture(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/fixtures").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("JSON")
}

/// The vectors of a gateway: at least one.
fn vectors(gateway: &str) -> Vec<Value> {
    let vectors = fixture("signature-vectors.json")[gateway].as_array().expect("a list").clone();
    assert!(!vectors.is_empty());
    vectors
}

fn text<'a>(vector: &'a Value, member: &str) -> &'a str {
    vector[member].as_str().unwrap_or_else(|| panic!("{member} is no text: {vector}"))
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// All byte strings that differ from these bytes in one bit.
fn flipped(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len() * 8).map(|bit| {
        let mut bytes = bytes.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        bytes
    })
}

/// Those of them that are texts.
fn flipped_text(text: &str) -> impl Iterator<Item = String> {
    flipped(text.as_bytes()).filter_map(|bytes| String::from_utf8(bytes).ok())
}

/// The eight fields of what Adyen's vectors call the payload; a reference may hold colons.
fn adyen_item(payload: &str) -> AdyenItem<'_> {
    let mut head = payload.splitn(4, ':');
    let mut next = || head.next().expect("a field");
    let (psp_reference, original_reference, merchant_account_code) = (next(), next(), next());
    let mut tail = next().rsplitn(5, ':');
    let mut next = || tail.next().expect("a field");
    let (success, event_code, amount_currency, amount_value) = (next(), next(), next(), next());
    let merchant_reference = next();
    AdyenItem {
        psp_reference,
        original_reference,
        merchant_account_code,
        merchant_reference,
        amount_value,
        amount_currency,
        event_code,
        success,
    }
}

#[test]
fn what_adyen_signed_is_from_adyen_and_nothing_else_is() {
    for vector in vectors("adyen") {
        let (payload, signature) = (text(&vector, "payload"), text(&vector, "signature"));
        let key = text(&vector, "hmac_key_hex");
        let item = adyen_item(payload);
        assert_eq!(adyen(&item, &secret(key)).as_deref(), Some(signature), "{vector}");
        let other = || secret(&"AB".repeat(32));
        for keys in [vec![secret(key)], vec![other(), secret(key)], vec![secret(&key.to_lowercase()), other()]] {
            assert!(is_from_adyen(&item, signature, &keys));
        }
        assert!(!is_from_adyen(&item, signature, &[other()]) && !is_from_adyen(&item, signature, &[]));
        let keys = [secret(key)];
        for changed in flipped_text(signature) {
            assert!(!is_from_adyen(&item, &changed, &keys), "{changed}");
        }
        let bytes = HEXUPPER_PERMISSIVE.decode(key.as_bytes()).expect("a key");
        for changed in flipped(&bytes) {
            assert!(!is_from_adyen(&item, signature, &[secret(&HEXLOWER.encode(&changed))]));
        }
        // A bit that makes a colon of something else, or the reverse, moves the fields' borders.
        for changed in flipped_text(payload).filter(|changed| changed.matches(':').count() >= 7) {
            assert!(!is_from_adyen(&adyen_item(&changed), signature, &keys), "{changed}");
        }
    }
}

#[test]
fn whatever_field_adyen_did_not_sign_so_is_noticed() {
    let vector = &vectors("adyen")[2];
    let (item, signature) = (adyen_item(text(vector, "payload")), text(vector, "signature"));
    let keys = [secret(text(vector, "hmac_key_hex"))];
    assert!(is_from_adyen(&item, signature, &keys));
    let rows = [
        AdyenItem { psp_reference: "x", ..item },
        AdyenItem { original_reference: "", ..item },
        AdyenItem { merchant_account_code: "x", ..item },
        AdyenItem { merchant_reference: "x", ..item },
        AdyenItem { amount_value: "1001", ..item },
        AdyenItem { amount_currency: "USD", ..item },
        AdyenItem { event_code: "REFUND", ..item },
        AdyenItem { success: "false", ..item },
    ];
    for changed in rows {
        assert!(!is_from_adyen(&changed, signature, &keys), "{changed:?}");
    }
}

#[test]
fn notifications_are_signed_by_adyen_as_they_are_recorded() {
    let key = text(&vectors("adyen")[0], "hmac_key_hex").to_owned();
    for name in ["adyen/colon_notification.json", "adyen/forwardslash_notification.json"] {
        let notification = fixture(name);
        let value = notification["amount"]["value"].to_string();
        let item = AdyenItem {
            psp_reference: text(&notification, "pspReference"),
            original_reference: notification["originalReference"].as_str().unwrap_or_default(),
            merchant_account_code: text(&notification, "merchantAccountCode"),
            merchant_reference: text(&notification, "merchantReference"),
            amount_value: &value,
            amount_currency: text(&notification["amount"], "currency"),
            event_code: text(&notification, "eventCode"),
            success: text(&notification, "success"),
        };
        let signature = text(&notification["additionalData"], "hmacSignature");
        assert!(is_from_adyen(&item, signature, &[secret(&key)]), "{name}");
    }
}

#[test]
fn what_komoju_signed_is_from_komoju_and_nothing_else_is() {
    for vector in vectors("komoju") {
        let (body, signature) = (text(&vector, "body"), text(&vector, "x_komoju_signature"));
        let token = text(&vector, "secret");
        let is_genuine = |body: &[u8], signature: &str, token: &str| {
            is_from_komoju(body, signature, &[secret("another"), secret(token)])
        };
        assert!(is_genuine(body.as_bytes(), signature, token), "{vector}");
        assert!(!is_from_komoju(body.as_bytes(), signature, &[secret("another")]));
        assert!(flipped_text(signature).all(|changed| !is_genuine(body.as_bytes(), &changed, token)));
        assert!(flipped_text(token).all(|changed| !is_genuine(body.as_bytes(), signature, &changed)));
        assert!(flipped(body.as_bytes()).all(|changed| !is_genuine(&changed, signature, token)));
    }
}

#[test]
fn what_stripe_signed_is_from_stripe_and_nothing_else_is() {
    const TOLERANCE: Duration = Duration::from_secs(300);
    for vector in vectors("stripe") {
        let (body, header, key) = (text(&vector, "body").as_bytes(), text(&vector, "header"), text(&vector, "secret"));
        let time = vector["timestamp"].as_i64().expect("seconds");
        let check = |body: &[u8], header: &str, key: &str, later: i64| {
            let now = Timestamp::from_millis((time + later) * 1000);
            check_stripe(header, body, &[secret("whsec_another"), secret(key)], now, TOLERANCE)
        };
        assert_eq!(stripe(time, body, &secret(key)).as_deref(), Some(header), "{vector}");
        let (stamp, v1) = header.split_once(',').expect("two members");
        let genuine = [
            header.to_owned(),
            text(&vector, "plain").to_owned(),
            format!("{v1},{stamp}"),
            format!("{stamp},v1={},{v1},v0=00", "0".repeat(64)),
        ];
        for header in genuine {
            assert_eq!(check(body, &header, key, 0), Ok(()), "{header}");
        }
        let rows = [(300, Ok(())), (-300, Ok(())), (301, Err(Doubt::Stale)), (-301, Err(Doubt::Stale))];
        for (later, expected) in rows {
            assert_eq!(check(body, header, key, later), expected, "{later}");
        }
        let forged = Err(Doubt::Forged);
        for changed in flipped_text(header) {
            assert_eq!(check(body, &changed, key, 0), forged, "{changed}");
        }
        assert!(flipped_text(key).all(|changed| check(body, header, &changed, 0) == forged));
        assert!(flipped(body).all(|changed| check(&changed, header, key, 0) == forged));
        let bare = key.trim_start_matches("whsec_");
        let elsewhere = format!("t={},{v1}", time + 1);
        let unsigned = ["", "t=", stamp, v1, &header.replace("v1", "v0"), &format!("{stamp},{header}"), &elsewhere];
        for header in unsigned {
            assert_eq!(check(body, header, key, 0), forged, "{header}");
        }
        assert_eq!(check(body, header, bare, 0), forged, "the prefix is a part of the key");
        assert_eq!(check(body, header, "whsec_other", 10_000), forged, "what is forged is not merely stale");
    }
}

#[test]
fn a_token_of_payjp_is_known_whole() {
    let token = "whook_4c3a6f1e9b";
    assert!(is_from_payjp(token, &[secret("whook_before"), secret(token)]));
    for changed in flipped_text(token).chain(["", "whook_", "whook_4c3a6f1e9b0"].map(str::to_owned)) {
        assert!(!is_from_payjp(&changed, &[secret(token)]), "{changed}");
    }
    assert!(!is_from_payjp(token, &[]));
}

#[test]
fn a_request_to_payeezy_is_signed_as_its_own_library_signs_it() {
    for vector in vectors("payeezy") {
        let request = PayeezyRequest {
            api_key: text(&vector, "apikey"),
            nonce: text(&vector, "nonce"),
            timestamp_ms: text(&vector, "timestamp"),
            token: text(&vector, "token"),
            payload: text(&vector, "payload").as_bytes(),
        };
        let (api_secret, expected) = (text(&vector, "api_secret"), text(&vector, "authorization"));
        assert_eq!(payeezy(&request, &secret(api_secret)), expected, "{vector}");
        let differs = |request: PayeezyRequest<'_>| payeezy(&request, &secret(api_secret)) != expected;
        assert!(flipped_text(request.api_key).all(|api_key| differs(PayeezyRequest { api_key: &api_key, ..request })));
        assert!(flipped_text(request.nonce).all(|nonce| differs(PayeezyRequest { nonce: &nonce, ..request })));
        assert!(flipped_text(request.token).all(|token| differs(PayeezyRequest { token: &token, ..request })));
        assert!(flipped(request.payload).all(|payload| differs(PayeezyRequest { payload: &payload, ..request })));
        let mut times = flipped_text(request.timestamp_ms);
        assert!(times.all(|timestamp_ms| differs(PayeezyRequest { timestamp_ms: &timestamp_ms, ..request })));
        assert!(flipped_text(api_secret).all(|changed| payeezy(&request, &secret(&changed)) != expected));
    }
}

#[test]
fn an_empty_secret_signs_nothing() {
    let (body, now) = (b"{}", Timestamp::from_millis(1_700_000_000_000));
    let anybody = HEXLOWER.encode(&mac(b"", &[body]));
    assert!(!is_from_komoju(body, &anybody, &[secret("")]));
    let anybody = format!("t=1700000000,v1={}", HEXLOWER.encode(&mac(b"", &[b"1700000000.", body])));
    let answer = check_stripe(&anybody, body, &[secret("")], now, Duration::from_secs(300));
    assert_eq!(answer, Err(Doubt::Forged));
    let anybody = BASE64.encode(&mac(b"", &[b":::::::"]));
    for key in ["", "no hexadecimal digits", "ABC"] {
        assert!(!is_from_adyen(&AdyenItem::default(), &anybody, &[secret(key)]), "{key}");
    }
    assert!(!is_from_payjp("", &[secret("")]));
}
