//! `kessai schedulers`: what starts payment runs, and when.

use clap::{ArgGroup, Args, Subcommand};
use kessai_shared::recurring::ids::SchedulerId;
use serde_json::{Value, json};

use super::api::{API_KEY, SET_UP_KEY, To};
use super::text::{Column, at, facts, table};
use super::{Asking, Body, Change, id, plain, words};

const PATH: &str = "/commerce/payments/payment-schedulers";

const COLUMNS: &[Column] = &[
    ("ID", &["/id"]),
    ("NAME", &["/billingSchedulerName"]),
    ("STATUS", &["/status"]),
    ("CADENCE", &["/frequencyCadence"]),
    ("ON", &["/recursOnDay", "/recursOnDate"]),
    ("TIME", &["/startTime"]),
    ("ZONE", &["/timeZone"]),
    ("NEXT RUN", &["/nextRunTime"]),
    ("START", &["/startDate"]),
    ("END", &["/endDate"]),
    ("LAST RUN", &["/lastRunDate"]),
    ("MATCH", &["/criteriaMatchType"]),
    ("COMMENTS", &["/comments"]),
];

/// Of `filterCriteria`.
const CRITERIA: &[Column] =
    &[("SEQUENCE", &["/criteriaSequence"]), ("OPERATION", &["/operation"]), ("VALUE", &["/value"])];

/// The key is in KESSAI_API_KEY, or else in KESSAI_SET_UP_KEY. It needs the scope read to show, and authorize and
/// capture-reverse to change.
#[derive(Debug, Subcommand)]
pub enum Schedulers {
    /// List the merchant's schedulers, the newest first
    List(List),
    /// Show a scheduler
    Show(Show),
    /// Make a scheduler: it starts runs at its times, each of which charges what is ready by then
    Create(Box<Create>),
    /// Have a draft or paused scheduler start runs
    Activate(Turn),
    /// Pause a scheduler: the times that pass are not made up for
    Deactivate(Turn),
    /// End a scheduler for good
    Cancel(Turn),
}

#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    page: PageOf,
}

/// Of every list of this kind.
#[derive(Debug, Args)]
pub struct PageOf {
    /// So many at most, 1 to 100 [default: 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    page_size: Option<u16>,
    /// Go on from there: nextPageToken of the page before
    #[arg(long, value_name = "TOKEN", value_parser = plain)]
    page_token: Option<String>,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, Args)]
pub struct Show {
    /// Which scheduler
    #[arg(value_parser = id(SchedulerId::parse))]
    id: SchedulerId,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, Args)]
pub struct Turn {
    /// Which scheduler
    #[arg(value_parser = id(SchedulerId::parse))]
    id: SchedulerId,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, Args)]
pub struct Create {
    /// At most 255 characters
    #[arg(long)]
    name: String,
    /// The first day, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    start: String,
    /// The last day, YYYY-MM-DD; a monthly one needs it
    #[arg(long, value_name = "DATE")]
    end: Option<String>,
    /// The time of day, HH:mm
    #[arg(long, value_name = "TIME")]
    at: String,
    /// The zone of its days and its time, such as Asia/Tokyo [default: UTC]
    #[arg(long, value_name = "ZONE")]
    timezone: Option<String>,
    /// How often
    #[arg(long, value_parser = words(["Once", "Daily", "Weekly", "Monthly"]), ignore_case = true)]
    cadence: String,
    /// The day of a weekly one, such as Sunday [default: that of the first day]
    #[arg(long, value_name = "WEEKDAY")]
    weekday: Option<String>,
    /// The day of a monthly one: 1 to 31, L for the last, or L-1 to L-9 before it
    #[arg(long, value_name = "DAY")]
    day: Option<String>,
    /// Make it without having it start runs yet
    #[arg(long)]
    draft: bool,
    /// At most 1000 characters
    #[arg(long)]
    comments: Option<String>,
    #[command(flatten)]
    criteria: Criteria,
    #[command(flatten)]
    change: Change,
}

/// Which items are charged, by their paymentRunMatchingValue; every one where nothing is said. A monthly scheduler needs
/// both.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("filters").args(["equals", "not_equals", "in_list"]).multiple(true))]
pub struct Criteria {
    /// Whether one filter must hold, or none may
    #[arg(long = "match", value_name = "TYPE", value_parser = words(["MatchAny", "MatchNone"]), ignore_case = true)]
    matches: Option<String>,
    /// A filter: the value is this; may be given several times
    #[arg(long, value_name = "VALUE")]
    equals: Vec<String>,
    /// A filter: the value is not this; may be given several times
    #[arg(long, value_name = "VALUE")]
    not_equals: Vec<String>,
    /// A filter: the value is one of these, with commas between; may be given several times
    #[arg(long, value_name = "VALUES")]
    in_list: Vec<String>,
}

