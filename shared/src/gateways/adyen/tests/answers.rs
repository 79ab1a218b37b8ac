//! What answers mean: recorded ones, every row of the tables, and whatever else may come.

use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::gateways::adyen::refusal::REFUSALS;
use crate::payment::{Decline, Outcome, PayerAction};
use crate::recurring::retry::Decision;

fn decoded(adapter: &Adapter, kind: &Kind, duplicate: bool, status: u16, body: &str) -> Outcome {
    let (card, none) = (card(), Details::default());
    let intent = Intent { duplicate, ..intent(kind, &card, &none) };
    (adapter.send.decode)(&intent, &response(status, body))
}

fn opened(body: &Value) -> Outcome {
    let outcome = decoded(&CHECKOUT, &Kind::Sale, false, 200, &body.to_string());
    assert_eq!(decoded(&CHECKOUT, &Kind::Sale, true, 200, &body.to_string()), outcome, "a key brings the first answer");
    outcome
}

/// The answer to a modification in each dialect.
fn received(adapter: &Adapter, kind: &Kind) -> (u16, Value) {
    if adapter.name == "adyen-classic" {
        let what = match kind {
            Kind::Reverse { .. } => "cancel",
            Kind::Refund { .. } => "refund",
            _ => "capture",
        };
        return (200, json!({"pspReference": "MOD1", "response": format!("[{what}-received]")}));
    }
    let mut body = json!({
        "merchantAccount": "KessaiCOM", "paymentPspReference": PSP, "pspReference": "MOD1", "status": "received",
        "reference": record(kind),
    });
    if !matches!(kind, Kind::Reverse { .. }) {
        body["amount"] = json!({"currency": "USD", "value": 12_050});
    }
    (201, body)
}

#[test]
fn every_recorded_body_means_what_it_says() {
    let [_, sale, capture, reverse, refund] = kinds();
    let text = |text: &str| Some(text.to_owned());
    let approved = |psp, code, avs: Option<&str>| {
        let avs_code = avs.map(str::to_owned);
        Outcome::Approved(Answer { authorization_code: code, avs_code, ..said(psp, "Authorised") })
    };
    let expired = Answer {
        description: text("Refused"),
        message: text("DECLINED Expiry Incorrect"),
        avs_code: text("4"),
        ..said("7924836277951659", "Refused")
    };
    let invalid = |code, description| {
        let answer = Answer {
            code: text(code),
            description: text(description),
            message: text("validation"),
            ..Answer::default()
        };
        Outcome::Declined(Decline::InvalidData, answer)
    };
    let rows = [
        (&CLASSIC, &sale, 200, "authorise-success", approved("7924835492819808", text("69746"), Some("4"))),
        (&CLASSIC, &sale, 200, "authorise-error-expired", Outcome::Declined(Decline::Soft, expired)),
        (&CHECKOUT, &sale, 200, "payments-success", approved("8535296650153317", None, None)),
        (&CHECKOUT, &sale, 422, "payments-error-invalid-data-422", invalid("130", "Reference Missing")),
        (&CLASSIC, &capture, 200, "capture-success", Outcome::Accepted(said("8524840434233409", "[capture-received]"))),
        (
            &CLASSIC,
            &capture,
            422,
            "capture-error-167",
            invalid("167", "Original pspReference required for this operation"),
        ),
        (&CLASSIC, &reverse, 200, "cancel-received", Outcome::Accepted(said("PSP_REFERENCE", "[cancel-received]"))),
        (&CLASSIC, &refund, 200, "refund-received", Outcome::Accepted(said("8524873258461343", "[refund-received]"))),
        // It is no answer to what we ask.
        (&CLASSIC, &reverse, 200, "cancelOrRefund-received", Outcome::Unknown),
        // They are of other payments than ours.
        (&CHECKOUT, &capture, 201, "paymentcapture-success", Outcome::Unknown),
        (&CHECKOUT, &reverse, 201, "paymentscancels-success", Outcome::Unknown),
    ];
    for (adapter, kind, status, name, expected) in rows {
        assert_eq!(decoded(adapter, kind, false, status, &fixture(name).to_string()), expected, "{name}");
    }
    let ours = |name: &str, kind: &Kind| {
        let mut body = fixture(name);
        body["reference"] = json!(record(kind));
        body["paymentPspReference"] = json!(PSP);
        if body["amount"].is_object() {
            body["amount"] = json!({"currency": "USD", "value": 12_050});
        }
        decoded(&CHECKOUT, kind, false, 201, &body.to_string())
    };
    assert_eq!(ours("paymentcapture-success", &capture), Outcome::Accepted(said("8836226171638872", "received")));
    assert_eq!(ours("paymentscancels-success", &reverse), Outcome::Accepted(said("8412534564722331", "received")));
}

