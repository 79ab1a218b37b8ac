//! How an operation whose outcome nobody knows is resolved: by what its gateway can do.
//!
//! | the gateway | what we do |
//! |---|---|
//! | honours a key | send the same again under the same key, inside its window; where it can be asked, only while the request is young |
//! | can be asked by our reference | ask, no sooner than [`MARGIN`] after the deadline of whoever sent it |
//! | can undo by our reference | undo whatever came of it: then it is certainly not charged |
//! | none of these | wait for a notice, or for the hold to run out |
//! | was told since that we are somebody else | the same: its key and its references belong to another account |
//!
//! Nobody takes an operation over: a second request leaves only under a key that makes it the first
//! one again, and it is claimed in the store before it leaves, so that nobody meanwhile concludes from
//! a look-up that nothing happened.

use std::time::Duration;

use super::asked::InstrumentFacts;
use super::{
    Accepted, Claim, Effect, Interaction, Log, MARGIN, Open, Operation, PayerAction, Payment, Settled, Source, State,
    Terms, Verdict,
};
use crate::ids::Ordinal;
use crate::time::Timestamp;

/// How long to wait after the nth try to find out. A person is needed long before the last one.
const BACKOFF: [Duration; 6] = [
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(3 * 60 * 60),
];

/// A key is not used in the last part of its window: the gateway's clock and ours differ.
const WINDOW_RESERVE: Duration = Duration::from_secs(60 * 60);

/// How old a request may be that follow-up sends again where it could ask instead: most silences end sooner, and
/// nobody waits longer.
const RESEND_FOR: Duration = Duration::from_secs(60 * 60);

/// So often a gateway that can be asked may say that there is no verdict yet, before a person should know.
const PATIENCE: u32 = 3;

/// How old what somebody knows of a merchant may be: the directory's promise.
const REMEMBERED: Duration = Duration::from_secs(60);

/// So long after it was claimed an operation may meet somebody who does not know its credential yet: what is remembered,
/// and the longest invocation, several times over.
const SPREADS_WITHIN: Duration = Duration::from_secs(10 * 60);

/// What can be done about an operation that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    Resend,
    LookUp,
    Reverse,
    Wait,
}

pub(super) fn backoff(attempts: u32) -> Duration {
    let step = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    BACKOFF.get(step).or(BACKOFF.last()).copied().unwrap_or_default()
}

/// Whether its request may be sent once more: the gateway will know us and the key, and is not asked to undo what it
/// would then be asked for.
pub(super) fn may_be_resent(operation: &Operation, terms: &Terms, now: Timestamp) -> bool {
    let until = |window: Duration| operation.requested_at.plus(window.saturating_sub(WINDOW_RESERVE));
    let is_known = terms.are_those_of(operation) && !operation.is_being_undone();
    is_known && terms.key_window.is_some_and(|window| now < until(window))
}

/// Whether the request can be made again from what is stored.
pub(super) fn is_stored_whole(operation: &Operation) -> bool {
    match &operation.asked.instrument {
        None | Some(InstrumentFacts::Stored(_)) => true,
        Some(InstrumentFacts::Card(_) | InstrumentFacts::Alternative { .. }) => false,
    }
}

/// What follow-up does about it. Whoever claimed it may have been killed before sending it, and then to send it
/// again is to act for the first time, with nobody waiting any more: where the gateway can be asked instead, that is
/// done only while the request is young. The caller's own retry is bound by the key's window alone.
fn plan(operation: &Operation, terms: &Terms, now: Timestamp) -> Plan {
    let is_young = now < operation.requested_at.plus(RESEND_FOR);
    let can_look_up = terms.can_look_up(operation);
    let is_better_asked = can_look_up && !is_young;
    if may_be_resent(operation, terms, now) && is_stored_whole(operation) && !is_better_asked {
        Plan::Resend
    } else if can_look_up {
        Plan::LookUp
    } else if terms.can_reverse(operation) {
        Plan::Reverse
    } else {
        Plan::Wait
    }
}

/// What to do now that `operation` is due, and what to write first.
pub(super) fn pursue(
    payment: &mut Payment,
    ordinal: Ordinal,
    claim: Claim,
    terms: &Terms,
    now: Timestamp,
) -> Option<Effect> {
    let expires_at = payment.expires_at;
    let operation = payment.operations.get_mut(ordinal.index())?;
    let holds_until = expires_at.filter(|_| operation.asked.kind.holds());
    let plan = plan(operation, terms, now);
    let can_look_up = terms.can_look_up(operation);
    let is_outrun = terms.are_outrun_by(operation, now);
    match &mut operation.state {
        // That is no try to find out: it is left to whoever looks when this has been forgotten here.
        State::Open(Open { due, .. }) | State::Accepted(Accepted { due, .. }) if is_outrun => {
            *due = Some(now.plus(REMEMBERED));
            None
        }
        // The time for sending it again ended since: only a key makes a second request harmless while the first is
        // on its way.
        State::Open(open) if plan != Plan::Resend && now < open.deadline.plus(MARGIN) => {
            open.due = Some(open.deadline.plus(MARGIN));
            None
        }
        State::Open(open) => match plan {
            Plan::Resend => {
                claim_anew(open, claim);
                Some(Effect::Send { operation: ordinal, claim, duplicate: true })
            }
            Plan::LookUp => Some(Effect::LookUp { operation: ordinal, nonce: open.nonce }),
            Plan::Reverse => {
                claim_anew(open, claim);
                open.undoing = true;
                Some(Effect::Reverse { operation: ordinal, nonce: claim.nonce })
            }
            Plan::Wait => {
                open.unknown = true;
                open.due = holds_until;
                lapse(operation, holds_until, now);
                None
            }
        },
        State::Accepted(accepted) => {
            if can_look_up {
                // No claim is held: the gateway has the request, and nobody will send it again.
                return Some(Effect::LookUp { operation: ordinal, nonce: claim.nonce });
            }
            accepted.attempts = accepted.attempts.saturating_add(1);
            let overdue = overdue_after(accepted.action.as_ref(), terms, now);
            accepted.due = overdue.into_iter().chain(holds_until).min();
            lapse(operation, holds_until, now);
            None
        }
        State::Unsent | State::Settled(_) => None,
    }
}

