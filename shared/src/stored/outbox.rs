//! What merchants are yet to be told, as a map in the payment's item.
//!
//! | attribute | holds |
//! |---|---|
//! | `n` `s` | how many entries there ever were, how many of them were told |
//! | `e` | the entries, one map each: `n` number, `o` operation, `w` what, `i` which of them, `t` when |
//! | `b` | who is behind, one map each: `w` endpoint, `n` from which entry, `t` since when, `tr` attempts, `du` due |
//!
//! `w` is `created`, `pending`, `verdict`, `sequel` or `changed`, or of a schedule the name of the event; `i` is the place
//! of a sequel, the version of a change, or of a schedule the attempt or the version ([`Turn::which`]).

use super::item::{Attribute, Item};
use super::reader::{Reader, Unreadable, strange};
use crate::event::EventName;
use crate::ids::{EndpointId, Ordinal};
use crate::payment::outbox::{Behind, Entry, News, Outbox};
use crate::recurring::schedule::outbox::Turn;

/// None where nothing was ever told.
pub(super) fn encode(outbox: &Outbox) -> Option<Item> {
    let Outbox { made, seen, entries, behind } = outbox;
    let maps = |maps: Vec<Item>| (!maps.is_empty()).then(|| maps.into_iter().map(Attribute::Map).collect::<Vec<_>>());
    (*made > 0).then(|| {
        Item::new()
            .with("n", i64::from(*made))
            .with("s", i64::from(*seen))
            .with_some("e", maps(entries.iter().map(encode_entry).collect()))
            .with_some("b", maps(behind.iter().map(|(endpoint, behind)| encode_behind(*endpoint, behind)).collect()))
    })
}

pub(super) fn decode(item: Option<Item>) -> Result<Outbox, Unreadable> {
    let Some(item) = item else { return Ok(Outbox::default()) };
    let mut reader = Reader::new(item);
    Ok(Outbox {
        made: reader.small("n")?,
        seen: reader.small("s")?,
        entries: reader.maps("e")?.into_iter().map(decode_entry).collect::<Result<_, _>>()?,
        behind: reader.maps("b")?.into_iter().map(decode_behind).collect::<Result<_, _>>()?,
    })
}

fn encode_entry(entry: &Entry) -> Item {
    let Entry { number, operation, news, at } = *entry;
    let (what, sequel) = encode_news(news);
    Item::new()
        .with("n", i64::from(number))
        .with("o", operation.index() as i64)
        .with("w", what)
        .with_some("i", sequel)
        .with("t", at.as_millis())
}

/// What it is, and which of them.
pub(super) fn encode_news(news: News) -> (&'static str, Option<i64>) {
    match news {
        News::Created => ("created", None),
        News::Pending => ("pending", None),
        News::Verdict => ("verdict", None),
        News::Sequel(place) => ("sequel", Some(i64::from(place))),
        News::Changed(version) => ("changed", Some(i64::from(version))),
        News::Schedule(turn) => (turn.name().text(), turn.which().map(i64::from)),
    }
}

/// From the attributes `w` and `i`.
pub(super) fn decode_news(reader: &mut Reader) -> Result<News, Unreadable> {
    let which = reader.maybe_number("i")?;
    match &*reader.word("w")? {
        "created" => Ok(News::Created),
        "pending" => Ok(News::Pending),
        "verdict" => Ok(News::Verdict),
        "sequel" => which.and_then(|place| u8::try_from(place).ok()).map(News::Sequel).ok_or_else(|| strange("i")),
        "changed" => {
            which.and_then(|version| u32::try_from(version).ok()).map(News::Changed).ok_or_else(|| strange("i"))
        }
        name => {
            let name = EventName::parse(name).ok_or_else(|| strange("w"))?;
            let which = which.map(u32::try_from).transpose().map_err(|_| strange("i"))?;
            Turn::parse(name, which).map(News::Schedule).ok_or_else(|| strange("i"))
        }
    }
}

fn decode_entry(item: Item) -> Result<Entry, Unreadable> {
    let mut reader = Reader::new(item);
    let news = decode_news(&mut reader)?;
    let place = usize::try_from(reader.number("o")?).ok().and_then(Ordinal::new);
    Ok(Entry {
        number: reader.small("n")?,
        operation: place.ok_or_else(|| strange("o"))?,
        news,
        at: reader.moment("t")?,
    })
}

fn encode_behind(endpoint: EndpointId, behind: &Behind) -> Item {
    let Behind { from, since, attempts, due } = *behind;
    Item::new()
        .with("w", endpoint.as_str().to_owned())
        .with("n", i64::from(from))
        .with("t", since.as_millis())
        .with("tr", i64::from(attempts))
        .with("du", due.as_millis())
}

fn decode_behind(item: Item) -> Result<(EndpointId, Behind), Unreadable> {
    let mut reader = Reader::new(item);
    let endpoint = reader.parsed("w", EndpointId::parse)?;
    let behind = Behind {
        from: reader.small("n")?,
        since: reader.moment("t")?,
        attempts: reader.small("tr")?,
        due: reader.moment("du")?,
    };
    Ok((endpoint, behind))
}
