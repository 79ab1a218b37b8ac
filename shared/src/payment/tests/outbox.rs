//! What is told to whom, however many tell it at once: nothing is lost, and nothing is told before what came before it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::fixtures::START;
use super::random::Random;
use crate::ids::{EndpointId, Ordinal};
use crate::payment::outbox::{Entry, Failure, News, Outbox, Round};

/// A run that has begun and is not written yet.
struct Run {
    outbox: Outbox,
}

fn endpoint(seed: usize) -> EndpointId {
    EndpointId::from_random([u8::try_from(seed).expect("few"); 16])
}

/// Endpoints that fail now and then, runs that overlap and run out of time, and entries that come meanwhile.
#[test]
fn whatever_overlaps_every_entry_reaches_every_endpoint_in_order() {
    for seed in 0..4_000 {
        let mut random = Random::from_seed(seed);
        let endpoints: Vec<_> = (0..1 + random.below(3)).map(endpoint).collect();
        let (mut outbox, mut now) = (Outbox::default(), START);
        let mut heard: BTreeMap<EndpointId, Vec<u32>> = BTreeMap::new();
        let mut runs: Vec<Run> = Vec::new();
        for turn in 0..60 {
            now = now.plus(Duration::from_secs(random.pick(&[0, 1, 60, 40_000])));
            let is_calm = turn >= 40;
            match random.below(if is_calm { 4 } else { 6 }) {
                4.. => outbox.tell_again(Ordinal::FIRST, News::Created, now),
                0 | 1 if runs.len() < 3 => runs.push(Run { outbox: outbox.clone() }),
                _ if runs.is_empty() => {}
                _ => {
                    let run = runs.swap_remove(random.below(runs.len()));
                    let round = tell(&run.outbox, &endpoints, &mut heard, &mut random, is_calm, now);
                    outbox.learn(&round, now);
                }
            }
        }
        // Whoever is left behind is told until nothing is due any more.
        for _ in 0..200 {
            now = now.plus(Duration::from_secs(40_000));
            let round = tell(&outbox.clone(), &endpoints, &mut heard, &mut random, true, now);
            outbox.learn(&round, now);
        }
        assert_eq!((outbox.due(), outbox.entries.len()), (None, 0), "{seed}: {outbox:?}");
        for endpoint in &endpoints {
            let mut seen = BTreeSet::new();
            let heard = heard.get(endpoint).map_or(&[][..], Vec::as_slice);
            let first: Vec<_> = heard.iter().copied().filter(|number| seen.insert(*number)).collect();
            assert_eq!(first, (1..=outbox.made).collect::<Vec<_>>(), "{seed}: {endpoint} heard {heard:?}");
        }
    }
}

/// One run over the outbox as it was: each endpoint in order until it fails, or until there is no time.
fn tell(
    outbox: &Outbox,
    endpoints: &[EndpointId],
    heard: &mut BTreeMap<EndpointId, Vec<u32>>,
    random: &mut Random,
    is_calm: bool,
    now: crate::time::Timestamp,
) -> Round {
    let told = endpoints.iter().map(|endpoint| {
        let owed = outbox.owed(*endpoint, now);
        let mut told = outbox.untold(*endpoint);
        for Entry { number, .. } in owed {
            if !is_calm && random.chance(10) {
                return told;
            }
            // It may have been taken although nobody heard so.
            let fails = !is_calm && random.chance(25);
            if !fails || random.chance(30) {
                heard.entry(*endpoint).or_default().push(*number);
            }
            if fails {
                told.failed = Some(Failure { number: *number, chance: 7 });
                return told;
            }
            told.through = *number;
        }
        told
    });
    Round { seen: outbox.made, told: told.collect(), gone: Vec::new() }
}
