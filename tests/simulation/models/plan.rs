//! What merchants want of a gateway that has a model: mostly what it takes.

use kessai_functions::sandbox::Kind;

use super::{Facts, Played};
use crate::chance::{Chance, Fault, Faults};
use crate::endpoints::ENDPOINTS;
use crate::plan::{AMOUNT, Errand, Pays, Plan};

const FAULTS_ONE_IN: u32 = 8;
const BY_DOOR_ONE_IN: u32 = 10;
const ENDPOINTS_ONE_IN: u32 = 16;

/// What the last four digits of an amount ask for: see the sandbox's table.
const DECLINES: [i64; 4] = [9_001, 9_002, 9_006, 9_007];

/// What parts are taken: two thirds do not fit twice.
const PARTS: [i64; 5] = [10_000, 6_000, 4_000, 2_500, 10_001];

impl Plan {
    /// The history of a seed at this gateway.
    pub fn at(played: Played, seed: u64) -> Self {
        let mut chance = Chance::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed, Faults::NONE);
        let faults = Fault::ALL.iter().copied().filter(|_| chance.one_in(FAULTS_ONE_IN));
        let faults = faults.fold(Faults::NONE, Faults::with);
        let mut errands: Vec<Errand> = Vec::new();
        for _ in 0..how_many(&mut chance) {
            let errand = draw(played.facts(), &errands, &mut chance);
            errands.push(errand);
        }
        Self {
            seed,
            class: played.class(),
            model: Some(played),
            by_door: chance.one_in(BY_DOOR_ONE_IN),
            strict: !chance.one_in(4),
            tells: !chance.one_in(3),
            endpoints: if chance.one_in(ENDPOINTS_ONE_IN) { 1 + chance.pick(ENDPOINTS.len() - 1) } else { 0 },
            faults,
            errands,
        }
    }
}

/// What can go wrong between a hold and what acts on it does so in two or three.
fn how_many(chance: &mut Chance) -> usize {
    match chance.pick(32) {
        0..12 => 1,
        12..22 => 2,
        22..29 => 3,
        _ => 4 + chance.pick(5),
    }
}

fn draw(facts: &Facts, before: &[Errand], chance: &mut Chance) -> Errand {
    if !before.is_empty()
        && chance.one_in(12)
        && let Some(last) = before.last()
    {
        // The same again, from another of the merchant's processes.
        return Errand { after_ms: chance.millis(0..3_000), ..last.clone() };
    }
    let target = if before.is_empty() || chance.one_in(10) { None } else { Some(chance.pick(before.len())) };
    let acts = target.and_then(|target| Some((target, acting(before[target].kind, chance)?)));
    let (on, kind) = match acts {
        Some((target, kind)) => (Some(target), kind),
        None => (None, if chance.one_in(2) { Kind::Authorize } else { Kind::Sale }),
    };
    let whole = on.and_then(|on| before[on].amount);
    let merchant = on.map_or_else(|| usize::from(chance.one_in(16)), |on| before[on].merchant);
    Errand {
        merchant,
        kind,
        on,
        key: if chance.one_in(16) { chance.pick(before.len() + 1) } else { before.len() },
        amount: match kind {
            Kind::Refund if chance.one_in(4) => None,
            Kind::Reverse if !facts.reverses_parts && !chance.one_in(8) => whole,
            Kind::Capture | Kind::Refund | Kind::Reverse if chance.one_in(3) => whole,
            Kind::Capture | Kind::Refund | Kind::Reverse => Some(part(facts, chance)),
            _ => Some(opened(facts, chance)),
        },
        is_final: kind == Kind::Capture && chance.one_in(6),
        pays: match chance.pick(16) {
            // What is not taken is refused, and nothing of it rests.
            0 => Pays::Card(0),
            1..6 if facts.takes_cards => Pays::Card(0),
            _ => Pays::Method(0),
        },
        after_ms: if chance.one_in(2) { chance.millis(0..300) } else { chance.millis(0..40_000) },
    }
}

fn acting(on: Kind, chance: &mut Chance) -> Option<Kind> {
    match on {
        Kind::Authorize if chance.one_in(3) => Some(Kind::Reverse),
        Kind::Authorize => Some(Kind::Capture),
        Kind::Sale | Kind::Capture => Some(Kind::Refund),
        Kind::PostAuthorize | Kind::Reverse | Kind::Refund | Kind::Tokenize => None,
    }
}

/// An amount of which the gateway makes something: mostly it approves.
fn opened(facts: &Facts, chance: &mut Chance) -> i64 {
    match chance.pick(8) {
        0 => AMOUNT + DECLINES[chance.pick(DECLINES.len())],
        1 if !facts.magic.is_empty() => AMOUNT + facts.magic[chance.pick(facts.magic.len())],
        _ => AMOUNT,
    }
}

fn part(facts: &Facts, chance: &mut Chance) -> i64 {
    match chance.pick(8) {
        0 => DECLINES[chance.pick(DECLINES.len())],
        1 if !facts.magic.is_empty() => facts.magic[chance.pick(facts.magic.len())],
        _ => PARTS[chance.pick(PARTS.len())],
    }
}
