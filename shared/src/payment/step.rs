//! The one function that decides: a payment, an event and the time in; the payment that follows and
//! what to do about it out. It reads no clock and no network and never fails for reasons of the world.
//!
//! Whoever carries the step out writes the payment first, conditional on the version it came from, and
//! only then does what the effect says. When somebody else wrote in between, the same event is put to
//! what they wrote: each event is safe to put twice.

use std::time::Duration;

use super::asked::{Action, Amount, Asked, Opening, Request};
use super::outbox::{News, Round};
use super::resolution::{again_at, backoff, claim_anew, is_stored_whole, may_be_resent, pursue, verdict_due};
use super::sequel::{MAX_SEQUELS_OF_ALL, Sequel, Taken};
use super::{
    Accepted, Answer, BalanceCheck, Claim, Interaction, Kind, Log, MARGIN, MAX_LOGS, MAX_OPERATIONS,
    MAX_OPERATIONS_TO_GIVE_BACK, Nonce, Open, Operation, Outbox, Outcome, PayerAction, Payment, Settled, Source, State,
    Terms, Verdict,
};
use crate::fingerprint::Fingerprint;
use crate::ids::{MerchantId, Ordinal, PaymentId};
use crate::money::{Currency, Money};
use crate::rejection::Rejection;
use crate::time::Timestamp;

/// What we suggest to a caller whose operation still runs: most gateways answer within it.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Something happened.
pub enum Event<'a> {
    /// A caller asks.
    Requested { merchant: MerchantId, request: &'a Request, fingerprint: Option<Fingerprint>, claim: Claim },
    /// Something was heard of an operation. `nonce` is the claim it was asked under; `amount` is of how much it was said,
    /// where nobody has compared that yet.
    Learned { operation: Ordinal, source: Source, nonce: Nonce, outcome: Outcome, amount: Option<Money> },
    /// A gateway tells what came after the verdict.
    Followed { operation: Ordinal, sequel: &'a Sequel },
    /// The time has come to look.
    Due { claim: Claim },
    /// Merchants were told what there was to tell, or could not be.
    Told { round: &'a Round },
    /// A merchant wants to be told once more what happened at this time.
    ToldAgain { operation: Ordinal, news: News, at: Timestamp },
}

/// What is to be done once the payment is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask the gateway to do it. `duplicate` when it may have been asked before.
    Send { operation: Ordinal, claim: Claim, duplicate: bool },
    /// Ask the gateway what became of it.
    LookUp { operation: Ordinal, nonce: Nonce },
    /// Ask the gateway to undo whatever became of it.
    Reverse { operation: Ordinal, nonce: Nonce },
}

/// What follows. The payment's version is one higher exactly when it is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub payment: Payment,
    /// The operation that the event was about; none when nothing was due.
    pub operation: Option<Ordinal>,
    pub effect: Option<Effect>,
    /// What was heard disagrees with what is settled or was asked: an alarm, and no change of that.
    pub contradiction: bool,
}

