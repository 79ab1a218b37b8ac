//! How far it is: a line that changes where somebody watches, else a line now and then.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use crate::figures::{each_second, grouped};

/// Where nobody watches, a line each so many hundredths.
const STEP: u64 = 10;

pub struct Progress {
    all: u64,
    threads: u64,
    began: Instant,
    kind: Kind,
}

enum Kind {
    Silent,
    Watched,
    /// Up to how many hundredths were said.
    Logged(u64),
}

impl Progress {
    pub fn new(all: u64, threads: u64) -> Self {
        let kind = if stderr().is_terminal() { Kind::Watched } else { Kind::Logged(0) };
        Self { all, threads, began: Instant::now(), kind }
    }

    pub fn silent() -> Self {
        Self { all: 0, threads: 1, began: Instant::now(), kind: Kind::Silent }
    }

    /// How long until the next look.
    pub fn pause(&self) -> Duration {
        match self.kind {
            Kind::Silent | Kind::Watched => Duration::from_secs(1),
            Kind::Logged(_) => Duration::from_millis(100),
        }
    }

    pub fn show(&mut self, done: u64, violations: usize) {
        let line = self.line(done, violations);
        match &mut self.kind {
            Kind::Silent => {}
            Kind::Watched => {
                // If nobody can be told, the histories go on.
                let _ = write!(stderr(), "\r{line}\x1b[K");
            }
            Kind::Logged(said) => {
                let hundredths = done.saturating_mul(100) / self.all.max(1);
                if hundredths >= *said + STEP {
                    *said = hundredths / STEP * STEP;
                    eprintln!("{line}");
                }
            }
        }
    }

    /// Nothing of it is left where somebody watched.
    pub fn end(self) {
        if let Kind::Watched = self.kind {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }

    fn line(&self, done: u64, violations: usize) -> String {
        let rate = each_second(done, self.began.elapsed());
        format!(
            "{} of {} histories, {} a second, {} a core, {violations} violations",
            grouped(done),
            grouped(self.all),
            grouped(rate),
            grouped(rate / self.threads)
        )
    }
}
