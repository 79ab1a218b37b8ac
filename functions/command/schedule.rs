//! `kessai schedules`: what an account is to pay, and when. To show them it needs a key with the scope `read`, to make and
//! change them one with `authorize` and `capture-reverse`.

mod item;

use clap::{ArgGroup, Args, Subcommand};
use kessai_shared::ids::MethodId;
use kessai_shared::payment::asked::AccountId;
use kessai_shared::recurring::calendar::Date;
use kessai_shared::recurring::ids::ScheduleId;
use serde_json::{Map, Value, json};

use super::api::{API_KEY, SET_UP_KEY, To};
use super::text::{Column, at, facts, table};
use super::{Asking, Body, Change, id, words};

const PATH: &str = "/commerce/payments/payment-schedules";

const COLUMNS: &[Column] = &[
    ("ID", &["/id"]),
    ("STATUS", &["/status"]),
    ("CURRENCY", &["/currencyIsoCode"]),
    ("REQUESTED", &["/totalRequestedAmount"]),
    ("PROCESSED", &["/totalProcessedAmount"]),
    ("PAST DUE", &["/isPastDue"]),
    ("RECURS", &["/recurrence/description"]),
    ("NEXT RUN", &["/nextRunTime"]),
    ("CREATED", &["/createdDate"]),
];

const FACTS: &[Column] = &[
    ("ID", &["/id"]),
    ("STATUS", &["/status"]),
    ("ACCOUNT", &["/defaultPaymentAccountId"]),
    ("METHOD", &["/defaultPaymentMethodId"]),
    ("GATEWAY", &["/paymentGatewayId"]),
    ("CURRENCY", &["/currencyIsoCode"]),
    ("REQUESTED", &["/totalRequestedAmount"]),
    ("PROCESSED", &["/totalProcessedAmount"]),
    ("CANCELED", &["/totalCanceledAmount"]),
    ("REMAINING", &["/remainingAmountToBeProcessed"]),
    ("PAST DUE", &["/isPastDue"]),
    ("AMOUNT", &["/recurrence/amount"]),
    ("RECURS", &["/recurrence/description"]),
    ("NEXT DATES", &["/recurrence/nextDates"]),
    ("NEXT RUN", &["/nextRunTime"]),
    ("REFERENCE", &["/referenceEntityId"]),
    ("COMMENTS", &["/comments"]),
];

const ITEMS: &[Column] = &[
    ("ITEM", &["/id"]),
    ("DATE", &["/targetPaymentProcessingDate"]),
    ("AMOUNT", &["/requestedAmount"]),
    ("STATUS", &["/status"]),
    ("PAST DUE", &["/isPastDue"]),
    ("RETRIES", &["/paymentRetryCount"]),
    ("NEXT", &["/nextPaymentRetryTime", "/nextRunTime"]),
    ("PAYMENT", &["/paymentId"]),
    ("ERROR", &["/paymentGatewayErrorCode", "/paymentGatewayErrorCategory"]),
    ("MESSAGE", &["/paymentProcessingMessage"]),
];

