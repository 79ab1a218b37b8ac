//! Payment schedules: what every test of them starts from.

mod histories;
mod making;
mod news;
mod recurring;
mod retries;
mod table;

use std::time::Duration;

use super::change::Change;
use super::making::{Asked, AskedItem, AskedRecurrence, Charges};
use super::refused::Refused;
use super::step::{Came, Charge, Charged, Event, Sale, Step, step};
use super::{Failure, Item, Schedule, State, Tried};
use crate::ids::{Id, MethodId};
use crate::payment::tests::fixtures::{START, dollars, gateway_id, key, merchant, method_id};
use crate::payment::{Claim, Decline, IdempotencyKey, MARGIN, Nonce};
use crate::recurring::calendar::{Date, MonthDay, Rhythm, Unit};
use crate::recurring::ids::{Cause, ItemNumber, RunId};
use crate::recurring::retry::{
    Category, Decision, IntervalType, IntervalUnit, RetryRuleSet, RetryRuleSetParts, RuleSetStatus, Timing,
};
use crate::recurring::run::Takes;
use crate::recurring::scheduler::Criteria;
use crate::time::Timestamp;

pub(super) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) fn date(text: &str) -> Date {
    Date::parse(text).expect("a date")
}

pub(super) fn number(number: u16) -> ItemNumber {
    ItemNumber::new(number).expect("an item's number")
}

pub(super) fn method(number: u128) -> MethodId {
    MethodId::parse(Id::with_number("03O", number).as_str()).expect("a method id")
}

/// The payment that a key makes.
pub(super) fn payment(key: &IdempotencyKey) -> Id {
    Id::with_number("0aQ", crate::ids::hash("payment", &[key.as_str().as_bytes()]))
}

pub(super) fn run(number: u64) -> RunId {
    RunId::of(&merchant(), Cause::Retries(Timestamp::from_millis(number as i64)))
}

pub(super) fn item(amount: i64, target: &str) -> AskedItem {
    let target = date(target);
    AskedItem { amount, target, method: None, matching_value: None, comments: None, is_draft: false, made: None }
}

pub(super) fn asked(charges: Charges) -> Asked {
    Asked {
        merchant: merchant(),
        key: key("order 1"),
        hash: [7; 16],
        is_draft: false,
        account: None,
        gateway: gateway_id(),
        method: method_id(),
        currency: dollars(),
        total_requested: None,
        reference: None,
        comments: None,
        charges,
    }
}

/// One that charges these on these days.
pub(super) fn instalments(items: &[(i64, &str)]) -> Schedule {
    let items = items.iter().map(|(amount, target)| item(*amount, target)).collect();
    Schedule::make(asked(Charges::Items(items)), START).expect("a schedule")
}

/// Every month on the day of the start.
pub(super) fn monthly(start: &str) -> AskedRecurrence {
    let start = date(start);
    AskedRecurrence {
        rhythm: Rhythm::each(Unit::Months(MonthDay::of(start))),
        start,
        trial_days: None,
        until: None,
        count: None,
        amount: 1_000,
        matching_value: None,
    }
}

pub(super) fn subscription(recurrence: AskedRecurrence) -> Schedule {
    Schedule::make(asked(Charges::Recurrence(recurrence)), START).expect("a schedule")
}

/// Tried again after one day and after another, the second time with another method.
pub(super) fn rules() -> RetryRuleSet {
    let defaults = Timing {
        interval_type: Some(IntervalType::Fixed),
        interval_value: Some("1".to_owned()),
        interval_unit: Some(IntervalUnit::Days),
        maximum_retry_count: Some(2),
    };
    let parts = RetryRuleSetParts {
        name: "Default".to_owned(),
        is_default: true,
        status: RuleSetStatus::Active,
        can_use_other_method: true,
        defaults,
        rules: Vec::new(),
    };
    RetryRuleSet::parse(parts).expect("a set of rules")
}

pub(super) fn failure(decision: Decision) -> Failure {
    let decline = Some(if decision == Decision::Retriable { Decline::Soft } else { Decline::Permanent });
    Failure { category: Category::CardLimit, decision, decline, code: Some("51".to_owned()), message: None }
}

