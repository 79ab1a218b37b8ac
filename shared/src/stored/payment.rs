//! A payment as an item.
//!
//! | attribute | of the payment |
//! |---|---|
//! | `pk` | merchant and payment |
//! | `f` | format |
//! | `v` | version: the condition of every write |
//! | `d` | when somebody must look at it next; only then |
//! | `g` `c` `x` `mc` | gateway, currency, end of the hold, several captures |
//! | `o` | the operations, one map each |
//! | `ob` `ed` | what merchants are yet to be told, when somebody must tell them; only then |
//! | `lt` `xr` | not ours: [`LATE`](crate::reminder::LATE) and [`TRACE`](crate::trace::TRACE), written by whoever stores the item |
//!
//! | attribute | of an operation |
//! |---|---|
//! | `k` `on` `fin` `why` | kind, operation it acts on, final capture, reason |
//! | `y` `a` `all` `t` `cg` | key, amount in minor units, all that was left, when claimed, under which credential unless the first |
//! | `fp` `m` | fingerprint, instrument |
//! | `ac` `ef` `co` `cx` `em` `ip` `ma` `ph` `ad` `gr` `mi` | account, effective, comments, client context, e-mail, IP, MAC, phone, additional data, group, merchant-initiated |
//! | `s` `ud` `l` `n` `q` | state, being undone, logs, contradictions, sequels |
//! | `ru` `re` | what the payer must do: where, until when |

use super::item::{Attribute, Item};
use super::merchant::{decode_generation, encode_generation};
use super::reader::{Reader, Unreadable, strange};
use super::{outbox, sequel};
use crate::card::{CardFacts, CardType, Expiry};
use crate::fingerprint::Fingerprint;
use crate::ids::{GatewayId, MethodId, Ordinal, PaymentKey};
use crate::money::{Currency, Money};
use crate::payment::asked::{AccountId, Amount, Details, Group, InstrumentFacts, Membership, RefundReason};
use crate::payment::{
    Accepted, Answer, Asked, Decline, IdempotencyKey, Interaction, Kind, Log, Nonce, Open, Operation, PayerAction,
    Payment, Settled, Source, State, Verdict,
};
use crate::time::Timestamp;

/// The name of the table's key.
pub const KEY: &str = "pk";
/// The name of the version, on which every write is conditional.
pub const VERSION: &str = "v";
/// The name of the time when the item is due.
pub const DUE: &str = "d";
/// The name of the time when somebody must tell merchants something.
pub const OWED: &str = "ed";
/// The format that this version reads and writes. There is no older one.
pub const FORMAT: i64 = 1;

/// Most bytes a payment may have after a request: what comes of the request must still fit into the
/// store's 400 KB, and so must a late contradiction.
pub const MAX_SIZE: usize = 256 * 1024;

/// A payment as it was read, with what this version does not know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub payment: Payment,
    unknown: Unknown,
}

/// Attributes that this version does not know. They are written back as they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Unknown {
    payment: Item,
    operations: Vec<Item>,
}

impl Stored {
    /// The payment that takes the place of what was read before, if anything was.
    pub fn following(before: Option<&Self>, payment: Payment) -> Self {
        Self { payment, unknown: before.map(|before| before.unknown.clone()).unwrap_or_default() }
    }

    /// The item to write.
    pub fn to_item(&self) -> Item {
        let Self { payment, unknown } = self;
        let operations = payment.operations.iter().enumerate().map(|(place, operation)| {
            let item = encode_operation(operation);
            Attribute::Map(match unknown.operations.get(place) {
                Some(unknown) => carry(item, unknown),
                None => item,
            })
        });
        let item = Item::new()
            .with(KEY, payment.key().to_string())
            .with("f", FORMAT)
            .with(VERSION, i64::try_from(payment.version).unwrap_or(i64::MAX))
            .with_some(DUE, payment.due_at().map(Timestamp::as_millis))
            .with("g", payment.gateway.as_str().to_owned())
            .with("c", payment.currency.code())
            .with_some("x", payment.expires_at.map(Timestamp::as_millis))
            .with_flag("mc", payment.multi_capture)
            .with("o", operations.collect::<Vec<_>>())
            .with_some("ob", outbox::encode(&payment.outbox))
            .with_some(OWED, payment.outbox.due().map(Timestamp::as_millis));
        carry(item, &unknown.payment)
    }

