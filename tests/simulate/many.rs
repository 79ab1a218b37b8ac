//! What is said of many histories: what broke a rule, how quick it was, and what happened how often.

use std::collections::BTreeMap;
use std::error::Error;
use std::panic::set_hook;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use tests::auditor::Violation;
use tests::plan::Plan;
use tests::story::Story;

use crate::Said;
use crate::arguments::Arguments;
use crate::figures::{each_second, grouped, hundredths};
use crate::hunt::{Counted, Hunt};
use crate::one::REPLAY;
use crate::progress::Progress;
use crate::reached::gaps;
use crate::sometimes;
use crate::tally::Tally;

/// Looks at a range of seeds.
pub fn look_at(arguments: &Arguments) -> Said {
    let Arguments { gateway, require_all, until_violation, .. } = *arguments;
    let hunted = hunted(arguments, |seed, tally: &mut Tally| happen(&Arguments::plan(gateway, seed), tally))?;
    if until_violation {
        return Ok(hunted.first());
    }
    let Hunted { tally, found, .. } = &hunted;
    let at = gateway.map_or_else(String::new, |played| format!(" --gateway {}", played.facts().name));
    let mut text = said_of(found, |seed| format!("{REPLAY}{at} --seed {seed} --trace"));
    text += &hunted.summary(tally.histories);
    text += &line("requests a history", &hundredths(tally.requests, tally.histories));
    if gateway.is_some() {
        text += &sometimes::at_model(tally);
        return Ok((text, found.is_empty()));
    }
    let gaps = gaps(tally);
    text += &sometimes::table(tally, &gaps);
    if require_all {
        gaps.iter().for_each(|gap| text += &format!("{}\n", gap.said()));
    }
    Ok((text, found.is_empty() && (gaps.is_empty() || !require_all)))
}

fn happen(plan: &Plan, tally: &mut Tally) -> Option<Violation> {
    let report = tests::run(plan, Story::default());
    tally.count(plan, &report);
    report.violation
}

/// What a hunt came to.
pub struct Hunted<T> {
    hunt: Hunt,
    threads: u64,
    elapsed: Duration,
    pub tally: T,
    pub found: BTreeMap<u64, Violation>,
}

/// Lets the histories that are asked for happen.
pub fn hunted<T: Counted>(
    arguments: &Arguments,
    happen: impl Fn(u64, &mut T) -> Option<Violation> + Sync,
) -> Result<Hunted<T>, Box<dyn Error>> {
    let threads = arguments.threads.map_or_else(available_parallelism, Ok)?.get();
    let threads = u64::try_from(threads)?;
    let Arguments { from, seeds, most, until_violation, .. } = *arguments;
    let hunt = Hunt { from, seeds, most: if until_violation { 1 } else { most.get() } };
    let progress = if until_violation { Progress::silent() } else { Progress::new(seeds, threads) };
    // A panic is a violation, and is said with the others.
    set_hook(Box::new(|_| {}));
    let began = Instant::now();
    let (tally, found) = hunt.run(threads, progress, happen);
    Ok(Hunted { hunt, threads, elapsed: began.elapsed(), tally, found })
}

impl<T> Hunted<T> {
    /// Only whether something was caught, and how soon.
    pub fn first(&self) -> (String, bool) {
        match self.found.first_key_value() {
            Some((seed, Violation { rule, what })) => {
                let after = seed.wrapping_sub(self.hunt.from) + 1;
                (format!("caught after {after} seeds (seed {seed}): {rule}: {what}\n"), true)
            }
            None => (format!("not caught in {} seeds\n", self.hunt.seeds), false),
        }
    }

    pub fn summary(&self, histories: u64) -> String {
        let Self { hunt: Hunt { from, seeds, .. }, threads, elapsed, .. } = *self;
        let rate = each_second(histories, elapsed);
        let lines = [
            ("seeds", format!("{from} to {}", from.wrapping_add(seeds.saturating_sub(1)))),
            ("histories", grouped(histories)),
            ("violations", self.found.len().to_string()),
            (
                "histories a second",
                format!("{}, or {} on each of {threads} cores", grouped(rate), grouped(rate / threads)),
            ),
        ];
        lines.iter().map(|(name, value)| line(name, value)).collect()
    }
}

/// What broke a rule, and how each is looked at.
pub fn said_of(found: &BTreeMap<u64, Violation>, replay: impl Fn(u64) -> String) -> String {
    let said = found.iter().map(|(seed, Violation { rule, what })| {
        format!("seed {seed} violates \"{rule}\": {what}\n  told by: {}\n", replay(*seed))
    });
    said.collect()
}

fn line(name: &str, value: &str) -> String {
    format!("{name:<20}{value}\n")
}

#[cfg(test)]
mod test {
    use super::{BTreeMap, Duration, Hunt, Hunted, REPLAY, Violation, said_of};

    fn hunted(found: BTreeMap<u64, Violation>) -> Hunted<()> {
        let hunt = Hunt { from: 100, seeds: 50, most: 1 };
        Hunted { hunt, threads: 1, elapsed: Duration::ZERO, tally: (), found }
    }

    #[test]
    fn what_was_caught_is_said_with_its_seed() {
        let found: BTreeMap<_, _> = [(107, Violation { rule: "settled", what: "it moved".to_owned() })].into();
        let caught = "caught after 8 seeds (seed 107): settled: it moved\n".to_owned();
        assert_eq!(hunted(found.clone()).first(), (caught, true));
        assert_eq!(hunted([].into()).first(), ("not caught in 50 seeds\n".to_owned(), false));
        let said = said_of(&found, |seed| format!("{REPLAY} --seed {seed}"));
        let replay = "cargo run --release -p tests --bin simulate -- --seed 107\n";
        assert!(said.starts_with("seed 107 violates \"settled\": it moved\n") && said.ends_with(replay), "{said}");
    }
}
