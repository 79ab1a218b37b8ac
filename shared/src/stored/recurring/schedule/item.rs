//! One charge of a schedule, as a map.
//!
//! | attribute | of the charge |
//! |---|---|
//! | `n` `a` `ta` | number, amount in minor units, target day |
//! | `m` `mv` `co` `oc` | method, matching value, comments, occurrence |
//! | `mk` | the hashes of the key under which it was added and of what was asked, one behind the other |
//! | `s` | state |
//! | `t` | when it was processed, failed or was canceled |
//! | `si` `no` `dl` `du` | while it is being charged: since when, nonce, deadline, when to look |
//! | `ra` `ro` | when it is tried again, with another method |
//! | `tr` `rn` `pg` `tm` | how often it was tried; the last time by which run, in which of its pages, with which method |
//! | `fc` `ff` `fl` | how often it failed, when first, why the last time |
//! | `fr` | when it failed of late, one map each: `t` when, `rn` `pg` who had tried it |
//! | `p` | its payment |
//!
//! | attribute | of a failure |
//! |---|---|
//! | `ca` `de` `dc` | category, decision, what the gateway said |
//! | `c` `me` | the gateway's code, what it means |

use super::super::timing;
use crate::ids::{Id, MethodId};
use crate::recurring::ids::{ItemNumber, RunId};
use crate::recurring::retry::{Category, Decision};
use crate::recurring::schedule::{self, FailedTry, Failure, Failures, Processing, Retry, State, Tried};
use crate::stored::item::{Attribute, Item};
use crate::stored::method::{DECLINES, decline_name};
use crate::stored::payment::decode_nonce;
use crate::stored::reader::{Reader, Unreadable, strange};
use crate::stored::set_up::{decode_made, encode_made};

pub(super) fn encode(charge: &schedule::Item) -> Item {
    let schedule::Item {
        number,
        amount,
        target,
        method,
        matching_value,
        comments,
        occurrence,
        made,
        state,
        attempts,
        tried_by,
        tried_with,
        failures,
        payment,
    } = charge;
    let item = Item::new()
        .with("n", i64::from(number.get()))
        .with("a", *amount)
        .with("ta", target.to_string())
        .with_some("m", method.map(|method| method.as_str().to_owned()))
        .with_some("mv", matching_value.as_ref())
        .with_some("co", comments.as_ref())
        .with_some("oc", occurrence.map(i64::from))
        .with_some("mk", made.map(encode_made))
        .with_some("tr", (*attempts > 0).then_some(i64::from(*attempts)))
        .with_some("rn", tried_by.map(|tried| tried.run.as_str().to_owned()))
        .with_some("pg", tried_by.map(|tried| i64::from(tried.page)))
        .with_some("tm", tried_with.map(|method| method.as_str().to_owned()))
        .with_some("p", payment.map(|payment| payment.as_str().to_owned()));
    encode_failures(encode_state(item, state), failures.as_ref())
}

/// What this version does not know of it, too.
pub(super) fn decode(item: Item) -> Result<(schedule::Item, Item), Unreadable> {
    let mut reader = Reader::new(item);
    let number = u16::try_from(reader.number("n")?).ok().and_then(ItemNumber::new);
    let attempts = u16::try_from(reader.maybe_number("tr")?.unwrap_or(0)).map_err(|_| strange("tr"))?;
    let charge = schedule::Item {
        number: number.ok_or_else(|| strange("n"))?,
        amount: reader.number("a")?,
        target: timing::day(&mut reader, "ta")?,
        method: reader.maybe_parsed("m", MethodId::parse)?,
        matching_value: reader.maybe_text("mv")?,
        comments: reader.maybe_text("co")?,
        occurrence: reader.maybe_small("oc")?,
        made: decode_made(&mut reader, "mk")?,
        state: decode_state(&mut reader)?,
        attempts,
        tried_by: decode_tried(&mut reader)?,
        tried_with: reader.maybe_parsed("tm", MethodId::parse)?,
        failures: decode_failures(&mut reader)?,
        payment: reader.maybe_parsed("p", Id::parse)?,
    };
    Ok((charge, reader.rest()))
}

