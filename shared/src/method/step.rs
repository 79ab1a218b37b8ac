//! What follows when a method is asked for, and when its gateway has answered, or tells unasked.
//!
//! A token is asked for under a key, as every operation is, and the answer is kept before the caller hears of it. But
//! asking moves no money: whoever asks again after an answer was lost, or after a process was killed, may ask the gateway
//! again, under the same key and for the same reference. At worst the gateway keeps a token that nobody knows.
//!
//! A gateway that has accepted the request is not asked again: it tells its verdict unasked, and no adapter can ask for
//! it. Until it does, the method is accepted, and pays nothing.

use super::{Asked, Change, Method, Open, State, Status};
use crate::fingerprint::Fingerprint;
use crate::payment::{Answer, Claim, MARGIN, Nonce, Outcome, PayerAction};
use crate::rejection::Rejection;
use crate::seal::Sealed;
use crate::time::Timestamp;

/// In a sentence, how a method stands whose gateway has yet to say whether it keeps it.
pub const PENDING: &str = "Pending";

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
        State::Accepted { .. } | State::Refused { .. } | State::Kept { .. } => Ok(Step::Known(found)),
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

/// What a gateway says of a token, asked or unasked.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    /// The claim under which it was asked; none where it tells unasked.
    pub nonce: Option<Nonce>,
    pub outcome: &'a Outcome,
    pub token: Option<&'a Sealed>,
    /// The token is not the one that is kept already.
    pub is_another: bool,
}

/// What is known then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learned {
    /// Of the same version where there is nothing to be written.
    pub method: Method,
    /// What was heard disagrees with what is known: a person should hear of it, and nothing changes.
    pub contradiction: bool,
}

/// What is known after a gateway has said something, in whatever order it says it: a verdict that came first stands, and
/// what it takes back or promises after that changes nothing.
pub fn heard(before: &Method, news: &Heard<'_>, now: Timestamp) -> Learned {
    let mut method = before.clone();
    let contradiction = contradicts(&method.state, news);
    if let Some(state) = following(&method.state, news, now) {
        method.token = news.token.filter(|_| matches!(state, State::Kept { .. })).cloned();
        method.state = state;
        method.version = method.version.saturating_add(1);
    }
    Learned { method, contradiction }
}

fn contradicts(state: &State, news: &Heard<'_>) -> bool {
    match (state, news.outcome) {
        (State::Kept { .. }, Outcome::Approved(_)) => news.is_another,
        (State::Kept { .. }, Outcome::Declined(..) | Outcome::Voided(_) | Outcome::NeverReceived) => true,
        (State::Refused { .. }, Outcome::Approved(_)) => true,
        (
            State::Kept { .. } | State::Refused { .. },
            Outcome::Accepted(_)
            | Outcome::ActionRequired(..)
            | Outcome::NotSent
            | Outcome::Unknown
            | Outcome::Declined(..)
            | Outcome::Voided(_)
            | Outcome::NeverReceived,
        )
        | (State::Open(_) | State::Unsent | State::Accepted { .. }, _) => false,
    }
}

/// None where nothing changes.
fn following(state: &State, news: &Heard<'_>, now: Timestamp) -> Option<State> {
    // The claim that the answer is to, where it still stands.
    let own = match (state, news.nonce) {
        (State::Kept { .. } | State::Refused { .. }, _) => return None,
        (State::Open(open), Some(nonce)) if open.nonce == nonce => Some(*open),
        // Somebody else asks by now, or the same one anew.
        (State::Open(_) | State::Unsent, Some(_)) => return None,
        (State::Open(_) | State::Unsent, None) | (State::Accepted { .. }, _) => None,
    };
    let is_issued = news.token.is_some();
    match news.outcome {
        Outcome::Approved(answer) if is_issued => {
            Some(State::Kept { status: Status::Active, answer: answer.clone(), at: now })
        }
        Outcome::Declined(decline, answer) => {
            Some(State::Refused { decline: *decline, answer: answer.clone(), at: now })
        }
        Outcome::Accepted(answer) => accepted(state, answer, None, now),
        Outcome::ActionRequired(answer, action) => accepted(state, answer, Some(action), now),
        // That a request which may have come before was not sent now says nothing of the first.
        Outcome::NotSent if own.is_some_and(|open| !open.may_be_known()) => Some(State::Unsent),
        // A token without a token, and whatever else a token service cannot mean: told unasked it says nothing.
        Outcome::Approved(_) | Outcome::NotSent | Outcome::Unknown | Outcome::NeverReceived | Outcome::Voided(_) => {
            own.map(|open| State::Open(Open { unknown: true, ..open }))
        }
    }
}

fn accepted(state: &State, answer: &Answer, action: Option<&PayerAction>, now: Timestamp) -> Option<State> {
    match state {
        // Notices overtake each other, and answers: once the payer has acted, it does not begin again.
        State::Accepted { action: None, .. } => None,
        State::Accepted { action: Some(_), .. } if action.is_some() => None,
        State::Accepted { answer, at, .. } => Some(State::Accepted { answer: answer.clone(), action: None, at: *at }),
        State::Open(_) | State::Unsent => {
            Some(State::Accepted { answer: answer.clone(), action: action.cloned(), at: now })
        }
        State::Kept { .. } | State::Refused { .. } => None,
    }
}

/// What its owner changes. The same change again changes nothing.
pub fn changed(mut method: Method, change: &Change) -> Result<Method, Rejection> {
    let before = method.clone();
    let status = match &mut method.state {
        State::Kept { status, .. } => status,
        State::Accepted { .. } => return Err(Rejection::MethodUnusable { status: PENDING }),
        State::Open(_) | State::Unsent | State::Refused { .. } => return Err(Rejection::NotFound),
    };
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
