//! What the sandbox tells unasked: several items in one body, signed together.
//!
//! The signature is in the header `x-sandbox-signature`, in the form of Stripe's: `t=<unix seconds>,v1=<hex>`, with one
//! `v1` for each secret while one replaces another.

use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{AnswerBody, outcome};
use crate::card::Secret;
use crate::gateways::signatures::check_stripe;
use crate::gateways::{Items, News, NotTaken, Notice, NoticeAnswer, NoticeCodec, RawNotice, Told, Unreadable};
use crate::ids::MethodId;
use crate::payment::sequel::{Sequel, Stage, What};

pub(super) const CODEC: NoticeCodec = NoticeCodec {
    read,
    taken: NoticeAnswer { status: 200, body: "[accepted]" },
    irrelevant: NoticeAnswer { status: 200, body: "[accepted] but not processed" },
    forged: NoticeAnswer { status: 403, body: "Not a valid notification request" },
    ask: None,
};

const SIGNATURE: &str = "x-sandbox-signature";

/// How far its clock and ours may be apart, either way.
const TOLERANCE: Duration = Duration::from_secs(300);

/// Each item is read by itself: one that nobody can read harms no other.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    notices: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Event {
    event: String,
}

#[derive(Deserialize)]
struct FailedBody {
    reference: String,
    notice: String,
    code: Option<String>,
}

#[derive(Deserialize)]
struct DisputeBody {
    reference: String,
    dispute: String,
    stage: String,
    amount: Option<i64>,
    code: Option<String>,
}

fn read(raw: &RawNotice<'_>, secrets: &[Secret]) -> Result<Items, NotTaken> {
    let signature = (raw.header)(SIGNATURE).ok_or(NotTaken::Forged)?;
    check_stripe(signature, raw.body, secrets, raw.now, TOLERANCE)?;
    let envelope: Envelope<'_> = serde_json::from_slice(raw.body).map_err(|_| NotTaken::Malformed)?;
    Ok(envelope
        .notices
        .into_iter()
        .filter_map(|item| read_item(item.get()).map(|notice| notice.map(Told::Notice)).transpose())
        .collect())
}

/// None where it is of no interest to us.
fn read_item(text: &str) -> Result<Option<Notice>, Unreadable> {
    fn parsed<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Unreadable> {
        serde_json::from_str(text).map_err(|_| Unreadable)
    }
    let Event { event } = parsed(text)?;
    let notice = match event.as_str() {
        "operation" => {
            let mut body: AnswerBody = parsed(text)?;
            let (reference, token) = (std::mem::take(&mut body.reference), body.token.take().map(Secret::new));
            let news = match MethodId::parse(&reference).and_then(|id| id.kind()) {
                Some(_) => News::Token(outcome(body), token),
                None => News::Outcome(outcome(body)),
            };
            Notice { reference, news, amount: None }
        }
        "failed" => {
            let FailedBody { reference, notice, code } = parsed(text)?;
            let sequel = Sequel { id: notice, what: What::Failed, minor: None, code };
            Notice { reference, news: News::Sequel(sequel), amount: None }
        }
        "dispute" => {
            let DisputeBody { reference, dispute, stage, amount, code } = parsed(text)?;
            let stage = match stage.as_str() {
                "opened" => Stage::Opened,
                "charged_back" => Stage::ChargedBack,
                "reversed" => Stage::Reversed,
                "lost" => Stage::Lost,
                _ => return Ok(None),
            };
            let sequel = Sequel { id: dispute, what: What::Dispute(stage), minor: amount, code };
            Notice { reference, news: News::Sequel(sequel), amount: None }
        }
        _ => return Ok(None),
    };
    Ok(Some(notice))
}
