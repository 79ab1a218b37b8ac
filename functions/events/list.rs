//! A page of events. The place where it ends is the id of its last one, so that pages are whole however many new ones
//! come in meanwhile.
//!
//! Every event shows its record, and a record may be long: a page ends early where it has grown too long. It also ends
//! early where what is meant is rare: so many are looked at and no more. In both cases there is a next page.

use std::collections::BTreeMap;

use kessai_shared::ids::ItemKey;
use kessai_shared::ports::{Pending, Span};
use kessai_shared::rejection::Fault;
use kessai_shared::stored::event::{Recorded, decode_recorded};
use kessai_shared::together::together;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::asked::Asked;
use super::{Desk, Item};
use crate::event::HttpAnswer;
use crate::problem::Problem;
use crate::wire::event::Shown;

/// Read from the archive at once where not every event is meant: half a kilobyte each.
const AT_ONCE: u16 = 100;

/// Events that are looked at for one page where not every event is meant.
const LOOKED_AT: usize = 500;

/// Bytes of a page's events, but for one that is longer by itself: half of what our own client reads.
const LONGEST: usize = 128 * 1024;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    events: Vec<Box<RawValue>>,
    /// Whether there are events even where no endpoint wants them.
    keep_events: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

/// Those that are meant, and where to go on.
struct Found {
    events: Vec<Recorded>,
    /// None at the end.
    next: Option<String>,
}

pub(super) async fn show(desk: &Desk<'_>, query: &str) -> Result<HttpAnswer, Problem> {
    let asked = Asked::parse(query)?;
    let found = find(desk, &asked).await?;
    let items = items(desk, &found.events).await?;
    let page = page(desk, found, &items);
    Ok(HttpAnswer::json(200, serde_json::to_string(&page).unwrap_or_default()))
}

async fn find(desk: &Desk<'_>, asked: &Asked) -> Result<Found, Problem> {
    let page_size = usize::from(asked.page_size);
    let at_once = if asked.is_everything() { asked.page_size } else { AT_ONCE };
    let partition = desk.merchant().id.as_str().to_owned();
    let (mut events, mut last, mut looked_at) = (Vec::new(), None::<String>, 0);
    loop {
        let span = going_on(asked.span(), last.as_deref());
        let read = desk.app.shell.patiently(desk.deadline, || desk.archive.list(&partition, span, at_once));
        let (items, mut more) = read.await?;
        let mut items = items.into_iter();
        for item in items.by_ref() {
            let recorded = decode_recorded(item).map_err(Fault::from)?;
            looked_at += 1;
            last = Some(recorded.id.clone());
            if asked.means(&recorded) {
                events.push(recorded);
            }
            if events.len() == page_size || looked_at == LOOKED_AT {
                break;
            }
        }
        let is_over = events.len() == page_size || looked_at == LOOKED_AT;
        more |= items.next().is_some();
        if is_over || !more {
            return Ok(Found { events, next: last.filter(|_| more) });
        }
    }
}

/// The rest of a piece, from where it was looked at last.
fn going_on<'a>(span: Span<'a>, last: Option<&'a str>) -> Span<'a> {
    match (last, span.newest_first) {
        (None, _) => span,
        (Some(_), true) => Span { before: last, ..span },
        (Some(_), false) => Span { after: last, ..span },
    }
}

/// The records that they are about, each read once, side by side.
async fn items(desk: &Desk<'_>, events: &[Recorded]) -> Result<BTreeMap<ItemKey, Item>, Problem> {
    let mut keys: Vec<_> = events.iter().map(|event| event.item).collect();
    keys.sort();
    keys.dedup();
    let read =
        |key: ItemKey| -> Pending<'_, Result<_, Fault>> { Box::pin(async move { Ok((key, desk.item(key).await?)) }) };
    let mut items = BTreeMap::new();
    for read in together(keys.into_iter().map(read)).await {
        let (key, item) = read?;
        items.extend(item.map(|item| (key, item)));
    }
    Ok(items)
}

fn page(desk: &Desk<'_>, found: Found, items: &BTreeMap<ItemKey, Item>) -> Page {
    let now = desk.app.shell.clock.now();
    let (mut events, mut length, mut next, mut last) = (Vec::<Box<RawValue>>::new(), 0_usize, found.next, None);
    for recorded in found.events {
        let shown = Shown::of(&recorded, items.get(&recorded.item).map(Item::about), now);
        let Ok(shown) = to_raw_value(&shown) else { continue };
        length = length.saturating_add(shown.get().len());
        if length > LONGEST && !events.is_empty() {
            next = last;
            break;
        }
        events.push(shown);
        last = Some(recorded.id);
    }
    Page { events, keep_events: desk.merchant().keeps_events, next_page_token: next }
}
