//! A world of payment runs: schedules that fall due, workers that charge them side by side, and everything that can go
//! wrong on the way. Smaller than the world of payments, whose sales it takes for granted: workers are killed between any
//! two calls, calls fail or seem to, messages come twice and at once, owners pause and go on.
//!
//! The seed decides all of it. [`audit`] compares what is stored with what the gateway did.

mod audit;
mod worker;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use kessai_functions::door::App;
use kessai_functions::follow_up::{Left, look_at};
use kessai_functions::recurring::retry_run;
use kessai_functions::sandbox::{Class, Gateway};
use kessai_shared::ids::{ItemKey, MethodId};
use kessai_shared::memory::Memory;
use kessai_shared::merchant::Merchant;
use kessai_shared::merchant::retry::ListedRuleSet;
use kessai_shared::money::Currency;
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::ports::{Expected, Store, Written};
use kessai_shared::recurring::calendar::{Date, Recurrence, Rhythm, TimeOfDay, Timetable, Unit, Zone};
use kessai_shared::recurring::ids::{RecurringKey, RuleSetId, ScheduleId};
use kessai_shared::recurring::retry::{IntervalType, IntervalUnit, RuleSetStatus, Timing};
use kessai_shared::recurring::schedule::Schedule;
use kessai_shared::recurring::schedule::change::Change;
use kessai_shared::recurring::schedule::making::{Asked, AskedItem, AskedRecurrence, Charges};
use kessai_shared::recurring::schedule::step::{Event, step};
use kessai_shared::recurring::scheduler::{self, Criteria, Scheduler};
use kessai_shared::rejection::Refusal;
use kessai_shared::reminder::{Errand, Image, Reminder, TICK};
use kessai_shared::shell::Shell;
use kessai_shared::stored::merchant::encode_merchant;
use kessai_shared::stored::recurring::run::StoredRun;
use kessai_shared::stored::recurring::schedule::StoredSchedule;
use kessai_shared::stored::recurring::scheduler::StoredScheduler;
use kessai_shared::time::Timestamp;

use self::worker::{Inner, Shared, Table, Worker};
use crate::cast::cast;
use crate::platform::millis;

pub use self::audit::Totals;

/// 2026-11-01T00:00:00Z.
const START_MS: i64 = 1_793_491_200_000;

const DAY_MS: i64 = 86_400_000;

/// The days on which the scheduler runs.
const DAYS: u32 = 4;

/// How long an invocation may take.
const LIFE_MS: i64 = 25_000;

/// What passes at one step while workers work.
const STEP_MS: i64 = 40;

/// After which a message that was not handled comes again.
const VISIBLE_AGAIN_MS: i64 = 30_000;

/// More steps than any history needs: beyond, something goes round in circles.
const MOST_STEPS: u32 = 400_000;

type Looking = Pin<Box<dyn Future<Output = Result<Option<Left>, Refusal>> + Send>>;

/// An invocation.
struct Task {
    looking: Looking,
    message: Reminder,
    deadline_ms: i64,
}

/// What a run of the world is like.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub seed: u64,
    /// One call in so many fails, one worker in so many is killed at each of its calls.
    pub fails_one_in: Option<u32>,
    pub killed_one_in: Option<u32>,
    /// Every message comes so often, at the same moment.
    pub copies: u32,
    pub schedules: u32,
}

impl Plan {
    /// The history of a seed.
    pub fn of(seed: u64) -> Self {
        let mut random = fastrand::Rng::with_seed(seed ^ 0x005c_4ed0);
        let fails_one_in = [None, Some(150), Some(40)][random.usize(0..3)];
        let killed_one_in = [None, Some(300), Some(60)][random.usize(0..3)];
        Self { seed, fails_one_in, killed_one_in, copies: random.u32(1..3), schedules: random.u32(1..7) }
    }
}

