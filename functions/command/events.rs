//! `kessai events`: what happened, and what came of telling it. It needs a key with the scope `read`; to have something
//! told again, one with `set-up` too.

use clap::{Args, Subcommand};
use kessai_shared::event::is_id;
use kessai_shared::ports::Method;
use serde_json::{Value, json};

use super::Asking;
use super::api::{API_KEY, SET_UP_KEY, To};
use super::text::{Column, at, facts, table};

pub const PATH: &str = "/commerce/payments/events";

/// What to do where not everything is kept.
pub const KEEPS_LITTLE: &str =
    "Only what a webhook endpoint wants is kept. To keep every event: kessai merchant set --keep-events true";

/// Of the record that an event is about, whatever its kind.
pub const RECORD: Column = (
    "RECORD",
    &[
        "/data/paymentAuthorization/id",
        "/data/payment/id",
        "/data/paymentAuthAdjustment/id",
        "/data/refund/id",
        "/data/paymentScheduleItem/id",
        "/data/paymentSchedule/id",
    ],
);
pub const AMOUNT: Column = (
    "AMOUNT",
    &[
        "/data/paymentAuthorization/amount",
        "/data/payment/amount",
        "/data/paymentAuthAdjustment/amount",
        "/data/refund/amount",
        "/data/paymentScheduleItem/requestedAmount",
        "/data/paymentSchedule/totalRequestedAmount",
    ],
);
pub const CURRENCY: Column = (
    "CURRENCY",
    &[
        "/data/paymentAuthorization/currencyIsoCode",
        "/data/payment/currencyIsoCode",
        "/data/paymentAuthAdjustment/currencyIsoCode",
        "/data/refund/currencyIsoCode",
        "/data/paymentScheduleItem/currencyIsoCode",
        "/data/paymentSchedule/currencyIsoCode",
    ],
);
pub const STATUS: Column = (
    "STATUS",
    &[
        "/data/paymentAuthorization/status",
        "/data/payment/status",
        "/data/paymentAuthAdjustment/status",
        "/data/refund/status",
        "/data/paymentScheduleItem/status",
        "/data/paymentSchedule/status",
    ],
);

const COLUMNS: &[Column] = &[
    ("ID", &["/id"]),
    ("AT", &["/timestamp"]),
    ("TYPE", &["/type"]),
    ("VERSION", &["/version"]),
    RECORD,
    AMOUNT,
    CURRENCY,
    STATUS,
    ("DELIVERIES", &["/told"]),
];

const DELIVERIES: &[Column] = &[
    ("ENDPOINT", &["/endpointId"]),
    ("DELIVERY", &["/status"]),
    ("ANSWER", &["/httpStatus"]),
    ("ATTEMPTS", &["/attempts"]),
    ("LAST ATTEMPT", &["/lastAttemptDate"]),
    ("MESSAGE", &["/message"]),
];

#[derive(Debug, Subcommand)]
pub enum Events {
    /// List what happened in the last 30 days, the newest first
    List(List),
    /// Show an event, its record as it stands now, and what came of telling each endpoint
    Show(Show),
    /// Have every endpoint that wants it told again. The key needs the scope set-up too
    Redeliver(Redeliver),
}

/// The key is in KESSAI_API_KEY, or else in KESSAI_SET_UP_KEY, and needs the scope read.
#[derive(Debug, Args)]
pub struct List {
    /// Only these: an event by its name (refund.created), or all of a kind (payment.*)
    #[arg(long = "type", value_name = "EVENT", value_parser = plain)]
    kind: Option<String>,
    /// Only what some endpoint did not take
    #[arg(long)]
    undelivered: bool,
    /// Only what is newer than this event, in the order of time
    #[arg(long, value_name = "ID", value_parser = event_id)]
    after: Option<String>,
    /// Events at most, 1 to 50 [default: 20]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=50))]
    page_size: Option<u16>,
    /// Go on from there: nextPageToken of the page before
    #[arg(long, value_name = "TOKEN", value_parser = event_id)]
    page_token: Option<String>,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, Args)]
pub struct Show {
    /// Which event
    #[arg(value_parser = event_id)]
    id: String,
    #[command(flatten)]
    to: To,
}

