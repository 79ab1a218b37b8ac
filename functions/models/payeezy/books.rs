//! What Payeezy has carried out, and what it lets be done with it.

use std::collections::BTreeSet;

use super::answers::{self, Done};
use super::checks::{Asked, PaidWith, Refused};
use crate::models::{Act, Answer, Effect};

#[derive(Default)]
pub(super) struct Books {
    transactions: Vec<Transaction>,
    tokens: BTreeSet<String>,
    /// Answers that were given a name: also of what was declined.
    count: u64,
}

struct Transaction {
    id: String,
    tag: String,
    /// None for a void by its opening's name: what it undoes says so itself.
    act: Option<Act>,
    at_ms: i64,
    merchant_ref: String,
    reversal_id: Option<String>,
    minor: i64,
    currency: String,
    /// Captured or voided: nothing can be done with it any more.
    is_closed: bool,
    undone: bool,
    refunded: i64,
}

impl Books {
    pub fn knows_token(&self, value: &str) -> bool {
        self.tokens.contains(value)
    }

    /// Sixteen digits, the last four of them the card's.
    pub fn keep(&mut self, card: &PaidWith) -> String {
        self.count = self.count.saturating_add(1);
        let value = format!("{:012}{}", 253_744_622_000_u64.saturating_add(self.count), card.last_four);
        self.tokens.insert(value.clone());
        value
    }

    pub fn open(&mut self, asked: &Asked<'_>, paid: &PaidWith, by_bank: Option<String>, now_ms: i64) -> Answer {
        let act = if asked.transaction_type == "purchase" { Act::Sale } else { Act::Authorize };
        let done = self.carry_out(asked, Some(act), by_bank, now_ms);
        answers::processed(asked, &done, Some(paid), now_ms)
    }

    pub fn act(
        &mut self,
        asked: &Asked<'_>,
        (id, tag): (&str, &str),
        by_bank: Option<String>,
        now_ms: i64,
    ) -> Result<Answer, Refused> {
        let found = self.transactions.iter_mut().find(|known| known.id == id && known.tag == tag && !known.is_closed);
        let target = found.ok_or(Refused::by_books("69", "Invalid Transaction Tag"))?;
        if target.currency != asked.currency {
            return Err(Refused::by_books("72", "Data within the transaction is incorrect"));
        }
        target.admit(asked)?;
        // The bank is not asked whether it lets go.
        let by_bank = by_bank.filter(|_| asked.transaction_type != "void");
        if by_bank.is_none() {
            target.follow(asked);
        }
        let act = match asked.transaction_type {
            "capture" => Act::Capture,
            "refund" => Act::Refund,
            _ => Act::Reverse,
        };
        let done = self.carry_out(asked, Some(act), by_bank, now_ms);
        Ok(answers::processed(asked, &done, None, now_ms))
    }

    /// Undoes the openings of this name.
    pub fn undo(&mut self, asked: &Asked<'_>, reversal_id: &str, now_ms: i64) -> Result<Answer, Refused> {
        let is_meant = |known: &&mut Transaction| {
            known.reversal_id.as_deref() == Some(reversal_id)
                && known.minor == asked.minor
                && known.currency == asked.currency
                && !known.is_closed
        };
        let mut count = 0_u32;
        for known in self.transactions.iter_mut().filter(is_meant) {
            (known.is_closed, known.undone) = (true, true);
            count = count.saturating_add(1);
        }
        if count == 0 {
            return Err(Refused::by_books("57", "Invalid Reference No"));
        }
        let done = self.carry_out(asked, None, None, now_ms);
        Ok(answers::processed(asked, &done, None, now_ms))
    }

    fn carry_out(&mut self, asked: &Asked<'_>, act: Option<Act>, by_bank: Option<String>, now_ms: i64) -> Done {
        self.count = self.count.saturating_add(1);
        let tag = 69_600_000_u64.saturating_add(self.count).to_string();
        if let Some(bank_code) = by_bank {
            return Done::Declined { tag, bank_code };
        }
        let id = format!("ET{}", 176_000_u64.saturating_add(self.count));
        self.transactions.push(Transaction {
            id: id.clone(),
            tag: tag.clone(),
            act,
            at_ms: now_ms,
            merchant_ref: asked.merchant_ref.to_owned(),
            reversal_id: asked.reversal_id.filter(|_| act.is_some()).map(str::to_owned),
            minor: asked.minor,
            currency: asked.currency.to_owned(),
            is_closed: false,
            undone: false,
            refunded: 0,
        });
        let space = if self.count.is_multiple_of(4) { " " } else { "" };
        Done::Approved { tag, id: format!("{id}{space}") }
    }

    pub fn effects(&self) -> Vec<Effect> {
        let effect = |known: &Transaction| {
            Some(Effect {
                at_ms: known.at_ms,
                act: known.act?,
                reference: known.merchant_ref.clone(),
                id: known.id.clone(),
                minor: known.minor,
                currency: known.currency.clone(),
                undone: known.undone,
            })
        };
        self.transactions.iter().filter_map(effect).collect()
    }
}

impl Transaction {
    /// Whether this may be done with it.
    fn admit(&self, asked: &Asked<'_>) -> Result<(), Refused> {
        let has_money = matches!(self.act, Some(Act::Sale | Act::Capture));
        match asked.transaction_type {
            "capture" if self.act != Some(Act::Authorize) => Err(Refused::by_books("69", "Invalid Transaction Tag")),
            "capture" if asked.minor > self.minor => Err(Refused::by_books("26", "Invalid Amount")),
            "refund" if !has_money => Err(Refused::by_books("69", "Invalid Transaction Tag")),
            "refund" if self.refunded.saturating_add(asked.minor) > self.minor => {
                Err(Refused::by_books("64", "Invalid Refund"))
            }
            "void" if self.act.is_none() || self.act == Some(Act::Reverse) || self.refunded > 0 => {
                Err(Refused::by_books("69", "Invalid Transaction Tag"))
            }
            "void" if asked.minor != self.minor => Err(Refused::by_books("26", "Invalid Amount")),
            _ => Ok(()),
        }
    }

    /// It is done.
    fn follow(&mut self, asked: &Asked<'_>) {
        match asked.transaction_type {
            "refund" => self.refunded = self.refunded.saturating_add(asked.minor),
            _ => self.is_closed = true,
        }
    }
}
