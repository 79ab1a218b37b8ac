//! What each gateway's ways of saying no mean for whoever might try again.

use super::{ADAPTERS, Adapter, adyen, komoju, payeezy, payjp, sandbox, stripe};
use crate::payment::{Answer, Decline};
use crate::recurring::retry::{Category, Decision};
use Category::{CardLimit, GatewayConnection, PaymentInformation, PaymentProcessing, Security, Unknown};
use Decision::{NonRetriable, Retriable};
use Decline::{InvalidData, Permanent, RequiresReview, Soft};

const DECLINES: [Decline; 4] = [Soft, Permanent, RequiresReview, InvalidData];

/// How a gateway declines with a code, and what that comes to.
type Row = (Decline, &'static str, Category, Decision);

fn coded(code: &str) -> Answer {
    Answer { code: Some(code.to_owned()), ..Answer::default() }
}

fn check(adapters: &[&Adapter], rows: &[Row]) {
    for adapter in adapters {
        for (decline, code, category, decision) in rows {
            let judged = (adapter.judge)(*decline, &coded(code));
            assert_eq!(judged, (*category, *decision), "{}: {code}", adapter.name);
            for other in [Permanent, RequiresReview, InvalidData] {
                // However it came to be declined: what is hopeless is in no table made retriable.
                let (_, decision) = (adapter.judge)(other, &coded(code));
                assert_eq!(decision, NonRetriable, "{}: {code} {other:?}", adapter.name);
            }
        }
    }
}

#[test]
fn what_no_table_knows_is_unknown_and_may_be_tried_again_if_it_is_soft() {
    for adapter in ADAPTERS {
        // Payeezy says in words what is wrong with a request, in whatever words.
        let in_words = (adapter.name != payeezy::ADAPTER.name).then(|| coded("of another kind"));
        for answer in [Answer::default(), coded(""), coded("98765")].into_iter().chain(in_words) {
            for decline in DECLINES {
                let decision = if decline == Soft { Retriable } else { NonRetriable };
                assert_eq!((adapter.judge)(decline, &answer), (Unknown, decision), "{}: {answer:?}", adapter.name);
            }
        }
    }
}

#[test]
fn adyen() {
    check(
        &[&adyen::CHECKOUT, &adyen::CLASSIC],
        &[
            (Soft, "2", PaymentProcessing, Retriable),
            (RequiresReview, "3", PaymentProcessing, NonRetriable),
            (Soft, "4", GatewayConnection, Retriable),
            (Permanent, "5", PaymentProcessing, NonRetriable),
            (InvalidData, "6", PaymentInformation, NonRetriable),
            (Soft, "9", GatewayConnection, Retriable),
            (Soft, "12", CardLimit, Retriable),
            (RequiresReview, "20", Security, NonRetriable),
            (InvalidData, "24", PaymentInformation, NonRetriable),
            (Permanent, "25", PaymentProcessing, NonRetriable),
            (Permanent, "26", PaymentProcessing, NonRetriable),
            (Soft, "28", CardLimit, Retriable),
            (Soft, "29", CardLimit, Retriable),
            (Soft, "38", Security, Retriable),
            (Permanent, "46", PaymentProcessing, NonRetriable),
            // Errors: no such stored method, a way to pay that the account does not take, our key.
            (Permanent, "800", PaymentInformation, NonRetriable),
            (Permanent, "803", PaymentInformation, NonRetriable),
            (Soft, "905", Unknown, Retriable),
            (Soft, "010", Unknown, Retriable),
        ],
    );
    let judge = adyen::CHECKOUT.judge;
    let notice = Answer { description: Some("Not enough balance".to_owned()), ..coded("AUTHORISATION") };
    assert_eq!(judge(Soft, &notice), (CardLimit, Retriable), "a notice has the reason alone");
    for (advice, decision) in [("03 : Do not try again", NonRetriable), ("21", NonRetriable), ("02", Retriable)] {
        let advised = Answer { message: Some(format!("merchantAdviceCode {advice}; 05 : Do not honor")), ..coded("2") };
        assert_eq!(judge(Soft, &advised), (PaymentProcessing, decision), "{advice}");
    }
    let error = Answer { message: Some("validation".to_owned()), ..coded("138") };
    assert_eq!(judge(InvalidData, &error), (PaymentInformation, NonRetriable));
}

#[test]
fn komoju() {
    check(
        &[&komoju::KOMOJU],
        &[
            (Soft, "card_declined", PaymentProcessing, Retriable),
            (Soft, "request_failed", PaymentProcessing, Retriable),
            (Soft, "insufficient_funds", CardLimit, Retriable),
            (Soft, "failed", PaymentProcessing, Retriable),
            (Permanent, "fraudulent", Security, NonRetriable),
            (Permanent, "forbidden", Unknown, NonRetriable),
            (Permanent, "not_refundable", PaymentProcessing, NonRetriable),
            (InvalidData, "card_expired", PaymentInformation, NonRetriable),
            (InvalidData, "bad_verification_value", PaymentInformation, NonRetriable),
            (InvalidData, "invalid_number", PaymentInformation, NonRetriable),
            (InvalidData, "missing_parameter", PaymentInformation, NonRetriable),
        ],
    );
}

#[test]
fn payeezy() {
    check(
        &[&payeezy::ADAPTER],
        &[
            (Soft, "302", CardLimit, Retriable),
            (Soft, "521", CardLimit, Retriable),
            (Soft, "510", CardLimit, Retriable),
            (Soft, "530", PaymentProcessing, Retriable),
            (Soft, "303", PaymentProcessing, Retriable),
            (Soft, "000", GatewayConnection, Retriable),
            (Soft, "606", PaymentProcessing, NonRetriable),
            (RequiresReview, "401", PaymentProcessing, NonRetriable),
            (Permanent, "501", Security, NonRetriable),
            (Permanent, "502", Security, NonRetriable),
            (Permanent, "503", Security, NonRetriable),
            (Permanent, "550", PaymentProcessing, NonRetriable),
            (Permanent, "571", PaymentProcessing, NonRetriable),
            (Permanent, "304", PaymentProcessing, NonRetriable),
            (InvalidData, "522", PaymentInformation, NonRetriable),
            (InvalidData, "201", PaymentInformation, NonRetriable),
            (InvalidData, "22", PaymentInformation, NonRetriable),
            (InvalidData, "63", PaymentProcessing, NonRetriable),
            (Permanent, "68", PaymentProcessing, NonRetriable),
            (InvalidData, "invalid_card_number", PaymentInformation, NonRetriable),
            (InvalidData, "server_error", Unknown, NonRetriable),
        ],
    );
}

#[test]
fn payjp() {
    check(
        &[&payjp::PAYJP],
        &[
            (Soft, "card_declined", PaymentProcessing, Retriable),
            (Soft, "three_d_secure_failed", Security, Retriable),
            (InvalidData, "expired_card", PaymentInformation, NonRetriable),
            (Permanent, "detached_payment_method_not_usable", PaymentInformation, NonRetriable),
            (InvalidData, "validation_error", PaymentInformation, NonRetriable),
            (InvalidData, "invalid_status", PaymentProcessing, NonRetriable),
            (InvalidData, "invalid_idempotency_key", Unknown, NonRetriable),
        ],
    );
}

#[test]
fn stripe() {
    check(
        &[&stripe::STRIPE],
        &[
            (Soft, "insufficient_funds", CardLimit, Retriable),
            (Soft, "card_velocity_exceeded", CardLimit, Retriable),
            (Soft, "generic_decline", PaymentProcessing, Retriable),
            (Soft, "do_not_honor", PaymentProcessing, Retriable),
            (Soft, "card_declined", PaymentProcessing, Retriable),
            (Soft, "do_not_try_again", PaymentProcessing, NonRetriable),
            (Soft, "transaction_not_allowed", PaymentProcessing, NonRetriable),
            (Soft, "authentication_required", Security, Retriable),
            (Soft, "issuer_not_available", GatewayConnection, Retriable),
            (Soft, "processing_error", GatewayConnection, Retriable),
            (Soft, "currency_not_supported", PaymentInformation, Retriable),
            (RequiresReview, "fraudulent", Security, NonRetriable),
            (RequiresReview, "call_issuer", PaymentProcessing, NonRetriable),
            (Permanent, "stolen_card", Security, NonRetriable),
            (Permanent, "lost_card", Security, NonRetriable),
            (Permanent, "pickup_card", Security, NonRetriable),
            (Permanent, "account_closed", PaymentProcessing, NonRetriable),
            (InvalidData, "expired_card", PaymentInformation, NonRetriable),
            (InvalidData, "amount_too_large", CardLimit, NonRetriable),
            (InvalidData, "resource_missing", PaymentInformation, NonRetriable),
            (InvalidData, "charge_already_refunded", PaymentProcessing, NonRetriable),
        ],
    );
    let judge = stripe::STRIPE.judge;
    let rows = [("do_not_try_again", NonRetriable), ("try_again_later", Retriable), ("confirm_card_data", Retriable)];
    for (advice, decision) in rows {
        let answer = Answer { message: Some(advice.to_owned()), ..coded("generic_decline") };
        assert_eq!(judge(Soft, &answer), (PaymentProcessing, decision), "{advice}");
    }
}

#[test]
fn sandbox() {
    check(
        &sandbox::ALL,
        &[
            (Soft, "05", PaymentProcessing, Retriable),
            (Permanent, "43", Security, NonRetriable),
            (Soft, "51", CardLimit, Retriable),
            (Soft, "54", PaymentInformation, Retriable),
            (Soft, "82", PaymentInformation, Retriable),
            (RequiresReview, "59", Security, NonRetriable),
            (InvalidData, "14", PaymentInformation, NonRetriable),
            (Soft, "12", PaymentProcessing, Retriable),
            (Soft, "78", Security, Retriable),
            (Soft, "96", GatewayConnection, Retriable),
        ],
    );
}
