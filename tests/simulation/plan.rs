//! What the merchants of a history want: drawn from the seed, and plain data, so that a shorter plan can
//! be tried with the same seed.

use kessai_functions::sandbox::{Class, Kind};

use crate::chance::{Chance, Fault, Faults};
use crate::endpoints::ENDPOINTS;
use crate::models::Played;

/// A history before it happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    pub class: Class,
    /// The gateway whose model is asked; none where it is the sandbox.
    pub model: Option<Played>,
    /// Whether callers speak HTTP and JSON; else their requests are put behind the door, which is quicker.
    pub by_door: bool,
    /// Whether Kessai checks reversals, or leaves it to the gateway.
    pub strict: bool,
    /// Whether the gateway tells unasked what became of operations.
    pub tells: bool,
    /// Which endpoints merchants have: a place in [`ENDPOINTS`](crate::endpoints::ENDPOINTS).
    pub endpoints: usize,
    pub faults: Faults,
    pub errands: Vec<Errand>,
}

/// One thing a merchant wants done, under one key, however often it has to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    pub merchant: usize,
    pub kind: Kind,
    /// The errand whose record this one acts on.
    pub on: Option<usize>,
    /// Errands may share a key: then they want the same, or somebody made a mistake.
    pub key: usize,
    /// In minor units. None gives back all that is left.
    pub amount: Option<i64>,
    pub is_final: bool,
    pub pays: Pays,
    /// When it begins: after the start, or after the record it acts on is known.
    pub after_ms: i64,
}

/// What an opening errand pays with: the code of the sandbox's table decides what the gateway says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pays {
    Card(u16),
    Method(u16),
    /// Nobody means to: it is what [`How::OtherCard`](crate::requests::How) brings.
    OtherCard,
}

/// In minor units; what acts on it takes parts of this.
pub const AMOUNT: i64 = 10_000;

/// What parts are taken: two thirds do not fit twice.
const PARTS: [i64; 5] = [10_000, 6_000, 4_000, 2_500, 10_001];

/// One in so many faults is on.
const FAULTS_ONE_IN: u32 = 9;

/// One history in so many goes through the door.
const BY_DOOR_ONE_IN: u32 = 10;

/// In one history of so many merchants have endpoints.
const ENDPOINTS_ONE_IN: u32 = 8;

const APPROVE: u16 = 0;
const DECLINES: [u16; 4] = [9001, 9002, 9006, 9007];
const ACCEPTS: [u16; 4] = [9018, 9019, 9021, 9022];
const DISPUTED: [u16; 2] = [9023, 9024];

/// What is captured, reversed or given back has no card: its amount says what becomes of it.
const MAGIC_PARTS: [i64; 6] = [9_018, 9_019, 9_021, 9_022, 9_023, 9_024];

impl Plan {
    /// The history of a seed.
    pub fn of(seed: u64) -> Self {
        // Seeds stand side by side; their histories must not.
        let mut chance = Chance::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed, Faults::NONE);
        let class = Class::ALL[chance.pick(Class::ALL.len())];
        let faults = Fault::ALL.iter().copied().filter(|_| chance.one_in(FAULTS_ONE_IN));
        let faults = faults.fold(Faults::NONE, Faults::with);
        let mut errands: Vec<Errand> = Vec::new();
        for _ in 0..how_many(&mut chance) {
            let errand = draw(&errands, &mut chance);
            errands.push(errand);
        }
        Self {
            seed,
            class,
            model: None,
            by_door: chance.one_in(BY_DOOR_ONE_IN),
            strict: !chance.one_in(4),
            tells: chance.one_in(4),
            endpoints: if chance.one_in(ENDPOINTS_ONE_IN) { 1 + chance.pick(ENDPOINTS.len() - 1) } else { 0 },
            faults,
            errands,
        }
    }

    /// The plan without one errand and what depends on it.
    #[must_use]
    pub fn without(&self, errand: usize) -> Self {
        let mut gone = vec![false; self.errands.len()];
        let mut place = vec![0; self.errands.len()];
        let mut errands: Vec<Errand> = Vec::new();
        for (index, wanted) in self.errands.iter().enumerate() {
            gone[index] = index == errand || wanted.on.is_some_and(|on| gone[on]);
            place[index] = errands.len();
            if !gone[index] {
                errands.push(Errand { on: wanted.on.map(|on| place[on]), ..wanted.clone() });
            }
        }
        Self { errands, ..self.clone() }
    }
}

/// Mostly few: what can go wrong between two requests does so between two.
fn how_many(chance: &mut Chance) -> usize {
    match chance.pick(32) {
        0..24 => 1,
        24..29 => 2,
        29..31 => 3,
        _ => 4 + chance.pick(7),
    }
}

fn draw(before: &[Errand], chance: &mut Chance) -> Errand {
    let opens = |errand: &&Errand| errand.on.is_none();
    let twin = before.iter().filter(opens).count() < before.len() && chance.one_in(8);
    if twin && let Some(last) = before.last() {
        // The same again, from another of the merchant's processes.
        return Errand { after_ms: chance.millis(0..3_000), ..last.clone() };
    }
    let target = if before.is_empty() || chance.one_in(8) { None } else { Some(chance.pick(before.len())) };
    let acts = target.and_then(|target| Some((target, acting(before[target].kind, chance)?)));
    let (on, kind) = match acts {
        Some((target, kind)) => (Some(target), kind),
        None => (None, opening(chance)),
    };
    let parts: &[i64] = if chance.one_in(6) { &MAGIC_PARTS } else { &PARTS };
    let part = parts[chance.pick(parts.len())];
    let merchant = on.map_or_else(|| usize::from(chance.one_in(16)), |on| before[on].merchant);
    Errand {
        merchant,
        kind,
        on,
        // Now and then a key that was used before.
        key: if chance.one_in(12) { chance.pick(before.len() + 1) } else { before.len() },
        amount: match (on, kind) {
            (None, _) => Some(AMOUNT),
            (Some(_), Kind::Refund) if chance.one_in(4) => None,
            (Some(_), _) => Some(part),
        },
        is_final: kind == Kind::Capture && chance.one_in(6),
        pays: pays(kind, chance),
        after_ms: if chance.one_in(2) { chance.millis(0..300) } else { chance.millis(0..40_000) },
    }
}

fn opening(chance: &mut Chance) -> Kind {
    match chance.pick(10) {
        0..5 => Kind::Authorize,
        5..9 => Kind::Sale,
        _ => Kind::PostAuthorize,
    }
}

fn acting(on: Kind, chance: &mut Chance) -> Option<Kind> {
    match on {
        Kind::Authorize | Kind::PostAuthorize if chance.one_in(3) => Some(Kind::Reverse),
        Kind::Authorize | Kind::PostAuthorize => Some(Kind::Capture),
        Kind::Sale | Kind::Capture => Some(Kind::Refund),
        Kind::Reverse | Kind::Refund | Kind::Tokenize => None,
    }
}

fn pays(kind: Kind, chance: &mut Chance) -> Pays {
    let code = match chance.pick(8) {
        0 => DECLINES[chance.pick(DECLINES.len())],
        1 => ACCEPTS[chance.pick(ACCEPTS.len())],
        2 if chance.one_in(2) => DISPUTED[chance.pick(DISPUTED.len())],
        _ => APPROVE,
    };
    if kind == Kind::PostAuthorize {
        // Whatever it is, a browser has had it approved.
        return Pays::Card(APPROVE);
    }
    if chance.one_in(3) { Pays::Card(code) } else { Pays::Method(code) }
}