#[derive(Debug, Args)]
pub struct Redeliver {
    /// Which event
    #[arg(value_parser = event_id)]
    id: String,
    #[command(flatten)]
    to: To,
}

/// What can stand in a query as it is.
fn plain(text: &str) -> Result<String, String> {
    let fits = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-*".contains(&byte));
    if fits { Ok(text.to_owned()) } else { Err("must be the name of an event, or such as payment.*".to_owned()) }
}

/// Reads the id of an event.
pub fn event_id(text: &str) -> Result<String, String> {
    if is_id(text) { Ok(text.to_owned()) } else { Err("must be the id of an event: evt_…".to_owned()) }
}

impl Events {
    pub(super) fn asking(self) -> Asking {
        match self {
            Self::List(List { kind, undelivered, after, page_size, page_token, to }) => {
                let query = [
                    kind.map(|kind| format!("type={kind}")),
                    undelivered.then(|| "undelivered=true".to_owned()),
                    after.map(|after| format!("after={after}")),
                    page_size.map(|size| format!("pageSize={size}")),
                    page_token.map(|token| format!("pageToken={token}")),
                ];
                let query = query.into_iter().flatten().collect::<Vec<_>>().join("&");
                Asking { keys: [API_KEY, SET_UP_KEY], ..Asking::get(to, format!("{PATH}?{query}"), listed) }
            }
            Self::Show(Show { id, to }) => {
                Asking { keys: [API_KEY, SET_UP_KEY], ..Asking::get(to, format!("{PATH}/{id}"), shown) }
            }
            Self::Redeliver(Redeliver { id, to }) => {
                Asking::new(to, Method::Post, format!("{PATH}/{id}/redeliver"), |_| "It will be told again.".to_owned())
            }
        }
    }
}

fn listed(answer: &Value) -> String {
    let events = answer.get("events").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let rows = events.iter().map(|event| {
        let mut row = event.clone();
        if let Some(row) = row.as_object_mut() {
            row.insert("told".to_owned(), json!(told(event)));
        }
        row
    });
    let mut said = table(&Value::Array(rows.collect()), COLUMNS);
    if answer.get("nextPageToken").is_some() {
        said.push_str(&format!("\n\nThe next page: --page-token {}", at(answer, "/nextPageToken")));
    }
    if answer.get("keepEvents") == Some(&Value::Bool(false)) {
        said.push_str("\n\n");
        said.push_str(KEEPS_LITTLE);
    }
    said
}

/// What came of telling all endpoints, in a word.
fn told(event: &Value) -> Option<String> {
    let deliveries = event.get("deliveries").and_then(Value::as_array)?;
    let of = |status: &str| deliveries.iter().filter(|delivery| at(delivery, "/status") == status).count();
    let words = ["Delivered", "Failed", "GivenUp"].map(|status| (status, of(status)));
    let words = words.into_iter().filter(|(_, count)| *count > 0).map(|(status, count)| match count {
        1 => status.to_owned(),
        _ => format!("{status} ({count})"),
    });
    let words = words.collect::<Vec<_>>().join(", ");
    (!words.is_empty()).then_some(words)
}

fn shown(event: &Value) -> String {
    let (event_facts, _) = COLUMNS.split_at(COLUMNS.len() - 1);
    let deliveries = table(event.get("deliveries").unwrap_or(&Value::Null), DELIVERIES);
    format!("{}\n\nDeliveries\n{deliveries}", facts(event, event_facts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_telling_all_endpoints_is_a_word() {
        let deliveries = |statuses: &[&str]| {
            let deliveries: Vec<_> = statuses.iter().map(|status| json!({ "status": status })).collect();
            json!({ "deliveries": deliveries })
        };
        let rows = [
            (deliveries(&[]), None),
            (deliveries(&["Delivered"]), Some("Delivered")),
            (deliveries(&["Failed", "Delivered", "Delivered"]), Some("Delivered (2), Failed")),
            (deliveries(&["GivenUp"]), Some("GivenUp")),
            (json!({}), None),
        ];
        for (event, expected) in rows {
            assert_eq!(told(&event).as_deref(), expected, "{event}");
        }
    }
}
