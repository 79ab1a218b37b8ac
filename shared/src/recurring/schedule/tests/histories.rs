//! Random histories: runs that overlap, are killed and come back, gateways that say yes, no, later and nothing, owners
//! who change their minds. The gateway keeps its own books.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::event::EventNames;
use crate::recurring::schedule::{KEPT, MAX_ITEMS, Status};

/// What the gateway knows of a key.
struct Known {
    item: ItemNumber,
    attempt: u16,
    amount: i64,
    method: MethodId,
    is_paid: bool,
    /// It says so from then on.
    from: Timestamp,
}

struct History {
    world: World,
    random: fastrand::Rng,
    gateway: BTreeMap<String, Known>,
    /// Whom each key was ever asked for.
    keys: BTreeMap<String, (i64, MethodId)>,
    /// What came of charges and is told late, or never.
    late: Vec<(ItemNumber, u16, Nonce, Came)>,
    /// Every item as it was last seen.
    items: BTreeMap<ItemNumber, Item>,
    events: BTreeSet<String>,
    day: Date,
}

impl History {
    fn new(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let schedule = match random.bool() {
            true => {
                let until = (random.u8(..4) == 0).then(|| date("2026-12-20"));
                let count = (random.u8(..4) == 0).then(|| random.u32(1..60));
                let rhythm = if random.bool() { Rhythm::each(Unit::Days) } else { monthly("2026-10-31").rhythm };
                subscription(AskedRecurrence { rhythm, until, count, ..monthly("2026-10-01") })
            }
            false => instalments(&[(1_000, "2026-10-01"), (2_000, "2026-10-10"), (3_000, "2026-11-01")]),
        };
        let (gateway, keys, items, events) = Default::default();
        let day = date("2026-10-01");
        Self { world: World::of(schedule), random, gateway, keys, late: Vec::new(), items, events, day }
    }

    /// One thing happens, and everything that always holds still does.
    fn go_on(&mut self) {
        let before = self.world.schedule.clone();
        match self.random.u8(..20) {
            0..=11 => self.charge(),
            12 => self.tell_late(),
            13..=14 => self.passes(),
            15..=16 => {
                let page = self.world.tried.page;
                self.world.next_run();
                if self.random.u8(..4) == 0 {
                    self.world.tried.page = page + 1;
                }
            }
            _ => {
                let change = self.some_change();
                drop(self.world.change(change));
            }
        }
        self.is_told(&before);
        self.check();
    }

    fn passes(&mut self) {
        let days = self.random.u32(..4);
        self.day = Rhythm::each(Unit::Days).occurrence(self.day, days).expect("a day");
        self.world.passes(DAY * days + Duration::from_secs(self.random.u64(..100)));
    }

    fn charge(&mut self) {
        // What a run has begun is its own to look at again.
        if let Some((item, _)) = self.world.schedule.processing().filter(|_| self.random.u8(..4) != 0) {
            self.world.tried = item.tried_by.expect("a run has tried it");
        }
        let takes = match self.random.bool() {
            true => Takes::ReadyOn(self.day),
            false => Takes::RetriesBy(self.world.now),
        };
        self.world.other_method = self.random.bool().then(|| method(self.random.u128(1..5)));
        let Some(sale) = self.world.charge(takes) else { return };
        let as_asked = (sale.amount.minor, sale.method);
        let first = *self.keys.entry(sale.key.as_str().to_owned()).or_insert(as_asked);
        assert_eq!(first, as_asked, "a key is used for one amount and one method");
        let nonce = self.world.schedule.processing().expect("it is under way").1.nonce;
        // Killed before it asked, asked and killed, told once or more, or late.
        if self.random.u8(..5) == 0 {
            return;
        }
        let came = self.ask(&sale);
        match self.random.u8(..5) {
            0 => {}
            1 => self.late.push((sale.item, sale.attempt, nonce, came)),
            2 => {
                self.charged(sale.item, sale.attempt, nonce, came.clone());
                self.late.push((sale.item, sale.attempt, nonce, came));
            }
            _ => self.charged(sale.item, sale.attempt, nonce, came),
        }
    }

