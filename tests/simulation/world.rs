//! The world of one history: a heap of what is going to happen, and the loop that lets it.
//!
//! Everybody who waits does so for an entry in the heap. Between two entries nothing moves, so that a
//! history is the order of its entries, and the order follows from the seed.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::ops::Range;

use kessai_functions::sandbox::{Gateway, Kind};
use kessai_shared::reminder::Errand;

use crate::archive::Archive;
use crate::auditor::{Auditor, Violation};
use crate::callers::Caller;
use crate::chance::{Chance, Fault, Script};
use crate::endpoints::{Delivery, Place};
use crate::models::{Accounts, Earlier, Played, Post, Visit};
use crate::moved::Moving;
use crate::network::Parcel;
use crate::notices::Told;
use crate::plan::Plan;
use crate::platform::{Platform, Task};
use crate::port::Reply;
use crate::queue::Message;
use crate::requests::How;
use crate::story::{Lane, Story, moment};
use crate::table::{LateWrite, Shown, Table};

/// The moment at which every history begins, in milliseconds since 1970.
pub const START_MS: i64 = 1_785_542_400_000;

/// In one history of so many everybody asks once more when all is over.
const ASKED_AGAIN: u64 = 8;

/// At a model everything that comes to rest does so within this, once nothing fails any more: holds end, payers come,
/// notices are told again. Where a gateway undoes what was lost, none of these is
/// waited for, and endpoints are given up sooner.
const HORIZON_MS: i64 = 12 * 86_400_000;
const HORIZON_OF_UNDOING_MS: i64 = 5 * 86_400_000;

/// More entries than any history needs: beyond, something goes round in circles.
const MOST_ENTRIES: u32 = 20_000;

/// What is going to happen.
pub enum Happening {
    /// A caller sends its request.
    Asks { errand: usize, how: How },
    /// What a worker waits for: the reply, or none where the table is yet to be asked.
    Served { task: usize, call: u32, reply: Option<Reply> },
    /// A write reaches the table although nobody waits for it any more.
    Written(Box<LateWrite>),
    /// A worker is killed.
    Killed { task: usize },
    /// A request reaches the gateway.
    Arrives(Box<Parcel>),
    /// A notice reaches the merchant's URL.
    Told(Box<Told>),
    /// A delivery reaches an endpoint.
    Delivered(Box<Delivery>),
    /// What a model tells unasked reaches the merchant's URL.
    Posted(Box<Post>),
    /// A payer visits a model's page.
    Visited(Box<Visit>),
    /// A payer decides what a gateway has asked.
    Pays { place: usize, approves: bool },
    /// The stream shows what became of a payment.
    Streamed { shown: Shown, is_late: bool },
    /// Somebody is told to look at a payment.
    Woken(Message),
    /// The tick finds a payment in the index.
    Ticked { payment: usize, errand: Errand, version: u64 },
    /// Merchants set up another account at the gateway.
    Moves,
    /// A worker's clock jumps.
    Steps { worker: usize },
    /// From here on nothing fails any more.
    Calm,
}

struct Entry {
    at_ms: i64,
    number: u32,
    happening: Happening,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    /// The earliest is the greatest; of two at the same moment, the one that was foreseen first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at_ms, other.number).cmp(&(self.at_ms, self.number))
    }
}

/// One history while it happens. Times are milliseconds since its start.
pub struct World {
    pub(crate) plan: Plan,
    pub(crate) now_ms: i64,
    pub(crate) chance: Chance,
    heap: BinaryHeap<Entry>,
    entries: u32,
    pub(crate) is_calm: bool,
    /// Everything has come to rest, and everybody has asked once more.
    pub(crate) is_over: bool,
    /// When the gateway answers nobody.
    pub(crate) gateway_down_ms: Range<i64>,
    pub(crate) endpoints_down_ms: Vec<(Place, Range<i64>)>,
    pub(crate) table: Table,
    pub(crate) archive: Archive,
    pub(crate) gateway: Gateway,
    /// Where the gateway is not the sandbox: the models that stand for it.
    pub(crate) accounts: Option<Accounts>,
    /// What one of them answered last.
    pub(crate) earlier: Option<Earlier>,
    pub(crate) moving: Moving,
    pub(crate) platform: Platform,
    pub(crate) tasks: Vec<Task>,
    pub(crate) callers: Vec<Caller>,
    pub(crate) auditor: Auditor,
    pub(crate) story: Story,
}