    /// Reads an item of this format.
    pub fn from_item(item: Item) -> Result<Self, Unreadable> {
        let mut reader = Reader::new(item);
        let format = reader.number("f")?;
        if format != FORMAT {
            return Err(Unreadable(format!("format {format} is not {FORMAT}, the one this version knows")));
        }
        let PaymentKey { merchant, payment } = reader.parsed(KEY, PaymentKey::parse)?;
        reader.maybe_number(DUE)?;
        reader.maybe_number(OWED)?;
        let currency = reader.parsed("c", Currency::parse)?;
        let decoded: Result<Vec<_>, _> =
            reader.maps("o")?.into_iter().map(|operation| decode_operation(operation, currency)).collect();
        let (operations, unknown): (Vec<_>, Vec<_>) = decoded?.into_iter().unzip();
        if operations.is_empty() {
            return Err(Unreadable("o must hold an operation".to_owned()));
        }
        let payment = Payment {
            merchant,
            id: payment,
            version: u64::try_from(reader.number(VERSION)?).map_err(|_| Unreadable("v is negative".to_owned()))?,
            gateway: reader.parsed("g", GatewayId::parse)?,
            currency,
            expires_at: reader.maybe_moment("x")?,
            multi_capture: reader.flag("mc")?,
            operations,
            outbox: outbox::decode(reader.maybe_map("ob")?)?,
        };
        Ok(Self { payment, unknown: Unknown { payment: reader.rest(), operations: unknown } })
    }
}

pub(super) fn carry(mut item: Item, unknown: &Item) -> Item {
    for (name, value) in unknown.iter() {
        if item.get(name).is_none() {
            item.insert(name.clone(), value.clone());
        }
    }
    item
}

fn encode_operation(operation: &Operation) -> Item {
    let Operation { asked, fingerprint, amount, requested_at, generation, state, logs, contradictions, sequels } =
        operation;
    let target = asked.kind.target().map(|target| target.index() as i64);
    let item = Item::new()
        .with("k", asked.kind.name())
        .with_some("on", target)
        .with_flag("fin", asked.kind.is_final())
        .with_some("why", asked.kind.reason().map(RefundReason::literal))
        .with("y", asked.key.as_str().to_owned())
        .with("a", amount.minor)
        .with_flag("all", asked.amount == Amount::Rest)
        .with("t", requested_at.as_millis())
        .with_some("cg", encode_generation(*generation))
        .with_some("fp", fingerprint.map(|fingerprint| fingerprint.0.to_vec()))
        .with_some("m", asked.instrument.as_ref().map(encode_instrument))
        .with("s", encode_state(state))
        // Beside the state, where a version that does not know it carries it along.
        .with_flag("ud", operation.is_being_undone())
        .with_some("ru", operation.payer_action().map(|action| action.url.clone()))
        .with_some("re", operation.payer_action().map(|action| action.expires_at.as_millis()))
        .with_some("l", encode_logs(logs))
        .with_some("n", encode_logs(contradictions))
        .with_some("q", sequel::encode(sequels));
    encode_details(item, &asked.details)
}