struct World {
    plan: Plan,
    random: fastrand::Rng,
    shared: Arc<Shared>,
    merchant: Merchant,
    /// By when they are seen.
    queue: BTreeMap<(i64, u64), Reminder>,
    messages: u64,
    tasks: Vec<Task>,
    is_calm: bool,
}

/// Lets a history happen; what came of it, or what is wrong with that.
pub fn run(plan: Plan) -> Result<Totals, String> {
    let mut world = World::new(plan);
    world.set_up();
    world.go_on()?;
    audit::audit(&world.shared, &world.merchant, DAYS, day(i64::from(DAYS) - 1))
}

impl World {
    fn new(plan: Plan) -> Self {
        let random = fastrand::Rng::with_seed(plan.seed);
        let set_up = Memory::default();
        // Where nobody can find out what became of a request, a schedule waits for a person: not here.
        let class = [Class::Keyed, Class::LookUp, Class::TimeoutReversal][(plan.seed % 3) as usize];
        let mut merchant = cast().set_ups[class as usize][1][0][0].merchants[0].clone();
        merchant.retry_rule_sets.insert(RuleSetId::parse("1bR000000000001").expect("an id"), rules());
        merchant.connect();
        set_up.put(encode_merchant(&merchant));
        let inner = Inner {
            random: fastrand::Rng::with_seed(plan.seed ^ 1),
            gateway: Gateway::default(),
            fails_one_in: plan.fails_one_in,
            images: Vec::new(),
            wakes: Vec::new(),
        };
        let shared = Shared {
            now_ms: START_MS.into(),
            payments: Memory::default(),
            schedules: Memory::default(),
            set_up,
            inner: Mutex::new(inner),
        };
        let shared = Arc::new(shared);
        Self { plan, random, shared, merchant, queue: BTreeMap::new(), messages: 0, tasks: Vec::new(), is_calm: false }
    }

    /// Schedules, and a scheduler that runs on some days.
    fn set_up(&mut self) {
        for number in 0..self.plan.schedules {
            let asked = self.asked(number);
            let schedule = Schedule::make(asked, self.shared.now()).expect("a schedule");
            self.shared.schedules.put(StoredSchedule::following(None, schedule).to_item());
        }
        let every_day = Rhythm::new(1, Unit::Days).expect("a rhythm");
        let timetable = Timetable {
            dates: Recurrence::new(every_day, day(0), None, Some(DAYS)).expect("days"),
            at: TimeOfDay::parse("02:05").expect("a time"),
            zone: Zone::parse("UTC").expect("a zone"),
        };
        let asked = scheduler::Asked {
            key: key("scheduler"),
            hash: [0; 16],
            name: "Daily".to_owned(),
            comments: None,
            timetable,
            criteria: Criteria::default(),
            status: scheduler::Status::Active,
        };
        let scheduler = Scheduler::new(self.merchant.id, asked, self.shared.now());
        let item = StoredScheduler::following(None, scheduler).to_item();
        self.stream(Image::of(&item).expect("an item of ours"));
        self.shared.schedules.put(item);
    }

    fn asked(&mut self, number: u32) -> Asked {
        // Approved, declined softly and for good, accepted and approved or declined later.
        // Only the first class can be asked for its verdict, and nobody tells here.
        let codes = [0, 0, 0, 0, 9001, 9002, 9006, 9018, 9019];
        let known = if self.plan.seed.is_multiple_of(3) { codes.len() } else { codes.len() - 2 };
        let method = kessai_functions::sandbox::method_id(codes[self.random.usize(0..known)]);
        let amount = i64::from(self.random.u32(1..9_000));
        let charges = match self.random.bool() {
            true => Charges::Recurrence(AskedRecurrence {
                rhythm: Rhythm::new(self.random.u16(1..3), Unit::Days).expect("a rhythm"),
                start: day(0),
                trial_days: None,
                until: None,
                count: Some(self.random.u32(1..4)),
                amount,
                matching_value: None,
            }),
            false => {
                let item = |random: &mut fastrand::Rng| AskedItem {
                    amount,
                    target: day(random.i64(0..3)),
                    method: None,
                    matching_value: None,
                    comments: None,
                    is_draft: false,
                    made: None,
                };
                let count = self.random.usize(1..4);
                Charges::Items((0..count).map(|_| item(&mut self.random)).collect())
            }
        };
        Asked {
            merchant: self.merchant.id,
            key: key(&format!("schedule {number}")),
            hash: [0; 16],
            is_draft: false,
            account: None,
            gateway: cast().gateway,
            method: MethodId::parse(&method).expect("a method"),
            currency: Currency::parse("USD").expect("a currency"),
            total_requested: None,
            reference: None,
            comments: None,
            charges,
        }
    }

