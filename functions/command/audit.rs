//! `kessai audit`: who changed what.

use clap::Args;
use serde_json::Value;

use super::Asking;
use super::api::To;
use super::text::{Column, table};

const COLUMNS: &[Column] = &[
    ("VERSION", &["/version"]),
    ("AT", &["/at"]),
    ("BY", &["/by"]),
    ("ACTION", &["/action"]),
    ("SUBJECT", &["/subjectId"]),
    ("DESCRIPTION", &["/description"]),
];

#[derive(Debug, Args)]
pub struct Audit {
    /// Changes at most, 1 to 50 [default: 50]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=50))]
    limit: Option<u16>,
    /// Only what is older than this version
    #[arg(long, value_name = "VERSION")]
    before: Option<u64>,
    #[command(flatten)]
    to: To,
}

impl Audit {
    pub(super) fn asking(self) -> Asking {
        let limit = self.limit.map(|limit| format!("limit={limit}"));
        let before = self.before.map(|before| format!("before={before}"));
        let query = limit.into_iter().chain(before).collect::<Vec<_>>().join("&");
        Asking::get(self.to, format!("/set-up/audit-trail?{query}"), |answer| {
            let changes = table(answer.get("changes").unwrap_or(&Value::Null), COLUMNS);
            match answer.get("before") {
                Some(before) => format!("{changes}\n\nOlder ones: --before {before}"),
                None => changes,
            }
        })
    }
}
