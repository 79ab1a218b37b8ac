//! What the sandbox tells unasked, and who is believed to be the sandbox.

use serde_json::json;

use super::REFERENCE;
use crate::card::Secret;
use crate::gateways::sandbox::KEYED;
use crate::gateways::signatures::stripe;
use crate::gateways::{News, NotTaken, Notice, RawNotice, Told, Unreadable};
use crate::payment::sequel::{Sequel, Stage, What};
use crate::payment::tests::fixtures::START;
use crate::payment::{Answer, Decline, Outcome, PayerAction};
use crate::time::Timestamp;

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn seconds(at: Timestamp) -> i64 {
    at.as_millis() / 1000
}

fn read(body: &str, signature: &str, now: Timestamp) -> Result<Vec<Notice>, NotTaken> {
    let header = |name: &str| (name == "x-sandbox-signature").then_some(signature);
    let raw = RawNotice { body: body.as_bytes(), header: &header, now };
    let items = (KEYED.notice.expect("it tells").read)(&raw, &[secret("first"), secret("second")])?;
    items
        .into_iter()
        .filter_map(|item| item.map(Told::notice).transpose())
        .collect::<Result<_, _>>()
        .map_err(|Unreadable| NotTaken::Malformed)
}

fn told(body: &str) -> Result<Vec<Notice>, NotTaken> {
    read(body, &stripe(seconds(START), body.as_bytes(), &secret("first")).expect("signed"), START)
}

fn of(items: &[serde_json::Value]) -> String {
    json!({"sent": START.to_string(), "notices": items}).to_string()
}

fn operation(reference: &str, status: &str, code: &str) -> serde_json::Value {
    json!({"event": "operation", "id": "ch_1", "reference": reference, "status": status, "code": code})
}

fn said(code: &str) -> Answer {
    Answer { reference: Some("ch_1".to_owned()), code: Some(code.to_owned()), ..Answer::default() }
}

#[test]
fn a_notice_is_taken_from_whoever_knows_a_secret_and_is_not_late() {
    let body = of(&[operation(REFERENCE, "approved", "00")]);
    let signed = |by: &str, body: &str, at: i64| stripe(at, body.as_bytes(), &secret(by)).expect("signed");
    let now = seconds(START);
    let altered = body.replace("approved", "declined");
    let rows = [
        (&body, signed("first", &body, now), None),
        (&body, signed("second", &body, now), None),
        (&body, signed("first", &body, now - 300), None),
        (&body, signed("first", &body, now + 300), None),
        (&body, signed("first", &body, now - 301), Some(NotTaken::Stale)),
        (&body, signed("first", &body, now + 301), Some(NotTaken::Stale)),
        (&body, signed("another", &body, now), Some(NotTaken::Forged)),
        (&altered, signed("first", &body, now), Some(NotTaken::Forged)),
        (&body, String::new(), Some(NotTaken::Forged)),
        (&body, format!("t={now}"), Some(NotTaken::Forged)),
    ];
    for (body, signature, refused) in rows {
        assert_eq!(read(body, &signature, START).err(), refused, "{signature}");
    }
    let nobody = |_: &str| None;
    let raw = RawNotice { body: body.as_bytes(), header: &nobody, now: START };
    assert!(matches!((KEYED.notice.expect("it tells").read)(&raw, &[secret("first")]), Err(NotTaken::Forged)));
}

#[test]
fn every_bit_of_a_notice_is_signed() {
    let body = of(&[operation(REFERENCE, "approved", "00")]);
    let signature = stripe(seconds(START), body.as_bytes(), &secret("first")).expect("signed");
    for place in 0..body.len() * 8 {
        let mut flipped = body.clone().into_bytes();
        flipped[place / 8] ^= 1 << (place % 8);
        let header = |_: &str| Some(signature.as_str());
        let raw = RawNotice { body: &flipped, header: &header, now: START };
        let taken = (KEYED.notice.expect("it tells").read)(&raw, &[secret("first")]);
        assert!(matches!(taken, Err(NotTaken::Forged)), "bit {place}");
    }
}

#[test]
fn what_cannot_be_read_is_not_taken_even_if_it_is_signed() {
    let rows = ["{}".to_owned(), "not JSON".to_owned(), of(&[json!({"event": "operation"})]), of(&[json!({})])];
    for body in rows {
        assert_eq!(told(&body).err(), Some(NotTaken::Malformed), "{body}");
    }
}