fn encode_state(item: Item, state: &State) -> Item {
    match state {
        State::Draft => item.with("s", "draft"),
        State::Ready => item.with("s", "ready"),
        State::Processing(Processing { since, nonce, deadline, due }) => item
            .with("s", "processing")
            .with("si", since.as_millis())
            .with("no", nonce.0.to_be_bytes().to_vec())
            .with("dl", deadline.as_millis())
            .with("du", due.as_millis()),
        State::Processed { at } => item.with("s", "processed").with("t", at.as_millis()),
        State::Failed { at, retry } => item
            .with("s", "failed")
            .with("t", at.as_millis())
            .with_some("ra", retry.map(|retry| retry.at.as_millis()))
            .with_flag("ro", retry.is_some_and(|retry| retry.with_other_method)),
        State::Canceled { at } => item.with("s", "canceled").with("t", at.as_millis()),
    }
}

fn decode_state(reader: &mut Reader) -> Result<State, Unreadable> {
    match &*reader.word("s")? {
        "draft" => Ok(State::Draft),
        "ready" => Ok(State::Ready),
        "processing" => Ok(State::Processing(Processing {
            since: reader.moment("si")?,
            nonce: decode_nonce(reader.maybe_bytes("no")?)?,
            deadline: reader.moment("dl")?,
            due: reader.moment("du")?,
        })),
        "processed" => Ok(State::Processed { at: reader.moment("t")? }),
        "failed" => {
            let with_other_method = reader.flag("ro")?;
            let retry = reader.maybe_moment("ra")?.map(|at| Retry { at, with_other_method });
            Ok(State::Failed { at: reader.moment("t")?, retry })
        }
        "canceled" => Ok(State::Canceled { at: reader.moment("t")? }),
        _ => Err(strange("s")),
    }
}

fn decode_tried(reader: &mut Reader) -> Result<Option<Tried>, Unreadable> {
    let Some(run) = reader.maybe_parsed("rn", RunId::parse)? else { return Ok(None) };
    Ok(Some(Tried { run, page: reader.small("pg")? }))
}

fn encode_failures(item: Item, failures: Option<&Failures>) -> Item {
    let Some(Failures { count, first_at, recent, last }) = failures else { return item };
    let recent: Vec<_> = recent.iter().map(|failed| Attribute::Map(encode_try(*failed))).collect();
    let Failure { category, decision, decline, code, message } = last;
    let last = Item::new()
        .with("ca", category.literal())
        .with("de", decision.literal())
        .with_some("dc", decline.map(decline_name))
        .with_some("c", code.as_ref())
        .with_some("me", message.as_ref());
    item.with("fc", i64::from(*count))
        .with("ff", first_at.as_millis())
        .with_some("fr", (!recent.is_empty()).then_some(recent))
        .with("fl", last)
}

fn encode_try(FailedTry { at, by: Tried { run, page } }: FailedTry) -> Item {
    Item::new().with("t", at.as_millis()).with("rn", run.as_str().to_owned()).with("pg", i64::from(page))
}

fn decode_try(item: Item) -> Result<FailedTry, Unreadable> {
    let mut reader = Reader::new(item);
    let by = Tried { run: reader.parsed("rn", RunId::parse)?, page: reader.small("pg")? };
    Ok(FailedTry { at: reader.moment("t")?, by })
}

fn decode_failures(reader: &mut Reader) -> Result<Option<Failures>, Unreadable> {
    let Some(first_at) = reader.maybe_moment("ff")? else { return Ok(None) };
    let count = u16::try_from(reader.number("fc")?).map_err(|_| strange("fc"))?;
    let recent = reader.maps("fr")?.into_iter().map(decode_try).collect::<Result<_, _>>()?;
    let mut last = Reader::new(reader.map("fl")?);
    let last = Failure {
        category: last.parsed("ca", |text| Category::ALL.iter().find(|known| known.literal() == text).copied())?,
        decision: last.parsed("de", |text| Decision::ALL.iter().find(|known| known.literal() == text).copied())?,
        decline: last.maybe_parsed("dc", |text| DECLINES.into_iter().find(|known| decline_name(*known) == text))?,
        code: last.maybe_text("c")?,
        message: last.maybe_text("me")?,
    };
    Ok(Some(Failures { count, first_at, recent, last }))
}
