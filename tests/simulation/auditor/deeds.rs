//! What the auditor sees at the gateway.

use kessai_functions::sandbox::{Decline, Effect, Gateway, Kind, Operation, Outcome, Request};
use kessai_shared::ids::{PaymentKey, Record};
use kessai_shared::stored::Item;

use super::{Auditor, Sent};
use crate::cast::cast;
use crate::requests::otherwise;
use crate::table::{Table, operations, state};
use crate::world::START_MS;

impl Auditor {
    /// A request is at the gateway; returns whether another one of the same reference was before.
    pub fn sent(&mut self, request: &Request, call: (usize, u32)) -> bool {
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
        match self.sent.iter().find(|sent| sent.reference == reference) {
            Some(first) => {
                let (same, is_other) = (first.said == said, first.call != call);
                let reference = reference.to_owned();
                self.check("parameters", same, || format!("{reference} was sent with other parameters, key or path"));
                is_other
            }
            None => {
                self.sent.push(Sent { reference: reference.to_owned(), said, call });
                false
            }
        }
    }

    /// The gateway entered an operation.
    pub fn acted(&mut self, operation: &Operation, table: &Table, gateway: &Gateway, now_ms: i64) {
        if operation.outcome == (Outcome::Declined { because: Decline::AlreadyReversed }) {
            // This gateway remembers what it has undone. Another would have acted now.
            self.object("late", || format!("{:?} arrived after it was undone", operation.reference));
        }
        if !operation.is_effect(now_ms) {
            return;
        }
        if let Some(reference) = &operation.reference {
            self.intended(reference, operation, table);
            let again = self.entered_at(reference).is_some();
            self.check("at most one effect", !again, || format!("{reference} took effect again"));
            self.acted.push((reference.clone(), now_ms - START_MS));
        }
        if let Some(target) = &operation.on {
            self.conserve(target, gateway, now_ms);
        }
    }

    /// When what bears this reference took effect.
    pub fn entered_at(&self, reference: &str) -> Option<i64> {
        self.acted.iter().find(|(known, _)| known == reference).map(|(_, at_ms)| *at_ms)
    }

    /// Whether it rests as accepted.
    pub fn is_accepted(&self, reference: &str, table: &Table) -> bool {
        let row = self.locate(reference, table).and_then(|(key, place)| Some((table.find(key)?, place)));
        row.and_then(|(row, place)| operations(&row.item).nth(place)).is_some_and(|known| state(known) == "accepted")
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
        // A payer may approve what was to end before: then nobody ever captures it.
        let is_late = matches!(deed.outcome, Outcome::ActionRequired { .. }) && stands == "lapsed";
        let is_open = is_late || matches!(stands.as_str(), "open" | "accepted" | "approved");
        self.check("answers", is_open, || format!("{reference} takes effect although it is {stands}"));
        self.identify(reference, key, known, deed);
    }

    /// One thing that a merchant wants is one operation at the gateway, and as much as the merchant meant.
    fn identify(&mut self, reference: &str, payment: PaymentKey, known: &Item, deed: &Operation) {
        let amount = i64::try_from(deed.amount).unwrap_or(i64::MAX);
        self.identify_as(reference, payment, known, deed.kind.name(), amount);
    }

    /// The same by its kind and amount.
    pub(crate) fn identify_as(
        &mut self,
        reference: &str,
        payment: PaymentKey,
        known: &Item,
        kind: &'static str,
        amount: i64,
    ) {
        let key = known.text("y").unwrap_or_default();
        let merchant = cast().merchants.iter().position(|merchant| *merchant == payment.merchant);
        let on = known.number("on").map(|on| (payment, on));
        let identity = (merchant, kind, key.to_owned(), on);
        match self.identities.iter().find(|(known, _)| *known == identity) {
            Some((_, first)) => {
                let same = first == reference;
                self.check("at most one effect", same, || format!("{identity:?} took effect as {reference} too"));
            }
            None => self.identities.push((identity.clone(), reference.to_owned())),
        }
        let amount = Some(amount);
        let is_meant = self.meant.iter().any(|errand| {
            (Some(errand.merchant), errand.kind.name()) == (merchant, kind)
                && format!("key-{}", errand.key) == key
                && (errand.amount.is_none() || [errand.amount, otherwise(errand.amount)].contains(&amount))
        });
        self.check("parameters", is_meant, || format!("nobody meant {kind} {amount:?} under {key}"));
    }

    /// The payment that a reference leads to, and the place in it.
    pub fn locate(&self, reference: &str, table: &Table) -> Option<(PaymentKey, usize)> {
        let (payment, ordinal) = Record::ALL.into_iter().find_map(|record| record.locate(reference))?;
        let keys = cast().merchants.iter().map(|merchant| PaymentKey { merchant: *merchant, payment });
        let key = keys.into_iter().find(|key| table.find(*key).is_some())?;
        Some((key, ordinal.index()))
    }

    /// At the gateway, what is taken never exceeds what was held, nor what is given back what was taken.
    fn conserve(&mut self, target: &str, gateway: &Gateway, now_ms: i64) {
        let (mut drawn, mut held) = (0, 0);
        for effect in gateway.effects(now_ms).filter(|effect| !effect.voided) {
            // What did not stand after all has drawn nothing.
            let counts = (effect.kind != Kind::Reverse || self.is_strict) && !effect.failed;
            if effect.on == Some(target) && effect.kind != Kind::PostAuthorize && counts {
                drawn += effect.amount;
            } else if effect.id == target {
                held = effect.amount;
            }
        }
        self.check("conservation", drawn <= held, || format!("{drawn} of {held} is taken from {target}"));
    }

    /// The same of everything, when all is over: what was accepted may have been declined since.
    pub(super) fn conserve_all(&mut self, gateway: &Gateway, now_ms: i64) {
        let targets: Vec<String> = gateway.effects(now_ms).filter_map(|effect| effect.on.map(str::to_owned)).collect();
        targets.iter().for_each(|target| self.conserve(target, gateway, now_ms));
    }

    /// What is settled is what the gateway's ledger says.
    pub(super) fn agree(&mut self, reference: &str, known: &Item, gateway: &Gateway, now_ms: i64) {
        if self.books.played.is_some() {
            return self.agree_with_model(reference, known, now_ms);
        }
        let mine = |effect: &Effect<'_>| effect.reference == Some(reference);
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
}