#[test]
fn a_notice_tells_every_outcome_and_what_came_after_it() {
    let action = json!({"url": "https://gateway.test/c/1", "expires": START.to_string()});
    let mut to_act = operation(REFERENCE, "action_required", "65");
    to_act["action"] = action;
    let of_dispute = |stage: &str| json!({"event": "dispute", "reference": REFERENCE, "id": "ch_1", "dispute": "D1", "stage": stage, "amount": 5, "code": "10.4"});
    let items = [
        operation(REFERENCE, "approved", "00"),
        operation(REFERENCE, "accepted", "09"),
        operation(REFERENCE, "declined", "43"),
        operation(REFERENCE, "perhaps", "00"),
        to_act,
        json!({"event": "failed", "reference": REFERENCE, "id": "ch_1", "notice": "f1", "code": "96"}),
        of_dispute("opened"),
        of_dispute("charged_back"),
        of_dispute("reversed"),
        of_dispute("lost"),
        of_dispute("of another kind"),
        json!({"event": "ping"}),
        json!({"event": "of another kind", "whatever": 1}),
    ];
    let url = "https://gateway.test/c/1".to_owned();
    let outcomes = [
        Outcome::Approved(said("00")),
        Outcome::Accepted(said("09")),
        Outcome::Declined(Decline::Permanent, said("43")),
        Outcome::Unknown,
        Outcome::ActionRequired(said("65"), PayerAction { url, expires_at: START }),
    ];
    let stages = [Stage::Opened, Stage::ChargedBack, Stage::Reversed, Stage::Lost].map(What::Dispute);
    let disputes =
        stages.map(|what| Sequel { id: "D1".to_owned(), what, minor: Some(5), code: Some("10.4".to_owned()) });
    let failed = Sequel { id: "f1".to_owned(), what: What::Failed, minor: None, code: Some("96".to_owned()) };
    let notices = told(&of(&items)).expect("it is signed");
    assert!(notices.iter().all(|notice| notice.reference == REFERENCE));
    let (mut heard, mut sequels) = (Vec::new(), Vec::new());
    for notice in notices {
        match notice.news {
            News::Outcome(outcome) => heard.push(outcome),
            News::Sequel(sequel) => sequels.push(sequel),
            News::Token(..) => panic!("this is no method"),
        }
    }
    assert_eq!(heard, outcomes);
    assert_eq!(sequels, [failed].into_iter().chain(disputes).collect::<Vec<_>>());
}

#[test]
fn a_notice_of_a_method_comes_with_its_token() {
    let method = "03OKsJpvrFJpBxD";
    let mut approved = operation(method, "approved", "00");
    approved["token"] = json!("tok_secret");
    let notices = told(&of(&[approved, operation(method, "declined", "05")])).expect("it is signed");
    let [Notice { news: News::Token(one, Some(token)), .. }, Notice { news: News::Token(other, None), .. }] =
        &notices[..]
    else {
        panic!("two notices of a method")
    };
    assert_eq!((one, token.reveal()), (&Outcome::Approved(said("00")), "tok_secret"));
    assert_eq!(other, &Outcome::Declined(Decline::Soft, said("05")));
    assert!(!format!("{notices:?}").contains("tok_secret"));
}

#[test]
fn an_answer_may_tell_what_the_payer_must_do() {
    use crate::gateways::sandbox::outcome;
    let body = json!({"id": "ch_1", "reference": REFERENCE, "status": "action_required", "code": "65",
        "action": {"url": "https://gateway.test/c/1", "expires": "soon"}});
    let unreadable = serde_json::from_value(body).expect("an answer");
    assert_eq!(outcome(unreadable), Outcome::Accepted(said("65")), "it is open, whatever is to be done");
}

#[test]
fn an_item_that_nobody_can_read_harms_no_other() {
    let body = of(&[json!({"event": "operation"}), operation(REFERENCE, "approved", "00"), json!({"event": "failed"})]);
    let signature = stripe(seconds(START), body.as_bytes(), &secret("first")).expect("signed");
    let header = |_: &str| Some(signature.as_str());
    let raw = RawNotice { body: body.as_bytes(), header: &header, now: START };
    let items = (KEYED.notice.expect("it tells").read)(&raw, &[secret("first")]).expect("it is signed");
    let readable: Vec<_> = items.iter().map(Result::is_ok).collect();
    assert_eq!(readable, [false, true, false]);
}