#[test]
fn every_result_code_has_its_outcome() {
    let page = "https://checkoutshopper-test.adyen.com/checkoutshopper/threeDS/redirect/1";
    let action = PayerAction { url: page.to_owned(), expires_at: START.plus(Duration::from_secs(12 * 60 * 60)) };
    let no_page = |code| {
        let description = Some("there is no page that the payer could visit".to_owned());
        Outcome::Declined(Decline::Soft, Answer { description, ..said(PSP, code) })
    };
    let of = |code: &str| json!({"pspReference": PSP, "resultCode": code, "merchantReference": record(&Kind::Sale)});
    let with = |code: &str, action: Value| {
        let mut body = of(code);
        body["action"] = action;
        body
    };
    let redirect = json!({"type": "redirect", "method": "GET", "url": page});
    let native = json!({"type": "threeDS2", "subtype": "challenge", "token": "x"});
    let rows = [
        (of("Authorised"), Outcome::Approved(said(PSP, "Authorised"))),
        (of("Refused"), Outcome::Declined(Decline::Soft, said(PSP, "Refused"))),
        (of("Cancelled"), Outcome::Declined(Decline::Soft, said(PSP, "Cancelled"))),
        (of("Error"), Outcome::Declined(Decline::Soft, said(PSP, "Error"))),
        (of("Received"), Outcome::Accepted(said(PSP, "Received"))),
        (of("Pending"), Outcome::Accepted(said(PSP, "Pending"))),
        (of("PresentToShopper"), Outcome::Accepted(said(PSP, "PresentToShopper"))),
        (
            with("RedirectShopper", redirect.clone()),
            Outcome::ActionRequired(said(PSP, "RedirectShopper"), action.clone()),
        ),
        (with("ChallengeShopper", redirect.clone()), Outcome::ActionRequired(said(PSP, "ChallengeShopper"), action)),
        (with("ChallengeShopper", native.clone()), no_page("ChallengeShopper")),
        (with("IdentifyShopper", native), no_page("IdentifyShopper")),
        (
            with("RedirectShopper", json!({"type": "redirect", "method": "POST", "url": page})),
            no_page("RedirectShopper"),
        ),
        (of("RedirectShopper"), no_page("RedirectShopper")),
        (of("AuthenticationFinished"), Outcome::Unknown),
        (of("AuthenticationNotRequired"), Outcome::Unknown),
        (of("PartiallyAuthorised"), Outcome::Unknown),
        (of("Success"), Outcome::Unknown),
        (of("authorised"), Outcome::Unknown),
        (json!({"resultCode": "Authorised"}), Outcome::Unknown),
        (json!({"resultCode": "Authorised", "pspReference": ""}), Outcome::Unknown),
    ];
    for (body, expected) in rows {
        assert_eq!(opened(&body), expected, "{body}");
    }
}