/// A schedule, and what is done to it.
pub(super) struct World {
    pub schedule: Schedule,
    pub now: Timestamp,
    pub tried: Tried,
    pub is_open: bool,
    pub rules: RetryRuleSet,
    pub other_method: Option<MethodId>,
    claims: u64,
}

impl World {
    pub fn of(schedule: Schedule) -> Self {
        let tried = Tried { run: run(0), page: 1 };
        Self { schedule, now: START, tried, is_open: false, rules: rules(), other_method: None, claims: 0 }
    }

    /// Another run begins.
    pub fn next_run(&mut self) {
        self.claims += 1;
        self.tried = Tried { run: run(self.claims), page: 1 };
    }

    pub fn claim(&mut self) -> Claim {
        self.claims += 1;
        Claim { nonce: Nonce(self.claims), deadline: self.now.plus(Duration::from_secs(30)) }
    }

    /// Does it, and says what followed. Whatever changed is a new version, and nothing else is.
    pub fn tell(&mut self, event: Event<'_>) -> Result<Step, Refused> {
        let step = step(&self.schedule, event, self.now)?;
        let before = Schedule { version: step.schedule.version, ..self.schedule.clone() };
        assert_eq!(step.schedule.version == self.schedule.version, step.schedule == before);
        assert!(step.schedule.version - self.schedule.version <= 1);
        self.schedule = step.schedule.clone();
        Ok(step)
    }

    pub fn charge(&mut self, takes: Takes) -> Option<Sale> {
        let claim = self.claim();
        let criteria = Criteria::default();
        let (tried, other_method) = (self.tried, self.other_method);
        let charge = Charge { tried, is_open: self.is_open, takes, criteria: &criteria, claim, other_method };
        self.tell(Event::Charge(charge)).expect("charging is never refused").effect
    }

    pub fn charge_on(&mut self, day: &str) -> Option<Sale> {
        self.charge(Takes::ReadyOn(date(day)))
    }

    pub fn charged(&mut self, sale: &Sale, came: Came) -> Step {
        let nonce = self.schedule.processing().map_or(Nonce(0), |(_, processing)| processing.nonce);
        let rules = self.rules.clone();
        let charged = Charged { item: sale.item, attempt: sale.attempt, nonce, came, rules: Some(&rules) };
        self.tell(Event::Charged(charged)).expect("what came of a charge is never refused")
    }

    pub fn succeeds(&mut self, sale: &Sale) -> Step {
        self.charged(sale, Came::Processed { payment: payment(&sale.key) })
    }

    pub fn fails(&mut self, sale: &Sale) -> Step {
        let payment = Some(payment(&sale.key));
        self.charged(sale, Came::Failed { payment, failure: failure(Decision::Retriable) })
    }

    pub fn fails_for_good(&mut self, sale: &Sale) -> Step {
        let payment = Some(payment(&sale.key));
        self.charged(sale, Came::Failed { payment, failure: failure(Decision::NonRetriable) })
    }

    /// A day comes, and everything that is due on it is charged by a run of that day, and paid; what it was.
    pub fn pays_on(&mut self, day: &str) -> Vec<(String, i64)> {
        self.now = self.now.max(Timestamp::parse(day).expect("a day"));
        self.next_run();
        let mut paid = Vec::new();
        while let Some(sale) = self.charge_on(day) {
            paid.push((self.item(sale.item).target.to_string(), sale.amount.minor));
            self.succeeds(&sale);
        }
        paid
    }

    pub fn change(&mut self, change: Change) -> Result<Step, Refused> {
        self.tell(Event::Change(change))
    }

    pub fn item(&self, number: ItemNumber) -> &Item {
        self.schedule.item(number).expect("it is kept")
    }

    /// The days of what waits, in order.
    pub fn waiting(&self) -> Vec<String> {
        let waiting = self.schedule.items.iter().filter(|item| item.is_untried());
        waiting.map(|item| item.target.to_string()).collect()
    }

    pub fn passes(&mut self, time: Duration) {
        self.now = self.now.plus(time);
    }

    /// Until whoever claimed an item is gone for certain.
    pub fn outlives_the_claim(&mut self) {
        self.passes(Duration::from_secs(30) + MARGIN);
    }
}
