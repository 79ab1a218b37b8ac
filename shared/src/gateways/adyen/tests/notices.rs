//! What Adyen tells unasked, and who is believed to be Adyen.

use serde_json::{Value, json};

use super::*;
use crate::gateways::signatures::{AdyenItem, adyen};
use crate::gateways::{News, NotTaken, Notice, RawNotice, Told, Unreadable};
use crate::money::{Currency, Money};
use crate::payment::sequel::{Sequel, Stage, What};
use crate::payment::{Decline, Outcome};

const HMAC_KEY: &str = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056";

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn item(event: &str, success: &str, reference: &str) -> Value {
    json!({
        "eventCode": event, "success": success, "merchantReference": reference, "pspReference": "EVENT1",
        "originalReference": PSP, "merchantAccountCode": "KessaiCOM", "eventDate": "2026-09-21T16:00:00+01:00",
        "amount": {"currency": "USD", "value": 12_050}, "reason": "Refused", "additionalData": {},
    })
}

fn signed(mut item: Value, key: &str) -> Value {
    let text = |name: &str| item[name].as_str().unwrap_or_default().to_owned();
    let value = item["amount"]["value"].as_i64().map(|value| value.to_string()).unwrap_or_default();
    let signature = adyen(
        &AdyenItem {
            psp_reference: &text("pspReference"),
            original_reference: &text("originalReference"),
            merchant_account_code: &text("merchantAccountCode"),
            merchant_reference: &text("merchantReference"),
            amount_value: &value,
            amount_currency: item["amount"]["currency"].as_str().unwrap_or_default(),
            event_code: &text("eventCode"),
            success: &text("success"),
        },
        &secret(key),
    );
    item["additionalData"]["hmacSignature"] = json!(signature);
    item
}

fn body_of(items: &[Value]) -> String {
    let items: Vec<Value> = items.iter().map(|item| json!({"NotificationRequestItem": item})).collect();
    json!({"live": "false", "notificationItems": items}).to_string()
}

fn read_with(body: &str, keys: &[&str]) -> Result<Vec<Result<Notice, Unreadable>>, NotTaken> {
    let header = |_: &str| None;
    let raw = RawNotice { body: body.as_bytes(), header: &header, now: START };
    let keys: Vec<Secret> = keys.iter().map(|key| secret(key)).collect();
    let items = (CHECKOUT.notice.expect("it tells").read)(&raw, &keys)?;
    Ok(items.into_iter().filter_map(|item| item.map(Told::notice).transpose()).collect())
}

/// What one item tells, signed as it should be.
fn told(event: &str, success: &str, reference: &str) -> Option<News> {
    let notices =
        read_with(&body_of(&[signed(item(event, success, reference), HMAC_KEY)]), &[HMAC_KEY]).expect("it is signed");
    let mut notices: Vec<Notice> = notices.into_iter().map(|notice| notice.expect("it can be read")).collect();
    assert!(notices.len() <= 1 && notices.iter().all(|notice| notice.reference == reference));
    notices.pop().map(|notice| notice.news)
}

#[test]
fn what_adyen_signed_is_taken_and_what_anybody_changed_is_not() {
    for (name, reference) in
        [("colon_notification", ":slashes are fun"), ("forwardslash_notification", "//slashes are fun")]
    {
        let key = "74F490DD33F7327BAECC88B2947C011FC02D014A473AAA33A8EC93E4DC069174";
        let genuine = fixture(name);
        assert_eq!(genuine["merchantReference"], reference);
        let body = body_of(std::slice::from_ref(&genuine));
        for keys in [vec![key], vec![HMAC_KEY, key], vec![key, HMAC_KEY]] {
            assert!(read_with(&body, &keys).is_ok_and(|items| items.is_empty()), "it is genuine, and none of ours");
        }
        for keys in [vec![HMAC_KEY], vec![], vec![""], vec!["no digits"]] {
            assert_eq!(read_with(&body, &keys).err(), Some(NotTaken::Forged), "{keys:?}");
        }
        for (member, value) in [
            ("success", json!("false")),
            ("merchantReference", json!("x")),
            ("pspReference", json!("x")),
            ("eventCode", json!("REFUND")),
            ("amount", json!({"currency": "EUR", "value": 1001})),
            ("merchantAccountCode", json!("x")),
            ("originalReference", json!("x")),
        ] {
            let mut changed = genuine.clone();
            changed[member] = value;
            assert_eq!(read_with(&body_of(&[changed]), &[key]).err(), Some(NotTaken::Forged), "{member}");
        }
    }
}

