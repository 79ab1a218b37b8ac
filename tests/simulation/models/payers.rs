//! Payers whom a model needs: they visit its page, soon or late.

use kessai_functions::models::Request;
use kessai_shared::stored::Item;

use crate::cast::cast;
use crate::chance::Fault;
use crate::story::Lane;
use crate::table::operations;
use crate::world::{Happening, World};

/// Most payers are quick; some come when the page may be of no use any more, and some only to say no.
const SOON_MS: i64 = 120_000;
const LATE_MS: i64 = 2 * 86_400_000;

/// Pages that lead to one for each answer.
const PAGES: [&str; 2] = ["/payers/", "/3d_secure/"];

/// A payer who was sent to a page.
pub struct Visit {
    merchant: usize,
    url: String,
    approves: bool,
}

impl World {
    /// A payment was written: whoever it sends to a page for the first time goes there.
    pub(crate) fn send_payers(&mut self, row: usize, before: Option<&Item>) {
        let row = &self.table.rows[row];
        let Some(merchant) = cast().merchants.iter().position(|known| *known == row.key.merchant) else { return };
        let known: Vec<&str> = before.into_iter().flat_map(operations).filter_map(|known| known.text("ru")).collect();
        let urls = operations(&row.item).filter_map(|known| known.text("ru")).filter(|url| !known.contains(url));
        let urls: Vec<String> = urls.map(str::to_owned).collect();
        urls.into_iter().for_each(|url| self.await_visitor(merchant, url));
    }

    fn await_visitor(&mut self, merchant: usize, url: String) {
        if self.chance.strikes(Fault::PayerAway) {
            // Where a gateway waits for ever, somebody ends it.
            let after = self.chance.millis(LATE_MS..5 * LATE_MS);
            return self.foresee_in(after, Happening::Visited(Box::new(Visit { merchant, url, approves: false })));
        }
        let late = self.chance.strikes(Fault::PayerLate);
        let after = if late { self.chance.millis(SOON_MS..LATE_MS) } else { self.chance.millis(1_000..SOON_MS) };
        let approves = !self.chance.one_in(4);
        self.foresee_in(after, Happening::Visited(Box::new(Visit { merchant, url, approves })));
    }

    /// The payer decides on the page.
    pub(crate) fn visit(&mut self, visit: &Visit) {
        let Visit { merchant, url, approves } = visit;
        let after_scheme = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let path = after_scheme.find('/').map_or("/", |start| &after_scheme[start..]);
        let path = path.strip_prefix(&format!("/{merchant}/")).map_or(path.to_owned(), |path| format!("/{path}"));
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let result = if *approves { "approve" } else { "decline" };
        // Some gateways have a page for each answer, others a form.
        let path = match path.strip_suffix("/approve") {
            Some(page) => format!("{page}/{result}"),
            None if PAGES.iter().any(|page| path.starts_with(page)) => format!("{path}/{result}"),
            None => path.to_owned(),
        };
        let request = Request {
            method: "POST".to_owned(),
            path,
            query: query.to_owned(),
            headers: [("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())].into(),
            body: format!("result={result}").into_bytes(),
        };
        let response = self.let_act(*merchant, &request, "");
        self.tell(Lane::Gateway, Lane::Gateway, || {
            let body = String::from_utf8_lossy(&response.body);
            format!("its payer says {result} at {url}, and hears {} {body}", response.status)
        });
    }
}
