//! Schedules, schedulers, runs and lanes at random: whatever their types allow.

use fastrand::Rng;

use super::{day, merchant, run_id};
use crate::ids::{EndpointId, Id, MethodId, MethodKind, Ordinal};
use crate::merchant::set_up::Made;
use crate::payment::asked::AccountId;
use crate::payment::outbox::{Behind, Entry, News};
use crate::payment::tests::fixtures::{dollars, gateway_id, key};
use crate::payment::{Decline, IdempotencyKey, Nonce, Outbox};
use crate::recurring::calendar::{self, Date, MonthDay, Occasion, Rhythm, TimeOfDay, Timetable, Unit, Weekday, Zone};
use crate::recurring::ids::{Cause, ItemNumber, LANES, RunId, ScheduleId, SchedulerId};
use crate::recurring::retry::{Category, Decision};
use crate::recurring::run::{self, Counts, Holder, Lane, Run, Takes};
use crate::recurring::schedule::outbox::{Attempt, Turn};
use crate::recurring::schedule::{
    self, FailedTry, Failure, Failures, Past, Processing, Recurrence, Retry, Schedule, State, Tried,
};
use crate::recurring::scheduler::{self, Criteria, Filter, FilterOperation, Matches, Scheduler};
use crate::time::Timestamp;

pub(super) struct Dice(pub Rng);