/// Of what, by which event, in which words, and of how much is told.
#[test]
fn an_event_tells_of_how_much_it_is() {
    let [authorize, sale, capture, reverse, refund] = kinds().map(|kind| record(&kind));
    let money = |minor, currency| Some(Money::new(minor, Currency::parse(currency).expect("a currency")));
    let rows = [
        (&authorize, "AUTHORISATION", json!({"currency": "USD", "value": 12_050}), Ok(money(12_050, "USD"))),
        // In part.
        (&authorize, "AUTHORISATION", json!({"currency": "USD", "value": 50}), Ok(money(50, "USD"))),
        (&sale, "AUTHORISATION", json!({"currency": "ISK", "value": 500}), Ok(money(5, "ISK"))),
        (&sale, "AUTHORISATION", json!({"currency": "XXX", "value": 500}), Err(Unreadable)),
        (&sale, "AUTHORISATION", json!({"currency": "ISK", "value": 501}), Err(Unreadable)),
        (&sale, "AUTHORISATION", Value::Null, Ok(None)),
        (&capture, "CAPTURE", json!({"currency": "USD", "value": 50}), Ok(money(50, "USD"))),
        (&refund, "REFUND", json!({"currency": "EUR", "value": 50}), Ok(money(50, "EUR"))),
        (&sale, "CHARGEBACK", json!({"currency": "EUR", "value": 50}), Ok(money(50, "EUR"))),
        (&sale, "CHARGEBACK", json!({"currency": "XXX", "value": 50}), Ok(None)),
        // The payment's, which is canceled whole.
        (&reverse, "CANCELLATION", json!({"currency": "USD", "value": 50}), Ok(None)),
    ];
    for (reference, event, amount, expected) in rows {
        let mut told = item(event, "true", reference);
        told["amount"] = amount;
        let mut notices = read_with(&body_of(&[signed(told.clone(), HMAC_KEY)]), &[HMAC_KEY]).expect("it is signed");
        let said = notices.pop().expect("a notice").map(|notice| notice.amount);
        assert_eq!(said, expected, "{told}");
        told["success"] = json!("false");
        let declined = read_with(&body_of(&[signed(told.clone(), HMAC_KEY)]), &[HMAC_KEY]).expect("it is signed");
        assert!(declined.iter().all(Result::is_ok), "a refusal is one, of whatever amount: {told}");
    }
}

#[test]
fn one_item_that_is_not_signed_makes_all_suspect() {
    let ours = signed(item("CAPTURE", "true", &record(&kinds()[2])), HMAC_KEY);
    let other = signed(item("CAPTURE", "true", &record(&kinds()[2])), &"AB".repeat(32));
    let bare = item("CAPTURE", "true", &record(&kinds()[2]));
    for items in [vec![ours.clone(), other.clone()], vec![bare.clone(), ours.clone()], vec![bare], vec![other], vec![]]
    {
        assert_eq!(read_with(&body_of(&items), &[HMAC_KEY]).err(), Some(NotTaken::Forged));
    }
    assert_eq!(read_with(&body_of(&[ours.clone(), ours]), &[HMAC_KEY]).map(|items| items.len()), Ok(2));
    for body in unreadable(&body_of(&[item("CAPTURE", "true", "x")])) {
        assert_eq!(read_with(&body, &[HMAC_KEY]).err(), Some(NotTaken::Forged));
    }
}

