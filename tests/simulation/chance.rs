//! What goes wrong, and when. A history has a few kinds of fault, not all: a world in which everything
//! fails at once hides more than it shows.

use std::ops::Range;

macro_rules! faults {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal,)*) => {
        /// Everything that can go wrong in a history.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Fault { $($(#[doc = $doc])* $name,)* }

        impl Fault {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

faults! {
    /// A read of the table fails.
    ReadFails = "store: read fails",
    /// A write of the table is throttled: it was not made.
    WriteThrottled = "store: write throttled",
    /// A write is made, and its acknowledgement lost.
    AcknowledgementLost = "store: acknowledgement lost",
    /// The same, and the client asks again: the write meets itself.
    WriteMeetsItself = "store: write meets itself",
    /// The client gives up, and the write is made afterwards.
    WriteLate = "store: write made late",
    /// The table is not there for a while: longer than anybody's patience.
    StoreDown = "store: down for a while",
    /// What merchants have set up cannot be read.
    DirectoryFails = "store: directory fails",
    /// A worker is killed while it waits.
    Killed = "worker: killed at an await",
    /// What a killed worker had asked for still happens.
    DyingWish = "worker: killed, its last call still arrives",
    /// A worker starts with little time left.
    LittleTime = "worker: starts with little time",
    /// A worker's clock is wrong by up to two seconds.
    ClockDiffers = "clock: differs",
    /// A clock jumps, forwards or backwards.
    ClockSteps = "clock: steps",
    /// A worker runs the next version of the code, which stores more.
    NextVersion = "version: the next one beside this",
    /// The stream shows an item late, after what came of it.
    StreamLate = "stream: late and out of order",
    StreamDoubled = "stream: doubled",
    MessageLate = "queue: late",
    MessageDoubled = "queue: doubled",
    /// Whoever got the message fails until it is a dead letter.
    MessageDead = "queue: dead letter",
    /// A tick does not come, or fails.
    TickMissed = "tick: missed",
    NoConnection = "network: no connection",
    RequestLost = "network: request lost",
    /// The request arrives after its sender has given up or is dead.
    RequestLate = "network: request late",
    RequestDoubled = "network: request doubled",
    AnswerLost = "network: answer lost",
    AnswerSlow = "network: answer slow",
    /// For hours or days it answers nobody: long enough for keys to be forgotten.
    GatewayDown = "gateway: down for hours",
    TooManyRequests = "gateway: 429",
    InProgress = "gateway: 409, the first is still in progress",
    /// What it has entered is not found for a while.
    LookUpBehind = "gateway: look-up behind",
    /// Of what it has done before, it says that it cannot do it.
    RefusesAgain = "gateway: refuses what it has done",
    /// It repeats the card in its message.
    EchoesCard = "gateway: repeats the card number",
    /// Merchants set up another account there, which knows nothing of the former.
    AccountReplaced = "gateway: another account in mid-flight",
    ErrorBefore = "gateway: 5xx, not acted",
    ErrorAfter = "gateway: 5xx, acted",
    Malformed = "gateway: malformed body",
    ForeignAnswer = "gateway: answers of something else",
    NoticeLost = "notice: lost",
    NoticeLate = "notice: late and out of order",
    NoticeDoubled = "notice: doubled",
    NoticeForged = "notice: forged",
    /// Somebody who has heard it repeats it later.
    NoticeStale = "notice: old, repeated",
    /// Everything that there is to tell in one body, in any order.
    NoticeBatch = "notice: several in one body",
    NoticeAstray = "notice: to another merchant",
    /// The payer acts when it is almost or already too late.
    PayerLate = "payer: acts late",
    PayerAway = "payer: never acts",
    /// Whoever tells merchants is killed in the middle of it.
    DeliverKilled = "worker: killed while it delivers",
    /// For hours or days it takes nothing.
    EndpointDown = "endpoint: down for hours or days",
    EndpointFails = "endpoint: fails",
    /// It takes what it is told, and answers too late.
    EndpointSlow = "endpoint: answers too late",
    DeliveryLost = "delivery: lost",
    DeliveryLate = "delivery: arrives late",
    DeliveryAnswerLost = "delivery: answer lost",
    /// What happened, and how endpoints fare, cannot be read or written.
    ArchiveFails = "archive: fails",
    /// Whoever looks how an endpoint fares sees how it was before.
    HealthStale = "endpoint: seen as it was before",
    /// The caller does not hear the answer.
    CallerDeaf = "caller: hears nothing",
    CallerImpatient = "caller: asks twice at once",
    CallerAsksAgain = "caller: asks again what is settled",
    CallerReturns = "caller: comes back days later",
    CallerGivesUp = "caller: gives up",
    CallerMistypes = "caller: mistypes",
    CallerReusesKey = "caller: uses a key for something else",
    /// The same key, and a card that looks the same in all that is stored of it.
    CallerTakesOtherCard = "caller: uses a key for another card",
}

/// Some of the faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults(u64);

impl Faults {
    pub const NONE: Self = Self(0);

    pub fn has(self, fault: Fault) -> bool {
        self.0 & 1 << fault as u64 != 0
    }

    #[must_use]
    pub fn with(self, fault: Fault) -> Self {
        Self(self.0 | 1 << fault as u64)
    }

    #[must_use]
    pub fn without(self, fault: Fault) -> Self {
        Self(self.0 & !(1 << fault as u64))
    }

    pub fn iter(self) -> impl Iterator<Item = Fault> {
        Fault::ALL.iter().copied().filter(move |fault| self.has(*fault))
    }
}

/// Of so many opportunities, a fault that is on takes one.
const ONE_IN: u8 = 4;

/// What happens for certain, beside what chance brings: to which call of which invocation, both counted
/// from the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// At every opportunity.
    pub always: Vec<Fault>,
    /// Invocations count from 0, the calls of each from 1.
    pub faults: Vec<(usize, u32, Fault)>,
    /// When calls are served, in milliseconds; the others take as long as they do.
    pub moments: Vec<(usize, u32, i64)>,
}

/// The only source of chance in a history.
pub struct Chance {
    random: fastrand::Rng,
    faults: Faults,
    pub script: Script,
    /// How often each fault struck.
    pub struck: [u32; Fault::ALL.len()],
    /// What struck because the script said so.
    struck_calls: Vec<(usize, u32, Fault)>,
}

impl Chance {
    pub fn new(seed: u64, faults: Faults) -> Self {
        let (random, script) = (fastrand::Rng::with_seed(seed), Script::default());
        Self { random, faults, script, struck: [0; Fault::ALL.len()], struck_calls: Vec::new() }
    }

    /// Whether the fault strikes here.
    pub fn strikes(&mut self, fault: Fault) -> bool {
        let is_certain = self.script.always.contains(&fault);
        let strikes = is_certain || self.faults.has(fault) && self.random.u8(..).is_multiple_of(ONE_IN);
        if strikes {
            self.struck[fault as usize] += 1;
        }
        strikes
    }

    /// Whether the fault strikes this call of an invocation.
    pub fn strikes_call(&mut self, fault: Fault, task: usize, call: u32) -> bool {
        if self.script.faults.contains(&(task, call, fault)) {
            self.struck[fault as usize] += 1;
            self.struck_calls.push((task, call, fault));
            return true;
        }
        self.strikes(fault)
    }

    /// What the script meant to strike, and what never came to be.
    pub fn missed(&self) -> Vec<(usize, u32, Fault)> {
        self.script.faults.iter().copied().filter(|fault| !self.struck_calls.contains(fault)).collect()
    }

    /// When the script wants this call to be served.
    pub fn moment(&self, task: usize, call: u32) -> Option<i64> {
        let moments = &self.script.moments;
        moments.iter().find(|(other, number, _)| (*other, *number) == (task, call)).map(|(_, _, at_ms)| *at_ms)
    }

    /// From now on nothing fails.
    pub fn calm_down(&mut self) {
        self.faults = Faults::NONE;
        self.script.always.clear();
    }

    /// Milliseconds in this range.
    pub fn millis(&mut self, range: Range<i64>) -> i64 {
        self.random.i64(range)
    }

    pub fn one_in(&mut self, many: u32) -> bool {
        self.random.u32(..many) == 0
    }

    pub fn pick(&mut self, count: usize) -> usize {
        self.random.usize(..count)
    }

    pub fn seed(&mut self) -> u64 {
        self.random.u64(..)
    }
}
