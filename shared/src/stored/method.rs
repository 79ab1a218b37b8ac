//! Stored payment methods as items of the vault.
//!
//! | attribute | holds |
//! |---|---|
//! | `pk` | merchant and method |
//! | `v`, `f` | version, format |
//! | `ac` | merchant and account, by which an index finds it; only of what is kept |
//! | `m` | all that may be shown: what was asked, how it stands, what was changed since |
//! | `t` | the gateway's token, sealed: `k` the key's id, `b` the bytes |
//! | `ob`, `ed` | what merchants are yet to be told, and when somebody must; as of a payment |
//!
//! Whoever only shows methods is not allowed to read `t`, and the index does not hold it.

use super::item::Item;
use super::outbox;
use super::payment::{
    KEY, OWED, VERSION, carry, decode_action, decode_answer, decode_fingerprint, decode_nonce, encode_answer,
};
use super::reader::{Reader, Unreadable, strange};
use crate::bank::{AccountType, BankFacts, BankType, EntryClass, HolderType};
use crate::card::{CardType, Expiry};
use crate::ids::{GatewayId, MerchantId, MethodId, MethodKind, method_key, short_form};
use crate::method::{
    Asked, CardCategory, CardOnFile, Changes, Details, Facts, Method, Open, ProcessingMode, Sender, State, Status,
};
use crate::payment::asked::AccountId;
use crate::payment::{Decline, IdempotencyKey};
use crate::seal::{KeyId, Sealed};
use crate::time::Timestamp;

/// The format that this version reads and writes. There is no older one.
const FORMAT: i64 = 1;

/// The name of the attribute by which the methods of an account are found.
pub const ACCOUNT: &str = "ac";
/// The name of what may be shown.
pub const SHOWN: &str = "m";
/// The name of the sealed token.
pub const TOKEN: &str = "t";

/// The key under which the methods of an account are found, whether its id has 15 characters or 18.
pub fn account_key(merchant: &MerchantId, account: &AccountId) -> String {
    format!("{}/{}", merchant.as_str(), short_form(account.as_str()))
}

/// A method as it was read, with what this version does not know of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMethod {
    pub method: Method,
    unknown: [Item; 2],
}

impl StoredMethod {
    /// The method that takes the place of what was read before, if anything was.
    pub fn following(before: Option<&Self>, method: Method) -> Self {
        Self { method, unknown: before.map(|before| before.unknown.clone()).unwrap_or_default() }
    }

    /// The item to write.
    pub fn to_item(&self) -> Item {
        let Self { method, unknown: [top, shown] } = self;
        let account = method.asked.details.account.as_ref().filter(|_| method.status().is_some());
        let item = Item::new()
            .with(KEY, method_key(&method.merchant, &method.id))
            .with(VERSION, i64::try_from(method.version).unwrap_or(i64::MAX))
            .with("f", FORMAT)
            .with_some(ACCOUNT, account.map(|account| account_key(&method.merchant, account)))
            .with(SHOWN, carry(encode_shown(method), shown))
            .with_some(TOKEN, method.token.as_ref().map(encode_sealed))
            .with_some("ob", outbox::encode(&method.outbox))
            .with_some(OWED, method.outbox.due().map(Timestamp::as_millis));
        carry(item, top)
    }

    /// Reads an item of this format; one that came without its token has none.
    pub fn from_item(item: Item) -> Result<Self, Unreadable> {
        let mut reader = Reader::new(item);
        let format = reader.number("f")?;
        if format != FORMAT {
            return Err(Unreadable(format!("format {format} is not {FORMAT}, the one this version knows")));
        }
        let (merchant, id) = reader.parsed(KEY, |key| {
            let (merchant, method) = key.split_once('/')?;
            Some((MerchantId::parse(merchant)?, MethodId::parse(method)?))
        })?;
        let version = u64::try_from(reader.number(VERSION)?).map_err(|_| Unreadable("v is negative".to_owned()))?;
        // They follow from the rest.
        reader.maybe_word(ACCOUNT)?;
        reader.maybe_number(OWED)?;
        let mut shown = Reader::new(reader.map(SHOWN)?);
        let method = Method {
            merchant,
            id,
            version,
            asked: decode_asked(&mut shown)?,
            fingerprint: shown.maybe_bytes("fp")?.map(decode_fingerprint).transpose()?,
            requested_at: shown.moment("rq")?,
            state: decode_state(shown.map("s")?)?,
            changes: decode_changes(&mut shown)?,
            token: reader.maybe_map(TOKEN)?.map(decode_sealed).transpose()?,
            outbox: outbox::decode(reader.maybe_map("ob")?)?,
        };
        Ok(Self { method, unknown: [reader.rest(), shown.rest()] })
    }
}

/// What is sealed, as it rests.
pub fn encode_sealed(sealed: &Sealed) -> Item {
    Item::new().with("k", sealed.key.as_str().to_owned()).with("b", sealed.bytes.clone())
}

