//! What the auditor knows of what comes after a verdict.

use kessai_functions::sandbox::{Gateway, Stage};
use kessai_shared::stored::{Attribute, Item};

use super::Auditor;
use crate::table::{Table, operations, state};

/// The stages of a dispute, and how far each is.
const STAGES: [&str; 4] = ["dispute.opened", "dispute.charged_back", "dispute.reversed", "dispute.lost"];

impl Auditor {
    /// Sequels are added, each once, and never change.
    pub(super) fn followed(&mut self, before: &Item, after: &Item) {
        if after.get("q").is_none() && before.get("q").is_none() {
            return;
        }
        let (was, is): (Vec<_>, Vec<_>) = (sequels(before).collect(), sequels(after).collect());
        self.check("settled", is.starts_with(&was), || format!("sequels {was:?} became {is:?}"));
        let name = |sequel: &Item| (sequel.text("i").map(str::to_owned), sequel.text("w").map(str::to_owned));
        let mut names: Vec<_> = is.iter().map(|sequel| name(sequel)).collect();
        names.sort();
        names.dedup();
        self.check("sequels", names.len() == is.len(), || format!("the same came after twice: {is:?}"));
    }

    /// The gateway heard that this was taken: then it rests.
    pub fn kept(&mut self, items: &[(usize, Stage)], gateway: &Gateway, table: &Table) {
        for (place, stage) in items {
            let reference = gateway.operation(*place).and_then(|operation| operation.reference.as_ref());
            let located = reference.and_then(|reference| self.locate(reference, table));
            let row = located.and_then(|(key, place)| Some((table.find(key)?, place)));
            let Some(known) = row.and_then(|(row, place)| operations(&row.item).nth(place)) else { continue };
            let rests = |what: &str| sequels(known).any(|sequel| sequel.text("w") == Some(what));
            let is_kept = match stage {
                Stage::Accepted | Stage::ActionRequired => !matches!(state(known), "open") || is_undoing(known),
                Stage::Approved | Stage::Declined => !matches!(state(known), "open" | "accepted") || is_undoing(known),
                Stage::Failed => rests("failed"),
                Stage::DisputeOpened => rests("dispute.opened"),
                Stage::ChargedBack => rests("dispute.charged_back"),
                Stage::DisputeReversed => rests("dispute.reversed"),
            };
            self.check("kept", is_kept, || format!("{stage:?} of {reference:?} was taken, and does not rest"));
        }
    }
}

fn is_undoing(operation: &Item) -> bool {
    operation.get("ud").is_some()
}

/// What came after the verdict of an operation.
pub(super) fn sequels(operation: &Item) -> impl Iterator<Item = &Item> {
    let list = if let Some(Attribute::List(list)) = operation.get("q") { list.as_slice() } else { &[] };
    list.iter().filter_map(|sequel| if let Attribute::Map(sequel) = sequel { Some(sequel) } else { None })
}

/// Whether it took effect for certain, and still has it.
pub(super) fn stands(operation: &Item) -> bool {
    state(operation) == "approved" && !has_failed(operation)
}

/// Whether the gateway has said that it did not stand.
pub(super) fn has_failed(operation: &Item) -> bool {
    sequels(operation).any(|sequel| sequel.text("w") == Some("failed"))
}

/// What the payer has back of it: of each dispute, what its last stage says.
pub(super) fn charged_back(operation: &Item) -> i64 {
    let stage = |sequel: &Item| STAGES.iter().position(|stage| sequel.text("w") == Some(*stage));
    let is_last = |sequel: &&Item| {
        let same = |other: &&Item| other.text("i") == sequel.text("i");
        sequels(operation).filter(same).all(|other| stage(other) <= stage(sequel))
    };
    let is_back = |sequel: &&Item| matches!(sequel.text("w"), Some("dispute.charged_back" | "dispute.lost"));
    let amount = |sequel: &Item| sequel.number("a").or(operation.number("a")).unwrap_or_default();
    sequels(operation).filter(is_back).filter(is_last).map(amount).sum()
}
