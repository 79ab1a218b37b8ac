//! The auditor: looks at what rests, at what the gateway did and at what callers heard, and objects where
//! they disagree. He keeps his own books and knows nothing of how the code decides.

mod answers;
mod deeds;
mod resting;
mod sequels;
mod telling;

use std::borrow::Cow;

use kessai_functions::sandbox::{Class, Gateway};
use kessai_shared::card::Pan;
use kessai_shared::ids::{Ordinal, PaymentKey, Record};
use kessai_shared::payment::Generation;
use kessai_shared::stored::payment::KEY;
use kessai_shared::stored::{Attribute, Item};

use self::telling::Telling;
use crate::cast::cast;
use crate::cells::{DELIVERED, HAPPENED, STANDS, TOLD_OF};
use crate::heard::Said;
use crate::models::Books;
use crate::notices::NOTICE_SECRET;
use crate::plan::{Errand, Pays, Plan};
use crate::requests::{CVV, number_of};
use crate::table::{Table, operations, state};

/// Something that must not be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub rule: &'static str,
    pub what: String,
}

/// The verdicts, as they rest.
pub const VERDICTS: [&str; 10] = [
    "approved",
    "declined",
    "declined for good",
    "to be reviewed",
    "invalid data",
    "voided",
    "never received",
    "lapsed",
    "unsent",
    "still open",
];

/// One history in so many is searched for secrets.
const SEARCHED: u64 = 16;

pub struct Auditor {
    pub violation: Option<Violation>,
    /// How often each cell of the protocol was reached.
    pub cells: [[u32; HAPPENED.len()]; STANDS.len()],
    /// How operations ended: by verdict.
    pub ended: [u32; VERDICTS.len()],
    pub requests: u32,
    /// What each operation's first request to the gateway said.
    pub(crate) sent: Vec<Sent>,
    /// The references that took effect, and when.
    acted: Vec<(String, i64)>,
    /// What took effect, by what its merchant wanted: the merchant, the kind, the key and what it acts on.
    identities: Vec<(Identity, String)>,
    /// What the merchants want.
    meant: Vec<Errand>,
    pub(crate) is_strict: bool,
    /// Of what merchants are known by at the gateway by now.
    pub(crate) generation: Generation,
    /// What models' ledgers hold, where the gateway is not the sandbox.
    pub books: Books,
    /// The final answer of each operation.
    finals: Vec<Final>,
    /// Searching takes longer than all else together, so not every history is.
    is_searching: bool,
    secrets: Vec<Cow<'static, str>>,
    telling: Telling,
    /// How often what happened to a delivery: by what it told of.
    pub deliveries: [[u32; DELIVERED.len()]; TOLD_OF.len()],
}

/// A request that arrived at the gateway: what it said, and which call of which invocation it was.
pub struct Sent {
    pub reference: String,
    pub said: Vec<u8>,
    pub call: (usize, u32),
}