pub fn decode_sealed(item: Item) -> Result<Sealed, Unreadable> {
    let mut reader = Reader::new(item);
    let bytes = reader.maybe_bytes("b")?.ok_or_else(|| Unreadable("b is missing".to_owned()))?;
    Ok(Sealed { key: reader.parsed("k", KeyId::parse)?, bytes })
}

fn encode_shown(method: &Method) -> Item {
    let Method { asked, fingerprint, requested_at, state, changes, .. } = method;
    let Asked { kind, key, gateway, facts, details } = asked;
    let Details {
        account,
        nick_name,
        email,
        comments,
        company_name,
        auto_pay,
        saved_by_merchant,
        processing_mode,
        record_type,
        method_type,
        gateway_type,
        sender,
    } = details;
    let (card, bank) = match facts {
        Facts::Card(card) => (Some(encode_card(card)), None),
        Facts::Bank(bank) => (None, Some(encode_bank(bank))),
        Facts::Other => (None, None),
    };
    let mode = (*processing_mode != ProcessingMode::default()).then(|| processing_mode.literal());
    Item::new()
        .with("k", kind.object())
        .with("y", key.as_str().to_owned())
        .with_some("g", gateway.map(|gateway| gateway.as_str().to_owned()))
        .with_some("ca", card)
        .with_some("ba", bank)
        .with_some("ac", account.as_ref().map(|account| account.as_str().to_owned()))
        .with_some("nn", nick_name.as_ref())
        .with_some("em", email.as_ref())
        .with_some("co", comments.as_ref())
        .with_some("cn", company_name.as_ref())
        .with_flag("ap", *auto_pay)
        .with_flag("sm", *saved_by_merchant)
        .with_some("pm", mode)
        .with_some("rt", record_type.as_ref())
        .with_some("mt", method_type.as_ref())
        .with_some("gt", gateway_type.as_ref())
        .with_some("se", encode_sender(sender))
        .with_some("fp", fingerprint.map(|fingerprint| fingerprint.0.to_vec()))
        .with("rq", requested_at.as_millis())
        .with("s", encode_state(state))
        .with_some("nc", changes.nick_name.as_ref().map(|name| name.clone().unwrap_or_default()))
        .with_some("apc", changes.auto_pay)
}

fn decode_asked(reader: &mut Reader) -> Result<Asked, Unreadable> {
    let facts = match (reader.maybe_map("ca")?, reader.maybe_map("ba")?) {
        (Some(card), _) => Facts::Card(decode_card(card)?),
        (None, Some(bank)) => Facts::Bank(decode_bank(bank)?),
        (None, None) => Facts::Other,
    };
    let mode = reader.maybe_parsed("pm", |text| ProcessingMode::ALL.into_iter().find(|mode| mode.literal() == text))?;
    Ok(Asked {
        kind: reader.parsed("k", |text| MethodKind::ALL.into_iter().find(|kind| kind.object() == text))?,
        key: reader.parsed("y", IdempotencyKey::parse)?,
        gateway: reader.maybe_parsed("g", GatewayId::parse)?,
        facts,
        details: Details {
            account: reader.maybe_parsed("ac", AccountId::parse)?,
            nick_name: reader.maybe_text("nn")?,
            email: reader.maybe_text("em")?,
            comments: reader.maybe_text("co")?,
            company_name: reader.maybe_text("cn")?,
            auto_pay: reader.flag("ap")?,
            saved_by_merchant: reader.flag("sm")?,
            processing_mode: mode.unwrap_or_default(),
            record_type: reader.maybe_text("rt")?,
            method_type: reader.maybe_text("mt")?,
            gateway_type: reader.maybe_text("gt")?,
            sender: reader.maybe_map("se")?.map(decode_sender).transpose()?.unwrap_or_default(),
        },
    })
}

fn encode_sender(sender: &Sender) -> Option<Item> {
    let Sender { email, ip_address, mac_address, phone, additional_data } = sender;
    let additional: Item = additional_data.iter().map(|(name, value)| (name.clone().into(), value.into())).collect();
    let item = Item::new()
        .with_some("em", email.as_ref())
        .with_some("ip", ip_address.as_ref())
        .with_some("ma", mac_address.as_ref())
        .with_some("ph", phone.as_ref())
        .with_some("ad", (!additional_data.is_empty()).then_some(additional));
    (*sender != Sender::default()).then_some(item)
}

fn decode_sender(item: Item) -> Result<Sender, Unreadable> {
    let mut reader = Reader::new(item);
    Ok(Sender {
        email: reader.maybe_text("em")?,
        ip_address: reader.maybe_text("ip")?,
        mac_address: reader.maybe_text("ma")?,
        phone: reader.maybe_text("ph")?,
        additional_data: reader.texts("ad")?,
    })
}

fn encode_card(card: &CardOnFile) -> Item {
    Item::new()
        .with_some("bin", card.bin.as_ref())
        .with_some("l4", card.last_four.as_ref())
        .with_some("ex", card.expiry.map(Expiry::to_number))
        .with_some("ty", card.card_type.map(CardType::literal))
        .with_some("ct", card.category.map(CardCategory::literal))
}

