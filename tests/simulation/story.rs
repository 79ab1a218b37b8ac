//! A history as a story: who did what, when, what rests at the end, and what must not have been.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use kessai_functions::sandbox::Effect;
use kessai_shared::stored::Item;
use kessai_shared::stored::payment::DUE;

use crate::auditor::Violation;
use crate::cast::cast;
use crate::chance::Fault;
use crate::plan::Plan;
use crate::table::{Row, operations, state, version_of};
use crate::world::{START_MS, World};

/// Who acts in a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    Caller(usize),
    Worker(usize),
    Store,
    Queue,
    Gateway,
}

impl fmt::Display for Lane {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Caller(errand) => write!(out, "caller {errand}"),
            Self::Worker(task) => write!(out, "worker {task}"),
            Self::Store => out.write_str("store"),
            Self::Queue => out.write_str("queue"),
            Self::Gateway => out.write_str("gateway"),
        }
    }
}

/// One line: from whom to whom; the same where somebody only acts.
#[derive(Clone, Debug)]
pub struct Line {
    pub at_ms: i64,
    pub from: Lane,
    pub to: Lane,
    pub what: String,
}

/// What happened, if somebody wants to hear it.
#[derive(Default)]
pub struct Story {
    lines: Option<Vec<Line>>,
}

impl Story {
    pub fn told() -> Self {
        Self { lines: Some(Vec::new()) }
    }

    pub fn tell(&mut self, at_ms: i64, from: Lane, to: Lane, what: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            lines.push(Line { at_ms, from, to, what: what() });
        }
    }

    pub fn lines(&self) -> &[Line] {
        self.lines.as_deref().unwrap_or_default()
    }
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let actors =
            if self.from == self.to { self.from.to_string() } else { format!("{} → {}", self.from, self.to) };
        write!(out, "{:>12}  {actors:<22} {}", moment(self.at_ms), self.what)
    }
}

/// A history that was told to its end.
pub struct Told {
    pub lines: Vec<Line>,
    /// What the table and the gateway's ledger hold.
    pub rests: Vec<String>,
    /// How often each fault struck.
    pub struck: [u32; Fault::ALL.len()],
    pub violation: Option<Violation>,
}

/// Lets a history happen and listens. What was told before a panic is there all the same.
pub fn tell(plan: &Plan) -> Told {
    let mut world = World::new(plan.clone(), Story::told());
    let ended = caught(|| {
        world.begin();
        world.go_on();
    });
    let (lines, rests, struck) = (world.story.lines().to_vec(), at_rest(&world), world.chance.struck);
    let violation = match ended.and_then(|()| caught(|| world.end())) {
        Ok(report) => report.violation,
        Err(panic) => Some(panic),
    };
    Told { lines, rests, struck, violation }
}

/// The rule that a panic breaks.
pub const PANIC: &str = "panic";

/// Does something; a panic in it is a violation like any other.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Violation> {
    let said = |panic: Box<dyn Any + Send>| match panic.downcast::<String>() {
        Ok(said) => *said,
        Err(panic) => panic.downcast_ref::<&str>().copied().unwrap_or("no words").to_owned(),
    };
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| Violation { rule: PANIC, what: said(panic) })
}

fn at_rest(world: &World) -> Vec<String> {
    let effects = world.gateway.effects(START_MS + world.now_ms).map(|effect| ledger_line(&effect));
    let books = &world.auditor.books;
    let modelled = (0..books.effects.len()).map(|place| format!("ledger: {}", books.line(place)));
    world
        .table
        .rows
        .iter()
        .enumerate()
        .map(|(place, row)| table_line(place, row))
        .chain(effects)
        .chain(modelled)
        .collect()
}

fn table_line(place: usize, row: &Row) -> String {
    let merchant = cast().merchants.iter().position(|merchant| *merchant == row.key.merchant).unwrap_or_default();
    let operation = |operation: &Item| {
        let amount = operation.number("a").unwrap_or_default();
        format!("{} {amount} {}", operation.text("k").unwrap_or_default(), state(operation))
    };
    let list = operations(&row.item).map(operation).collect::<Vec<_>>().join(", ");
    let due = row.item.number(DUE).map_or(String::new(), |due| format!("; due {}", moment(due - START_MS)));
    format!("table: payment {place} of merchant {merchant}, version {}: {list}{due}", version_of(&row.item))
}

fn ledger_line(effect: &Effect<'_>) -> String {
    let Effect { id, kind, amount, reference, status, voided, .. } = effect;
    let voided = if *voided { ", voided" } else { "" };
    let reference = reference.unwrap_or("none");
    format!("ledger: {} {amount} {status}{voided} as {id}, reference {reference}", kind.name())
}

/// Since the start of the history: days where there are any, then the time.
pub fn moment(at_ms: i64) -> String {
    let (days, rest) = (at_ms / 86_400_000, at_ms % 86_400_000);
    let (hours, minutes, seconds) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    let day = if days > 0 { format!("{days}d ") } else { String::new() };
    format!("{day}{hours:02}:{minutes:02}:{seconds:02}.{:03}", rest % 1_000)
}