#[test]
fn an_answer_about_something_else_says_nothing() {
    let ours = record(&Kind::Sale);
    let rows = [
        (json!({"merchantReference": ours}), true),
        (json!({"additionalData": {"merchantReference": ours}}), true),
        (json!({"amount": {"currency": "USD", "value": 12_050}}), true),
        (json!({"merchantReference": "0aQ000000000002"}), false),
        (json!({"additionalData": {"merchantReference": "other"}}), false),
        (json!({"amount": {"currency": "USD", "value": 12_051}}), false),
        (json!({"amount": {"currency": "EUR", "value": 12_050}}), false),
    ];
    for code in ["Authorised", "Refused", "Received"] {
        for (more, is_ours) in &rows {
            let mut body = json!({"pspReference": PSP, "resultCode": code});
            for (name, value) in more.as_object().expect("an object") {
                body[name] = value.clone();
            }
            assert_eq!(opened(&body) != Outcome::Unknown, *is_ours, "{body}");
        }
    }
    for kind in kinds().iter().filter(|kind| kind.target().is_some()) {
        let (status, body) = received(&CHECKOUT, kind);
        assert!(matches!(decoded(&CHECKOUT, kind, false, status, &body.to_string()), Outcome::Accepted(_)));
        for (name, value) in [
            ("reference", json!("other")),
            ("paymentPspReference", json!("other")),
            ("status", json!("refused")),
            ("pspReference", json!("")),
        ] {
            let mut changed = body.clone();
            changed[name] = value;
            assert_eq!(decoded(&CHECKOUT, kind, false, status, &changed.to_string()), Outcome::Unknown, "{changed}");
        }
        if body["amount"].is_object() {
            let mut changed = body.clone();
            changed["amount"]["value"] = json!(1);
            assert_eq!(decoded(&CHECKOUT, kind, false, status, &changed.to_string()), Outcome::Unknown, "{changed}");
        }
    }
}

#[test]
fn what_mastercard_advises_never_to_try_again_declines_as_ever_and_is_not_to_be_retried() {
    let rows = [
        ("2", "03 : Do not try again", Decline::Soft, Decision::NonRetriable),
        ("2", "21: Payment Cancellation", Decline::Soft, Decision::NonRetriable),
        ("12", "03", Decline::Soft, Decision::NonRetriable),
        ("2", "02 : Cannot approve at this time, try again later", Decline::Soft, Decision::Retriable),
        ("2", "030", Decline::Soft, Decision::Retriable),
        ("2", "", Decline::Soft, Decision::Retriable),
        ("2", "Do not try again", Decline::Soft, Decision::Retriable),
        ("6", "03 : Do not try again", Decline::InvalidData, Decision::NonRetriable),
        ("20", "03 : Do not try again", Decline::RequiresReview, Decision::NonRetriable),
    ];
    for (code, advice, decline, decision) in rows {
        // An issuer's own words are no advice.
        for raw in [None, Some("05 : Do not honor"), Some("03 : Invalid merchant")] {
            let more = json!({"merchantAdviceCode": advice, "refusalReasonRaw": raw});
            let body = json!({
                "resultCode": "Refused", "pspReference": PSP, "refusalReasonCode": code, "additionalData": more,
            });
            let Outcome::Declined(found, answer) = opened(&body).within_limits() else { panic!("{body}") };
            assert_eq!((found, (CHECKOUT.judge)(found, &answer).1), (decline, decision), "{body}");
            let message = answer.message.unwrap_or_default();
            assert!(message.contains(advice) && message.ends_with(raw.unwrap_or_default()), "{message}");
        }
    }
}

#[test]
fn every_refusal_is_found_by_its_code_and_by_its_reason() {
    for (code, reason, decline, _) in REFUSALS {
        let by_code = json!({"resultCode": "Refused", "pspReference": PSP, "refusalReasonCode": code, "refusalReason": "of another name"});
        assert!(
            matches!(opened(&by_code), Outcome::Declined(found, answer) if found == *decline && answer.code.as_deref() == Some(code))
        );
        let by_reason = json!({"resultCode": "Refused", "pspReference": PSP, "refusalReason": reason.to_uppercase()});
        assert!(matches!(opened(&by_reason), Outcome::Declined(found, _) if found == *decline), "{reason}");
        assert_eq!(REFUSALS.iter().filter(|(other, ..)| other == code).count(), 1);
    }
    let rows = [
        ("5", Decline::Permanent),
        ("12", Decline::Soft),
        ("31", Decline::RequiresReview),
        ("24", Decline::InvalidData),
        ("999", Decline::Soft),
    ];
    for (code, decline) in rows {
        let body = json!({"resultCode": "Refused", "pspReference": PSP, "refusalReasonCode": code});
        assert!(matches!(opened(&body), Outcome::Declined(found, _) if found == decline), "{code}");
    }
}

