//! What is tried again at all.

use super::*;

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
    let page = crate::payment::PayerAction { url: "https://bank.example".to_owned(), expires_at: at(0) };
    let connection = Some((Category::GatewayConnection, Decision::Retriable, None, None));
    let declined = Some((Category::CardLimit, Decision::NonRetriable, Some(Decline::Soft), Some("51")));
    let rows = [
        (Outcome::Approved(answer()), None),
        (Outcome::Accepted(answer()), None),
        (Outcome::ActionRequired(answer(), page), None),
        (Outcome::Unknown, None),
        (Outcome::NotSent, connection),
        (Outcome::NeverReceived, connection),
        (Outcome::Voided(Answer::default()), connection),
        (Outcome::Declined(Decline::Soft, answer()), declined),
    ];
    for (outcome, expected) in rows {
        let failure = Failure::of(&outcome, gateway(1), judge);
        let said = failure.map(|failure| (failure.category, failure.decision, failure.decline, failure.code));
        assert_eq!(said, expected, "{outcome:?}");
        assert!(failure.is_none_or(|failure| failure.gateway == Some(gateway(1))));
    }
}
