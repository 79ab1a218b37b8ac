//! A page of what a merchant has, the newest first: which one is meant, and what is on it.

use kessai_shared::ids::Id;
use kessai_shared::ports::Span;
use kessai_shared::recurring::ids::{RecurringKey, SchedulerId};
use kessai_shared::rejection::Fault;
use kessai_shared::stored::recurring::lists::List;
use kessai_shared::time::Timestamp;

use super::{Desk, Kind};
use crate::problem::Problem;
use crate::wire::query::count;

/// Of a page at most: each is read by itself.
const MOST: u16 = 100;

/// Of a page where nothing else is asked for.
const USUAL: u16 = 20;

/// Read at once where not everything is meant.
const AT_ONCE: u16 = 100;

/// So many are looked at for one page where not everything is meant. There is a next page then.
const LOOKED_AT: usize = 500;

const PAGE_SIZE: &str = "pageSize";
const PAGE_TOKEN: &str = "pageToken";
const SCHEDULER: &str = "billingBatchSchedulerId";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    page_size: u16,
    /// The place on the list where the page before ended.
    before: Option<String>,
    /// Only the runs that it started.
    pub scheduler: Option<SchedulerId>,
}

impl Asked {
    /// Of runs; or of schedulers, which nothing started.
    pub fn parse(query: &str, of_runs: bool) -> Result<Self, Problem> {
        let mut asked = Self { page_size: USUAL, before: None, scheduler: None };
        let mut given = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                PAGE_SIZE => asked.page_size = count(name, value, MOST)?,
                PAGE_TOKEN => {
                    let place = place(value);
                    let form = "must be the nextPageToken of a page";
                    asked.before = Some(place.ok_or_else(|| Problem::invalid(name, form))?);
                }
                SCHEDULER if of_runs => {
                    let id = SchedulerId::parse(value);
                    let form = "must be the id of a scheduler (5BS…)";
                    asked.scheduler = Some(id.ok_or_else(|| Problem::invalid(name, form))?);
                }
                _ => {
                    let more = if of_runs { format!(", {SCHEDULER}") } else { String::new() };
                    return Err(Problem::invalid("query", format!("takes only {PAGE_SIZE}, {PAGE_TOKEN}{more}")));
                }
            }
            if given.contains(&name) {
                return Err(Problem::invalid(name, "is given twice"));
            }
            given.push(name);
        }
        Ok(asked)
    }
}

/// A place as it can stand in a query.
fn token(created_at: Timestamp, id: Id) -> String {
    List::made_at(created_at, id).replace('#', ".")
}

fn place(token: &str) -> Option<String> {
    let (millis, id) = token.split_once('.')?;
    let is_place = millis.len() == 15 && millis.bytes().all(|byte| byte.is_ascii_digit());
    RecurringKey::parse(id).filter(|_| is_place).map(|key| format!("{millis}#{key}"))
}

/// What is on a page, and the token of the next, if there is one.
pub(super) async fn read<S>(
    desk: &Desk<'_>,
    list: &List,
    asked: &Asked,
    kind: &Kind<S>,
    stands_at: fn(&S) -> (Timestamp, Id),
    is_meant: impl Fn(&S) -> bool,
) -> Result<(Vec<S>, Option<String>), Problem> {
    let page_size = usize::from(asked.page_size);
    let at_once = if asked.scheduler.is_some() { AT_ONCE } else { asked.page_size };
    let (mut found, mut before, mut looked_at) = (Vec::new(), asked.before.clone(), 0_usize);
    loop {
        let span = Span { before: before.as_deref(), newest_first: true, after: None };
        let (items, more) = desk.app.shell.patiently(desk.deadline, || desk.agenda.of(list, span, at_once)).await?;
        let mut items = items.into_iter();
        let mut last = None;
        for item in items.by_ref() {
            let stored = (kind.decode)(item).map_err(Fault::from)?;
            last = Some(stands_at(&stored));
            looked_at = looked_at.saturating_add(1);
            if is_meant(&stored) {
                found.push(stored);
            }
            if found.len() == page_size || looked_at == LOOKED_AT {
                break;
            }
        }
        let there_is_more = more || items.next().is_some();
        let Some((created_at, id)) = last.filter(|_| there_is_more) else { return Ok((found, None)) };
        if found.len() == page_size || looked_at == LOOKED_AT {
            return Ok((found, Some(token(created_at, id))));
        }
        before = Some(List::made_at(created_at, id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "5BS000000000001";

    #[test]
    fn a_page_is_asked_for_by_what_is_meant() {
        let usual = || Asked { page_size: 20, before: None, scheduler: None };
        let of = SchedulerId::parse(ID);
        let id = of.expect("an id").id();
        let (place, token) = (List::made_at(Timestamp::from_millis(7), id), token(Timestamp::from_millis(7), id));
        let rows = [
            (String::new(), usual()),
            ("pageSize=100&".to_owned(), Asked { page_size: 100, ..usual() }),
            (format!("pageToken={token}"), Asked { before: Some(place), ..usual() }),
            (format!("billingBatchSchedulerId={ID}&pageSize=1"), Asked { page_size: 1, scheduler: of, before: None }),
        ];
        for (query, expected) in rows {
            assert_eq!(Asked::parse(&query, true), Ok(expected), "{query}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        let rows = [
            ("pageSize=0", true, "pageSize: must be a whole number from 1 to 100"),
            ("pageSize=101", true, "pageSize: "),
            ("pageSize", true, "pageSize: "),
            ("pageToken=1", true, "pageToken: must be the nextPageToken of a page"),
            ("pageToken=00000000000000x.5BS000000000001", true, "pageToken: "),
            ("pageToken=000000000000007.0aQ000000000001", true, "pageToken: "),
            ("billingBatchSchedulerId=5PR000000000001", true, "billingBatchSchedulerId: must be the id"),
            ("billingBatchSchedulerId=5BS000000000001", false, "query: takes only pageSize, pageToken"),
            ("status=New", true, "query: takes only pageSize, pageToken, billingBatchSchedulerId"),
            ("pageSize=1&pageSize=2", true, "pageSize: is given twice"),
        ];
        for (query, of_runs, expected) in rows {
            let problem = Asked::parse(query, of_runs).expect_err(query);
            assert_eq!((problem.status, problem.code), (400, "INVALID_API_INPUT"), "{query}");
            assert!(problem.message.starts_with(expected), "{query}: {}", problem.message);
        }
    }
}
