//! The auditor: looks at what rests, at what the gateway did and at what callers heard, and objects where
//! they disagree. He keeps his own books and knows nothing of how the code decides.

use std::borrow::Cow;

use kessai_functions::sandbox::{Class, Gateway, Kind, Operation, Request};
use kessai_shared::card::Pan;
use kessai_shared::ids::{Ordinal, PaymentKey, Record};
use kessai_shared::stored::payment::KEY;
use kessai_shared::stored::{Attribute, Item};

use crate::callers::{Asking, Heard, How, Place, Said, number_of};
use crate::cells::{HAPPENED, STANDS};
use crate::network::NOTICE_SECRET;
use crate::plan::{Pays, Plan};
use crate::platform::{Spent, cast};
use crate::table::{NEXT_VERSION, Table, operations, state, version_of};

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
const SEARCHED: u64 = 8;

pub struct Auditor {
    pub violation: Option<Violation>,
    /// How often each cell of the protocol was reached.
    pub cells: [[u32; HAPPENED.len()]; STANDS.len()],
    /// How operations ended: by verdict.
    pub ended: [u32; VERDICTS.len()],
    pub requests: u32,
    /// What each operation's first request to the gateway said.
    sent: Vec<(String, Vec<u8>)>,
    /// The references that took effect.
    acted: Vec<String>,
    is_strict: bool,
    /// The final answer of each operation.
    finals: Vec<(PaymentKey, usize, u16, Said)>,
    /// Searching takes longer than all else together, so not every history is.
    is_searching: bool,
    secrets: Vec<Cow<'static, str>>,
}