/// The key is in KESSAI_API_KEY, or else in KESSAI_SET_UP_KEY.
#[derive(Debug, Subcommand)]
pub enum Schedules {
    /// Make a schedule: of items, or of what recurs. A payment run charges it, not this
    Create(Box<Create>),
    /// List those of an account, the newest first
    List(List),
    /// Show a schedule, its sums and its items
    Show(Show),
    /// Have a draft charged from now on
    Open(Named),
    /// Not for now: runs pass it over
    Hold(Named),
    /// Let it go on
    Resume(Named),
    /// Charge nothing of it any more
    Cancel(Named),
    /// Leave out an occurrence
    Skip(Skip),
    /// Another amount for what recurs, from the next charge on
    Amount(Amount),
    /// Another payment method for all that is yet to be charged
    Method(Method),
    /// One item of a schedule
    #[command(subcommand)]
    Item(item::Items),
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what to charge").args(["item", "amount"]).required(true))]
pub struct Create {
    /// The stored payment method
    #[arg(long, value_name = "ID", value_parser = id(MethodId::parse))]
    method: MethodId,
    /// Who pays [default: whose method it is]
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Through which gateway [default: that of the method]
    #[arg(long, value_name = "ID")]
    gateway: Option<String>,
    /// Of ISO 4217 [default: the merchant's]
    #[arg(long, value_name = "CODE")]
    currency: Option<String>,
    /// Have it charged from now on; otherwise it is a draft
    #[arg(long)]
    open: bool,
    /// What is charged from which day on, such as 2026-11-28=1200; once for each item
    #[arg(long, value_name = "DATE=AMOUNT", value_parser = dated)]
    item: Vec<(Date, String)>,
    /// What the items may come to in all [default: what they come to]
    #[arg(long, value_name = "AMOUNT", requires = "item")]
    total: Option<String>,
    /// Of each charge of what recurs
    #[arg(long, requires = "start", requires = "frequency")]
    amount: Option<String>,
    /// The first day on which it may be charged
    #[arg(long, value_name = "DATE", value_parser = date, requires = "amount")]
    start: Option<Date>,
    /// What is counted from one charge to the next
    #[arg(long, value_parser = words(["Day", "Week", "Month", "Year"]), ignore_case = true, requires = "amount")]
    frequency: Option<String>,
    /// How many of these, 1 to 999 [default: 1]
    #[arg(long, value_name = "N", requires = "amount")]
    every: Option<u16>,
    /// A day of the month: 1 to 31, L (the last), L-1 to L-9; or of the week: Sunday [default: that of the first charge]
    #[arg(long, value_name = "DAY", requires = "amount")]
    on: Option<String>,
    /// The last day on which it may be charged
    #[arg(long, value_name = "DATE", value_parser = date, requires = "amount")]
    until: Option<Date>,
    /// Charges at most
    #[arg(long, value_name = "N", requires = "amount")]
    times: Option<u16>,
    /// Days after the start before the first charge
    #[arg(long, value_name = "DAYS", requires = "amount")]
    trial_days: Option<u16>,
    /// What schedulers choose by, at most 40 characters
    #[arg(long, value_name = "VALUE")]
    matching_value: Option<String>,
    /// What it is for, such as an order, at most 255 characters
    #[arg(long, value_name = "ID")]
    reference: Option<String>,
    /// At most 1000 characters
    #[arg(long)]
    comments: Option<String>,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
pub struct List {
    /// Whose schedules
    #[arg(long, value_name = "ID", value_parser = account)]
    account: String,
    /// Schedules at most, 1 to 100 [default: 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=100))]
    page_size: Option<u16>,
    /// Go on from there: nextPageToken of the page before
    #[arg(long, value_name = "TOKEN", value_parser = token)]
    page_token: Option<String>,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, Args)]
pub struct Show {
    /// Which schedule
    #[arg(value_parser = schedule)]
    id: String,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, Args)]