/// How a history went.
pub struct Report {
    pub violation: Option<Violation>,
    pub auditor: Auditor,
    pub struck: [u32; Fault::ALL.len()],
    pub story: Story,
    /// What a script meant to strike, and did not.
    pub missed: Vec<(usize, u32, Fault)>,
    /// What the gateway did: the kind, the amount, and whether it stands.
    pub ledger: Vec<(Kind, u64, bool)>,
    /// What each errand heard, in order.
    pub heard: Vec<Vec<u16>>,
    /// How many entries it had.
    pub entries: u32,
}

/// Lets a history happen.
pub fn run(plan: &Plan, story: Story) -> Report {
    run_scripted(plan, Script::default(), story)
}

/// Lets a history happen in which some things are certain.
pub fn run_scripted(plan: &Plan, script: Script, story: Story) -> Report {
    let mut world = World::new(plan.clone(), story);
    world.chance.script = script;
    world.begin();
    world.go_on();
    world.end()
}

impl World {
    pub fn new(plan: Plan, story: Story) -> Self {
        let chance = Chance::new(plan.seed, plan.faults);
        Self {
            now_ms: 0,
            heap: BinaryHeap::with_capacity(32),
            entries: 0,
            is_calm: false,
            is_over: !plan.seed.is_multiple_of(ASKED_AGAIN),
            gateway_down_ms: 0..0,
            endpoints_down_ms: Vec::new(),
            table: Table::default(),
            archive: Archive::default(),
            gateway: Gateway::default(),
            accounts: plan.model.map(Accounts::at),
            earlier: None,
            moving: Moving::default(),
            platform: Platform::of(&plan),
            tasks: Vec::with_capacity(8),
            callers: plan.errands.iter().map(|_| Caller::default()).collect(),
            auditor: Auditor::of(&plan),
            chance,
            plan,
            story,
        }
    }

    /// Sets everything going.
    pub fn begin(&mut self) {
        self.set_clocks();
        self.set_callers_going();
        self.set_outages();
        self.set_move();
        self.set_endpoints();
        // Within the hour, after keys are forgotten, or after holds have ended.
        let calm_ms = match self.chance.pick(8) {
            0 => 9 * 86_400_000,
            1 => 30 * 3_600_000,
            _ => self.chance.millis(60_000..3_600_000),
        };
        self.foresee(calm_ms, Happening::Calm);
    }

    /// When nobody answers for a while.
    fn set_outages(&mut self) {
        if self.chance.strikes(Fault::GatewayDown) {
            let from = self.chance.millis(0..1_000);
            self.gateway_down_ms = from..from + self.chance.millis(3_600_000..30 * 3_600_000);
            let hours = (self.gateway_down_ms.end - from) / 3_600_000;
            self.tell(Lane::Gateway, Lane::Gateway, || format!("is down for {hours} hours, a second from here"));
        }
        if self.chance.strikes(Fault::StoreDown) {
            let from = self.chance.millis(0..60_000);
            self.table.down_ms = from..from + self.chance.millis(1_000..40_000);
            let Range { start, end } = self.table.down_ms.clone();
            self.tell(Lane::Store, Lane::Store, || format!("is down from {} to {}", moment(start), moment(end)));
        }
    }

