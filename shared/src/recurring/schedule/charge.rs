//! Which item is charged next, and by what attempt.

use super::step::Sale;
use super::{Failure, Item, MAX_ITEMS, Processing, Schedule, State, Tried};
use crate::ids::MethodId;
use crate::money::Money;
use crate::payment::{Claim, Decline, MARGIN};
use crate::recurring::calendar::{Date, Zone};
use crate::recurring::ids::ItemNumber;
use crate::recurring::run::Takes;
use crate::recurring::scheduler::Criteria;
use crate::time::Timestamp;

/// A run that comes to charge.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    pub tried: Tried,
    /// Whether it looks again at what it began in other pages.
    pub is_open: bool,
    pub takes: Takes,
    pub criteria: &'a Criteria,
    pub claim: Claim,
    /// Another of the payer's methods, where [`Choice::other_than`] asked for one and there is one.
    pub other_method: Option<MethodId>,
}

impl Charge<'_> {
    /// Whether this is what comes to charge again: an attempt of another run, or in another page, is its own to find out
    /// about, and to count.
    fn began(&self, tried: Tried) -> bool {
        tried == self.tried || self.is_open && tried.run == self.tried.run
    }
}

/// What is charged next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    pub item: ItemNumber,
    pub attempt: u16,
    pub method: MethodId,
    /// It is the last retry, which is made with another method than this one if the payer has any.
    pub other_than: Option<MethodId>,
    /// The attempt is under way already: whoever made it did not say what came of it, or nobody knows yet.
    pub is_known: bool,
}

/// How an item begins to be charged.
pub(super) enum Begun {
    Sale(Sale),
    /// It failed, and nothing is sent.
    Failed,
    /// There is nothing to charge, or no room for it.
    Nothing,
}

impl Schedule {
    /// What a run would charge now; none where there is nothing, or where another attempt is under way.
    ///
    /// A run tries an item once: what could not be sent waits for another run. Of what recurs it charges one occurrence
    /// ahead of its day at most, because each charge makes the next one.
    pub fn choose(&self, charge: &Charge<'_>, now: Timestamp) -> Option<Choice> {
        if let Some((item, processing)) = self.processing() {
            let is_ours = processing.nonce == charge.claim.nonce;
            let method = item.tried_with.unwrap_or_else(|| self.method_of(item));
            let choice = Choice { item: item.number, attempt: item.attempts, method, other_than: None, is_known: true };
            let is_begun_here = item.tried_by.is_some_and(|tried| charge.began(tried));
            return (is_ours || is_begun_here && processing.due <= now).then_some(choice);
        }
        self.next(charge, now)
    }

    /// Whether there is something that a run would charge now, were another one not charging this schedule: then it
    /// comes back. To what waits for a retry whoever ends the charge sees.
    pub fn is_held_up(&self, charge: &Charge<'_>, now: Timestamp) -> bool {
        let is_by_another = |item: &Item| item.tried_by.is_some_and(|tried| tried.run != charge.tried.run);
        let takes_what_is_ready = matches!(charge.takes, Takes::ReadyOn(_));
        takes_what_is_ready
            && self.processing().is_some_and(|(item, _)| is_by_another(item))
            && self.next(charge, now).is_some()
    }

    /// The next item that is not begun.
    fn next(&self, charge: &Charge<'_>, now: Timestamp) -> Option<Choice> {
        let was_tried = |item: &Item| item.tried_by.is_some_and(|tried| tried.run == charge.tried.run);
        let is_ahead = |item: &Item| item.occurrence.is_some() && item.target > last_today(now);
        let has_gone_ahead = self.items.iter().any(|item| is_ahead(item) && was_tried(item));
        let fits = |item: &&Item| {
            let is_next = !has_gone_ahead || !is_ahead(item);
            self.is_open() && is_next && !was_tried(item) && charge.criteria.take(item.matching_value.as_deref())
        };
        match charge.takes {
            Takes::ReadyOn(date) => {
                let ready = self.items.iter().filter(|item| item.state == State::Ready && item.target <= date);
                ready.filter(fits).min_by_key(|item| (item.target, item.number)).map(|item| self.first_try(item))
            }
            Takes::RetriesBy(by) => {
                let due = self.items.iter().filter_map(|item| Some((item.retry()?, item)));
                let due = due.filter(|(retry, item)| retry.at <= by && fits(item));
                let (retry, item) = due.min_by_key(|(retry, item)| (retry.at, item.number))?;
                Some(self.retry(item, retry.with_other_method))
            }
        }
    }