/// Decides what follows from `event`. `payment` is none where nothing is stored.
pub fn step(payment: Option<&Payment>, event: &Event<'_>, terms: &Terms, now: Timestamp) -> Result<Step, Rejection> {
    let before = payment.map(|payment| payment.version);
    let mut next = match event {
        Event::Requested { merchant, request, fingerprint, claim } => {
            let asking = Asking { request, fingerprint: *fingerprint, claim: *claim, terms, now };
            asking.put_to(payment, *merchant)
        }
        Event::Learned { operation, source, nonce, outcome, amount } => {
            let mut payment = payment.ok_or(Rejection::NotFound)?.clone();
            let (source, nonce, amount, outcome) = (*source, *nonce, *amount, &outcome.clone().within_limits());
            let heard = Heard { source, nonce, outcome, amount, terms, expires_at: payment.expires_at, now };
            let contradiction = payment.operations.get_mut(operation.index()).is_some_and(|known| heard.of(known));
            Ok(Step { contradiction, ..Step::about(payment, *operation) })
        }
        Event::Followed { operation, sequel } => {
            let mut payment = payment.ok_or(Rejection::NotFound)?.clone();
            let sequel = Sequel::clone(sequel).within_limits();
            let known: usize = payment.operations.iter().map(|operation| operation.sequels.len()).sum();
            let room = known < MAX_SEQUELS_OF_ALL;
            let followed = payment.operations.get_mut(operation.index());
            let taken = followed.map(|followed| followed.follow(&sequel, room, now));
            Ok(Step { contradiction: taken == Some(Taken::Strange), ..Step::about(payment, *operation) })
        }
        Event::Due { claim } => {
            let mut payment = payment.ok_or(Rejection::NotFound)?.clone();
            let due = payment.numbered().find(|(_, operation)| operation.state.due().is_some_and(|due| due <= now));
            let ordinal = due.map(|(ordinal, _)| ordinal);
            let effect = ordinal.and_then(|ordinal| pursue(&mut payment, ordinal, *claim, terms, now));
            Ok(Step { payment, operation: ordinal, effect, contradiction: false })
        }
        Event::Told { round } => {
            let mut payment = payment.ok_or(Rejection::NotFound)?.clone();
            payment.outbox.learn(round, now);
            Ok(Step { payment, operation: None, effect: None, contradiction: false })
        }
        Event::ToldAgain { operation, news, at } => {
            let mut payment = payment.ok_or(Rejection::NotFound)?.clone();
            payment.outbox.tell_again(*operation, *news, *at);
            Ok(Step::about(payment, *operation))
        }
    }?;
    next.payment.tell(payment, terms.wanted, now);
    if payment != Some(&next.payment) {
        next.payment.version = before.map_or(1, |version| version.saturating_add(1));
    }
    Ok(next)
}

impl Step {
    /// Nothing to be done once the payment is written.
    fn about(payment: Payment, operation: Ordinal) -> Self {
        Self { payment, operation: Some(operation), effect: None, contradiction: false }
    }
}

/// A request on its way into a payment.
struct Asking<'a> {
    request: &'a Request,
    fingerprint: Option<Fingerprint>,
    claim: Claim,
    terms: &'a Terms,
    now: Timestamp,
}