    /// The gateway answers a key the same for ever, once it has heard of it.
    fn ask(&mut self, sale: &Sale) -> Came {
        let key = sale.key.as_str().to_owned();
        if !self.gateway.contains_key(&key) {
            if self.random.u8(..4) == 0 {
                return Came::NotSent;
            }
            let is_paid = self.random.bool();
            let from = self.world.now.plus(DAY * if self.random.bool() { 0 } else { self.random.u32(..5) });
            let Sale { item, attempt, amount, method, .. } = *sale;
            self.gateway.insert(key.clone(), Known { item, attempt, amount: amount.minor, method, is_paid, from });
        }
        let known = &self.gateway[&key];
        assert_eq!((known.item, known.attempt, known.method), (sale.item, sale.attempt, sale.method));
        let payment = payment(&sale.key);
        let decision = if self.random.u8(..4) == 0 { Decision::NonRetriable } else { Decision::Retriable };
        match known.is_paid {
            _ if known.from > self.world.now => Came::Pending { payment: Some(payment), due: known.from },
            true => Came::Processed { payment },
            false => Came::Failed { payment: Some(payment), failure: failure(decision) },
        }
    }

    fn charged(&mut self, item: ItemNumber, attempt: u16, nonce: Nonce, came: Came) {
        let rules = self.world.rules.clone();
        let charged = Charged { item, attempt, nonce, came, rules: Some(&rules) };
        let step = self.world.tell(Event::Charged(charged)).expect("never refused");
        assert!(!step.contradiction, "the gateway does not contradict itself");
    }

    fn tell_late(&mut self) {
        if self.late.is_empty() {
            return;
        }
        let place = self.random.usize(..self.late.len());
        let (item, attempt, nonce, came) = match self.random.bool() {
            true => self.late.swap_remove(place),
            false => self.late[place].clone(),
        };
        self.charged(item, attempt, nonce, came);
    }

    fn some_change(&mut self) -> Change {
        let random = &mut self.random;
        let some_item = number(random.u16(1..=self.world.schedule.last_number.max(1)));
        let ahead = Rhythm::each(Unit::Days).occurrence(self.day, random.u32(..10)).expect("a day");
        match random.u16(..90) {
            0 if random.u8(..8) == 0 => Change::Cancel,
            0..=9 => Change::Hold { on: self.day },
            10..=34 => Change::Resume { on: self.day },
            35..=44 => Change::Skip(ahead),
            45..=54 => Change::Amount(random.i64(1..5_000)),
            55..=64 => Change::Method(method(random.u128(1..5))),
            65..=74 => Change::CancelItem(some_item),
            75..=79 => Change::ReadyItem(some_item),
            _ => {
                let is_draft = random.bool();
                Change::AddItem(AskedItem { target: ahead, is_draft, ..item(random.i64(1..5_000), "2026-10-01") })
            }
        }
    }

    fn check(&mut self) {
        let schedule = &self.world.schedule;
        for item in &schedule.items {
            self.items.insert(item.number, item.clone());
        }
        let sum = |of: fn(&Item) -> i64| self.items.values().map(of).sum::<i64>();
        let amounts = schedule.amounts();
        let sums = (sum(|item| item.amount), sum(Item::processed_amount), sum(Item::canceled_amount));
        assert_eq!((amounts.requested, amounts.processed, amounts.canceled), sums, "nothing is lost when folded");
        assert_eq!(schedule.item_count(), self.items.len() as u64);
        assert_eq!(u64::from(schedule.last_number), schedule.item_count(), "each number is used once");
        assert!(schedule.items.len() <= MAX_ITEMS + 1);
        assert!(schedule.items.is_sorted_by_key(|item| item.number));

        let processing = schedule.items.iter().filter(|item| matches!(item.state, State::Processing(_)));
        assert!(processing.count() <= 1, "one at a time");
        let next = schedule.items.iter().filter(|item| item.occurrence.is_some() && item.is_untried()).count();
        let is_live = !matches!(schedule.status, Status::Completed | Status::Canceled);
        let has_more = schedule.recurrence.as_ref().is_some_and(|recurrence| recurrence.next.is_some());
        assert!(next <= 1 && (next == 1 || !is_live || !has_more), "exactly one next occurrence");
        let occurrences: Vec<u32> = self.items.values().filter_map(|item| item.occurrence).collect();
        assert!(occurrences.is_sorted_by(|one, other| one < other), "each occurrence once, in order");
        assert!(
            schedule.status != Status::Completed || schedule.items.iter().all(|item| item.state.ended_at().is_some())
        );

        let mut paid: BTreeMap<ItemNumber, i64> = BTreeMap::new();
        for known in self.gateway.values().filter(|known| known.is_paid) {
            assert_eq!(paid.insert(known.item, known.amount), None, "no item is paid twice");
        }
        for item in self.items.values().filter(|item| matches!(item.state, State::Processed { .. })) {
            assert_eq!(paid.get(&item.number), Some(&item.amount), "what was paid is what was asked for");
        }
    }