pub struct Named {
    /// Which schedule
    #[arg(value_parser = schedule)]
    id: String,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
pub struct Skip {
    #[command(flatten)]
    named: Named,
    /// The day of the occurrence
    #[arg(long, value_name = "DATE", value_parser = date)]
    date: Date,
}

#[derive(Debug, Args)]
pub struct Amount {
    #[command(flatten)]
    named: Named,
    /// Of each charge
    #[arg(long)]
    amount: String,
}

#[derive(Debug, Args)]
pub struct Method {
    #[command(flatten)]
    named: Named,
    /// The stored payment method
    #[arg(long, value_name = "ID", value_parser = id(MethodId::parse))]
    method: MethodId,
}

fn date(text: &str) -> Result<Date, String> {
    Date::parse(text).map_err(|error| error.to_string())
}

fn dated(text: &str) -> Result<(Date, String), String> {
    let (day, amount) = text.split_once('=').ok_or_else(|| "must be such as 2026-11-28=1200".to_owned())?;
    Ok((date(day)?, amount.to_owned()))
}

/// What can stand in a query as it is.
fn account(text: &str) -> Result<String, String> {
    let read = AccountId::parse(text).ok_or_else(|| "must be 1 to 64 of A-Z a-z 0-9 . _ -".to_owned());
    read.map(|account| account.as_str().to_owned())
}

fn token(text: &str) -> Result<String, String> {
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    if fits { Ok(text.to_owned()) } else { Err("must be the nextPageToken of a page".to_owned()) }
}

fn schedule(text: &str) -> Result<String, String> {
    let read = ScheduleId::parse(text).ok_or_else(|| "must be the id of a payment schedule: 5PS…".to_owned());
    read.map(|schedule| schedule.id().to_string())
}

impl Schedules {
    pub(super) fn asking(self) -> Asking {
        let asking = match self {
            Self::Create(create) => create.asking(),
            Self::List(list) => list.asking(),
            Self::Show(Show { id, to }) => Asking::get(to, format!("{PATH}/{id}"), shown),
            Self::Open(named) | Self::Resume(named) => named.with(Body::default().with("status", "Open")),
            Self::Hold(named) => named.with(Body::default().with("status", "On Hold")),
            Self::Cancel(named) => named.with(Body::default().with("status", "Canceled")),
            Self::Skip(Skip { named, date }) => named.with(Body::default().with("skip", date.to_string())),
            Self::Amount(Amount { named, amount }) => {
                named.with(Body::default().with("recurrence", json!({ "amount": amount })))
            }
            Self::Method(Method { named, method }) => {
                named.with(Body::default().with("defaultPaymentMethodId", method.to_string()))
            }
            Self::Item(items) => items.asking(),
        };
        Asking { keys: [API_KEY, SET_UP_KEY], ..asking }
    }
}

impl Named {
    /// It is shown as it is then.
    fn with(self, body: Body) -> Asking {
        Asking { reads: Box::new(shown), ..Asking::patch(self.change, format!("{PATH}/{}", self.id), body) }
    }
}

impl Create {
    fn asking(self) -> Asking {
        let date = |date: Date| date.to_string();
        let body = Body::default()
            .with("defaultPaymentMethodId", self.method.to_string())
            .with("status", if self.open { "Open" } else { "Draft" })
            .maybe("defaultPaymentAccountId", self.account)
            .maybe("paymentGatewayId", self.gateway)
            .maybe("currencyIsoCode", self.currency)
            .maybe("totalRequestedAmount", self.total)
            .maybe("referenceEntityId", self.reference)
            .maybe("comments", self.comments);
        let body = match self.amount {
            Some(amount) => {
                let recurrence = Body::default()
                    .with("amount", amount)
                    .maybe("startDate", self.start.map(date))
                    .maybe("frequency", self.frequency)
                    .maybe("every", self.every)
                    .maybe("onDay", self.on)
                    .maybe("endDate", self.until.map(date))
                    .maybe("occurrences", self.times)
                    .maybe("trialDays", self.trial_days)
                    .maybe("paymentRunMatchingValue", self.matching_value);
                body.with("recurrence", recurrence.0)
            }
            None => {
                let items = self.item.into_iter().map(|(target, amount)| {
                    let item = Body::default()
                        .with("targetPaymentProcessingDate", date(target))
                        .with("requestedAmount", amount)
                        .maybe("paymentRunMatchingValue", self.matching_value.clone());
                    Value::from(item.0)
                });
                body.with("items", items.collect::<Vec<_>>())
            }
        };
        Asking::post(self.change, PATH, body, |made| {
            let id = at(made, "/paymentSchedule/id");
            format!("Made the payment schedule {id}.\n\n{}", shown(made))
        })
    }
}

impl List {
    fn asking(self) -> Asking {
        let size = self.page_size.map(|size| format!("&pageSize={size}")).unwrap_or_default();
        let token = self.page_token.map(|token| format!("&pageToken={token}")).unwrap_or_default();
        Asking::get(self.to, format!("{PATH}?accountId={}{size}{token}", self.account), |answer| {
            let schedules = table(answer.get("paymentSchedules").unwrap_or(&Value::Null), COLUMNS);
            match answer.get("nextPageToken") {
                Some(_) => format!("{schedules}\n\nThe next page: --page-token {}", at(answer, "/nextPageToken")),
                None => schedules,
            }
        })
    }
}

fn shown(answer: &Value) -> String {
    let nothing = Value::Object(Map::new());
    let schedule = answer.get("paymentSchedule").unwrap_or(&nothing);
    let items = table(schedule.get("items").unwrap_or(&Value::Null), ITEMS);
    let said = format!("{}\n\nItems\n{items}", facts(schedule, FACTS));
    let mut ready = schedule.get("items").and_then(Value::as_array).into_iter().flatten();
    let waits = ready.any(|item| at(item, "/status") == "Ready for Processing") && at(schedule, "/status") == "Open";
    // Where it is not said at all, nobody knows.
    if waits && schedule.get("nextRunTime") == Some(&Value::Null) {
        format!("{said}\n\nNo scheduler takes what comes next: nothing of it is charged.")
    } else {
        said
    }
}