type Identity = (Option<usize>, &'static str, String, Option<(PaymentKey, i64)>);

/// What a caller was told of an operation, for good.
struct Final {
    payment: PaymentKey,
    ordinal: usize,
    pays: Option<Pays>,
    status: u16,
    said: Said,
    told_ms: i64,
}

impl Auditor {
    pub fn of(plan: &Plan) -> Self {
        let mut secrets = vec![Cow::Borrowed(NOTICE_SECRET)];
        if let Some(played) = plan.model {
            secrets.extend(played.secrets().map(Cow::Borrowed));
        }
        secrets.extend(cast().api_keys.iter().map(|key| Cow::Borrowed(key.reveal())));
        for errand in &plan.errands {
            if let (Pays::Card(_), None) = (errand.pays, errand.on) {
                secrets.extend([number_of(errand.pays), number_of(Pays::OtherCard)]);
            }
        }
        Self {
            violation: None,
            cells: [[0; HAPPENED.len()]; STANDS.len()],
            ended: [0; VERDICTS.len()],
            requests: 0,
            sent: Vec::new(),
            acted: Vec::new(),
            identities: Vec::new(),
            meant: plan.errands.clone(),
            is_strict: plan.strict,
            generation: Generation::FIRST,
            books: Books { played: plan.model, ..Books::default() },
            finals: Vec::new(),
            is_searching: plan.seed.is_multiple_of(SEARCHED),
            secrets,
            telling: Telling::of(plan),
            deliveries: [[0; DELIVERED.len()]; TOLD_OF.len()],
        }
    }

    /// The first objection stands.
    pub fn object(&mut self, rule: &'static str, what: impl FnOnce() -> String) {
        if self.violation.is_none() {
            self.violation = Some(Violation { rule, what: what() });
        }
    }

    pub(crate) fn check(&mut self, rule: &'static str, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.object(rule, what);
        }
    }

    /// Nothing that must not rest or leave is in it.
    pub fn search(&mut self, place: &'static str, bytes: &[u8]) {
        if !self.is_searching {
            return;
        }
        // Each of them has an underscore or many digits in a row, so most texts need no search.
        let mut digits = 0;
        let may_hold = self.books.played.is_some()
            || bytes.iter().any(|byte| {
                digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
                *byte == b'_' || digits == Pan::MIN
            });
        if !may_hold {
            return;
        }
        let text = String::from_utf8_lossy(bytes);
        let found = self.secrets.iter().any(|secret| text.contains(secret.as_ref()));
        self.check("secrets", !found, || format!("{place} holds a secret"));
    }

    fn search_item(&mut self, item: &Item) {
        if !self.is_searching {
            return;
        }
        for (_, value) in item.iter() {
            self.search_attribute(value);
        }
    }

    fn search_attribute(&mut self, value: &Attribute) {
        match value {
            Attribute::Text(text) if text.as_ref() == CVV => self.object("secrets", || "a CVV rests".to_owned()),
            Attribute::Text(text) => self.search("an item", text.as_bytes()),
            Attribute::Number(number) => self.search("an item", number.to_string().as_bytes()),
            Attribute::Bytes(bytes) => self.search("an item", bytes),
            Attribute::List(list) => list.iter().for_each(|value| self.search_attribute(value)),
            Attribute::Map(map) => self.search_item(map),
            Attribute::Flag(_) => {}
        }
    }

    /// At the end: everything has come to rest, and to the truth.
    pub fn close(&mut self, plan: &Plan, table: &Table, gateway: &Gateway, now_ms: i64) {
        match plan.model {
            None => self.conserve_all(gateway, now_ms),
            Some(_) => self.conserve_at_models(table),
        }
        for row in &table.rows {
            for (place, known) in operations(&row.item).enumerate() {
                let reference = reference(row.key, place, known);
                self.agree(&reference, known, gateway, now_ms);
                self.settled(plan, known, &reference, now_ms);
                let same = |other: &&Item| other.text("k") == known.text("k") && other.text("y") == known.text("y");
                let twins = operations(&row.item).filter(same).count();
                self.check("one operation a key", twins == 1, || format!("{reference} is there {twins} times"));
            }
            let key = row.item.text(KEY) == Some(row.key.to_string().as_str());
            self.check("stored", key, || format!("{} lies under another key", row.key));
        }
    }

    /// Everything settles but what nobody can find out.
    fn settled(&mut self, plan: &Plan, known: &Item, reference: &str, now_ms: i64) {
        let stands = state(known);
        let verdict = VERDICTS.iter().position(|verdict| *verdict == stands).unwrap_or(VERDICTS.len() - 1);
        self.ended[verdict] += 1;
        if let Some(played) = plan.model {
            return self.settled_at_model(played, plan.tells, known, reference, now_ms);
        }
        let holds = matches!(known.text("k"), Some("authorize" | "post-authorize"));
        // Whoever was asked is not asked any more.
        let is_elsewhere =
            known.number("cg").unwrap_or_default() != i64::try_from(self.generation.0).unwrap_or(i64::MAX);
        let can_ask = matches!(plan.class, Class::Keyed | Class::LookUp) && !is_elsewhere;
        let may_stay = match stands {
            "open" => (plan.class == Class::None || is_elsewhere) && !holds,
            "accepted" => !can_ask && !holds,
            _ => true,
        };
        self.check("liveness", may_stay, || format!("{reference} is still {stands}"));
    }
}

/// The gateway's name for the operation at this place of a payment.
pub(crate) fn reference(key: PaymentKey, place: usize, known: &Item) -> String {
    let record = match known.text("k") {
        Some("authorize" | "post-authorize") => Record::Authorization,
        Some("sale" | "capture") => Record::Payment,
        Some("reverse") => Record::Adjustment,
        _ => Record::Refund,
    };
    let place = Ordinal::new(place).expect("a place in a payment");
    record.id(key.payment, place).to_string()
}