#[test]
fn an_event_tells_the_verdict_of_what_it_can_be_about_and_of_nothing_else() {
    let [authorize, sale, capture, reverse, refund] = kinds().map(|kind| record(&kind));
    let all = [&authorize, &sale, &capture, &reverse, &refund];
    let rows: [(&str, &[&String]); 5] = [
        ("AUTHORISATION", &[&authorize, &sale]),
        ("CAPTURE", &[&capture]),
        ("CANCELLATION", &[&reverse]),
        ("CANCEL_OR_REFUND", &[&reverse]),
        ("REFUND", &[&refund]),
    ];
    for (event, about) in rows {
        for reference in all {
            let (done, not) = (told(event, "true", reference), told(event, "false", reference));
            if !about.contains(&reference) {
                assert!(done.is_none(), "{event} {reference}");
                continue;
            }
            let answer = said("EVENT1", event);
            let Some(News::Outcome(Outcome::Approved(approved))) = done else { panic!("{event}") };
            assert_eq!((approved.reference, approved.code), (answer.reference, answer.code));
            assert!(approved.date.is_some());
            let Some(News::Outcome(Outcome::Declined(Decline::Soft, declined))) = not else { panic!("{event}") };
            assert_eq!(declined.description.as_deref(), Some("Refused"));
        }
    }
    assert!(matches!(told("OFFER_CLOSED", "true", &sale), Some(News::Outcome(Outcome::Declined(Decline::Soft, _)))));
    assert!(matches!(told("CAPTURE", "false", &sale), Some(News::Sequel(Sequel { what: What::Failed, .. }))));
    for event in [
        "EXPIRE",
        "TECHNICAL_CANCEL",
        "POSTPONED_REFUND",
        "NOTIFICATION_OF_FRAUD",
        "REPORT_AVAILABLE",
        "OF_ANOTHER_KIND",
    ] {
        for reference in all {
            assert!(told(event, "true", reference).is_none(), "{event} {reference}");
        }
        assert!(told(event, "true", "of somebody else").is_none() && told(event, "true", "").is_none());
    }
}

#[test]
fn a_reason_that_is_known_tells_how_it_was_declined() {
    let mut refused = item("AUTHORISATION", "false", &record(&Kind::Sale));
    for (reason, expected) in [
        ("Blocked Card", Decline::Permanent),
        ("FRAUD", Decline::RequiresReview),
        ("CVC Declined", Decline::InvalidData),
        ("whatever", Decline::Soft),
    ] {
        refused["reason"] = json!(reason);
        let notices = read_with(&body_of(&[signed(refused.clone(), HMAC_KEY)]), &[HMAC_KEY]).expect("it is signed");
        let Some(Ok(Notice { news: News::Outcome(Outcome::Declined(decline, _)), .. })) = notices.first() else {
            panic!("{reason}")
        };
        assert_eq!(*decline, expected, "{reason}");
    }
}

