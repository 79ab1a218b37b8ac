//! What is said of many histories: what broke a rule, how quick it was, and what happened how often.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::panic::set_hook;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use tests::auditor::Violation;
use tests::models::Played;
use tests::plan::Plan;
use tests::story::Story;

use crate::Said;
use crate::arguments::Arguments;
use crate::figures::{each_second, grouped, hundredths};
use crate::hunt::Hunt;
use crate::one::REPLAY;
use crate::progress::Progress;
use crate::reached::gaps;
use crate::sometimes;
use crate::tally::Tally;

/// Looks at a range of seeds.
pub fn look_at(arguments: &Arguments) -> Said {
    let threads = arguments.threads.map_or_else(available_parallelism, Ok)?.get();
    let threads = u64::try_from(threads)?;
    let Arguments { gateway, from, seeds, most, require_all, until_violation, .. } = *arguments;
    let hunt = Hunt { gateway, from, seeds, most: if until_violation { 1 } else { most.get() } };
    let progress = if until_violation { Progress::silent() } else { Progress::new(seeds, threads) };
    // A panic is a violation, and is said with the others.
    set_hook(Box::new(|_| {}));
    let began = Instant::now();
    let (tally, found) = hunt.run(threads, progress, happen);
    if until_violation {
        return Ok(first(&hunt, &found));
    }
    let mut text = said_of(gateway, &found);
    text += &summary(&hunt, &tally, found.len(), began.elapsed(), threads);
    if gateway.is_some() {
        text += &sometimes::at_model(&tally);
        return Ok((text, found.is_empty()));
    }
    let gaps = gaps(&tally);
    text += &sometimes::table(&tally, &gaps);
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

/// Only whether something was caught, and how soon.
fn first(hunt: &Hunt, found: &BTreeMap<u64, Violation>) -> (String, bool) {
    match found.first_key_value() {
        Some((seed, Violation { rule, what })) => {
            let after = seed.wrapping_sub(hunt.from) + 1;
            (format!("caught after {after} seeds (seed {seed}): {rule}: {what}\n"), true)
        }
        None => (format!("not caught in {} seeds\n", hunt.seeds), false),
    }
}

fn said_of(gateway: Option<Played>, found: &BTreeMap<u64, Violation>) -> String {
    let at = gateway.map_or_else(String::new, |played| format!(" --gateway {}", played.facts().name));
    let said = found.iter().map(|(seed, Violation { rule, what })| {
        format!("seed {seed} violates \"{rule}\": {what}\n  told by: {REPLAY}{at} --seed {seed} --trace\n")
    });
    said.collect()
}

fn summary(hunt: &Hunt, tally: &Tally, violations: usize, elapsed: Duration, threads: u64) -> String {
    let Hunt { from, seeds, .. } = *hunt;
    let rate = each_second(tally.histories, elapsed);
    let lines = [
        ("seeds", format!("{from} to {}", from.wrapping_add(seeds.saturating_sub(1)))),
        ("histories", grouped(tally.histories)),
        ("violations", violations.to_string()),
        ("histories a second", format!("{}, or {} on each of {threads} cores", grouped(rate), grouped(rate / threads))),
        ("requests a history", hundredths(tally.requests, tally.histories)),
    ];
    let mut text = String::new();
    for (name, value) in lines {
        let _ = writeln!(text, "{name:<20}{value}");
    }
    text
}

#[cfg(test)]
mod test {
    use super::{Hunt, Violation, first, said_of};

    #[test]
    fn what_was_caught_is_said_with_its_seed() {
        let found = [(107, Violation { rule: "settled", what: "it moved".to_owned() })].into();
        let hunt = Hunt { gateway: None, from: 100, seeds: 50, most: 1 };
        let caught = "caught after 8 seeds (seed 107): settled: it moved\n".to_owned();
        assert_eq!(first(&hunt, &found), (caught, true));
        assert_eq!(first(&hunt, &[].into()), ("not caught in 50 seeds\n".to_owned(), false));
        let replay = "cargo run --release -p tests --bin simulate -- --seed 107 --trace\n";
        assert!(said_of(None, &found).ends_with(replay), "{}", said_of(None, &found));
    }
}