fn decode_operation(item: Item, currency: Currency) -> Result<(Operation, Item), Unreadable> {
    let mut reader = Reader::new(item);
    let amount = Money::new(reader.number("a")?, currency);
    let decimal = amount.to_decimal().ok_or_else(|| Unreadable("a must be greater than 0".to_owned()))?;
    let instrument = reader.maybe_map("m")?.map(decode_instrument).transpose()?;
    let asked = Asked {
        kind: decode_kind(&mut reader)?,
        key: reader.parsed("y", IdempotencyKey::stored)?,
        amount: if reader.flag("all")? { Amount::Rest } else { Amount::Exactly(decimal) },
        details: decode_details(&mut reader)?,
        instrument,
    };
    let fingerprint = reader.maybe_bytes("fp")?.map(decode_fingerprint).transpose()?;
    let operation = Operation {
        asked,
        fingerprint,
        amount,
        requested_at: reader.moment("t")?,
        generation: decode_generation(&mut reader, "cg")?,
        state: decode_state(reader.map("s")?, reader.flag("ud")?, decode_action(&mut reader)?)?,
        logs: decode_logs(reader.maps("l")?)?,
        contradictions: decode_logs(reader.maps("n")?)?,
        sequels: sequel::decode(reader.maps("q")?)?,
    };
    Ok((operation, reader.rest()))
}

pub(super) fn decode_fingerprint(bytes: Vec<u8>) -> Result<Fingerprint, Unreadable> {
    bytes.try_into().map(Fingerprint).map_err(|_| Unreadable("fp must be 16 bytes".to_owned()))
}

fn decode_kind(reader: &mut Reader) -> Result<Kind, Unreadable> {
    let name = reader.word("k")?;
    let target = reader.maybe_number("on")?.and_then(|place| Ordinal::new(usize::try_from(place).ok()?));
    let needed = || target.ok_or_else(|| Unreadable("on is missing or out of range".to_owned()));
    let is_final = reader.flag("fin")?;
    let reason =
        reader.maybe_parsed("why", |text| RefundReason::ALL.into_iter().find(|reason| reason.literal() == text))?;
    match &*name {
        "authorize" => Ok(Kind::Authorize),
        "post-authorize" => Ok(Kind::PostAuthorize),
        "sale" => Ok(Kind::Sale),
        "capture" => Ok(Kind::Capture { authorization: needed()?, is_final }),
        "reverse" => Ok(Kind::Reverse { authorization: needed()? }),
        "refund" => Ok(Kind::Refund { payment: needed()?, reason }),
        _ => Err(strange("k")),
    }
}

fn encode_instrument(instrument: &InstrumentFacts) -> Item {
    match instrument {
        InstrumentFacts::Stored(method) => Item::new().with("id", method.as_str().to_owned()),
        InstrumentFacts::Card(card) => Item::new()
            .with("bin", &card.bin)
            .with("l4", &card.last_four)
            .with("ex", card.expiry.to_number())
            .with_some("ty", card.card_type.map(CardType::literal)),
        InstrumentFacts::Alternative { name, email } => {
            Item::new().with("alt", true).with_some("nm", name.as_ref()).with_some("em", email.as_ref())
        }
    }
}

fn decode_instrument(item: Item) -> Result<InstrumentFacts, Unreadable> {
    let mut reader = Reader::new(item);
    if let Some(method) = reader.maybe_parsed("id", MethodId::parse)? {
        return Ok(InstrumentFacts::Stored(method));
    }
    if reader.flag("alt")? {
        return Ok(InstrumentFacts::Alternative { name: reader.maybe_text("nm")?, email: reader.maybe_text("em")? });
    }
    let expiry = Expiry::from_number(reader.number("ex")?).ok_or_else(|| Unreadable("ex is no month".to_owned()))?;
    Ok(InstrumentFacts::Card(CardFacts {
        bin: reader.text("bin")?,
        last_four: reader.text("l4")?,
        expiry,
        card_type: reader
            .maybe_parsed("ty", |text| CardType::ALL.into_iter().find(|card_type| card_type.literal() == text))?,
    }))
}

