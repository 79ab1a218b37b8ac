//! `kessai runs`: payment runs, and how far they have come. `watch` asks again each second until a run has ended.

mod progress;

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use clap::{Args, Subcommand};
use kessai_infra::http::HttpClient;
use kessai_shared::ports::Method;
use kessai_shared::recurring::ids::{RunId, SchedulerId};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use self::progress::{Pace, has_ended, line};
use super::api::{API_KEY, Api, Refused, SET_UP_KEY, To};
use super::scheduler::{Criteria, PageOf, with_api_key, with_criteria};
use super::text::{Column, at, read, table};
use super::{Asking, Body, Change, id};
use crate::lambda::StartError;

const PATH: &str = "/commerce/payments/payment-batch-runs";
const MEMBER: &str = "paymentBatchRun";

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);

/// Looks in vain, one after the other, before it is given up.
const IN_VAIN: u32 = 60;

const COLUMNS: &[Column] = &[
    ("ID", &["/id"]),
    ("STATUS", &["/status"]),
    ("RETRY", &["/isPaymentRetry"]),
    ("DATE", &["/runDate", "/retryTime"]),
    ("FILTERED", &["/totalFilteredScheduleItems"]),
    ("PROCESSED", &["/totalProcessedScheduleItems"]),
    ("FAILED", &["/totalFailedScheduleItems"]),
    ("PENDING", &["/pendingScheduleItems"]),
    ("STARTED", &["/startTime"]),
    ("COMPLETED", &["/completionTime"]),
    ("SCHEDULER", &["/billingBatchSchedulerId"]),
];

/// What is said of one run beside that.
const MORE: &[Column] = &[
    ("CREATED", &["/createdDate"]),
    ("SCHEDULES LISTED", &["/listedSchedules"]),
    ("SCHEDULES SEEN", &["/seenSchedules"]),
    ("EXPECTED END", &["/expectedEndTime"]),
    ("AT MOST PER SECOND", &["/requestsPerSecond"]),
    ("COMMENTS", &["/comments"]),
];

/// The key is in KESSAI_API_KEY, or else in KESSAI_SET_UP_KEY. It needs the scope read to show, and authorize and
/// capture-reverse to start and stop.
#[derive(Debug, Subcommand)]
pub enum Runs {
    #[command(flatten)]
    Api(Asked),
    /// Show how far a run has come each second, until it has ended
    Watch(Watch),
}

#[derive(Debug, Subcommand)]
pub enum Asked {
    /// List the merchant's runs, the newest first
    List(List),
    /// Show a run
    Show(Show),
    /// Start a run now: it charges what is ready and meant for its date or an earlier one
    Start(Start),
    /// Stop a run: what is being charged is finished, and nothing else begun
    Stop(Show),
}

#[derive(Debug, Args)]
pub struct List {
    /// Only those that this scheduler started
    #[arg(long, value_name = "ID", value_parser = id(SchedulerId::parse))]
    scheduler: Option<SchedulerId>,
    #[command(flatten)]
    page: PageOf,
}

#[derive(Debug, Args)]
pub struct Show {
    /// Which run
    #[arg(value_parser = id(RunId::parse))]
    id: RunId,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, Args)]
pub struct Start {
    /// Charge what is meant for this day or an earlier one, YYYY-MM-DD, at most 31 days ahead [default: today]
    #[arg(long, value_name = "DATE")]
    date: Option<String>,
    /// Whose today that is, such as Asia/Tokyo [default: UTC]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// At most 1000 characters
    #[arg(long)]
    comments: Option<String>,
    #[command(flatten)]
    criteria: Criteria,
    #[command(flatten)]
    change: Change,
}

/// The key is in KESSAI_API_KEY, or else in KESSAI_SET_UP_KEY, and needs the scope read.
#[derive(Debug, Args)]
pub struct Watch {
    /// Which run
    #[arg(value_parser = id(RunId::parse))]
    id: RunId,
    #[command(flatten)]
    to: To,
}