    /// Until nothing is left to happen.
    fn go_on(&mut self) -> Result<(), String> {
        for _ in 0..MOST_STEPS {
            let images = std::mem::take(&mut self.shared.inner().images);
            images.into_iter().for_each(|image| self.stream(image));
            self.start_due();
            if self.tasks.is_empty() {
                let Some((&(at_ms, _), _)) = self.queue.first_key_value() else { return Ok(()) };
                self.pass_until(at_ms);
                continue;
            }
            self.work();
            self.own();
            let calm_ms = START_MS + i64::from(DAYS) * DAY_MS;
            if !self.is_calm && self.now_ms() > calm_ms {
                self.is_calm = true;
                self.shared.inner().fails_one_in = None;
            }
        }
        let next: Vec<_> = self.queue.iter().take(6).collect();
        Err(format!("it goes round in circles at {}: {} messages, {next:?}", self.shared.now(), self.queue.len()))
    }

    fn now_ms(&self) -> i64 {
        self.shared.now_ms.load(Ordering::Relaxed)
    }

    fn pass_until(&mut self, at_ms: i64) {
        self.shared.now_ms.fetch_max(at_ms, Ordering::Relaxed);
    }

    /// A stream shows what was written: who is due soon is reminded by a message, and who is due late by the tick.
    fn stream(&mut self, image: Image) {
        let Some(due) = image.due(Errand::FollowUp) else { return };
        let at_ms = due.at.as_millis().max(self.now_ms());
        let minute = millis(TICK);
        let at_ms = if due.is_late { (at_ms + minute - 1).div_euclid(minute) * minute } else { at_ms };
        for _ in 0..self.plan.copies {
            self.send(image.reminder, at_ms);
        }
    }

    fn send(&mut self, message: Reminder, at_ms: i64) {
        self.messages += 1;
        self.queue.insert((at_ms, self.messages), message);
    }

    /// Whoever is reminded now begins to look.
    fn start_due(&mut self) {
        while let Some((&(at_ms, number), &message)) = self.queue.first_key_value() {
            if at_ms > self.now_ms() || self.tasks.len() >= 12 {
                return;
            }
            self.queue.remove(&(at_ms, number));
            let app = self.app();
            let deadline_ms = self.now_ms() + LIFE_MS;
            let deadline = Timestamp::from_millis(deadline_ms);
            let looking = Box::pin(async move { look_at(&app, message.item, deadline).await });
            self.tasks.push(Task { looking, message, deadline_ms });
        }
    }

    fn app(&self) -> App {
        let worker = Arc::new(Worker { shared: self.shared.clone() });
        let table = |of| Arc::new(Table { shared: self.shared.clone(), of });
        let shell = Shell {
            store: table(|shared| &shared.payments),
            http: worker.clone(),
            clock: worker.clone(),
            entropy: worker.clone(),
            journal: worker.clone(),
            fingerprint_key: Some(cast().fingerprint_key.clone()),
            vault: Some(cast().vault.clone()),
            sealing_keys: Some(cast().sealing_keys.clone()),
            limiter: None,
        };
        App {
            shell,
            directory: worker.clone(),
            merchants: worker,
            archive: None,
            schedules: Some(table(|shared| &shared.schedules)),
            rates: Arc::default(),
            tells_bus: false,
            takes_loopback: false,
        }
    }