    /// What was not sent is sent as the same attempt, under the same key: unless its method was changed meanwhile.
    fn first_try(&self, item: &Item) -> Choice {
        let method = self.method_of(item);
        let is_same = item.attempts > 0 && item.tried_with == Some(method);
        let attempt = if is_same { item.attempts } else { item.attempts.saturating_add(1) };
        Choice { item: item.number, attempt, method, other_than: None, is_known: false }
    }

    fn retry(&self, item: &Item, with_other_method: bool) -> Choice {
        let method = self.method_of(item);
        // Where its owner has changed the method since, it is another one already.
        let other_than = Some(method).filter(|method| with_other_method && item.tried_with == Some(*method));
        let attempt = item.attempts.saturating_add(1);
        Choice { item: item.number, attempt, method, other_than, is_known: false }
    }

    /// Why nothing can be charged with a method any more, where that is the last that was heard of it here.
    pub fn gone(&self, method: MethodId) -> Option<&Failure> {
        let with = self.items.iter().filter(|item| item.tried_with == Some(method));
        let ended = with.filter_map(|item| Some((item.state.ended_at()?, item.number, item)));
        let (.., last) = ended.max_by_key(|(at, number, _)| (*at, *number))?;
        let failure = &last.failures.as_ref()?.last;
        let is_gone = matches!(last.state, State::Failed { .. }) && failure.decline == Some(Decline::Permanent);
        is_gone.then_some(failure)
    }

    /// The next item is being charged from now on, by that sale. With a method that is gone nothing is charged: card
    /// networks want no further attempt with it, so the item fails without one.
    pub(super) fn charge(&mut self, charge: &Charge<'_>, now: Timestamp) -> Begun {
        let Some(choice) = self.choose(charge, now) else { return Begun::Nothing };
        let Choice { item: number, attempt, method, other_than, is_known } = choice;
        let method = other_than.and(charge.other_method).unwrap_or(method);
        if !is_known {
            self.fold(Some(charge.tried.run), now);
            if self.items.len() >= MAX_ITEMS {
                return Begun::Nothing;
            }
        }
        if let Some(failure) = self.gone(method).filter(|_| !is_known).cloned() {
            if let Some(item) = self.items.iter_mut().find(|item| item.number == number) {
                item.tried_by = Some(charge.tried);
                item.tried_with = Some(method);
                item.remember(&failure, now);
                item.state = State::Failed { at: now, retry: None };
            }
            return Begun::Failed;
        }
        let Claim { nonce, deadline } = charge.claim;
        let Some(item) = self.items.iter_mut().find(|item| item.number == number) else { return Begun::Nothing };
        let known = if let State::Processing(known) = item.state { Some(known) } else { None };
        if known.is_none_or(|known| known.nonce != nonce) {
            let since = known.map_or(now, |known| known.since);
            item.state = State::Processing(Processing { since, nonce, deadline, due: deadline.plus(MARGIN) });
            item.attempts = attempt;
            item.tried_by = Some(charge.tried);
            item.tried_with = Some(method);
        }
        let amount = Money::new(item.amount, self.currency);
        self.make_next();
        let key = self.sale_key(number, attempt);
        Begun::Sale(Sale { item: number, attempt, amount, gateway: self.gateway, method, key })
    }
}

/// The latest date that it is anywhere.
fn last_today(now: Timestamp) -> Date {
    Zone::utc().day_after(now)
}
