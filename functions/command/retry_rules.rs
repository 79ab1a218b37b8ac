//! `kessai retry-rules`: how failed payments are tried again.

mod rule;
mod set;

pub use self::rule::SECTION as RULES;
pub use self::set::SECTION as SETS;

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use kessai_shared::recurring::retry::{IntervalType, IntervalUnit, TimingMembers};

use super::{Asking, Body};

#[derive(Debug, Subcommand)]
pub enum RetryRules {
    /// Sets of rules: payments are tried again by the one that is active and the default
    #[command(subcommand)]
    Set(set::Set),
    /// Rules for failures of one kind; what a rule does not say, its set does
    #[command(subcommand)]
    Rule(rule::Rule),
}

impl RetryRules {
    pub(super) fn asking(self) -> Asking {
        match self {
            Self::Set(set) => set.asking(),
            Self::Rule(rule) => rule.asking(),
        }
    }
}

/// When it is tried again.
#[derive(Debug, Args)]
struct Timing {
    /// Fixed: so long after the last failure each; Staggered: so long after the first failure each
    #[arg(long = "type", value_name = "TYPE", value_parser = literals(IntervalType::ALL, IntervalType::literal), ignore_case = true)]
    interval_type: Option<String>,
    /// How many of the unit, 1 to 60; if Staggered several, rising, with commas between: 1,3,5
    #[arg(long, value_name = "VALUE")]
    interval: Option<String>,
    /// What the interval counts
    #[arg(long, value_parser = literals(IntervalUnit::ALL, IntervalUnit::literal), ignore_case = true)]
    unit: Option<String>,
    /// Retries at most: 1 to 10 if Fixed; if Staggered there are as many as values
    #[arg(long, value_name = "COUNT")]
    retries: Option<String>,
}

impl Timing {
    fn said(self, body: Body, members: &TimingMembers) -> Body {
        body.maybe(members.interval_type, self.interval_type)
            .maybe(members.interval_value, self.interval)
            .maybe(members.interval_unit, self.unit)
            .maybe(members.maximum_retry_count, self.retries)
    }
}

fn literals<T: Copy>(all: &[T], literal: fn(T) -> &'static str) -> PossibleValuesParser {
    PossibleValuesParser::new(all.iter().map(|each| literal(*each)).collect::<Vec<_>>())
}
