//! A history as a story: who did what, when.

use std::fmt;

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
        let actors = if self.from == self.to { self.from.to_string() } else { format!("{} → {}", self.from, self.to) };
        write!(out, "{:>12}  {actors:<22} {}", moment(self.at_ms), self.what)
    }
}

/// Since the start of the history: days where there are any, then the time.
pub fn moment(at_ms: i64) -> String {
    let (days, rest) = (at_ms / 86_400_000, at_ms % 86_400_000);
    let (hours, minutes, seconds) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60);
    let day = if days > 0 { format!("{days}d ") } else { String::new() };
    format!("{day}{hours:02}:{minutes:02}:{seconds:02}.{:03}", rest % 1_000)
}