impl Asking<'_> {
    fn put_to(&self, payment: Option<&Payment>, merchant: MerchantId) -> Result<Step, Rejection> {
        match (&self.request.action, payment) {
            (Action::Open(opening), None) => self.open(opening, merchant),
            (Action::Open(opening), Some(payment)) => {
                let strangers = [
                    ("paymentGatewayId", payment.gateway != opening.gateway),
                    ("currencyIsoCode", payment.currency != opening.currency),
                ];
                let differences = strangers.into_iter().filter_map(|(name, differs)| differs.then_some(name));
                self.ask_again(payment, Ordinal::FIRST, differences.collect())
            }
            (Action::Act(_), None) => Err(Rejection::NotFound),
            (Action::Act(kind), Some(payment)) => {
                let same = |operation: &Operation| {
                    operation.asked.kind.name() == kind.name() && operation.asked.key == self.request.key
                };
                match payment.numbered().find(|(_, operation)| same(operation)) {
                    Some((ordinal, _)) => self.ask_again(payment, ordinal, Vec::new()),
                    None => self.add(payment, kind),
                }
            }
        }
    }

    fn kind(&self) -> &Kind {
        match &self.request.action {
            Action::Open(opening) => &opening.kind,
            Action::Act(kind) => kind,
        }
    }

    fn asked(&self) -> Asked {
        let instrument = match &self.request.action {
            Action::Open(opening) => Some(opening.instrument.facts()),
            Action::Act(_) => None,
        };
        Asked {
            kind: self.kind().clone(),
            key: self.request.key.clone(),
            amount: self.request.amount,
            details: self.request.details.clone(),
            instrument,
        }
    }

    fn open(&self, opening: &Opening, merchant: MerchantId) -> Result<Step, Rejection> {
        let amount = self.exact_amount(opening.currency)?;
        self.request.details.fit_currency(opening.currency)?;
        let lifetime = self.terms.authorization_lifetime;
        let payment = Payment {
            merchant,
            id: PaymentId::opened_by(&merchant, &self.request.key),
            version: 0,
            gateway: opening.gateway,
            currency: opening.currency,
            expires_at: opening.kind.holds().then(|| self.now.plus(lifetime)),
            multi_capture: self.terms.multi_capture,
            operations: vec![self.claimed(amount)],
            outbox: Outbox::default(),
        };
        Ok(self.send(payment, Ordinal::FIRST, false))
    }

    fn add(&self, payment: &Payment, kind: &Kind) -> Result<Step, Rejection> {
        self.check_target(payment, kind)?;
        let amount = self.wanted(payment, kind)?;
        self.check_admitted(payment, kind, amount)?;
        let ordinal = Ordinal::new(payment.operations.len()).ok_or(Rejection::Full)?;
        if payment.operations.len() >= most_operations(kind) {
            return Err(Rejection::Full);
        }
        let mut payment = payment.clone();
        payment.operations.push(self.claimed(amount));
        self.assert_conserved(&payment, kind);
        Ok(self.send(payment, ordinal, false))
    }

    /// What we let through must never add up to more than was approved, whatever path led here.
    fn assert_conserved(&self, payment: &Payment, kind: &Kind) {
        let left = match kind {
            Kind::Authorize | Kind::PostAuthorize | Kind::Sale => return,
            Kind::Reverse { .. } if self.terms.balance_check == BalanceCheck::Gateway => return,
            Kind::Capture { authorization, .. } | Kind::Reverse { authorization } => payment.uncaptured(*authorization),
            Kind::Refund { payment: refunded, .. } => payment.refundable(*refunded),
        };
        assert!(left.minor >= 0, "more reserved than approved in {}", payment.key());
    }

    /// Whether this caller may act on what is there, whatever the amount: nobody is told what is wrong with an
    /// amount for something that is not there.
    fn check_target(&self, payment: &Payment, kind: &Kind) -> Result<(), Rejection> {
        let target = kind.target().and_then(|target| payment.operation(target));
        // An id can name any place of the payment, whatever kind of record is there.
        let target = target.filter(|target| kind.acts_on() == Some(target.record())).ok_or(Rejection::NotFound)?;
        let account = &self.request.details.account;
        let owner = payment.operations.first().and_then(|first| first.asked.details.account.as_ref());
        if account.is_some() && owner.is_some() && account.as_ref() != owner {
            return Err(Rejection::WrongAccount);
        }
        self.request.details.fit_currency(payment.currency)?;
        if !target.stands() {
            return Err(Rejection::NotApproved { status: target.state.status() });
        }
        Ok(())
    }

    /// The amount that a new operation on `payment` asks for.
    fn wanted(&self, payment: &Payment, kind: &Kind) -> Result<Money, Rejection> {
        match (self.request.amount, kind) {
            (Amount::Rest, Kind::Refund { payment: refunded, .. }) => Ok(payment.refundable(*refunded)),
            (Amount::Rest | Amount::Exactly(_), _) => self.exact_amount(payment.currency),
        }
    }

    /// Whether there is enough left for this amount.
    fn check_admitted(&self, payment: &Payment, kind: &Kind, amount: Money) -> Result<(), Rejection> {
        if amount.minor <= 0 {
            return Err(Rejection::OverBalance { available: amount.with(0) });
        }
        payment.admits(kind, amount, self.terms.balance_check, self.now)
    }

    fn exact_amount(&self, currency: Currency) -> Result<Money, Rejection> {
        match self.request.amount {
            Amount::Exactly(decimal) => Money::from_decimal(decimal, currency).map_err(Rejection::Amount),
            Amount::Rest => Err(Rejection::Amount(crate::money::AmountError::NotANumber)),
        }
    }

    fn claimed(&self, amount: Money) -> Operation {
        Operation {
            asked: self.asked(),
            fingerprint: self.fingerprint,
            amount,
            requested_at: self.now,
            generation: self.terms.generation,
            state: State::Open(self.first_claim()),
            logs: Vec::new(),
            contradictions: Vec::new(),
            sequels: Vec::new(),
        }
    }

    fn first_claim(&self) -> Open {
        let Claim { nonce, deadline } = self.claim;
        Open { nonce, deadline, attempts: 1, unknown: false, undoing: false, due: Some(deadline.plus(MARGIN)) }
    }

    fn send(&self, payment: Payment, operation: Ordinal, duplicate: bool) -> Step {
        let effect = Effect::Send { operation, claim: self.claim, duplicate };
        Step { effect: Some(effect), ..Step::about(payment, operation) }
    }

    /// The key was used before: the answer, unless something else was asked under it or it still runs.
    fn ask_again(&self, payment: &Payment, ordinal: Ordinal, mut fields: Vec<&'static str>) -> Result<Step, Rejection> {
        let operation = payment.operation(ordinal).ok_or(Rejection::NotFound)?;
        fields.extend(operation.asked.differences(&self.asked()));
        if fields.is_empty() && operation.fingerprint != self.fingerprint {
            fields.push("paymentMethod");
        }
        if !fields.is_empty() {
            return Err(Rejection::Mismatch { fields });
        }
        let answer = Step::about(payment.clone(), ordinal);
        match &operation.state {
            State::Settled(_) | State::Accepted(_) => Ok(answer),
            // It was told of as done after all: to try anew may be to do it twice.
            State::Unsent if operation.is_said_to_have_happened() => Ok(answer),
            State::Unsent => self.try_anew(payment, ordinal),
            // My own claim: its acknowledgement was lost. Nothing has been sent under it, but if it was claimed
            // to be sent once more, then something was before.
            State::Open(open) if open.nonce == self.claim.nonce && (!open.unknown || self.may_be_resent(operation)) => {
                Ok(self.send(payment.clone(), ordinal, open.unknown))
            }
            State::Open(open) => self.while_open(payment, ordinal, open, answer),
        }
    }

    fn may_be_resent(&self, operation: &Operation) -> bool {
        may_be_resent(operation, self.terms, self.now)
    }

    /// The gateway never heard of it. Its amount was free meanwhile, so it must fit again: the same amount,
    /// even where all that was left was asked for, because the gateway may know the key by it.
    fn try_anew(&self, payment: &Payment, ordinal: Ordinal) -> Result<Step, Rejection> {
        let kind = self.kind();
        if let (Some(_), Some(operation)) = (kind.target(), payment.operation(ordinal)) {
            self.check_target(payment, kind)?;
            self.check_admitted(payment, kind, operation.amount)?;
        }
        let mut payment = payment.clone();
        if kind.holds() {
            payment.expires_at = Some(self.now.plus(self.terms.authorization_lifetime));
        }
        if let Some(operation) = payment.operations.get_mut(ordinal.index()) {
            operation.requested_at = self.now;
            operation.generation = self.terms.generation;
            operation.state = State::Open(self.first_claim());
        }
        self.assert_conserved(&payment, kind);
        Ok(self.send(payment, ordinal, false))
    }

    fn while_open(&self, payment: &Payment, ordinal: Ordinal, open: &Open, answer: Step) -> Result<Step, Rejection> {
        let free_at = open.deadline.plus(MARGIN);
        if !open.unknown && self.now < free_at {
            return Err(Rejection::InProgress { retry_after: free_at.since(self.now).min(ASK_AGAIN_AFTER) });
        }
        let Some(operation) = payment.operation(ordinal) else { return Ok(answer) };
        // Only the caller can bring the card again; under the gateway's key that is the same request.
        if is_stored_whole(operation) || !self.may_be_resent(operation) || self.now < free_at {
            return Ok(answer);
        }
        let mut payment = payment.clone();
        if let Some(Operation { state: State::Open(open), .. }) = payment.operations.get_mut(ordinal.index()) {
            claim_anew(open, self.claim);
        }
        Ok(self.send(payment, ordinal, true))
    }
}

