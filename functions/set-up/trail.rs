//! `GET /set-up/audit-trail`: who changed what, the newest first.

use serde::Serialize;

use super::{Desk, json};
use crate::event::HttpAnswer;
use crate::problem::Problem;
use crate::wire::query::count;

/// Entries of an answer at most: each is one read.
const MOST: u16 = 50;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    changes: Vec<ShownChange>,
    /// What to ask for next; nothing at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ShownChange {
    version: u64,
    at: String,
    by: String,
    action: String,
    subject_id: String,
    description: String,
}

pub(super) async fn show(desk: &Desk<'_>) -> Result<HttpAnswer, Problem> {
    let (limit, before) = asked(&desk.event.raw_query_string)?;
    let trail = desk.registry().trail(&desk.merchant, before, usize::from(limit)).await?;
    let shown = trail.entries.into_iter().map(|entry| ShownChange {
        version: entry.version,
        at: entry.change.at.to_string(),
        by: entry.change.by.to_string(),
        action: entry.change.action,
        subject_id: entry.change.subject.to_string(),
        description: entry.change.description,
    });
    Ok(json(200, &Shown { changes: shown.collect(), before: trail.before }))
}

fn asked(query: &str) -> Result<(u16, Option<u64>), Problem> {
    let (mut limit, mut before) = (MOST, None);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=').unwrap_or((pair, "")) {
            (name @ "limit", value) => limit = count(name, value, MOST)?,
            ("before", value) => {
                let version = value.parse().map_err(|_| Problem::invalid("before", "must be a version"))?;
                before = Some(version);
            }
            _ => return Err(Problem::invalid("query", "takes limit and before only")),
        }
    }
    Ok((limit, before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_asked_for_by_its_size_and_where_it_ends() {
        let rows = [
            ("", Some((50, None))),
            ("limit=1", Some((1, None))),
            ("limit=50&before=7", Some((50, Some(7)))),
            ("before=0&", Some((50, Some(0)))),
            ("limit=0", None),
            ("limit=51", None),
            ("limit", None),
            ("limit=-1", None),
            ("before=x", None),
            ("after=1", None),
        ];
        for (query, expected) in rows {
            assert_eq!(asked(query).ok(), expected, "{query}");
        }
    }
}
