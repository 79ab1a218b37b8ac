//! The books that the auditor keeps of models' ledgers: what took effect, what of it stands, and whether what rests and
//! what callers were told says the same.

use kessai_functions::models::{Act, Effect, Request};
use kessai_shared::gateways::{Items, News, Told};
use kessai_shared::ids::{PaymentKey, gateway_key};
use kessai_shared::payment::sequel::What;
use kessai_shared::payment::{IdempotencyKey, Outcome, Reach};
use kessai_shared::stored::{Attribute, Item};

use super::Played;
use super::network::is_key;
use crate::auditor::{Auditor, Sent, reference};
use crate::platform::Spent;
use crate::table::{Table, operations, state};

const MINUTE_MS: i64 = 60_000;

/// The shortest time for which any of the gateways keeps a hold.
const HOLD_MS: i64 = 5 * 24 * 60 * MINUTE_MS;

/// The last part of a key's window is not used.
const RESERVE_MS: i64 = 60 * MINUTE_MS;

/// What merchants' models have in their ledgers, and what the world has kept from us.
#[derive(Default)]
pub struct Books {
    /// None where the gateway is the sandbox.
    pub played: Option<Played>,
    pub effects: Vec<Entry>,
    /// Something that was to be told never came.
    pub misses_notices: bool,
    /// From when on nothing failed any more.
    pub calm_ms: i64,
}

pub struct Entry {
    merchant: usize,
    effect: Effect,
    /// Our name for what it is an effect of: the effect's own, unless the gateway has no place for one of its kind.
    reference: String,
    /// Whether a request undid it; else time did.
    undone_by_request: bool,
}

impl Books {
    pub fn line(&self, place: usize) -> String {
        let Some(Entry { merchant, effect, reference, .. }) = self.effects.get(place) else { return String::new() };
        let Effect { act, minor, currency, id, undone, .. } = effect;
        let undone = if *undone { ", undone" } else { "" };
        format!("{act:?} {minor} {currency} as {id}, reference {reference}, of merchant {merchant}{undone}")
    }

    fn of<'a>(&'a self, reference: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.effects.iter().filter(move |entry| entry.reference == reference)
    }
}