impl Auditor {
    pub fn of(plan: &Plan) -> Self {
        let mut secrets = vec![Cow::Borrowed(NOTICE_SECRET)];
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
            is_strict: plan.strict,
            finals: Vec::new(),
            is_searching: plan.seed % SEARCHED == 0,
            secrets,
        }
    }

    /// The first objection stands.
    pub fn object(&mut self, rule: &'static str, what: impl FnOnce() -> String) {
        if self.violation.is_none() {
            self.violation = Some(Violation { rule, what: what() });
        }
    }

    fn check(&mut self, rule: &'static str, holds: bool, what: impl FnOnce() -> String) {
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
        let may_hold = bytes.iter().any(|byte| {
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
            Attribute::Text(text) => self.search("an item", text.as_bytes()),
            Attribute::Bytes(bytes) => self.search("an item", bytes),
            Attribute::List(list) => list.iter().for_each(|value| self.search_attribute(value)),
            Attribute::Map(map) => self.search_item(map),
            Attribute::Number(_) | Attribute::Flag(_) => {}
        }
    }

    /// A payment was written.
    pub fn written(&mut self, before: Option<&Item>, after: &Item) {
        let expected = before.map_or(0, version_of) + 1;
        self.check("version", version_of(after) == expected, || {
            format!("version {} follows {}", version_of(after), expected - 1)
        });
        self.search_item(after);
        if let Some(before) = before {
            self.compare(before, after);
        }
        self.balance(after);
    }

    /// What is settled stays as it is, and what another version stored is not lost.
    fn compare(&mut self, before: &Item, after: &Item) {
        let carried = |before: &Item, after: &Item| before.get(NEXT_VERSION) == after.get(NEXT_VERSION);
        self.check("versions", before.get(NEXT_VERSION).is_none() || carried(before, after), || {
            "an attribute of the payment that this version does not know is lost".to_owned()
        });
        for (place, known) in operations(before).enumerate() {
            let Some(now) = operations(after).nth(place) else {
                return self.object("settled", || format!("operation {place} is gone"));
            };
            let is_settled = !matches!(state(known), "open" | "unsent" | "accepted");
            for (name, value) in known.iter() {
                let stays = match name.as_ref() {
                    // Contradictions are added beside what is settled.
                    "n" => continue,
                    "k" | "y" | "on" | "fp" | "m" | "fin" | NEXT_VERSION => true,
                    _ => is_settled,
                };
                self.check("settled", !stays || now.get(name) == Some(value), || {
                    format!("{name} of operation {place} was {value:?} and is {:?}", now.get(name))
                });
            }
        }
    }

    /// What is reserved fits what was approved.
    fn balance(&mut self, item: &Item) {
        let list: Vec<&Item> = operations(item).collect();
        for (place, target) in list.iter().enumerate().filter(|(_, target)| state(target) == "approved") {
            let reserved = |kind: &str| -> i64 {
                let draws = list.iter().filter(|operation| {
                    operation.text("k") == Some(kind)
                        && operation.number("on") == i64::try_from(place).ok()
                        && matches!(state(operation), "open" | "accepted" | "approved")
                });
                draws.filter_map(|operation| operation.number("a")).sum()
            };
            let drawn = match target.text("k") {
                Some("authorize" | "post-authorize") if self.is_strict => reserved("capture") + reserved("reverse"),
                Some("authorize" | "post-authorize") => reserved("capture"),
                Some("sale" | "capture") => reserved("refund"),
                _ => continue,
            };
            let amount = target.number("a").unwrap_or_default();
            self.check("reserved", drawn <= amount, || format!("{drawn} of {amount} is reserved"));
        }
    }

    /// A request is at the gateway; returns whether one of the same reference was before.
    pub fn sent(&mut self, request: &Request) -> bool {
        let body = String::from_utf8_lossy(&request.body);
        if request.method != "POST" || request.path.ends_with("/timeout-reversals") {
            return false;
        }
        let Some(reference) = body.split(r#""reference":""#).nth(1).and_then(|rest| rest.split('"').next()) else {
            self.object("reference", || format!("a request without a reference: {}", request.path));
            return false;
        };
        let mut said = request.path.clone().into_bytes();
        said.extend(request.idempotency_key.as_deref().unwrap_or_default().as_bytes());
        said.extend(&request.body);
        match self.sent.iter().find(|(known, _)| known == reference) {
            Some((_, first)) => {
                let same = *first == said;
                let reference = reference.to_owned();
                self.check("parameters", same, || format!("{reference} was sent with other parameters, key or path"));
                true
            }
            None => {
                self.sent.push((reference.to_owned(), said));
                false
            }
        }
    }

    /// The gateway entered an operation.
    pub fn acted(&mut self, operation: &Operation, table: &Table, gateway: &Gateway, now_ms: i64) {
        if !operation.outcome.is_effect() {
            return;
        }
        if let Some(reference) = &operation.reference {
            self.intended(reference, operation, table);
            let again = self.acted.contains(reference);
            self.check("at most one effect", !again, || format!("{reference} took effect again"));
            self.acted.push(reference.clone());
        }
        self.conserve(operation, gateway, now_ms);
    }

    /// Whatever takes effect rests as an intent, with the same amount, and was not said to have failed.
    fn intended(&mut self, reference: &str, deed: &Operation, table: &Table) {
        let Some((key, place)) = self.locate(reference, table) else {
            return self.object("intent", || format!("{reference} took effect, and no intent rests"));
        };
        let row = table.find(key);
        let Some(known) = row.and_then(|row| operations(&row.item).nth(place)) else {
            return self.object("intent", || format!("{reference} took effect, and no intent rests"));
        };
        let amount = known.number("a").and_then(|minor| u64::try_from(minor).ok());
        let agrees = amount == Some(deed.amount) && known.text("k") == Some(deed.kind.name());
        let stands = state(known).to_owned();
        self.check("parameters", agrees, || format!("{reference} took effect otherwise than it rests"));
        let is_open = matches!(stands.as_str(), "open" | "accepted" | "approved");
        self.check("answers", is_open, || format!("{reference} takes effect although it is {stands}"));
    }

    /// The payment that a reference leads to, and the place in it.
    pub fn locate(&self, reference: &str, table: &Table) -> Option<(PaymentKey, usize)> {
        let (payment, ordinal) = Record::ALL.into_iter().find_map(|record| record.locate(reference))?;
        let keys = cast().merchants.iter().map(|merchant| PaymentKey { merchant: *merchant, payment });
        let key = keys.into_iter().find(|key| table.find(*key).is_some())?;
        Some((key, ordinal.index()))
    }

    /// At the gateway, what is taken never exceeds what was held, nor what is given back what was taken.
    fn conserve(&mut self, deed: &Operation, gateway: &Gateway, now_ms: i64) {
        let Some(target) = deed.on.as_deref() else { return };
        let counted: &[Kind] = match deed.kind {
            Kind::Capture | Kind::Reverse if self.is_strict => &[Kind::Capture, Kind::Reverse],
            Kind::Capture => &[Kind::Capture],
            Kind::Refund => &[Kind::Refund],
            Kind::Authorize | Kind::Reverse | Kind::Sale | Kind::PostAuthorize => return,
        };
        let (mut drawn, mut held) = (0, 0);
        for effect in gateway.effects(now_ms).filter(|effect| !effect.voided) {
            if effect.on == Some(target) && counted.contains(&effect.kind) {
                drawn += effect.amount;
            } else if effect.id == target {
                held = effect.amount;
            }
        }
        let kind = deed.kind;
        self.check("conservation", drawn <= held, || format!("{kind:?}: {drawn} of {held}"));
    }

    /// A caller is answered.
    pub fn answered(
        &mut self,
        asking: &Asking,
        heard: &Heard,
        spent: Spent,
        table: &Table,
        gateway: &Gateway,
        now_ms: i64,
    ) {
        self.requests += 1;
        if let Said::Text(text) = &heard.said {
            self.search("an answer", text.as_bytes());
        }
        self.cost(asking, spent);
        let place = &asking.place;
        let status = heard.status;
        let row = table.find(place.payment);
        let found = row.and_then(|row| operations(&row.item).enumerate().find(|(_, known)| is_of(known, place)));
        let differs = found.is_some_and(|(_, known)| differs(known, place));
        let allowed: &[u16] = match asking.how {
            How::Mistyped => &[400],
            How::AsMeant | How::Otherwise | How::OtherCard if differs => &[409, 422, 500, 503],
            How::AsMeant | How::Otherwise | How::OtherCard => &[201, 202, 402, 409, 422, 503],
        };
        let is_allowed = allowed.contains(&status) || (status == 503 && spent.disturbances > 0);
        let gist = || format!("{} heard {}", place.key, heard.gist());
        self.check("answers", is_allowed || status == 404 && spent.disturbances > 0 || status == 503, gist);
        if !matches!(status, 201 | 202 | 402) {
            return;
        }
        let Some((ordinal, known)) = found else {
            return self.object("answers", || format!("{} heard {status} of nothing that rests", place.key));
        };
        let reference = reference(place.payment, ordinal, known);
        let sent = self.sent.iter().find(|(other, _)| *other == reference);
        let number = place.pays.map(number_of).unwrap_or_default();
        let is_of_card = sent.is_none_or(|(_, said)| String::from_utf8_lossy(said).contains(number.as_ref()));
        self.check("parameters", is_of_card, || format!("{} heard {status} of another card", place.key));
        if !heard.is_final {
            return;
        }
        let stands = state(known);
        let fits = if status == 201 { stands == "approved" } else { !matches!(stands, "open" | "accepted" | "unsent") };
        self.check("answers", fits, || format!("{} heard {status}, and is {stands}", place.key));
        self.agree(&reference, known, gateway, now_ms);
        let finals = self.finals.iter().find(|(payment, other, ..)| (*payment, *other) == (place.payment, ordinal));
        match finals {
            Some((_, _, first, said)) => {
                let same = *first == status && *said == heard.said;
                let first = format!("{said:?}");
                self.check("replay", same, || format!("{}: first {first}, now {:?}", place.key, heard.said));
            }
            None => self.finals.push((place.payment, ordinal, status, heard.said.clone())),
        }
    }

    /// Two writes and at most a read, and no more for what the world did to it.
    fn cost(&mut self, asking: &Asking, spent: Spent) {
        let Spent { reads, writes, disturbances } = spent;
        let least_reads = u32::from(asking.place.on.is_some());
        let within = writes <= 2 + disturbances && reads <= least_reads + disturbances;
        self.check("cost", within, || format!("{}: {reads} reads, {writes} writes", asking.function.name));
    }

    /// What is settled is what the gateway's ledger says.
    fn agree(&mut self, reference: &str, known: &Item, gateway: &Gateway, now_ms: i64) {
        let mine = |effect: &kessai_functions::sandbox::Effect<'_>| effect.reference == Some(reference);
        let (mut standing, mut all) = (0, 0);
        for effect in gateway.effects(now_ms).filter(mine) {
            all += 1;
            standing += usize::from(!effect.voided && effect.status == "approved");
        }
        let stands = state(known);
        let agrees = match stands {
            "approved" => standing == 1,
            "unsent" => all == 0,
            "open" | "accepted" | "lapsed" => all <= 1,
            _ => standing == 0,
        };
        self.check("answers", agrees, || {
            format!("{reference} is {stands}, and the gateway's ledger holds {all} effects, {standing} standing")
        });
    }

    /// At the end: everything has come to rest, and to the truth.
    pub fn close(&mut self, plan: &Plan, table: &Table, gateway: &Gateway, now_ms: i64) {
        for row in &table.rows {
            for (place, known) in operations(&row.item).enumerate() {
                let reference = reference(row.key, place, known);
                self.agree(&reference, known, gateway, now_ms);
                self.settled(plan, known, &reference);
                let same = |other: &&Item| other.text("k") == known.text("k") && other.text("y") == known.text("y");
                let twins = operations(&row.item).filter(same).count();
                self.check("one operation a key", twins == 1, || format!("{reference} is there {twins} times"));
            }
            let key = row.item.text(KEY) == Some(row.key.to_string().as_str());
            self.check("stored", key, || format!("{} lies under another key", row.key));
        }
    }

    /// Everything settles but what nobody can find out.
    fn settled(&mut self, plan: &Plan, known: &Item, reference: &str) {
        let stands = state(known);
        let verdict = VERDICTS.iter().position(|verdict| *verdict == stands).unwrap_or(VERDICTS.len() - 1);
        self.ended[verdict] += 1;
        let holds = matches!(known.text("k"), Some("authorize" | "post-authorize"));
        let can_ask = matches!(plan.class, Class::Keyed | Class::LookUp);
        let may_stay = match stands {
            "open" => plan.class == Class::None && !holds,
            "accepted" => !can_ask && !holds,
            _ => true,
        };
        self.check("liveness", may_stay, || format!("{reference} is still {stands}"));
    }
}