impl Criteria {
    pub(super) fn said(self, body: Body) -> Body {
        let kinds = [("Equals", self.equals), ("NotEquals", self.not_equals), ("InList", self.in_list)];
        let values =
            kinds.into_iter().flat_map(|(operation, values)| values.into_iter().map(move |value| (operation, value)));
        let filters: Vec<Value> = (1..)
            .zip(values)
            .map(|(sequence, (operation, value)): (u16, _)| {
                json!({
                    "objectName": "PaymentScheduleItem", "fieldName": "PaymentRunMatchingValue",
                    "operation": operation, "value": value, "criteriaSequence": sequence,
                })
            })
            .collect();
        let body = body.maybe("criteriaMatchType", self.matches);
        if filters.is_empty() { body } else { body.with("filterCriteria", filters) }
    }
}

impl PageOf {
    /// Asks for a page of what stands in this member, where `more` is of the query.
    pub(super) fn asking(self, path: &str, more: Option<String>, reads: impl Fn(&Value) -> String + 'static) -> Asking {
        let size = self.page_size.map(|size| format!("pageSize={size}"));
        let token = self.page_token.map(|token| format!("pageToken={token}"));
        let query = [more, size, token].into_iter().flatten().collect::<Vec<_>>().join("&");
        let reads = move |answer: &Value| match answer.get("nextPageToken") {
            Some(_) => format!("{}\n\nThe next page: --page-token {}", reads(answer), at(answer, "/nextPageToken")),
            None => reads(answer),
        };
        with_api_key(Asking::get(self.to, format!("{path}?{query}"), reads))
    }
}

/// By the key of whoever charges.
pub(super) fn with_api_key(asking: Asking) -> Asking {
    Asking { keys: [API_KEY, SET_UP_KEY], ..asking }
}

/// What something says, and which items it is about.
pub(super) fn with_criteria(thing: &Value, columns: &[Column]) -> String {
    match thing.get("filterCriteria") {
        Some(criteria) => format!("{}\n\nCriteria\n{}", facts(thing, columns), table(criteria, CRITERIA)),
        None => facts(thing, columns),
    }
}

impl Turn {
    fn asking(self, status: &str, says: &'static str) -> Asking {
        let body = Body::default().with("status", status);
        let reads = move |answer: &Value| match at(answer, "/status").as_str() {
            "Completed" => "It has no run to come, and is completed.".to_owned(),
            _ => says.to_owned(),
        };
        let change = Change { idempotency_key: None, to: self.to };
        with_api_key(Asking::change(
            change,
            super::Method::Patch,
            format!("{PATH}/{}", self.id.id()),
            Some(body),
            reads,
        ))
    }
}

impl Create {
    fn asking(self) -> Asking {
        let mut options = serde_json::Map::new();
        options.extend(self.weekday.map(|day| ("recursOnDay".to_owned(), Value::from(day))));
        let body = Body::default()
            .with("schedulerName", self.name)
            .with("startDate", self.start)
            .with("preferredTime", self.at)
            .with("frequencyCadence", self.cadence)
            .with("status", if self.draft { "Draft" } else { "Active" })
            .maybe("endDate", self.end)
            .maybe("timezone", self.timezone)
            .maybe("recursEveryMonthOnDay", self.day)
            .maybe("frequencyCadenceOptions", (!options.is_empty()).then_some(options))
            .maybe("comments", self.comments);
        let reads = |made: &Value| format!("Made the scheduler {}.", at(made, "/billingBatchScheduler/id"));
        with_api_key(Asking::post(self.change, PATH, self.criteria.said(body), reads))
    }
}

impl Schedulers {
    pub(super) fn asking(self) -> Asking {
        match self {
            Self::List(List { page }) => page.asking(PATH, None, |answer| {
                table(answer.get("billingBatchSchedulers").unwrap_or(&Value::Null), COLUMNS)
            }),
            Self::Show(Show { id, to }) => {
                let asking = Asking::get(to, format!("{PATH}/{}", id.id()), |shown| with_criteria(shown, COLUMNS));
                with_api_key(Asking { member: Some("billingBatchScheduler"), ..asking })
            }
            Self::Create(create) => create.asking(),
            Self::Activate(turn) => turn.asking("Active", "Active."),
            Self::Deactivate(turn) => turn.asking("Inactive", "Paused."),
            Self::Cancel(turn) => turn.asking("Canceled", "Canceled."),
        }
    }
}