/// When to ask, or to wonder, what became of an operation that the gateway accepts now; `attempts`: the first time it is
/// one.
pub(super) fn verdict_due(
    attempts: u32,
    action: Option<&PayerAction>,
    can_look_up: bool,
    terms: &Terms,
    holds_until: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    if can_look_up {
        let patient = now.plus(backoff(attempts).max(terms.verdict_within));
        let expired = action.map(|action| action.expires_at.plus(MARGIN)).filter(|expired| *expired > now);
        return Some(expired.map_or(patient, |expired| patient.min(expired)));
    }
    // Nobody can ask: a notice will tell, or a hold runs out. Once somebody looks, to say that it takes too long.
    let overdue = overdue_after(action, terms, now).unwrap_or(now.plus(terms.verdict_within));
    Some(holds_until.map_or(overdue, |end| end.min(overdue)))
}

/// When a verdict takes too long that waits for the payer, where nobody can ask for it; none where it waits for the
/// gateway alone. That the payer's time is over says nothing: it may have been used.
fn overdue_after(action: Option<&PayerAction>, terms: &Terms, now: Timestamp) -> Option<Timestamp> {
    let until = action.map(|action| action.expires_at).filter(|until| now < *until)?;
    Some(until.plus(MARGIN).plus(terms.verdict_within))
}

impl Terms {
    /// Whether the operation was claimed under a newer credential than is known here, so lately that others know it.
    /// Later than that nobody does: a version of Kessai that counts no credentials has written the merchant since.
    pub(super) fn are_outrun_by(&self, operation: &Operation, now: Timestamp) -> bool {
        self.generation < operation.generation && now < operation.requested_at.plus(SPREADS_WITHIN)
    }
}

impl Operation {
    /// Whether a person should know that it is left open for too long, or that nobody can find out what became of it.
    pub fn is_overdue(&self, terms: &Terms, now: Timestamp) -> bool {
        match &self.state {
            State::Open(_) | State::Accepted(_) if terms.are_outrun_by(self, now) => false,
            State::Open(open) => open.is_beyond_us(),
            State::Accepted(accepted) => accepted.is_overdue(terms.can_look_up(self), now),
            State::Unsent | State::Settled(_) => false,
        }
    }
}

impl Open {
    /// Whether a person should know that nobody finds out what became of it: nobody can, or so many tries were in vain,
    /// which is so once.
    fn is_beyond_us(&self) -> bool {
        self.unknown && (self.due.is_none() || usize::try_from(self.attempts).is_ok_and(|tries| tries == BACKOFF.len()))
    }
}

impl Accepted {
    /// Whether its verdict has taken longer than the gateway's time, and nobody else is to blame.
    fn is_overdue(&self, can_look_up: bool, now: Timestamp) -> bool {
        let payer_may_act = self.action.as_ref().is_some_and(|action| now < action.expires_at);
        let patience = if can_look_up { PATIENCE } else { 1 };
        self.attempts > patience && !payer_may_act
    }
}

/// Takes the claim for one more request about an operation: to send it again under its key, or to undo it.
/// Whoever else concludes something meanwhile does so under an old claim, and is not believed.
pub(super) fn claim_anew(open: &mut Open, claim: Claim) {
    *open = Open {
        nonce: claim.nonce,
        deadline: claim.deadline,
        attempts: open.attempts.saturating_add(1),
        unknown: true,
        undoing: open.undoing,
        due: Some(claim.deadline.plus(MARGIN)),
    };
}

/// Whatever the gateway did with a hold, it has ended: nothing is held.
fn lapse(operation: &mut Operation, holds_until: Option<Timestamp>, now: Timestamp) {
    if holds_until.is_some_and(|end| end <= now) {
        let answer = operation.answer().cloned().unwrap_or_default();
        operation.logs.push(Log { at: now, source: Source::Time, interaction: Interaction::Timeout, code: None });
        operation.state = State::Settled(Settled { verdict: Verdict::Lapsed, answer, at: now });
    }
}

/// When to try again to find out, after one more try in vain. Where nobody can, when a person should know.
pub(super) fn again_at(
    operation: &Operation,
    open: &Open,
    terms: &Terms,
    holds_until: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    let patient = now.plus(backoff(open.attempts));
    match plan(operation, terms, now) {
        Plan::Resend => Some(patient),
        // Not before every request that is still on its way must have arrived.
        Plan::LookUp | Plan::Reverse => Some(patient.max(open.deadline.plus(MARGIN))),
        // A notice may tell, or the caller asks again. Once somebody looks, to say that nobody knows.
        Plan::Wait => {
            let overdue = now.plus(terms.verdict_within);
            Some(holds_until.map_or(overdue, |end| end.min(overdue)))
        }
    }
}