    /// Merchants hear what changed since, each thing once.
    fn is_told(&mut self, before: &Schedule) {
        let mut schedule = self.world.schedule.clone();
        schedule.tell(Some(before), EventNames::all(), self.world.now);
        for entry in &schedule.outbox.entries {
            assert!(self.events.insert(schedule.event_id(entry).expect("a schedule's")), "each is told once");
        }
    }

    /// Whoever has begun anything asks until nothing is under way.
    fn comes_to_rest(&mut self) {
        for _ in 0..3 {
            self.world.passes(10 * DAY);
            let Some((item, _)) = self.world.schedule.processing() else { break };
            self.world.tried = item.tried_by.expect("a run has tried it");
            let (item, attempt) = (item.number, item.attempts);
            let sale = self.world.charge_on("2026-10-01").expect("it is looked at whatever the status");
            assert_eq!((sale.item, sale.attempt), (item, attempt));
            let nonce = self.world.schedule.processing().expect("it is under way").1.nonce;
            let came = self.ask(&sale);
            self.charged(sale.item, sale.attempt, nonce, came);
            self.check();
        }
        // What was not under way any more was heard to its end: an item that is paid is never charged again, and known.
        let taken: i64 = self.gateway.values().filter(|known| known.is_paid).map(|known| known.amount).sum();
        assert_eq!(self.world.schedule.amounts().processed, taken);
    }
}

#[test]
fn nothing_is_lost_doubled_or_paid_twice() {
    let (mut folded, mut statuses) = (0, BTreeSet::new());
    for seed in 0..40 {
        let mut history = History::new(seed);
        for _ in 0..2_000 {
            history.go_on();
            statuses.insert(history.world.schedule.status.literal());
        }
        history.comes_to_rest();
        folded += history.world.schedule.past.items;
    }
    assert!(folded > 100, "many were folded: {folded}");
    assert_eq!(statuses.into_iter().collect::<Vec<_>>(), ["Canceled", "Completed", "On Hold", "Open"]);
}

#[test]
fn only_the_last_that_ended_are_kept_but_all_of_the_last_day() {
    let rhythm = Rhythm::each(Unit::Days);
    let mut world = World::of(subscription(AskedRecurrence { rhythm, ..monthly("2026-10-01") }));
    let amounts = |world: &World| {
        let amounts = world.schedule.amounts();
        (amounts.requested, amounts.processed, amounts.canceled)
    };
    assert_eq!(world.pays_on("2026-12-09").len(), 70);
    assert_eq!((world.schedule.items.len(), world.schedule.past.items), (71, 0), "the run has yet to count them");
    assert_eq!(world.schedule.counted(world.tried).processed, 70);
    assert_eq!(amounts(&world), (71_000, 70_000, 0));
    world.passes(DAY);
    assert_eq!(world.pays_on("2026-12-10").len(), 1);
    assert_eq!((world.schedule.items.len(), world.schedule.past.items), (KEPT + 2, 46));
    assert_eq!(amounts(&world), (72_000, 71_000, 0));
    // All but the one that comes next.
    assert_eq!(world.pays_on("2030-12-31").len(), MAX_ITEMS - 1, "as many as fit, and the rest another day");
    world.passes(DAY);
    assert!(!world.pays_on("2030-12-31").is_empty());
}

#[test]
fn a_run_counts_what_it_charged_however_long_it_takes() {
    let rhythm = Rhythm::each(Unit::Days);
    let mut world = World::of(subscription(AskedRecurrence { rhythm, ..monthly("2026-10-01") }));
    world.now = Timestamp::parse("2026-12-31").expect("a day");
    for _ in 0..60 {
        let sale = world.charge_on("2026-12-31").expect("it is due");
        world.succeeds(&sale);
        world.passes(DAY);
    }
    assert_eq!(world.schedule.counted(world.tried).processed, 60);
}