#[test]
fn an_error_is_a_refusal_only_where_nothing_was_done_for_certain() {
    let error =
        |code: &str, kind: &str| json!({"status": 0, "errorCode": code, "message": "m", "errorType": kind}).to_string();
    let rows = [
        (400, error("702", "validation"), Some(Decline::InvalidData)),
        (401, error("000", "security"), Some(Decline::Soft)),
        (403, error("901", "security"), Some(Decline::Soft)),
        (403, error("010", "security"), Some(Decline::Soft)),
        (422, error("101", "validation"), Some(Decline::InvalidData)),
        (422, error("14_030", "validation"), Some(Decline::InvalidData)),
        (422, error("803", "validation"), Some(Decline::Permanent)),
        (422, error("800", "validation"), Some(Decline::Permanent)),
        (422, error("905", "configuration"), Some(Decline::Soft)),
        (500, error("905", "configuration"), Some(Decline::Soft)),
        (500, error("905_1", "configuration"), Some(Decline::Soft)),
        (409, error("704", "validation"), None),
        (422, error("704", "validation"), None),
        (422, error("000", "internal"), None),
        (500, error("000", "internal"), None),
        (500, error("9051", "configuration"), None),
        (502, error("905", "configuration"), None),
        (404, error("000", "validation"), None),
        (429, error("000", "validation"), None),
        (302, error("702", "validation"), None),
        (204, String::new(), None),
        (401, "<html>".to_owned(), None),
        (422, "{}".to_owned(), None),
    ];
    for adapter in BOTH {
        for kind in kinds() {
            for (status, body, expected) in &rows {
                let outcome = decoded(adapter, &kind, false, *status, body);
                let found = if let Outcome::Declined(decline, answer) = &outcome {
                    assert!(answer.code.is_some() && answer.description.as_deref() == Some("m"));
                    Some(*decline)
                } else {
                    assert_eq!(outcome, Outcome::Unknown, "{status} {body}");
                    None
                };
                assert_eq!(found, *expected, "{status} {body}");
                let again = decoded(adapter, &kind, true, *status, body);
                assert_eq!(again, Outcome::Unknown, "it says nothing of the first: {status} {body}");
            }
        }
    }
}

#[test]
fn what_nobody_can_read_is_unknown() {
    for adapter in BOTH {
        for kind in kinds() {
            let (status, whole) = match kind.target() {
                Some(_) => received(adapter, &kind),
                None => (200, json!({"resultCode": "Authorised", "pspReference": PSP})),
            };
            for body in unreadable(&whole.to_string()) {
                for status in [status, 400, 422, 500] {
                    let shown = &body[..body.len().min(80)];
                    assert_eq!(decoded(adapter, &kind, false, status, &body), Outcome::Unknown, "{status} {shown}");
                }
            }
            for strange in [201, 202, 299, 302].into_iter().filter(|strange| *strange != status) {
                assert_eq!(decoded(adapter, &kind, false, strange, &whole.to_string()), Outcome::Unknown);
            }
        }
    }
}

#[test]
fn no_outcome_prints_a_secret() {
    let mut body = fixture("payments-success");
    body["additionalData"]["tokenization.storedPaymentMethodId"] = json!("M5N7TQ4TG5PFWR50");
    body["additionalData"]["recurring.recurringDetailReference"] = json!("M5N7TQ4TG5PFWR50");
    let printed = format!("{:?}", opened(&body));
    for secret in ["M5N7TQ4TG5PFWR50", "411111", API_KEY] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

#[test]
fn a_key_is_honoured_for_a_month_and_nobody_can_be_asked() {
    for adapter in BOTH {
        let gateway = gateway(adapter);
        let terms = adapter.terms(&gateway);
        assert_eq!(terms.key_window, Some(Duration::from_secs(31 * 24 * 60 * 60)));
        assert!(adapter.look_up.is_none() && adapter.timeout_reversal.is_none() && adapter.notice.is_some());
        assert!(Adapter::named(adapter.name).is_some_and(|named| named.name == adapter.name));
    }
}