/// Something heard of an operation, on its way into it.
struct Heard<'a> {
    source: Source,
    nonce: Nonce,
    /// Within its limits: of what is heard, nothing else is logged, kept or compared.
    outcome: &'a Outcome,
    amount: Option<Money>,
    terms: &'a Terms,
    /// The end of the hold, where the payment has one.
    expires_at: Option<Timestamp>,
    now: Timestamp,
}

impl Heard<'_> {
    /// Whether it contradicts what is settled, or what was asked.
    fn of(&self, operation: &mut Operation) -> bool {
        let contradicts = match &operation.state {
            _ if self.approves_another_amount(operation) => true,
            State::Settled(settled) => !agrees(settled, self.outcome),
            State::Open(_) | State::Unsent | State::Accepted(_) => {
                self.of_unsettled(operation);
                false
            }
        };
        if contradicts && operation.contradictions.len() < MAX_LOGS {
            operation.contradictions.push(self.log());
        }
        contradicts
    }

    /// A part of what was asked for, or something else: that is no verdict on it, but money may have moved.
    fn approves_another_amount(&self, operation: &Operation) -> bool {
        let is_approved = matches!(self.outcome, Outcome::Approved(_));
        is_approved && self.amount.is_some_and(|amount| amount != operation.amount)
    }

    fn of_unsettled(&self, operation: &mut Operation) {
        if self.is_idle_talk(operation) {
            return;
        }
        match self.outcome {
            // It may be undone already: only that it is, or that it never was, can be believed.
            Outcome::Approved(_) | Outcome::Accepted(_) | Outcome::ActionRequired(..)
                if operation.is_being_undone() =>
            {
                self.note(operation);
            }
            Outcome::Approved(answer) => self.settle(operation, Verdict::Approved, answer),
            Outcome::Declined(decline, answer) => self.settle(operation, Verdict::Declined(*decline), answer),
            Outcome::Voided(answer) => self.voided(operation, answer),
            Outcome::Accepted(answer) => self.accept(operation, answer, None),
            Outcome::ActionRequired(answer, action) => self.accept(operation, answer, Some(action)),
            Outcome::NotSent => self.not_sent(operation),
            Outcome::NeverReceived => self.never_received(operation),
            Outcome::Unknown => self.unknown(operation),
        }
    }

    /// Told unasked, and nothing new. A gateway that keeps talking must not put off the time at which we ask.
    fn is_idle_talk(&self, operation: &Operation) -> bool {
        let is_news = match self.outcome {
            Outcome::Approved(_) | Outcome::Declined(..) | Outcome::Voided(_) => true,
            Outcome::Accepted(_) => match &operation.state {
                State::Accepted(accepted) => accepted.action.is_some(),
                State::Open(_) | State::Unsent | State::Settled(_) => true,
            },
            Outcome::ActionRequired(..) => !matches!(operation.state, State::Accepted(_)),
            Outcome::NotSent | Outcome::NeverReceived | Outcome::Unknown => false,
        };
        self.source == Source::Notice && !is_news
    }

    fn settle(&self, operation: &mut Operation, verdict: Verdict, answer: &Answer) {
        operation.logs.push(self.log());
        operation.state = State::Settled(Settled { verdict, answer: answer.clone(), at: self.now });
    }

    fn accept(&self, operation: &mut Operation, answer: &Answer, action: Option<&PayerAction>) {
        let mut action = action;
        let attempts = if let State::Accepted(accepted) = &operation.state {
            // Notices overtake each other, and answers: only whoever is asked now says that it begins again.
            action = action.filter(|_| accepted.action.is_some() || self.source == Source::LookUp);
            accepted.attempts.saturating_add(1)
        } else {
            self.note(operation);
            1
        };
        let action = action.cloned();
        let is_within_reach = self.terms.look_up.includes(&operation.asked.kind, Some(answer));
        let can_look_up = self.terms.are_those_of(operation) && is_within_reach;
        let holds_until = self.holds_until(operation);
        let due = verdict_due(attempts, action.as_ref(), can_look_up, self.terms, holds_until, self.now);
        operation.state = State::Accepted(Accepted { answer: answer.clone(), action, attempts, due });
    }

    /// Nothing of *this* attempt reached the gateway. That frees the operation if the attempt was to send
    /// it, and the only one.
    fn not_sent(&self, operation: &mut Operation) {
        let sent = self.source == Source::Answer;
        match &operation.state {
            State::Open(open) if sent && open.nonce == self.nonce && !open.unknown => {
                self.note(operation);
                operation.state = State::Unsent;
            }
            State::Open(_) | State::Accepted(_) => self.unknown(operation),
            State::Unsent | State::Settled(_) => {}
        }
    }

    /// The gateway undid whatever there was. That counts only if nobody could be sending it meanwhile.
    fn voided(&self, operation: &mut Operation, answer: &Answer) {
        match &operation.state {
            State::Open(open) if open.nonce == self.nonce => self.settle(operation, Verdict::Voided, answer),
            State::Open(_) | State::Unsent | State::Accepted(_) | State::Settled(_) => {}
        }
    }

    /// The gateway knows nothing of it. That counts only if nobody could still be sending it.
    fn never_received(&self, operation: &mut Operation) {
        match &operation.state {
            State::Open(open) if open.nonce == self.nonce && open.deadline.plus(MARGIN) <= self.now => {
                self.settle(operation, Verdict::NeverReceived, &Answer::default());
            }
            State::Open(_) | State::Accepted(_) => self.unknown(operation),
            State::Unsent | State::Settled(_) => {}
        }
    }

    fn unknown(&self, operation: &mut Operation) {
        let retry_at = match &operation.state {
            // Whoever holds the claim now will see to it.
            State::Open(open) if open.nonce == self.nonce => {
                again_at(operation, open, self.terms, self.holds_until(operation), self.now)
            }
            // Where nobody can be asked, silence tells nothing new.
            State::Accepted(_) if !self.terms.can_look_up(operation) => return,
            State::Accepted(accepted) => Some(self.now.plus(backoff(accepted.attempts.saturating_add(1)))),
            State::Open(_) | State::Unsent | State::Settled(_) => return,
        };
        self.note(operation);
        match &mut operation.state {
            State::Open(open) => {
                // To send it or to undo it was counted when it was claimed.
                open.attempts = open.attempts.saturating_add(u32::from(self.source == Source::LookUp));
                open.unknown = true;
                open.due = retry_at;
            }
            State::Accepted(accepted) => {
                accepted.attempts = accepted.attempts.saturating_add(1);
                accepted.due = retry_at;
            }
            State::Unsent | State::Settled(_) => {}
        }
    }

    /// When what it holds runs out by itself, if it holds anything.
    fn holds_until(&self, operation: &Operation) -> Option<Timestamp> {
        self.expires_at.filter(|_| operation.asked.kind.holds())
    }

    /// Logs what does not settle, as long as there is room.
    fn note(&self, operation: &mut Operation) {
        if operation.logs.len() < MAX_LOGS {
            operation.logs.push(self.log());
        }
    }

    fn log(&self) -> Log {
        let interaction = match self.outcome {
            Outcome::Approved(_) | Outcome::Accepted(_) | Outcome::ActionRequired(..) | Outcome::Voided(_) => {
                Interaction::Success
            }
            Outcome::Declined(..) => Interaction::Failed,
            Outcome::NotSent | Outcome::NeverReceived => Interaction::NoOp,
            Outcome::Unknown => Interaction::Timeout,
        };
        let code = self.outcome.answer().and_then(|answer| answer.code.clone());
        Log { at: self.now, source: self.source, interaction, code }
    }
}

