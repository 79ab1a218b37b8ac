//! What must hold after every event of every history.

use crate::payment::{BalanceCheck, Kind, MAX_LOGS, Operation, Payment, State, Terms, Verdict};

/// Operations are appended only, and the version counts the changes.
pub(super) fn assert_steps_forward(before: Option<&Payment>, after: &Payment) {
    let Some(before) = before else { return assert_eq!((after.version, after.operations.len()), (1, 1)) };
    assert!(after.operations.len() >= before.operations.len());
    let rewritten = Payment { version: before.version, ..after.clone() };
    assert_eq!(after.version, before.version + u64::from(rewritten != *before));
    for (was, is) in before.operations.iter().zip(&after.operations) {
        assert_eq!((&was.asked, was.fingerprint), (&is.asked, is.fingerprint));
    }
}

/// What is settled never changes; what disagrees is kept beside it, up to a limit.
pub(super) fn assert_settles_once(before: Option<&Payment>, after: &Payment) {
    let before = before.map(|payment| payment.operations.as_slice()).unwrap_or_default();
    for (was, is) in before.iter().zip(&after.operations) {
        if let State::Settled(_) = was.state {
            let same = Operation { contradictions: was.contradictions.clone(), ..is.clone() };
            assert_eq!(same, *was);
            assert!(is.contradictions.starts_with(&was.contradictions) && is.contradictions.len() <= MAX_LOGS);
        }
    }
}

/// Counted by hand: what took effect or may have never exceeds what was approved.
pub(super) fn assert_conserved(payment: &Payment, check: BalanceCheck) {
    let holding = |operation: &&Operation| match &operation.state {
        State::Open(_) | State::Accepted(_) => true,
        State::Settled(settled) => settled.verdict == Verdict::Approved,
        State::Unsent => false,
    };
    let sum = |picks: &dyn Fn(&Kind) -> bool| -> i64 {
        let taken = payment.operations.iter().filter(|operation| picks(&operation.asked.kind)).filter(holding);
        taken.map(|operation| operation.amount.minor).sum()
    };
    for (ordinal, operation) in payment.numbered() {
        let refunded = sum(&|kind| matches!(kind, Kind::Refund { payment, .. } if *payment == ordinal));
        let captured = sum(&|kind| matches!(kind, Kind::Capture { authorization, .. } if *authorization == ordinal));
        let reversed = sum(&|kind| matches!(kind, Kind::Reverse { authorization } if *authorization == ordinal));
        let limit = operation.amount.minor;
        assert!(refunded <= limit, "{refunded} given back of {limit}");
        match check {
            BalanceCheck::Strict => assert!(captured + reversed <= limit, "{captured} + {reversed} taken of {limit}"),
            BalanceCheck::Gateway => assert!(captured <= limit, "{captured} captured of {limit}"),
        }
    }
}

/// Whatever has no answer yet is looked at again, where looking can help.
pub(super) fn assert_remembered(payment: &Payment, terms: &Terms) {
    for operation in &payment.operations {
        let is_undone = operation.is_within(terms.timeout_reversal);
        let helps = operation.is_within(terms.look_up) || is_undone || operation.asked.kind.holds();
        if let State::Open(open) = &operation.state {
            assert!(open.due.is_some() || !helps, "{operation:?} is forgotten");
        }
        if let State::Accepted(accepted) = &operation.state {
            let helps = operation.is_within(terms.look_up) || operation.asked.kind.holds();
            assert!(accepted.due.is_some() || !helps, "{operation:?} is forgotten");
        }
    }
}
