//! Which events are meant: the parameters of a list.

use kessai_shared::event::{EventName, is_id};
use kessai_shared::merchant::EventFilter;
use kessai_shared::ports::Span;
use kessai_shared::stored::event::{Delivery, Recorded};

use crate::problem::Problem;
use crate::wire::query::count;

/// Events of a page at most: the payment of each is read.
const MOST_EVENTS: u16 = 50;

/// Events of a page where nothing else is asked for.
const USUAL_PAGE: u16 = 20;

const PAGE_SIZE: &str = "pageSize";
const PAGE_TOKEN: &str = "pageToken";
const AFTER: &str = "after";
const TYPE: &str = "type";
const UNDELIVERED: &str = "undelivered";

/// What is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    pub page_size: u16,
    /// Where the page before ended.
    token: Option<String>,
    /// Only what is newer, in the order of time.
    after: Option<String>,
    kind: Option<EventFilter>,
    undelivered: bool,
}

impl Asked {
    pub fn parse(query: &str) -> Result<Self, Problem> {
        let mut asked = Self { page_size: USUAL_PAGE, ..Self::default() };
        let mut given = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            asked.take(name, value)?;
            if given.contains(&name) {
                return Err(Problem::invalid(name, "is given twice"));
            }
            given.push(name);
        }
        Ok(asked)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Problem> {
        let id = |form: &str| {
            let id = is_id(value).then(|| value.to_owned());
            id.map(Some).ok_or_else(|| Problem::invalid(name, form))
        };
        match name {
            PAGE_SIZE => self.page_size = count(name, value, MOST_EVENTS)?,
            PAGE_TOKEN => self.token = id("must be the nextPageToken of a page")?,
            AFTER => self.after = id("must be the id of an event")?,
            TYPE => {
                let form = "must be the name of an event, or all of a kind, such as payment.*";
                self.kind = Some(kind(value).ok_or_else(|| Problem::invalid(name, form))?);
            }
            UNDELIVERED => {
                let said = value.parse().map_err(|_| Problem::invalid(name, "must be true or false"));
                self.undelivered = said?;
            }
            _ => {
                let known = [PAGE_SIZE, PAGE_TOKEN, AFTER, TYPE, UNDELIVERED].join(", ");
                return Err(Problem::invalid("query", format!("takes only {known}")));
            }
        }
        Ok(())
    }

    /// The first piece of the archive to look at.
    pub fn span(&self) -> Span<'_> {
        match (&self.after, &self.token) {
            // Whichever is newer.
            (Some(after), token) => {
                Span { after: token.iter().chain([after]).max().map(String::as_str), ..Span::default() }
            }
            (None, token) => Span { before: token.as_deref(), newest_first: true, after: None },
        }
    }

    /// Whether every event is meant.
    pub fn is_everything(&self) -> bool {
        self.kind.is_none() && !self.undelivered
    }

    pub fn means(&self, recorded: &Recorded) -> bool {
        let is_undelivered = || recorded.deliveries.iter().any(|attempted| attempted.state != Delivery::Delivered);
        self.kind.as_ref().is_none_or(|kind| kind.matches(recorded.name.text()))
            && (!self.undelivered || is_undelivered())
    }
}

/// Names that there are. Some who ask write the star as an escape.
fn kind(text: &str) -> Option<EventFilter> {
    let filter = EventFilter::parse(&text.replace("%2A", "*").replace("%2a", "*"))?;
    let is_known = EventName::ALL.iter().any(|name| filter.matches(name.text()));
    is_known.then_some(filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "evt_0197000000000000000000000000001";
    const NEW: &str = "evt_0197000000000000000000000000002";

    #[test]
    fn a_page_begins_where_the_one_before_ended() {
        let falling = |before| Span { before, newest_first: true, after: None };
        let rising = |after| Span { after: Some(after), ..Span::default() };
        let rows = [
            (String::new(), falling(None)),
            (format!("pageToken={NEW}"), falling(Some(NEW))),
            (format!("after={OLD}"), rising(OLD)),
            (format!("after={OLD}&pageToken={NEW}"), rising(NEW)),
            (format!("after={NEW}&pageToken={OLD}"), rising(NEW)),
        ];
        for (query, expected) in rows {
            let asked = Asked::parse(&query).unwrap_or_else(|problem| panic!("{query}: {problem:?}"));
            assert_eq!(asked.span(), expected, "{query}");
        }
    }

    #[test]
    fn a_list_is_asked_for_by_what_is_meant() {
        let asked = |page_size, kind: Option<&str>, undelivered| {
            let kind = kind.and_then(EventFilter::parse);
            Asked { page_size, kind, undelivered, ..Asked::default() }
        };
        let rows = [
            ("", asked(20, None, false)),
            ("pageSize=50&", asked(50, None, false)),
            ("type=payment.succeeded", asked(20, Some("payment.succeeded"), false)),
            ("type=payment.*", asked(20, Some("payment.*"), false)),
            ("type=dispute.%2A&pageSize=1", asked(1, Some("dispute.*"), false)),
            ("type=*&undelivered=true", asked(20, Some("*"), true)),
            ("undelivered=false", asked(20, None, false)),
        ];
        for (query, expected) in rows {
            assert_eq!(Asked::parse(query), Ok(expected), "{query}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        let rows = [
            ("pageSize=0", "pageSize: must be a whole number from 1 to 50"),
            ("pageSize=51", "pageSize: "),
            ("pageSize=-1", "pageSize: "),
            ("pageSize", "pageSize: "),
            ("pageToken=evt_1", "pageToken: must be the nextPageToken of a page"),
            ("pageToken=", "pageToken: "),
            ("after=0aQ000000000001", "after: must be the id of an event"),
            ("after=evt_0197000000000000000000000000G01", "after: "),
            ("type=payment", "type: must be the name of an event"),
            ("type=payment.exploded", "type: "),
            ("type=pay.*", "type: "),
            ("undelivered=yes", "undelivered: must be true or false"),
            ("undelivered", "undelivered: "),
            ("limit=3", "query: takes only pageSize, pageToken, after, type, undelivered"),
            ("pageSize=3&pageSize=4", "pageSize: is given twice"),
        ];
        for (query, expected) in rows {
            let problem = Asked::parse(query).expect_err(query);
            assert_eq!((problem.status, problem.code), (400, "INVALID_API_INPUT"), "{query}");
            assert!(problem.message.starts_with(expected), "{query}: {}", problem.message);
        }
    }
}