fn decode_card(item: Item) -> Result<CardOnFile, Unreadable> {
    let mut reader = Reader::new(item);
    let expiry = reader.maybe_number("ex")?.map(|number| Expiry::from_number(number).ok_or_else(|| strange("ex")));
    Ok(CardOnFile {
        bin: reader.maybe_text("bin")?,
        last_four: reader.maybe_text("l4")?,
        expiry: expiry.transpose()?,
        card_type: reader.maybe_parsed("ty", |text| CardType::ALL.into_iter().find(|known| known.literal() == text))?,
        category: reader
            .maybe_parsed("ct", |text| CardCategory::ALL.into_iter().find(|known| known.literal() == text))?,
    })
}

fn encode_bank(bank: &BankFacts) -> Item {
    let BankFacts { last_four, bank_type, bank_code, account_type, holder_type, entry_class, mandate } = bank;
    Item::new()
        .with("l4", last_four)
        .with("bt", bank_type.literal())
        .with_some("bc", bank_code.as_ref())
        .with_some("at", account_type.map(AccountType::literal))
        .with_some("ht", holder_type.map(HolderType::literal))
        .with_some("ec", entry_class.map(EntryClass::literal))
        .with_some("ma", mandate.as_ref())
}

fn decode_bank(item: Item) -> Result<BankFacts, Unreadable> {
    let mut reader = Reader::new(item);
    Ok(BankFacts {
        last_four: reader.text("l4")?,
        bank_type: reader.parsed("bt", |text| BankType::ALL.iter().find(|known| known.literal() == text).copied())?,
        bank_code: reader.maybe_text("bc")?,
        account_type: reader
            .maybe_parsed("at", |text| AccountType::ALL.iter().find(|known| known.literal() == text).copied())?,
        holder_type: reader
            .maybe_parsed("ht", |text| HolderType::ALL.iter().find(|known| known.literal() == text).copied())?,
        entry_class: reader
            .maybe_parsed("ec", |text| EntryClass::ALL.iter().find(|known| known.literal() == text).copied())?,
        mandate: reader.maybe_text("ma")?,
    })
}

fn decode_changes(reader: &mut Reader) -> Result<Changes, Unreadable> {
    let nick_name = reader.maybe_text("nc")?.map(|name| (!name.is_empty()).then_some(name));
    Ok(Changes { nick_name, auto_pay: reader.maybe_flag("apc")? })
}

fn encode_state(state: &State) -> Item {
    match state {
        State::Open(open) => Item::new()
            .with("s", "open")
            .with("no", open.nonce.0.to_be_bytes().to_vec())
            .with("dl", open.deadline.as_millis())
            .with_flag("un", open.unknown)
            .with_flag("dp", open.duplicate),
        State::Unsent => Item::new().with("s", "unsent"),
        State::Accepted { answer, action, at } => Item::new()
            .with("s", "accepted")
            .with("an", encode_answer(answer))
            .with_some("ru", action.as_ref().map(|action| action.url.clone()))
            .with_some("re", action.as_ref().map(|action| action.expires_at.as_millis()))
            .with("t", at.as_millis()),
        State::Refused { decline, answer, at } => Item::new()
            .with("s", "refused")
            .with("de", decline_name(*decline))
            .with("an", encode_answer(answer))
            .with("t", at.as_millis()),
        State::Kept { status, answer, at } => {
            Item::new().with("s", status.literal()).with("an", encode_answer(answer)).with("t", at.as_millis())
        }
    }
}

fn decode_state(item: Item) -> Result<State, Unreadable> {
    let mut reader = Reader::new(item);
    let name = reader.word("s")?;
    match &*name {
        "open" => Ok(State::Open(Open {
            nonce: decode_nonce(reader.maybe_bytes("no")?)?,
            deadline: reader.moment("dl")?,
            unknown: reader.flag("un")?,
            duplicate: reader.flag("dp")?,
        })),
        "unsent" => Ok(State::Unsent),
        "accepted" => Ok(State::Accepted {
            answer: decode_answer(reader.map("an")?)?,
            action: decode_action(&mut reader)?,
            at: reader.moment("t")?,
        }),
        "refused" => Ok(State::Refused {
            decline: reader.parsed("de", |text| DECLINES.into_iter().find(|known| decline_name(*known) == text))?,
            answer: decode_answer(reader.map("an")?)?,
            at: reader.moment("t")?,
        }),
        status => Ok(State::Kept {
            status: Status::ALL.into_iter().find(|known| known.literal() == status).ok_or_else(|| strange("s"))?,
            answer: decode_answer(reader.map("an")?)?,
            at: reader.moment("t")?,
        }),
    }
}

pub(super) const DECLINES: [Decline; 4] =
    [Decline::Soft, Decline::Permanent, Decline::RequiresReview, Decline::InvalidData];

pub(super) fn decline_name(decline: Decline) -> &'static str {
    match decline {
        Decline::Soft => "soft",
        Decline::Permanent => "for good",
        Decline::RequiresReview => "to be reviewed",
        Decline::InvalidData => "invalid data",
    }
}
