//! Which item is charged next, and by what attempt.

use super::step::Sale;
use super::{Item, MAX_ITEMS, Processing, Schedule, State, Tried};
use crate::ids::MethodId;
use crate::money::Money;
use crate::payment::{Claim, MARGIN};
use crate::recurring::ids::ItemNumber;
use crate::recurring::run::Takes;
use crate::recurring::scheduler::Criteria;
use crate::time::Timestamp;

/// A run that comes to charge.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    pub tried: Tried,
    pub takes: Takes,
    pub criteria: &'a Criteria,
    pub claim: Claim,
    /// Another of the payer's methods, where [`Choice::other_than`] asked for one and there is one.
    pub other_method: Option<MethodId>,
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

impl Schedule {
    /// What a run would charge now; none where there is nothing, or where another attempt is under way.
    ///
    /// A run tries an item once: what could not be sent waits for another run.
    pub fn choose(&self, charge: &Charge<'_>, now: Timestamp) -> Option<Choice> {
        if let Some((item, processing)) = self.processing() {
            let is_ours = processing.nonce == charge.claim.nonce;
            let method = item.tried_with.unwrap_or_else(|| self.method_of(item));
            let choice = Choice { item: item.number, attempt: item.attempts, method, other_than: None, is_known: true };
            return (is_ours || processing.due <= now).then_some(choice);
        }
        let fits = |item: &&Item| {
            let was_tried = item.tried_by.is_some_and(|tried| tried.run == charge.tried.run);
            self.is_open() && !was_tried && charge.criteria.take(item.matching_value.as_deref())
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
        Choice { item: item.number, attempt: item.attempts.saturating_add(1), method, other_than, is_known: false }
    }

    /// The next item is being charged from now on, by that sale.
    pub(super) fn charge(&mut self, charge: &Charge<'_>, now: Timestamp) -> Option<Sale> {
        let Choice { item: number, attempt, method, other_than, is_known } = self.choose(charge, now)?;
        let method = other_than.and(charge.other_method).unwrap_or(method);
        if !is_known {
            self.fold(Some(charge.tried.run), now);
            if self.items.len() >= MAX_ITEMS {
                return None;
            }
        }
        let Claim { nonce, deadline } = charge.claim;
        let item = self.items.iter_mut().find(|item| item.number == number)?;
        let is_written = matches!(item.state, State::Processing(known) if known.nonce == nonce);
        if !is_written {
            item.state = State::Processing(Processing { nonce, deadline, due: deadline.plus(MARGIN) });
            item.attempts = attempt;
            item.tried_by = Some(charge.tried);
            item.tried_with = Some(method);
        }
        let amount = Money::new(item.amount, self.currency);
        self.make_next();
        let key = self.sale_key(number, attempt);
        Some(Sale { item: number, attempt, amount, gateway: self.gateway, method, key })
    }
}
