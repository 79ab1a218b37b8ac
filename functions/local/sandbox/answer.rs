//! What the gateway says: HTTP answers as plain values, and the bodies in them.

use serde_json::{Value, json};

use super::record::{Operation, Outcome, Reversal};
use super::route::Kind;

const DAY_MS: i64 = 86_400_000;

/// An HTTP answer. Header names are lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    pub headers: Vec<(&'static str, &'static str)>,
}

impl Answer {
    #[must_use]
    pub(super) fn ok(body: &Value) -> Self {
        Self::json(200, body)
    }

    #[must_use]
    pub(super) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(status, &json!({"code": code, "message": message}))
    }

    /// The request itself is wrong; the message names the member.
    #[must_use]
    pub(super) fn invalid(message: &str) -> Self {
        Self::error(400, "invalid_request", message)
    }

    /// The gateway's own failure.
    #[must_use]
    pub(super) fn internal_error() -> Self {
        Self::error(500, "internal_error", "the gateway failed")
    }

    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same answer with a body that breaks off half way.
    #[must_use]
    pub(super) fn cut_short(mut self) -> Self {
        let half = self.body.floor_char_boundary(self.body.len() / 2);
        self.body.truncate(half);
        self
    }

    fn json(status: u16, body: &Value) -> Self {
        Self { status, body: body.to_string(), headers: vec![("content-type", "application/json")] }
    }
}

/// The body that tells of an operation, with the outcome that it has at the moment of telling.
#[must_use]
pub fn of_operation(operation: &Operation, outcome: Outcome) -> Value {
    let (code, message) = match outcome {
        Outcome::Approved => ("00", "Transaction Normal"),
        Outcome::Accepted { .. } => ("09", "Request In Progress"),
        Outcome::Declined { because } => because.code_and_message(),
    };
    let bears_code = outcome == Outcome::Approved && bears_authorization_code(operation.kind);
    let mut body = json!({
        "id": operation.id,
        "reference": operation.reference,
        "status": outcome.name(),
        "code": code,
        "message": message,
        "date": timestamp(operation.at_ms),
    });
    if let (true, Some(members)) = (bears_code, body.as_object_mut()) {
        let code = authorization_code(&operation.id);
        members.insert("authorizationCode".to_owned(), Value::String(code));
    }
    body
}

/// The body that tells of a timeout reversal.
#[must_use]
pub fn of_reversal(reversal: &Reversal) -> Value {
    let (status, message) = if reversal.reversed {
        ("reversed", "Transaction Reversed")
    } else {
        ("nothing_to_reverse", "Nothing To Reverse")
    };
    json!({
        "id": reversal.id,
        "reference": reversal.reference,
        "status": status,
        "code": "00",
        "message": message,
    })
}

fn bears_authorization_code(kind: Kind) -> bool {
    match kind {
        Kind::Authorize | Kind::PostAuthorize => true,
        Kind::Capture | Kind::Reverse | Kind::Sale | Kind::Refund => false,
    }
}

/// Made from the id, so that whoever registers a browser's authorization is told the same code.
fn authorization_code(id: &str) -> String {
    let number: u64 = id.parse().unwrap_or_default();
    format!("SF{:06}", number % 1_000_000)
}

/// A moment as text, in UTC with milliseconds.
#[must_use]
pub fn timestamp(at_ms: i64) -> String {
    let (year, month, day) = date_of(at_ms.div_euclid(DAY_MS));
    let in_day = at_ms.rem_euclid(DAY_MS);
    let (hour, minute) = (in_day / 3_600_000, in_day / 60_000 % 60);
    let (second, millisecond) = (in_day / 1_000 % 60, in_day % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millisecond:03}Z")
}

/// Year, month and day of a count of days since 1970: the well-known algorithm that counts in
/// eras of 400 years from 1 March of year 0, so that the leap day is the last of a year.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = march_month % 12 + if march_month < 10 { 3 } else { -9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}
