//! What happened how often.

macro_rules! happened {
    ($($(#[doc = $doc:literal])* $name:ident = $text:literal,)*) => {
        /// What is counted, and has to happen sometimes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Happened { $($(#[doc = $doc])* $name,)* }

        impl Happened {
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            pub fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

happened! {
    Run = "runs of a scheduler",
    RetryRun = "runs that try again",
    StoppedRun = "runs that ended stopped",
    Processed = "items processed",
    Failed = "attempts that failed",
    OtherMethod = "items tried with another method",
    HeldUp = "lanes that come back for what another run held up",
    Effect = "sales that the gateway approved",
    Killed = "workers killed",
    CallFailed = "calls that failed",
    AnswerLost = "calls whose answer was lost",
    /// These and what follows fall while a run is under way.
    Hold = "schedules put on hold amid a run",
    Resume = "schedules resumed amid a run",
    Amount = "amounts changed amid a run",
    Skip = "occurrences skipped amid a run",
    CancelItem = "items canceled amid a run",
    Cancel = "schedules canceled amid a run",
    Stop = "runs stopped under way",
}

/// How often, in one history or in many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals([u64; Happened::ALL.len()]);

impl Totals {
    pub fn of(&self, happened: Happened) -> u64 {
        self.0[happened as usize]
    }

    pub fn add(&mut self, happened: Happened, times: u64) {
        self.0[happened as usize] += times;
    }

    pub fn merge(&mut self, other: &Self) {
        Happened::ALL.iter().for_each(|happened| self.add(*happened, other.of(*happened)));
    }
}