fn encode_details(item: Item, details: &Details) -> Item {
    let Details {
        account,
        effective_at,
        comments,
        client_context,
        email,
        ip_address,
        mac_address,
        phone,
        additional_data,
        group,
        submitted_by_merchant,
    } = details;
    let additional: Item = additional_data.iter().map(|(name, value)| (name.clone().into(), value.into())).collect();
    item.with_some("ac", account.as_ref().map(|account| account.as_str().to_owned()))
        .with_some("ef", effective_at.map(Timestamp::as_millis))
        .with_some("co", comments.as_ref())
        .with_some("cx", client_context.as_ref())
        .with_some("em", email.as_ref())
        .with_some("ip", ip_address.as_ref())
        .with_some("ma", mac_address.as_ref())
        .with_some("ph", phone.as_ref())
        .with_some("ad", (!additional_data.is_empty()).then_some(additional))
        .with_some("gr", group.as_ref().map(encode_group))
        .with_flag("mi", *submitted_by_merchant)
}

fn decode_details(reader: &mut Reader) -> Result<Details, Unreadable> {
    Ok(Details {
        account: reader.maybe_parsed("ac", AccountId::parse)?,
        effective_at: reader.maybe_moment("ef")?,
        comments: reader.maybe_text("co")?,
        client_context: reader.maybe_text("cx")?,
        email: reader.maybe_text("em")?,
        ip_address: reader.maybe_text("ip")?,
        mac_address: reader.maybe_text("ma")?,
        phone: reader.maybe_text("ph")?,
        additional_data: reader.texts("ad")?,
        group: reader.maybe_map("gr")?.map(decode_group).transpose()?,
        submitted_by_merchant: reader.flag("mi")?,
    })
}

fn encode_group(group: &Group) -> Item {
    let item = Item::new().with_some("cu", group.currency.map(Currency::code));
    match &group.member {
        Membership::New { source } => item.with_some("so", source.as_ref()),
        Membership::Existing { id } => item.with("id", id),
    }
}

fn decode_group(item: Item) -> Result<Group, Unreadable> {
    let mut reader = Reader::new(item);
    let member = match reader.maybe_text("id")? {
        Some(id) => Membership::Existing { id },
        None => Membership::New { source: reader.maybe_text("so")? },
    };
    Ok(Group { member, currency: reader.maybe_parsed("cu", Currency::parse)? })
}

fn encode_state(state: &State) -> Item {
    match state {
        State::Open(open) => Item::new()
            .with("s", "open")
            .with("no", open.nonce.0.to_be_bytes().to_vec())
            .with("dl", open.deadline.as_millis())
            .with("tr", i64::from(open.attempts))
            .with_flag("un", open.unknown)
            .with_some("du", open.due.map(Timestamp::as_millis)),
        State::Unsent => Item::new().with("s", "unsent"),
        State::Accepted(accepted) => Item::new()
            .with("s", "accepted")
            .with("an", encode_answer(&accepted.answer))
            .with("tr", i64::from(accepted.attempts))
            .with_some("du", accepted.due.map(Timestamp::as_millis)),
        State::Settled(settled) => Item::new()
            .with("s", verdict_name(settled.verdict))
            .with("an", encode_answer(&settled.answer))
            .with("t", settled.at.as_millis()),
    }
}

fn decode_state(item: Item, undoing: bool, action: Option<PayerAction>) -> Result<State, Unreadable> {
    let mut reader = Reader::new(item);
    let name = reader.word("s")?;
    match &*name {
        "open" => Ok(State::Open(Open {
            nonce: decode_nonce(reader.maybe_bytes("no")?)?,
            deadline: reader.moment("dl")?,
            attempts: decode_attempts(&mut reader)?,
            unknown: reader.flag("un")?,
            undoing,
            due: reader.maybe_moment("du")?,
        })),
        "unsent" => Ok(State::Unsent),
        "accepted" => Ok(State::Accepted(Accepted {
            answer: decode_answer(reader.map("an")?)?,
            action,
            attempts: decode_attempts(&mut reader)?,
            due: reader.maybe_moment("du")?,
        })),
        verdict => Ok(State::Settled(Settled {
            verdict: Verdict::ALL
                .into_iter()
                .find(|known| verdict_name(*known) == verdict)
                .ok_or_else(|| strange("s"))?,
            answer: decode_answer(reader.map("an")?)?,
            at: reader.moment("t")?,
        })),
    }
}