/// Operations that a payment may hold before one more of this kind is refused. What gives back has room
/// left when captures have used up theirs.
fn most_operations(kind: &Kind) -> usize {
    match kind {
        Kind::Authorize | Kind::PostAuthorize | Kind::Sale | Kind::Capture { .. } => MAX_OPERATIONS,
        Kind::Reverse { .. } | Kind::Refund { .. } => MAX_OPERATIONS_TO_GIVE_BACK,
    }
}

/// Whether what is heard fits what is settled. What tells nothing contradicts nothing; an approval under
/// another reference is a second effect.
fn agrees(settled: &Settled, outcome: &Outcome) -> bool {
    let verdict = settled.verdict;
    match outcome {
        Outcome::Approved(answer) => {
            let (known, heard) = (&settled.answer.reference, &answer.reference);
            verdict == Verdict::Approved && (known.is_none() || heard.is_none() || known == heard)
        }
        Outcome::Declined(..) | Outcome::Voided(_) | Outcome::NeverReceived => verdict != Verdict::Approved,
        Outcome::Accepted(_) | Outcome::ActionRequired(..) => verdict != Verdict::NeverReceived,
        Outcome::NotSent | Outcome::Unknown => true,
    }
}

impl State {
    /// The wire's word for it.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Unsent => "Draft",
            Self::Open(_) | Self::Accepted(_) => "Pending",
            Self::Settled(settled) => match settled.verdict {
                Verdict::Approved => "Processed",
                Verdict::Declined(_) | Verdict::NeverReceived => "Failed",
                Verdict::Voided | Verdict::Lapsed => "Canceled",
            },
        }
    }
}