/// The gateway's name for the operation at this place of a payment.
fn reference(key: PaymentKey, place: usize, known: &Item) -> String {
    let record = match known.text("k") {
        Some("authorize" | "post-authorize") => Record::Authorization,
        Some("sale" | "capture") => Record::Payment,
        Some("reverse") => Record::Adjustment,
        _ => Record::Refund,
    };
    let place = Ordinal::new(place).expect("a place in a payment");
    record.id(key.payment, place).to_string()
}

/// Whether a stored operation is the one that a request is about.
fn is_of(known: &Item, place: &Place) -> bool {
    match place.on {
        // The key alone names what opens a payment.
        None => known.number("on").is_none(),
        Some(_) => known.text("k") == Some(place.kind) && known.text("y") == Some(place.key.as_str()),
    }
}

/// Whether something else was asked before under the same key.
fn differs(known: &Item, place: &Place) -> bool {
    let all = matches!(known.get("all"), Some(Attribute::Flag(true)));
    let amount = if all { None } else { known.number("a") };
    let is_final = matches!(known.get("fin"), Some(Attribute::Flag(true)));
    let instrument = if let Some(Attribute::Map(instrument)) = known.get("m") { Some(instrument) } else { None };
    let pays = place.pays.is_none_or(|pays| {
        let (name, end) = match pays {
            Pays::Method(code) => ("id", format!("{code:04}")),
            Pays::Card(_) | Pays::OtherCard => ("l4", number_of(pays).into_owned().split_off(12)),
        };
        instrument.and_then(|instrument| instrument.text(name)).is_some_and(|text| text.ends_with(&end))
    });
    let on = place.on.and_then(|on| i64::try_from(on.index()).ok());
    known.text("k") != Some(place.kind)
        || amount != place.amount
        || is_final != (place.is_final && place.kind == "capture")
        || known.number("on") != on
        || !pays
}
