//! Says in words what followed, and checks that nothing else did.

use crate::ids::Ordinal;
use crate::payment::tests::fixtures::claim;
use crate::payment::{Effect, MARGIN, Operation, Payment, State, Step};
use crate::rejection::Rejection;
use crate::time::Timestamp;

pub(super) fn told(before: Option<&Payment>, result: &Result<Step, Rejection>, now: Timestamp) -> String {
    match result {
        Err(rejection) => refused(rejection).to_owned(),
        Ok(step) => {
            assert_about_one_operation(before, step);
            let operation = &step.payment.operations[0];
            let changed = changed(before.map(|payment| &payment.operations[0]), &step.payment, now);
            assert_eq!(step.contradiction, changed == "contradicts");
            let words: Vec<String> =
                [changed, did(step.effect, operation)].into_iter().filter(|word| !word.is_empty()).collect();
            if words.is_empty() { "nothing".to_owned() } else { words.join(" and ") }
        }
    }
}

fn refused(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::NotFound => "not found",
        Rejection::InProgress { retry_after } => {
            assert!(!retry_after.is_zero() && retry_after.as_secs() <= 2, "{retry_after:?} is no advice");
            "in progress"
        }
        Rejection::Mismatch { fields } => {
            assert_eq!(fields, &["amount"]);
            "mismatch"
        }
        other => panic!("unexpected: {other:?}"),
    }
}

/// Nothing but the operation and the version may change, and the version counts exactly the changes.
fn assert_about_one_operation(before: Option<&Payment>, step: &Step) {
    let after = &step.payment;
    assert_eq!(after.operations.len(), 1);
    let Some(before) = before else { return assert_eq!(after.version, 1) };
    let changed = before.operations != after.operations || before.expires_at != after.expires_at;
    assert_eq!(after.version, before.version + u64::from(changed));
    assert_eq!((after.key(), after.gateway, after.currency), (before.key(), before.gateway, before.currency));
    let (was, is) = (&before.operations[0], &after.operations[0]);
    assert_eq!((&was.asked, was.fingerprint, was.amount), (&is.asked, is.fingerprint, is.amount));
    assert!(is.logs.starts_with(&was.logs) && is.contradictions.starts_with(&was.contradictions));
    let reverses = matches!(step.effect, Some(Effect::Reverse { .. }));
    let stays_undone = was.is_being_undone() && matches!(is.state, State::Open(_));
    assert_eq!(is.is_being_undone(), stays_undone || reverses, "only to undo it makes it being undone, and for good");
}

fn did(effect: Option<Effect>, operation: &Operation) -> String {
    let standing = if let State::Open(open) = &operation.state { Some(open) } else { None };
    let word = match effect {
        None => "",
        Some(Effect::Send { operation, claim, duplicate }) => {
            let standing = standing.expect("only what is open is sent");
            assert_eq!((operation, claim.nonce, claim.deadline), (Ordinal::FIRST, standing.nonce, standing.deadline));
            if duplicate { "resends" } else { "sends" }
        }
        Some(Effect::LookUp { operation, nonce }) => {
            assert!(operation == Ordinal::FIRST && standing.is_none_or(|open| open.nonce == nonce));
            "looks up"
        }
        Some(Effect::Reverse { operation, nonce }) => {
            assert!(operation == Ordinal::FIRST && standing.is_none_or(|open| open.nonce == nonce));
            "undoes"
        }
    };
    word.to_owned()
}

/// What became of the operation, in a word; empty where it is as it was.
fn changed(before: Option<&Operation>, payment: &Payment, now: Timestamp) -> String {
    let after = &payment.operations[0];
    if before == Some(after) {
        return String::new();
    }
    let fresh_logs = after.logs.len() - before.map_or(0, |before| before.logs.len());
    match (before.map(|before| &before.state), &after.state) {
        (None | Some(State::Unsent), State::Open(open)) => {
            assert_eq!((open.attempts, open.unknown, after.requested_at), (1, false, now));
            assert_eq!(open.due, Some(open.deadline.plus(MARGIN)));
            "claims".to_owned()
        }
        (Some(State::Open(was)), State::Open(open)) if was.nonce != open.nonce => {
            assert_eq!((open.attempts, open.unknown, fresh_logs), (was.attempts + 1, true, 0));
            assert_eq!((open.deadline, open.due), (claim(0, now).deadline, Some(open.deadline.plus(MARGIN))));
            "claims".to_owned()
        }
        (Some(State::Open(was)), State::Open(open)) if was == open => {
            assert_eq!(fresh_logs, 1);
            "is logged".to_owned()
        }
        (Some(State::Open(_)), State::Open(open)) if fresh_logs == 1 => {
            assert!(open.unknown && open.due.is_some_and(|due| due > now), "{open:?}");
            "stays unknown".to_owned()
        }
        (Some(State::Open(was)), State::Open(open)) if open.due == Some(was.deadline.plus(MARGIN)) => {
            assert_eq!((open.attempts, open.unknown), (was.attempts, was.unknown));
            "postpones".to_owned()
        }
        (Some(State::Open(was)), State::Open(open)) => {
            assert_eq!((open.attempts, open.unknown, open.due), (was.attempts, true, payment.expires_at));
            "waits for the end".to_owned()
        }
        (Some(State::Accepted(was)), State::Accepted(accepted)) if accepted.due == payment.expires_at => {
            assert_eq!((accepted.attempts, fresh_logs), (was.attempts + 1, 0));
            "waits for the end".to_owned()
        }
        (_, State::Accepted(accepted)) => {
            assert!(accepted.due.is_some_and(|due| due > now), "{accepted:?}");
            assert!(!after.is_settled());
            "awaits the verdict".to_owned()
        }
        (Some(State::Open(_)), State::Unsent) => {
            assert_eq!(fresh_logs, 1);
            "frees".to_owned()
        }
        (Some(State::Settled(was)), State::Settled(settled)) if was == settled => {
            assert_eq!((fresh_logs, after.contradictions.len()), (0, 1));
            "contradicts".to_owned()
        }
        (_, State::Settled(settled)) => {
            assert_eq!((fresh_logs, settled.at), (1, now));
            assert!(after.is_settled());
            format!("settles {:?}", settled.verdict)
        }
        (was, is) => panic!("{was:?} became {is:?}"),
    }
}