#[test]
fn what_comes_afterwards_is_a_sequel() {
    let [authorize, sale, capture, reverse, refund] = kinds().map(|kind| record(&kind));
    let failed =
        |event: &str| Sequel { id: "EVENT1".to_owned(), what: What::Failed, minor: None, code: Some(event.to_owned()) };
    let rows: [(&str, &[&String]); 3] =
        [("CAPTURE_FAILED", &[&capture, &sale]), ("REFUND_FAILED", &[&refund]), ("REFUNDED_REVERSED", &[&refund])];
    for (event, about) in rows {
        for reference in [&authorize, &sale, &capture, &reverse, &refund] {
            let heard = match told(event, "true", reference) {
                Some(News::Sequel(sequel)) => Some(sequel),
                Some(other) => panic!("{other:?}"),
                None => None,
            };
            assert_eq!(heard, about.contains(&reference).then(|| failed(event)), "{event} {reference}");
            assert!(told(event, "false", reference).is_none());
        }
    }
    let stages = [
        ("REQUEST_FOR_INFORMATION", Stage::Opened),
        ("NOTIFICATION_OF_CHARGEBACK", Stage::Opened),
        ("CHARGEBACK", Stage::ChargedBack),
        ("CHARGEBACK_REVERSED", Stage::Reversed),
        ("SECOND_CHARGEBACK", Stage::Lost),
        ("PREARBITRATION_LOST", Stage::Lost),
    ];
    for (event, stage) in stages {
        for reference in [&authorize, &sale] {
            let Some(News::Sequel(sequel)) = told(event, "true", reference) else { panic!("{event}") };
            let expected = Sequel {
                id: "EVENT1".to_owned(),
                what: What::Dispute(stage),
                minor: Some(12_050),
                code: Some(event.to_owned()),
            };
            assert_eq!(sequel, expected);
            assert!(told(event, "false", reference).is_none());
        }
        assert!(told(event, "true", &refund).is_none() && told(event, "true", &reverse).is_none());
    }
    let mut dispute = item("CHARGEBACK", "true", &sale);
    dispute["amount"] = json!({"currency": "IDR", "value": 1_500});
    dispute["additionalData"]["chargebackReasonCode"] = json!(" 4853");
    let notices = read_with(&body_of(&[signed(dispute, HMAC_KEY)]), &[HMAC_KEY]).expect("it is signed");
    let Some(Ok(Notice { news: News::Sequel(sequel), .. })) = notices.first() else { panic!("a sequel") };
    assert_eq!((sequel.minor, sequel.code.as_deref()), (Some(150_000), Some("4853")), "in our units");
}

#[test]
fn a_contract_brings_the_token_of_a_method() {
    let method = "03OKsJpvrFJpBxD";
    let Some(News::Token(Outcome::Approved(answer), Some(token))) = told("RECURRING_CONTRACT", "true", method) else {
        panic!("a token")
    };
    assert_eq!((token.reveal(), answer.reference.as_deref()), ("EVENT1", Some(PSP)));
    assert!(!format!("{answer:?}").contains("EVENT1"));
    assert!(matches!(told("AUTHORISATION", "false", method), Some(News::Token(Outcome::Declined(..), None))));
    assert!(told("AUTHORISATION", "true", method).is_none(), "the contract brings it");
    assert!(told("RECURRING_CONTRACT", "true", &record(&Kind::Sale)).is_none());
}

#[test]
fn an_item_that_nobody_can_read_harms_no_other() {
    let strange = signed(item("CAPTURE", "perhaps", &record(&kinds()[2])), HMAC_KEY);
    let ours = signed(item("CAPTURE", "true", &record(&kinds()[2])), HMAC_KEY);
    let items = read_with(&body_of(&[strange, ours]), &[HMAC_KEY]).expect("they are signed");
    assert_eq!(items.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true]);
    let mut truth = signed(item("CAPTURE", "true", &record(&kinds()[2])), HMAC_KEY);
    truth["success"] = json!(true);
    assert_eq!(read_with(&body_of(&[truth]), &[HMAC_KEY]).map(|items| items.len()), Ok(1));
}

#[test]
fn the_samples_of_adyens_own_document_can_be_read() {
    let document = read("specs/adyen-Webhooks-v1.json");
    let examples = document["components"]["examples"].as_object().expect("examples");
    let samples: Vec<_> =
        examples.values().filter(|example| example["value"]["notificationItems"].is_array()).collect();
    assert!(samples.len() > 25);
    for sample in samples {
        let mut items = Vec::new();
        for wrapped in sample["value"]["notificationItems"].as_array().expect("a list") {
            items.push(signed(wrapped["NotificationRequestItem"].clone(), HMAC_KEY));
        }
        assert!(read_with(&body_of(&items), &[HMAC_KEY]).is_ok_and(|items| items.is_empty()), "{sample}");
    }
}

#[test]
fn adyen_hears_what_it_wants_to_hear() {
    let codec = CHECKOUT.notice.expect("it tells");
    assert_eq!((codec.taken.status, codec.taken.body), (200, "[accepted]"));
    assert_eq!((codec.irrelevant.status, codec.irrelevant.body), (200, "[accepted]"));
    assert_eq!(codec.forged.status, 403);
}