    /// Lets time pass until nothing is left to happen, or something happened that must not.
    pub fn go_on(&mut self) {
        while self.auditor.violation.is_none() {
            let Some(Entry { at_ms, happening, .. }) = self.heap.peek_mut().map(PeekMut::pop) else {
                // All has come to rest.
                match self.is_over {
                    true => return,
                    false => self.ask_all_again(),
                }
                continue;
            };
            if self.accounts.is_some() && at_ms > self.horizon_ms() {
                self.heap.clear();
                continue;
            }
            self.now_ms = at_ms;
            if self.entries > MOST_ENTRIES {
                self.auditor.object("liveness", || format!("{MOST_ENTRIES} things happened, and no end"));
                return;
            }
            self.let_happen(happening);
        }
    }

    /// A model can leave something open for ever, and somebody asks for ever: what was not found out by now will not be.
    fn horizon_ms(&self) -> i64 {
        if !self.is_calm {
            return i64::MAX;
        }
        let calm_ms = self.auditor.books.calm_ms - START_MS;
        let undoes = self.played().adapter().timeout_reversal.is_some();
        let horizon_ms = if undoes { HORIZON_OF_UNDOING_MS } else { HORIZON_MS };
        calm_ms + horizon_ms + if self.is_over { 86_400_000 } else { 0 }
    }

    /// Looks at the books.
    pub fn end(mut self) -> Report {
        if self.auditor.violation.is_none() {
            let now_ms = START_MS + self.now_ms;
            self.look_at_ledgers();
            self.auditor.close(&self.plan, &self.table, &self.gateway, now_ms);
            self.auditor.close_telling(&self.table, &self.archive);
        }
        let violation = self.auditor.violation.take();
        let effects = self.gateway.effects(START_MS + self.now_ms).filter(|effect| effect.reference.is_some());
        let ledger = effects.map(|effect| (effect.kind, effect.amount, !effect.voided)).collect();
        Report {
            violation,
            struck: self.chance.struck,
            auditor: self.auditor,
            story: self.story,
            missed: self.chance.missed(),
            ledger,
            heard: self.callers.into_iter().map(|caller| caller.heard).collect(),
            entries: self.entries,
        }
    }

    pub(crate) fn foresee(&mut self, at_ms: i64, happening: Happening) {
        self.entries += 1;
        self.heap.push(Entry { at_ms: at_ms.max(self.now_ms), number: self.entries, happening });
    }

    pub(crate) fn foresee_in(&mut self, millis: i64, happening: Happening) {
        self.foresee(self.now_ms + millis, happening);
    }

    fn let_happen(&mut self, happening: Happening) {
        match happening {
            Happening::Asks { errand, how } => self.ask(errand, how),
            Happening::Served { task, call, reply } => self.serve(task, call, reply),
            Happening::Written(late) => self.write_late(*late),
            Happening::Killed { task } => self.kill(task, "at its deadline"),
            Happening::Arrives(parcel) => self.arrive(*parcel),
            Happening::Told(told) => self.be_told(*told),
            Happening::Posted(post) => self.take_post(*post),
            Happening::Visited(visit) => self.visit(&visit),
            Happening::Delivered(delivery) => self.be_delivered(*delivery),
            Happening::Pays { place, approves } => self.pay(place, approves),
            Happening::Streamed { shown, is_late } => self.stream(shown, is_late),
            Happening::Woken(message) => self.wake(message),
            Happening::Ticked { payment, errand, version } => self.tick(payment, errand, version),
            Happening::Moves => self.move_account(),
            Happening::Steps { worker } => self.step_clock(worker),
            Happening::Calm => self.calm_down(),
        }
    }

    fn calm_down(&mut self) {
        self.is_calm = true;
        self.auditor.books.calm_ms = START_MS + self.now_ms.max(self.gateway_down_ms.end);
        self.chance.calm_down();
        self.tell(Lane::Queue, Lane::Queue, || "from here on nothing fails any more".to_owned());
        self.redrive();
    }

    /// The gateway whose models these are.
    pub(crate) fn played(&self) -> Played {
        self.plan.model.expect("a history at a model")
    }

    pub(crate) fn tell(&mut self, from: Lane, to: Lane, what: impl FnOnce() -> String) {
        self.story.tell(self.now_ms, from, to, what);
    }
}
