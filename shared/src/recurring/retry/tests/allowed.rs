//! What is tried again at all.

use super::*;
use crate::payment::{Accepted, Nonce, Open, Settled};

#[test]
fn only_a_soft_decline_or_none_that_is_retriable_is_tried_again_whatever_its_category() {
    let declines = [
        None,
        Some(Decline::Soft),
        Some(Decline::Permanent),
        Some(Decline::RequiresReview),
        Some(Decline::InvalidData),
    ];
    let set = set(parts());
    for category in Category::ALL {
        for decision in Decision::ALL {
            for decline in declines {
                let failure = Failure { category: *category, decision: *decision, decline, ..failure() };
                let expected = *decision == Decision::Retriable && matches!(decline, None | Some(Decline::Soft));
                let history =
                    History { failure, retries_made: 0, first_failed_at: at(0), failed_at: at(0), attempts: &[at(0)] };
                let is_tried = set.plan_for(&failure).next(&history).is_some();
                assert_eq!(is_tried, expected, "{category:?} {decision:?} {decline:?}");
            }
        }
    }
}

#[test]
fn what_is_unknown_pending_or_approved_is_no_failure() {
    let judge: Judge = |_, _| (Category::CardLimit, Decision::NonRetriable);
    let answer = || Answer { code: Some("51".to_owned()), ..Answer::default() };
    let open = |unknown| {
        let nonce = Nonce(7);
        State::Open(Open { nonce, deadline: at(0), attempts: 2, unknown, undoing: false, due: None })
    };
    let settled = |verdict| State::Settled(Settled { verdict, answer: answer(), at: at(0) });
    let connection = |code| Some((Category::GatewayConnection, Decision::Retriable, None, code));
    let declined = Some((Category::CardLimit, Decision::NonRetriable, Some(Decline::Soft), Some("51")));
    let rows = [
        (open(false), None),
        // A second request that did not leave tells nothing of the first.
        (open(true), None),
        (State::Accepted(Accepted { answer: answer(), action: None, attempts: 1, due: None }), None),
        (settled(Verdict::Approved), None),
        (State::Unsent, connection(None)),
        (settled(Verdict::NeverReceived), connection(Some("51"))),
        (settled(Verdict::Voided), connection(Some("51"))),
        (settled(Verdict::Lapsed), connection(Some("51"))),
        (settled(Verdict::Declined(Decline::Soft)), declined),
    ];
    for (state, expected) in rows {
        let failure = Failure::of(&state, gateway(1), judge);
        let said = failure.map(|failure| (failure.category, failure.decision, failure.decline, failure.code));
        assert_eq!(said, expected, "{state:?}");
        assert!(failure.is_none_or(|failure| failure.gateway == Some(gateway(1))));
    }
}