impl Dice {
    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.0.usize(..of.len())].clone()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.0.bool().then(|| make(self))
    }

    fn some<T>(&mut self, make: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.0.usize(..4)).map(|_| make(self)).collect()
    }

    fn text(&mut self) -> String {
        self.one(&["", "a", "Gold, Silver", "決済 é 🂡", "\"\\"]).to_owned()
    }

    fn count(&mut self) -> u32 {
        let any = self.0.u32(..);
        self.one(&[0, 1, u32::MAX, any])
    }

    fn moment(&mut self) -> Timestamp {
        Timestamp::from_millis(self.0.i64(0..4_000_000_000_000))
    }

    fn amount(&mut self) -> i64 {
        let any = self.0.i64(..);
        self.one(&[1, 1_000, i64::MAX, any])
    }

    fn version(&mut self) -> u64 {
        self.0.u64(..=i64::MAX as u64)
    }

    fn day(&mut self) -> Date {
        let (month, date) = (self.0.u8(1..=12), self.0.u8(1..=28));
        let any = day(&format!("{:04}-{month:02}-{date:02}", self.0.u16(1970..=2999)));
        self.one(&[Date::MIN, Date::MAX, any])
    }

    fn key(&mut self) -> IdempotencyKey {
        key(&format!("key {}", self.0.u8(..)))
    }

    fn schedule_id(&mut self) -> ScheduleId {
        ScheduleId::made_under(&merchant(), &self.key())
    }

    fn scheduler_id(&mut self) -> SchedulerId {
        SchedulerId::made_under(&merchant(), &self.key())
    }

    fn run_id(&mut self) -> RunId {
        let key = self.key();
        self.one(&[run_id(), RunId::of(&merchant(), Cause::Asked(&key))])
    }

    fn method(&mut self) -> MethodId {
        let kind = self.one(&MethodKind::ALL);
        MethodId::made_by(kind, &merchant(), &self.key())
    }

    fn nonce(&mut self) -> Nonce {
        Nonce(self.0.u64(..))
    }

    fn rhythm(&mut self) -> Rhythm {
        let (month_day, from_last) = (self.0.u8(1..=31), self.0.u8(..=calendar::MAX_FROM_LAST));
        let days = [MonthDay::LAST, MonthDay::day(month_day).unwrap(), MonthDay::from_last(from_last).unwrap()];
        let day = self.one(&days);
        let weekday = self.one(&[Weekday::Sunday, Weekday::Wednesday, Weekday::Saturday]);
        let unit = self.one(&[Unit::Days, Unit::Weeks(weekday), Unit::Months(day), Unit::Years(day)]);
        Rhythm::new(self.0.u16(1..=calendar::MAX_EVERY), unit).unwrap()
    }

    fn criteria(&mut self) -> Criteria {
        use FilterOperation::{Equals, InList, NotEquals};
        Criteria {
            matches: self.one(&[Matches::Any, Matches::None]),
            filters: self.some(|dice| Filter {
                operation: dice.one(&[Equals, NotEquals, InList]),
                value: dice.text(),
                sequence: dice.0.u16(..),
            }),
        }
    }

    fn outbox(&mut self) -> Outbox {
        let attempt = Attempt { item: ItemNumber::FIRST, number: 7 };
        let turns = [Turn::Processed(attempt), Turn::PastDue(attempt), Turn::Completed(7), Turn::Canceled];
        let news = News::Schedule(self.one(&turns));
        let entry = Entry { number: 3, operation: Ordinal::FIRST, news, at: self.moment() };
        let behind = Behind { from: 2, since: self.moment(), attempts: self.count(), due: self.moment() };
        let behind = self.maybe(|_| (EndpointId::from_random([3; 16]), behind)).into_iter().collect();
        let told = Outbox { made: 3, seen: 2, entries: vec![entry], behind };
        self.one(&[Outbox::default(), told])
    }

    fn state(&mut self) -> State {
        let retry = Retry { at: self.moment(), with_other_method: self.0.bool() };
        let retry = self.maybe(|_| retry);
        let processing =
            Processing { since: self.moment(), nonce: self.nonce(), deadline: self.moment(), due: self.moment() };
        let at = self.moment();
        self.one(&[
            State::Draft,
            State::Ready,
            State::Processing(processing),
            State::Processed { at },
            State::Failed { at, retry },
            State::Canceled { at },
        ])
    }

    fn tried(&mut self) -> Tried {
        Tried { run: self.run_id(), page: self.count() }
    }

    fn failures(&mut self) -> Failures {
        const DECLINES: [Decline; 4] =
            [Decline::Soft, Decline::Permanent, Decline::RequiresReview, Decline::InvalidData];
        Failures {
            count: self.0.u16(..),
            first_at: self.moment(),
            recent: self.some(|dice| FailedTry { at: dice.moment(), by: dice.tried() }),
            last: Failure {
                category: self.one(Category::ALL),
                decision: self.one(Decision::ALL),
                decline: self.maybe(|dice| dice.one(&DECLINES)),
                code: self.maybe(Self::text),
                message: self.maybe(Self::text),
            },
        }
    }

    fn charge(&mut self, number: u16) -> schedule::Item {
        schedule::Item {
            number: ItemNumber::new(number).unwrap(),
            amount: self.amount(),
            target: self.day(),
            method: self.maybe(Self::method),
            matching_value: self.maybe(Self::text),
            comments: self.maybe(Self::text),
            occurrence: self.maybe(Self::count),
            made: self.maybe(|dice| Made { under: dice.0.u128(..), content: dice.0.u128(..) }),
            state: self.state(),
            attempts: self.0.u16(..),
            tried_by: self.maybe(Self::tried),
            tried_with: self.maybe(Self::method),
            failures: self.maybe(Self::failures),
            payment: self.maybe(|dice| Id::with_number("0aQ", u128::from(dice.0.u64(..)))),
        }
    }

    fn dates(&mut self) -> calendar::Recurrence {
        let first = self.day();
        let last = self.maybe(Self::day).filter(|last| *last >= first);
        let count = self.maybe(Self::count).filter(|count| *count > 0);
        calendar::Recurrence::new(self.rhythm(), first, last, count).unwrap()
    }

    fn recurrence(&mut self) -> Recurrence {
        Recurrence {
            dates: self.dates(),
            amount: self.amount(),
            matching_value: self.maybe(Self::text),
            next: self.maybe(Self::count),
            skipped: self.some(Self::count),
        }
    }

    pub(super) fn schedule(&mut self) -> Schedule {
        use schedule::Status::{Canceled, Completed, Draft, OnHold, Open};
        let first = self.0.u16(1..32_000);
        let status = [Draft, Open, OnHold { since: self.day() }, Completed, Canceled];
        let status = self.one(&status);
        let past = Past { items: self.count(), requested: self.amount(), processed: 0, canceled: self.amount() };
        Schedule {
            merchant: merchant(),
            id: self.schedule_id(),
            version: self.version(),
            key: self.key(),
            asked: self.0.u128(..).to_be_bytes(),
            created_at: self.moment(),
            status,
            account: self.maybe(|dice| AccountId::parse(dice.one(&["001A", "001xx000003DHP0AAO"])).unwrap()),
            gateway: gateway_id(),
            method: self.method(),
            currency: dollars(),
            total_requested: self.maybe(Self::amount),
            reference: self.maybe(Self::text),
            comments: self.maybe(Self::text),
            recurrence: self.maybe(Self::recurrence),
            items: (first..first + self.0.u16(..5)).map(|number| self.charge(number)).collect(),
            last_number: self.0.u16(..),
            past: self.one(&[Past::default(), past]),
            outbox: self.outbox(),
        }
    }

    pub(super) fn scheduler(&mut self) -> Scheduler {
        use scheduler::Status::{Active, Canceled, Completed, Draft, Inactive};
        Scheduler {
            merchant: merchant(),
            id: self.scheduler_id(),
            version: self.version(),
            key: self.key(),
            asked: self.0.u128(..).to_be_bytes(),
            name: self.text(),
            comments: self.maybe(Self::text),
            timetable: Timetable {
                dates: self.dates(),
                at: TimeOfDay::parse(self.one(&["00:00", "02:05:07", "23:59:59.999"])).unwrap(),
                zone: Zone::parse(self.one(&["UTC", "Asia/Tokyo", "America/Los_Angeles"])).unwrap(),
            },
            criteria: self.criteria(),
            status: self.one(&[Draft, Active, Inactive, Canceled, Completed]),
            created_at: self.moment(),
            last_run: self.maybe(Self::day),
            next_run: self.maybe(|dice| Occasion { date: dice.day(), at: dice.moment() }),
        }
    }

    fn counts(&mut self) -> Counts {
        let mut count = || u64::from(self.count());
        let counts = Counts { listed: count(), seen: count(), processed: count(), failed: count(), pending: count() };
        self.one(&[Counts::default(), counts])
    }

    pub(super) fn run(&mut self) -> Run {
        use run::Status::{Completed, Failed, New, Started, Stopped};
        let takes = [Takes::ReadyOn(self.day()), Takes::RetriesBy(self.moment())];
        let bits = [0, 1, u64::MAX, self.0.u64(..)];
        Run {
            merchant: merchant(),
            id: self.run_id(),
            version: self.version(),
            scheduler: self.maybe(Self::scheduler_id),
            asked: self.maybe(|dice| dice.0.u128(..).to_be_bytes()),
            comments: self.maybe(Self::text),
            takes: self.one(&takes),
            criteria: self.criteria(),
            status: self.one(&[New, Started, Completed, Stopped, Failed]),
            created_at: self.moment(),
            started_at: self.maybe(Self::moment),
            completed_at: self.maybe(Self::moment),
            lanes: self.one(&bits),
            counts: self.counts(),
            due: self.maybe(Self::moment),
        }
    }

    pub(super) fn lane(&mut self) -> Lane {
        Lane {
            merchant: merchant(),
            run: self.run_id(),
            lane: self.0.u8(..LANES),
            version: self.version(),
            holder: self.maybe(|dice| Holder { nonce: dice.nonce(), until: dice.moment() }),
            page: self.count(),
            schedules: self.some(Self::schedule_id),
            is_open: self.0.bool(),
            cursor: self.maybe(Self::text),
            is_read: self.0.bool(),
            back: self.maybe(Self::moment),
            counts: self.counts(),
            due: self.maybe(Self::moment),
        }
    }
}