fn path(id: RunId) -> String {
    format!("{PATH}/{}", id.id())
}

impl Asked {
    pub(super) fn asking(self) -> Asking {
        match self {
            Self::List(List { scheduler, page }) => {
                let scheduler = scheduler.map(|id| format!("billingBatchSchedulerId={}", id.id()));
                page.asking(PATH, scheduler, |answer| {
                    table(answer.get("paymentBatchRuns").unwrap_or(&Value::Null), COLUMNS)
                })
            }
            Self::Show(Show { id, to }) => {
                let columns: Vec<Column> = COLUMNS.iter().chain(MORE).copied().collect();
                let asking = Asking::get(to, path(id), move |shown| with_criteria(shown, &columns));
                with_api_key(Asking { member: Some(MEMBER), ..asking })
            }
            Self::Start(Start { date, timezone, comments, criteria, change }) => {
                let body =
                    Body::default().maybe("runDate", date).maybe("timezone", timezone).maybe("comments", comments);
                let started = |made: &Value| format!("Started the run {}.", at(made, "/paymentBatchRun/id"));
                with_api_key(Asking::post(change, PATH, criteria.said(body), started))
            }
            Self::Stop(Show { id, to }) => {
                let (body, change) = (Body::default().with("status", "Stopped"), Change { idempotency_key: None, to });
                let stopped = |_: &Value| "Stopped: nothing else is begun.".to_owned();
                with_api_key(Asking::change(change, Method::Patch, path(id), Some(body), stopped))
            }
        }
    }
}

impl Watch {
    /// Watches until the run has ended, or somebody ends it.
    pub(super) async fn run(self) -> Result<(), StartError> {
        tokio::select! {
            watched = self.watch() => watched,
            ended = tokio::signal::ctrl_c() => Ok(ended?),
        }
    }

    async fn watch(&self) -> Result<(), StartError> {
        let http = HttpClient::new()?;
        let mut api = self.api()?;
        let (mut screen, mut pace, mut in_vain) = (Screen::new(self.to.json), None::<Pace>, 0);
        loop {
            match api.get(&http, &path(self.id)).await {
                Ok(answer) => {
                    in_vain = 0;
                    let answer = read(&answer)?;
                    let run = answer.get(MEMBER).unwrap_or(&Value::Null);
                    let now = Instant::now();
                    let pace = pace.get_or_insert_with(|| Pace::begin(run, now));
                    let ended = has_ended(run);
                    let said = if self.to.json { run.to_string() } else { line(run, pace, now) };
                    screen.show(&said, ended)?;
                    if ended {
                        return Ok(());
                    }
                }
                Err(Refused { is_passing: true, .. }) if in_vain < IN_VAIN => {
                    in_vain += 1;
                    // A local server that was started again may be elsewhere.
                    api = self.api().unwrap_or(api);
                }
                Err(refused) => return Err(refused.into()),
            }
            sleep(EVERY).await;
        }
    }

    fn api(&self) -> Result<Api, StartError> {
        Api::of(&self.to, [API_KEY, SET_UP_KEY])
    }
}

/// Where the line is shown: on a terminal in the place of the one before.
struct Screen {
    is_terminal: bool,
    last: String,
}

impl Screen {
    fn new(for_programs: bool) -> Self {
        Self { is_terminal: io::stdout().is_terminal() && !for_programs, last: String::new() }
    }

    fn show(&mut self, said: &str, is_last: bool) -> io::Result<()> {
        /// Takes away what is left of a longer line.
        const REST: &str = "\u{1b}[K";
        let mut out = io::stdout().lock();
        match self.is_terminal {
            true if is_last => writeln!(out, "\r{said}{REST}")?,
            true => write!(out, "\r{said}{REST}")?,
            // Whoever reads it later need not read twice that nothing has changed.
            false if self.last == said => {}
            false => writeln!(out, "{said}")?,
        }
        said.clone_into(&mut self.last);
        out.flush()
    }
}