impl Auditor {
    /// A request is at a model: our name in it, and whether another one of the same was before.
    pub fn sent_to_model(&mut self, request: &Request, table: &Table, call: (usize, u32)) -> (String, bool) {
        let body = String::from_utf8_lossy(&request.body);
        let key = request.headers.iter().find(|(name, _)| is_key(name)).map(|(_, key)| key.as_str());
        let by_key = key.and_then(|key| named_by_key(key, table));
        let reference = by_key.or_else(|| self.named_in(&body, table)).unwrap_or_default();
        // A reversal by reference is no second request for the same.
        let undoes = if key.is_none() && body.contains(r#""void""#) { "/void" } else { "" };
        let name = match (reference.as_str(), key) {
            ("", key) => key.unwrap_or_default().to_owned(),
            (reference, _) => format!("{reference}{undoes}"),
        };
        let mut said = request.path.clone().into_bytes();
        said.extend(key.unwrap_or_default().as_bytes());
        said.extend(&request.body);
        match self.sent.iter().find(|sent| sent.reference == name) {
            Some(first) => {
                let (same, is_other) = (first.said == said, first.call != call);
                self.check("parameters", same, || format!("{name} was sent with other parameters, key or path"));
                (reference, is_other)
            }
            None => {
                self.sent.push(Sent { reference: name, said, call });
                (reference, false)
            }
        }
    }

    /// The operation of ours that a text names, open as it rests.
    fn named_in(&self, text: &str, table: &Table) -> Option<String> {
        let begins = ["0Xc", "0aQ", "9tv", "0cb"].into_iter().flat_map(|prefix| text.match_indices(prefix));
        let names = begins.filter_map(|(start, _)| text.get(start..start + 18));
        let is_open = |name: &&str| {
            let located = self.locate(name, table).and_then(|(key, place)| Some((table.find(key)?, place)));
            located
                .and_then(|(row, place)| operations(&row.item).nth(place))
                .is_some_and(|known| matches!(state(known), "open" | "unsent"))
        };
        let names: Vec<&str> = names.collect();
        names.iter().find(|name| is_open(name)).or(names.first()).map(|name| (*name).to_owned())
    }

    /// A model's ledger as it is now, after a request or because time has passed.
    /// `asked`: our name for what was asked, none where nobody asked.
    pub fn entered(&mut self, merchant: usize, effects: Vec<Effect>, asked: Option<&str>, table: &Table) {
        let is_same = |one: &Effect, other: &Effect| {
            (one.act, &one.reference, &one.id, one.minor) == (other.act, &other.reference, &other.id, other.minor)
        };
        let mut left = effects;
        let mut gone = None;
        let mut changed = false;
        for entry in self.books.effects.iter_mut().filter(|entry| entry.merchant == merchant) {
            match left.iter().position(|effect| is_same(effect, &entry.effect)) {
                Some(place) => {
                    let effect = left.remove(place);
                    if effect.undone != entry.effect.undone {
                        changed = true;
                        entry.undone_by_request = asked.is_some();
                        entry.effect.undone = effect.undone;
                    }
                }
                None => gone = Some(entry.effect.clone()),
            }
        }
        if let Some(gone) = gone {
            self.object("ledger", || format!("{gone:?} is gone from the ledger"));
        }
        for effect in left {
            changed = true;
            let is_own = |name: &&str| self.known(name, table).is_some_and(|(_, kind, _)| of_kind(effect.act, &kind));
            let named = Some(effect.reference.as_str()).filter(is_own);
            let reference = named.or(asked).unwrap_or(&effect.reference).to_owned();
            let undone_by_request = asked.is_some();
            self.books.effects.push(Entry {
                merchant,
                effect: effect.clone(),
                reference: reference.clone(),
                undone_by_request,
            });
            self.acted_at_model(&reference, &effect, table);
        }
        if changed {
            self.conserve_at_models(table);
        }
    }

    /// An operation as it rests: its payment, its kind and its amount.
    fn known(&self, reference: &str, table: &Table) -> Option<(PaymentKey, String, Item)> {
        let (key, place) = self.locate(reference, table)?;
        let known = operations(&table.find(key)?.item).nth(place)?;
        Some((key, known.text("k")?.to_owned(), known.clone()))
    }

    fn acted_at_model(&mut self, reference: &str, effect: &Effect, table: &Table) {
        let Effect { act, minor, currency, .. } = effect;
        let standing = self.books.of(reference).filter(|entry| !entry.effect.undone).count();
        self.check("at most one effect", standing <= 1, || format!("{reference} took effect again"));
        let Some((key, kind, known)) = self.known(reference, table) else {
            return self.object("intent", || format!("{reference} took effect, and no intent rests"));
        };
        let fits = of_kind(*act, &kind) && known.number("a") == Some(*minor);
        self.check("intent", fits, || format!("{act:?} {minor} {currency} took effect as {reference}: {known:?}"));
        let is_right = self.books.played.is_some_and(|played| played.facts().currency.eq_ignore_ascii_case(currency));
        self.check("intent", is_right, || format!("{reference} took effect in {currency}"));
        if let Some(kind) = KINDS.into_iter().find(|known| *known == kind) {
            self.identify_as(reference, key, &known, kind, *minor);
        }
    }

    /// At the models, what is taken never exceeds what was held, nor what is given back what was taken.
    pub fn conserve_at_models(&mut self, table: &Table) {
        let mut found = Vec::new();
        for entry in &self.books.effects {
            let Some((key, place)) = self.locate(&entry.reference, table) else { continue };
            let Some(row) = table.find(key) else { continue };
            let Some(known) = operations(&row.item).nth(place) else { continue };
            found.push((key, place, known.number("on"), entry));
        }
        let stands = |entry: &Entry| !entry.effect.undone;
        let mut broken = None;
        for (key, place, _, held) in &found {
            let on = i64::try_from(*place).ok();
            let drawn = found.iter().filter(|(other, _, target, entry)| other == key && *target == on && stands(entry));
            let drawn: i64 = drawn
                .filter(|(.., entry)| self.is_strict || entry.effect.act != Act::Reverse)
                .map(|(.., entry)| entry.effect.minor)
                .sum();
            let most = if held.effect.undone && held.undone_by_request { 0 } else { held.effect.minor };
            if drawn > most && held.effect.act != Act::Reverse {
                broken = Some(format!("{drawn} of {most} is taken from {}", held.reference));
            }
        }
        if let Some(broken) = broken {
            self.object("conservation", || broken);
        }
    }

    /// What is settled is what the model's ledger says.
    pub fn agree_with_model(&mut self, reference: &str, known: &Item, now_ms: i64) {
        let (mut standing, mut all, mut failed) = (0, 0, 0);
        for entry in self.books.of(reference) {
            all += 1;
            standing += usize::from(!entry.effect.undone);
            failed += usize::from(entry.effect.undone && !entry.undone_by_request);
        }
        let stands = state(known);
        let agrees = match stands {
            // What failed after it was approved is told by notices alone.
            "approved" => standing == 1 || standing == 0 && failed > 0,
            "unsent" => all == 0,
            "open" | "accepted" | "lapsed" => standing <= 1,
            // A hold that ended at the gateway before anybody heard of it holds nothing.
            "declined" | "declined for good" if self.has_ended(reference, now_ms) => true,
            _ => standing == 0,
        };
        self.check("answers", agrees, || {
            format!("{reference} is {stands}, and the gateway's ledger holds {all} effects, {standing} standing")
        });
    }

    /// Whether it is a hold that no gateway keeps any longer.
    fn has_ended(&self, reference: &str, now_ms: i64) -> bool {
        let is_old = |entry: &Entry| entry.effect.act == Act::Authorize && now_ms > entry.effect.at_ms + HOLD_MS;
        self.books.of(reference).all(is_old)
    }

    /// The gateway heard that this was taken: then it rests.
    pub fn kept_of_model(&mut self, items: Items, table: &Table) {
        for item in items.into_iter().flatten() {
            let Told::Notice(notice) = item else { continue };
            let located = self.locate(&notice.reference, table);
            let row = located.and_then(|(key, place)| Some((table.find(key)?, place)));
            let Some(known) = row.and_then(|(row, place)| operations(&row.item).nth(place)) else { continue };
            let is_undoing = known.get("ud").is_some();
            let is_kept = match &notice.news {
                News::Outcome(Outcome::Approved(_) | Outcome::Declined(..)) => {
                    !matches!(state(known), "open" | "accepted") || is_undoing
                }
                News::Outcome(Outcome::Accepted(_) | Outcome::ActionRequired(..)) => {
                    state(known) != "open" || is_undoing
                }
                News::Sequel(sequel) => rests(known, sequel.what),
                News::Outcome(_) | News::Token(..) => true,
            };
            self.check("kept", is_kept, || format!("{notice:?} was taken, and does not rest"));
        }
    }

    /// Each item of a post costs a read and a write.
    pub fn took_post(&mut self, items: u32, spent: Spent) {
        self.cost("a notice", spent, items, items);
    }

    /// Everything settles but what nobody can find out.
    pub fn settled_at_model(&mut self, played: Played, tells: bool, known: &Item, reference: &str, now_ms: i64) {
        let adapter = played.adapter();
        let gateway = &played.set_ups().each[0][0].merchants[0].gateways.values().next().expect("a gateway").clone();
        let terms = adapter.terms(gateway);
        let stands = state(known);
        let holds = matches!(known.text("k"), Some("authorize" | "post-authorize"));
        let named = if let Some(Attribute::Map(state)) = known.get("s") { state.text("r").is_some() } else { false };
        let within = |reach| match reach {
            Reach::Nothing => false,
            Reach::Named => named,
            Reach::Openings => known.number("on").is_none(),
            Reach::Everything => true,
        };
        let is_whole = match known.get("m") {
            Some(Attribute::Map(instrument)) => instrument.text("id").is_some(),
            _ => true,
        };
        let asked_ms = known.number("t").unwrap_or_default();
        let window_ms = terms.key_window.and_then(|window| i64::try_from(window.as_millis()).ok());
        // How long it is at most until follow-up looks again: the longer, the longer it has been in vain.
        let age_ms = self.books.calm_ms - asked_ms;
        let patience_ms = if age_ms < MINUTE_MS { 50 * MINUTE_MS } else { 240 * MINUTE_MS };
        let had_time = |window_ms: i64| age_ms + patience_ms < window_ms - RESERVE_MS;
        let took_effect = self.books.of(reference).next().is_some();
        let is_repeated = took_effect || played.facts().refusals_repeat;
        let can_resend = is_whole && is_repeated && window_ms.is_some_and(had_time);
        let can_ask = within(terms.look_up);
        // What never took effect cannot be undone, nor what was undone before: of that a gateway need not say anything.
        let can_undo = within(terms.timeout_reversal) && self.books.of(reference).any(|entry| !entry.effect.undone);
        let may_stay = match stands {
            // Who can be asked to undo a hold is asked for ever, and it never lapses here.
            "open" => !(can_resend || can_ask || can_undo || holds && !within(terms.timeout_reversal)),
            "accepted" => !(can_ask || holds || tells && !self.books.misses_notices && known.get("ru").is_none()),
            _ => true,
        };
        self.check("liveness", may_stay, || format!("{reference} is still {stands} at {now_ms}"));
    }
}

/// The operation for which this key was made.
fn named_by_key(key: &str, table: &Table) -> Option<String> {
    table.rows.iter().find_map(|row| {
        let PaymentKey { merchant, payment } = row.key;
        let place = operations(&row.item).position(|known| {
            let words = known.text("k").zip(known.text("y").and_then(IdempotencyKey::parse));
            words.is_some_and(|(kind, asked)| gateway_key(&merchant, payment, kind, &asked) == key)
        })?;
        Some(reference(row.key, place, operations(&row.item).nth(place)?))
    })
}

const KINDS: [&str; 6] = ["authorize", "post-authorize", "sale", "capture", "reverse", "refund"];

fn of_kind(act: Act, kind: &str) -> bool {
    match act {
        Act::Authorize => matches!(kind, "authorize" | "post-authorize"),
        Act::Sale => kind == "sale",
        Act::Capture => kind == "capture",
        Act::Reverse => kind == "reverse",
        Act::Refund => kind == "refund",
    }
}

fn rests(known: &Item, what: What) -> bool {
    let list = if let Some(Attribute::List(list)) = known.get("q") { list.as_slice() } else { &[] };
    let name = what.name();
    list.iter().any(|sequel| if let Attribute::Map(sequel) = sequel { sequel.text("w") == Some(name) } else { false })
}
