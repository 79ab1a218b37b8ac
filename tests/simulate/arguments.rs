//! What the command can be told.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use tests::models::Played;
use tests::plan::Plan;

/// Lets histories happen in a simulated world, and says which broke a rule.
#[derive(Debug, Parser)]
#[command(name = "simulate", about)]
pub struct Arguments {
    /// How many histories.
    #[arg(long, value_name = "N", default_value_t = 100_000, conflicts_with = "seed")]
    pub seeds: u64,
    /// The seed of the first.
    #[arg(long, value_name = "SEED", default_value_t = 0, conflicts_with = "seed")]
    pub from: u64,
    /// On how many threads; else on as many as there are cores.
    #[arg(long, value_name = "N", conflicts_with = "seed")]
    pub threads: Option<NonZeroUsize>,
    /// Stop after so many violations.
    #[arg(long, value_name = "N", default_value = "10", conflicts_with = "seed")]
    pub most: NonZeroUsize,
    /// Fail if a fault never struck, or something that can be reached was not.
    #[arg(long, conflicts_with = "seed")]
    pub require_all: bool,
    /// Say only after how many seeds a violation is caught; fail if none is.
    #[arg(long, conflicts_with_all = ["seed", "most", "require_all"])]
    pub until_violation: bool,
    /// At the model of this gateway, by the name of its adapter; else at the sandbox.
    #[arg(long, value_name = "ADAPTER", value_parser = played, conflicts_with = "require_all")]
    pub gateway: Option<Played>,
    /// In another world than that of payments, which has a shorter table and no traces.
    #[arg(long, value_name = "WORLD", value_enum, conflicts_with_all = ["gateway", "trace", "shrink", "timeline"])]
    pub world: Option<World>,
    /// Look at one history.
    #[arg(long, value_name = "SEED")]
    pub seed: Option<u64>,
    /// Tell it.
    #[arg(long, requires = "seed")]
    pub trace: bool,
    /// Find a shorter one that breaks the same rule.
    #[arg(long, requires = "seed")]
    pub shrink: bool,
    /// Draw it.
    #[arg(long, value_name = "FILE.svg", requires = "seed")]
    pub timeline: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum World {
    /// That of payment runs.
    Runs,
}

impl Arguments {
    /// The plan of a seed, there where it plays.
    pub fn plan(gateway: Option<Played>, seed: u64) -> Plan {
        gateway.map_or_else(|| Plan::of(seed), |played| Plan::at(played, seed))
    }
}

fn played(name: &str) -> Result<Played, String> {
    let known = || Played::ALL.map(|played| played.facts().name).join(", ");
    Played::named(name).ok_or_else(|| format!("there are models of {}", known()))
}

#[cfg(test)]
mod test {
    use clap::{CommandFactory, Parser};

    use super::Arguments;

    #[test]
    fn arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn one_history_and_many_are_not_asked_for_at_once() {
        let parses = |line: &str| Arguments::try_parse_from(line.split(' ')).is_ok();
        for line in [
            "simulate",
            "simulate --seeds 5 --from 3",
            "simulate --seed 7 --trace --shrink",
            "simulate --world runs --seeds 5 --require-all",
        ] {
            assert!(parses(line), "{line}");
        }
        for line in [
            "simulate --seed 7 --seeds 5",
            "simulate --trace",
            "simulate --most 0",
            "simulate --threads 0",
            "simulate --world runs --seed 7 --trace",
        ] {
            assert!(!parses(line), "{line}");
        }
    }
}
