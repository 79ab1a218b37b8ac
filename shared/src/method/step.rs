//! What follows when a method is asked for, and when its gateway has answered.
//!
//! A token is asked for under a key, as every operation is, and the answer is kept before the caller hears of it. But
//! asking moves no money: whoever asks again after an answer was lost, or after a process was killed, may ask the gateway
//! again, under the same key and for the same reference. At worst the gateway keeps a token that nobody knows.

use super::{Asked, Change, Method, Open, State, Status};
use crate::fingerprint::Fingerprint;
use crate::payment::{Claim, MARGIN, Nonce, Outcome};
use crate::rejection::Rejection;
use crate::seal::Sealed;
use crate::time::Timestamp;

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It was asked for before, and is known.
    Known(Method),
    /// To be written, and then the gateway to be asked.
    Ask { method: Method, duplicate: bool },
    /// It is written already, by ourselves: the gateway is to be asked.
    Asking { method: Method, duplicate: bool },
}

/// Decides what a request for a method leads to. `fresh` is what it would be if nobody had asked before.
pub fn step(found: Option<Method>, fresh: &Method, claim: Claim, now: Timestamp) -> Result<Step, Rejection> {
    let Some(found) = found else { return Ok(asked(fresh.clone(), claim, false)) };
    let fields = differences(&found.asked, found.fingerprint, &fresh.asked, fresh.fingerprint);
    if !fields.is_empty() {
        return Err(Rejection::Mismatch { fields });
    }
    match &found.state {
        State::Refused { .. } | State::Kept { .. } => Ok(Step::Known(found)),
        State::Open(open) if open.nonce == claim.nonce => {
            let duplicate = open.may_be_known();
            Ok(Step::Asking { method: found, duplicate })
        }
        State::Open(open) => {
            let end = open.deadline.plus(MARGIN);
            if !open.unknown && now < end {
                return Err(Rejection::InProgress { retry_after: end.since(now) });
            }
            Ok(asked(found, claim, true))
        }
        State::Unsent => Ok(asked(found, claim, false)),
    }
}

/// What is known after the gateway was asked; none where somebody else found out, or asks, by now.
pub fn heard(
    mut method: Method,
    nonce: Nonce,
    outcome: &Outcome,
    token: Option<Sealed>,
    now: Timestamp,
) -> Option<Method> {
    let State::Open(open) = method.state else { return None };
    if open.nonce != nonce {
        return None;
    }
    let unknown = State::Open(Open { unknown: true, ..open });
    let is_issued = token.is_some();
    method.state = match outcome {
        Outcome::Approved(answer) if is_issued => {
            State::Kept { status: Status::Active, answer: answer.clone(), at: now }
        }
        Outcome::Declined(decline, answer) => State::Refused { decline: *decline, answer: answer.clone(), at: now },
        // That a request which may have come before was not sent now says nothing of the first.
        Outcome::NotSent if !open.may_be_known() => State::Unsent,
        // A token without a token, and whatever else a token service cannot mean.
        Outcome::Approved(_)
        | Outcome::Accepted(_)
        | Outcome::ActionRequired(..)
        | Outcome::NotSent
        | Outcome::Unknown
        | Outcome::NeverReceived
        | Outcome::Voided(_) => unknown,
    };
    method.token = token.filter(|_| matches!(method.state, State::Kept { .. }));
    method.version = method.version.saturating_add(1);
    Some(method)
}

/// What its owner changes. The same change again changes nothing.
pub fn changed(mut method: Method, change: &Change) -> Result<Method, Rejection> {
    let before = method.clone();
    let State::Kept { status, .. } = &mut method.state else { return Err(Rejection::NotFound) };
    let next = change.status.unwrap_or(*status);
    if *status == Status::Canceled && next != Status::Canceled {
        return Err(Rejection::MethodUnusable { status: Status::Canceled.literal() });
    }
    *status = next;
    if next == Status::Canceled {
        method.token = None;
    }
    if let Some(nick_name) = &change.nick_name {
        method.changes.nick_name = Some(nick_name.clone());
    }
    method.changes.auto_pay = change.auto_pay.or(method.changes.auto_pay);
    if method != before {
        method.version = method.version.saturating_add(1);
    }
    Ok(method)
}

fn asked(mut method: Method, claim: Claim, duplicate: bool) -> Step {
    let Claim { nonce, deadline } = claim;
    method.state = State::Open(Open { nonce, deadline, unknown: false, duplicate });
    method.version = method.version.saturating_add(1);
    Step::Ask { method, duplicate }
}

fn differences(
    ours: &Asked,
    our_print: Option<Fingerprint>,
    theirs: &Asked,
    their_print: Option<Fingerprint>,
) -> Vec<&'static str> {
    let mut fields = ours.differences(theirs);
    if our_print != their_print && !fields.contains(&"paymentMethod") {
        fields.push("paymentMethod");
    }
    fields
}