    /// One of the workers gets on, or is killed.
    fn work(&mut self) {
        let place = self.random.usize(0..self.tasks.len());
        let is_out_of_time = self.tasks[place].deadline_ms <= self.now_ms();
        let is_killed = !self.is_calm && self.plan.killed_one_in.is_some_and(|one_in| self.random.u32(0..one_in) == 0);
        let polled = match is_out_of_time || is_killed {
            true => Poll::Ready(None),
            false => {
                let polled = self.tasks[place].looking.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                polled.map(Some)
            }
        };
        self.shared.now_ms.fetch_add(self.random.i64(0..STEP_MS), Ordering::Relaxed);
        let Poll::Ready(done) = polled else { return };
        let Task { message, .. } = self.tasks.swap_remove(place);
        match done {
            Some(Ok(left)) => {
                if let Some(due) = left.and_then(|left| message.again(left.version, left.due)) {
                    self.send(message, due.as_millis().max(self.now_ms()));
                }
            }
            Some(Err(_)) | None => self.send(message, self.now_ms() + VISIBLE_AGAIN_MS),
        }
    }

    /// Now and then an owner pauses, goes on, or changes the amount. Whoever goes on while the last run is under way would
    /// be charged by the next.
    fn own(&mut self) {
        let last_ms = START_MS + i64::from(DAYS - 1) * DAY_MS;
        if self.now_ms() > last_ms || self.random.u32(0..200) != 0 {
            return;
        }
        let number = self.random.u32(0..self.plan.schedules);
        let id = ScheduleId::made_under(&self.merchant.id, &key(&format!("schedule {number}")));
        let key = ItemKey::Recurring(self.merchant.id, RecurringKey::Schedule(id)).to_string();
        let read = now(self.shared.schedules.read(&key)).expect("memory").expect("a schedule");
        let stored = StoredSchedule::from_item(read).expect("a schedule");
        let today = day((self.now_ms() - START_MS).div_euclid(DAY_MS));
        let change = match self.random.u32(0..3) {
            0 => Change::Hold { on: today },
            1 => Change::Resume { on: today },
            _ => Change::Amount(i64::from(self.random.u32(1..9_000))),
        };
        let Ok(next) = step(&stored.schedule, Event::Change(change), self.shared.now()) else { return };
        if next.schedule.version != stored.schedule.version {
            if let Some(at) = next.retry_at {
                let run = StoredRun::following(None, retry_run(self.merchant.id, at, self.shared.now())).to_item();
                let image = Image::of(&run).expect("an item of ours");
                if let Ok(Written::Done) = now(self.shared.schedules.write(run, Expected::Absent)) {
                    self.stream(image);
                }
            }
            let item = StoredSchedule::following(Some(&stored), next.schedule).to_item();
            let image = Image::of(&item).expect("an item of ours");
            let written = now(self.shared.schedules.write(item, Expected::Version(stored.schedule.version)));
            assert!(matches!(written, Ok(Written::Done)), "nobody comes between");
            self.stream(image);
        }
    }
}

/// What does not have to wait.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = Box::pin(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => unreachable!("memory does not wait"),
    }
}

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).expect("a key")
}

fn day(after: i64) -> Date {
    let first = Date::parse("2026-11-01").expect("a date");
    let days = Rhythm::new(1, Unit::Days).expect("a rhythm");
    days.occurrence(first, u32::try_from(after).expect("not before")).expect("a date")
}

/// Two retries, an hour apart.
fn rules() -> ListedRuleSet {
    ListedRuleSet {
        name: "Again".to_owned(),
        status: RuleSetStatus::Active,
        is_default: true,
        can_use_other_method: false,
        defaults: Timing {
            interval_type: Some(IntervalType::Fixed),
            interval_value: Some("1".to_owned()),
            interval_unit: Some(IntervalUnit::Hours),
            maximum_retry_count: Some(2),
        },
        description: None,
        made: None,
    }
}
