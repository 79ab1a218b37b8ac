//! What the auditor sees in the table.

use kessai_shared::stored::Item;

use super::Auditor;
use super::sequels::{charged_back, has_failed, stands};
use crate::table::{NEXT_VERSION, operations, state, version_of};

impl Auditor {
    /// A payment was written.
    pub fn written(&mut self, before: Option<&Item>, after: &Item) {
        let expected = before.map_or(0, version_of) + 1;
        self.check("version", version_of(after) == expected, || {
            format!("version {} follows {}", version_of(after), expected - 1)
        });
        self.search_item(after);
        if let Some(before) = before {
            self.compare(before, after);
            self.captures_in_time(before, after);
            self.refunds_in_time(before, after);
        }
        self.balance(after);
        self.noted(before, after);
    }

    /// What is settled stays as it is, what was asked stays what was asked, and what another version stored
    /// is not lost.
    fn compare(&mut self, before: &Item, after: &Item) {
        for name in ["g", "c", "mc", NEXT_VERSION] {
            self.stays("the payment", name, before, after);
        }
        for (place, known) in operations(before).enumerate() {
            let Some(now) = operations(after).nth(place) else {
                return self.object("settled", || format!("operation {place} is gone"));
            };
            if now == known {
                continue;
            }
            let may_change: &[&str] = match state(known) {
                // Contradictions are added beside what is settled.
                "unsent" => &["s", "l", "n", "t", "cg", "ud", "q", "ru", "re"],
                "open" | "accepted" => &["s", "l", "n", "t", "ud", "q", "ru", "re"],
                _ => &["n", "q"],
            };
            self.followed(known, now);
            let names = known.iter().chain(now.iter()).map(|(name, _)| name.as_ref());
            for name in names.filter(|name| !may_change.contains(name)) {
                self.stays(state(known), name, known, now);
            }
        }
    }

    /// Nobody takes it away or makes it something else; only the next version may add what is its own.
    fn stays(&mut self, what: &str, name: &str, before: &Item, after: &Item) {
        let (was, is) = (before.get(name), after.get(name));
        let is_added = was.is_none() && name == NEXT_VERSION;
        self.check("settled", was == is || is_added, || format!("{name} of {what} was {was:?} and is {is:?}"));
    }

    /// What is reserved fits what was approved, and nothing is reserved of anything else.
    fn balance(&mut self, item: &Item) {
        let list: Vec<&Item> = operations(item).collect();
        for (place, operation) in list.iter().enumerate().filter(|(_, operation)| reserves(operation)) {
            let target = operation.number("on").and_then(|on| list.get(usize::try_from(on).ok()?));
            let is_sound = operation.number("on").is_none() || target.is_some_and(|target| state(target) == "approved");
            self.check("reserved", is_sound, || format!("operation {place} takes of what is not approved"));
        }
        for (place, target) in list.iter().enumerate().filter(|(_, target)| state(target) == "approved") {
            let amount = target.number("a").unwrap_or_default();
            let drawn = match target.text("k") {
                Some("authorize" | "post-authorize") if self.is_strict => drawn(&list, place, &["capture", "reverse"]),
                // Where the gateway checks reversals, they may exceed; a new capture beside them may not.
                Some("authorize" | "post-authorize") => drawn(&list, place, &["capture"]),
                Some("sale" | "capture") => drawn(&list, place, &["refund"]),
                _ => continue,
            };
            self.check("reserved", drawn <= amount, || format!("{drawn} of {amount} is reserved"));
        }
    }

    /// Nothing is captured anew after the hold ended, nor after a final capture.
    fn captures_in_time(&mut self, before: &Item, after: &Item) {
        let known: Vec<&Item> = operations(before).collect();
        for (place, capture) in operations(after).enumerate() {
            let is_new = reserves(capture) && !known.get(place).is_some_and(|known| reserves(known));
            if !is_new || capture.text("k") != Some("capture") {
                continue;
            }
            let (on, at) = (capture.number("on"), capture.number("t"));
            let ended = after.number("x").filter(|end| Some(*end) <= at);
            self.check("reserved", ended.is_none(), || format!("captured at {at:?}, and the hold ended at {ended:?}"));
            let closes = |other: &&Item| other.get("fin").is_some() && other.number("on") == on && reserves(other);
            let is_closed = known.iter().any(closes);
            self.check("reserved", !is_closed, || "captured after a final capture".to_owned());
            let list: Vec<&Item> = operations(after).collect();
            let on = on.and_then(|on| usize::try_from(on).ok()).unwrap_or_default();
            let approved = list.get(on).and_then(|target| target.number("a")).unwrap_or_default();
            let fits = drawn(&list, on, &["capture", "reverse"]) <= approved;
            self.check("reserved", fits, || format!("captured more than is left of {approved}"));
        }
    }
}

impl Auditor {
    /// Nothing is given back of what did not stand, nor what the payer has back already.
    fn refunds_in_time(&mut self, before: &Item, after: &Item) {
        let known: Vec<&Item> = operations(before).collect();
        let list: Vec<&Item> = operations(after).collect();
        for (place, refund) in list.iter().enumerate().filter(|(_, refund)| refund.text("k") == Some("refund")) {
            if !reserves(refund) || known.get(place).is_some_and(|known| reserves(known)) {
                continue;
            }
            let on = refund.number("on").and_then(|on| usize::try_from(on).ok()).unwrap_or_default();
            let Some(target) = known.get(on).filter(|target| stands(target)) else {
                return self.object("reserved", || "given back of what does not stand".to_owned());
            };
            let (approved, back) = (target.number("a").unwrap_or_default(), charged_back(target));
            let given = drawn(&list, on, &["refund"]);
            self.check("reserved", given + back <= approved, || {
                format!("{given} of {approved} is given back, and the payer has {back} back already")
            });
        }
    }
}

/// Whether it took effect, or may have, and still has it.
pub(super) fn reserves(operation: &Item) -> bool {
    matches!(state(operation), "open" | "accepted" | "approved") && !has_failed(operation)
}

/// What operations of these kinds reserve of the one at this place.
pub(super) fn drawn(list: &[&Item], place: usize, kinds: &[&str]) -> i64 {
    let draws = list.iter().filter(|operation| {
        operation.text("k").is_some_and(|kind| kinds.contains(&kind))
            && operation.number("on") == i64::try_from(place).ok()
            && reserves(operation)
    });
    draws.filter_map(|operation| operation.number("a")).sum()
}