pub(super) fn decode_action(reader: &mut Reader) -> Result<Option<PayerAction>, Unreadable> {
    let Some(url) = reader.maybe_text("ru")? else { return Ok(None) };
    Ok(Some(PayerAction { url, expires_at: reader.moment("re")? }))
}

pub(super) fn decode_nonce(bytes: Option<Vec<u8>>) -> Result<Nonce, Unreadable> {
    let bytes: Option<[u8; 8]> = bytes.and_then(|bytes| bytes.try_into().ok());
    bytes.map(|bytes| Nonce(u64::from_be_bytes(bytes))).ok_or_else(|| Unreadable("no must be 8 bytes".to_owned()))
}

fn decode_attempts(reader: &mut Reader) -> Result<u32, Unreadable> {
    u32::try_from(reader.number("tr")?).map_err(|_| Unreadable("tr is out of range".to_owned()))
}

pub(super) fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approved => "approved",
        Verdict::Declined(Decline::Soft) => "declined",
        Verdict::Declined(Decline::Permanent) => "declined for good",
        Verdict::Declined(Decline::RequiresReview) => "to be reviewed",
        Verdict::Declined(Decline::InvalidData) => "invalid data",
        Verdict::Voided => "voided",
        Verdict::NeverReceived => "never received",
        Verdict::Lapsed => "lapsed",
    }
}

pub(super) fn encode_answer(answer: &Answer) -> Item {
    let Answer { reference, reference_details, code, description, message, authorization_code, avs_code, date } =
        answer;
    Item::new()
        .with_some("r", reference.as_ref())
        .with_some("rd", reference_details.as_ref())
        .with_some("c", code.as_ref())
        .with_some("de", description.as_ref())
        .with_some("me", message.as_ref())
        .with_some("au", authorization_code.as_ref())
        .with_some("av", avs_code.as_ref())
        .with_some("t", date.map(Timestamp::as_millis))
}

pub(super) fn decode_answer(item: Item) -> Result<Answer, Unreadable> {
    let mut reader = Reader::new(item);
    Ok(Answer {
        reference: reader.maybe_text("r")?,
        reference_details: reader.maybe_text("rd")?,
        code: reader.maybe_text("c")?,
        description: reader.maybe_text("de")?,
        message: reader.maybe_text("me")?,
        authorization_code: reader.maybe_text("au")?,
        avs_code: reader.maybe_text("av")?,
        date: reader.maybe_moment("t")?,
    })
}

fn encode_logs(logs: &[Log]) -> Option<Vec<Attribute>> {
    let encode = |log: &Log| {
        Item::new()
            .with("t", log.at.as_millis())
            .with("w", source_name(log.source))
            .with("i", interaction_name(log.interaction))
            .with_some("c", log.code.as_ref())
    };
    (!logs.is_empty()).then(|| logs.iter().map(|log| Attribute::Map(encode(log))).collect())
}

fn decode_logs(items: Vec<Item>) -> Result<Vec<Log>, Unreadable> {
    let decode = |item| {
        let mut reader = Reader::new(item);
        Ok(Log {
            at: reader.moment("t")?,
            source: reader.parsed("w", |text| Source::ALL.into_iter().find(|source| source_name(*source) == text))?,
            interaction: reader.parsed("i", |text| {
                Interaction::ALL.into_iter().find(|interaction| interaction_name(*interaction) == text)
            })?,
            code: reader.maybe_text("c")?,
        })
    };
    items.into_iter().map(decode).collect()
}

fn source_name(source: Source) -> &'static str {
    match source {
        Source::Answer => "answer",
        Source::LookUp => "look-up",
        Source::TimeoutReversal => "reversal",
        Source::Notice => "notice",
        Source::Time => "time",
    }
}

fn interaction_name(interaction: Interaction) -> &'static str {
    match interaction {
        Interaction::Success => "ok",
        Interaction::Failed => "no",
        Interaction::Timeout => "silence",
        Interaction::NoOp => "nothing",
    }
}
