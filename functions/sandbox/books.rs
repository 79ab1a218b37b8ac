//! The gateway's books: what it has recorded, and what follows from that at a given moment.
//!
//! Books change in one way only, by a [`Record`], so that whoever keeps the records can build the
//! same books again. Records are facts and never change; that an accepted operation has settled, or
//! that one was voided, is worked out when somebody asks. No record holds a card or a token: which
//! tokens are known is worked out as records are entered.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use kessai_shared::time::Timestamp;

use super::notice::Stage;
use super::order::{Instrument, Order};
use super::record::{Act, Effect, Operation, Outcome, Record, Reversal, Taken, Unacted};
use super::route::{Class, Kind};
use super::token::token;

/// How long a key is remembered.
pub const KEY_WINDOW_MS: i64 = 24 * 60 * 60 * 1_000;

/// Most records that the books take: days of load, in memory that a laptop has.
pub const RECORDS_MAX: usize = 1_000_000;

/// The first ids. Authorizations and everything else are numbered apart and look different.
const FIRST_AUTHORIZATION: u64 = 1_000_000_001;
const FIRST_OTHER: u64 = 1_000_001;
const OTHER_PREFIX: &str = "SF";

/// What makes two deliveries deliveries of the same operation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    Reference(Class, String),
    Key(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Books {
    operations: Vec<Operation>,
    by_id: BTreeMap<String, usize>,
    by_reference: BTreeMap<(Class, String), Vec<usize>>,
    by_key: BTreeMap<String, usize>,
    by_token: BTreeMap<(Class, String), usize>,
    /// The operations that have needed their payer.
    challenges: BTreeMap<(Class, String), usize>,
    delivered: BTreeSet<Mark>,
    reversals: BTreeMap<String, Reversal>,
    taken: BTreeSet<(usize, Stage)>,
    next_authorization: u64,
    next_other: u64,
    records: usize,
}

impl Default for Books {
    fn default() -> Self {
        Self {
            operations: Vec::new(),
            by_id: BTreeMap::new(),
            by_reference: BTreeMap::new(),
            by_key: BTreeMap::new(),
            by_token: BTreeMap::new(),
            challenges: BTreeMap::new(),
            delivered: BTreeSet::new(),
            reversals: BTreeMap::new(),
            taken: BTreeSet::new(),
            next_authorization: FIRST_AUTHORIZATION,
            next_other: FIRST_OTHER,
            records: 0,
        }
    }
}

impl Books {
    pub fn apply(&mut self, record: &Record) {
        // What belongs to an operation has room wherever there was room for that.
        self.records += usize::from(!matches!(record, Record::Act(_) | Record::Taken(_)));
        match record {
            Record::Operation(operation) => self.enter(operation),
            Record::Unacted(unacted) => {
                let Unacted { class, reference, key } = unacted;
                self.delivered.extend(marks(*class, reference.as_ref(), key.as_ref()));
            }
            Record::Reversal(reversal) => {
                self.skip_id(&reversal.id);
                self.reversals.insert(reversal.reference.clone(), reversal.clone());
            }
            Record::Act(act) => self.decide(act),
            Record::Taken(Taken { operation, stages, .. }) => {
                self.taken.extend(stages.iter().map(|stage| (*operation, *stage)));
            }
            Record::Resend(_) => self.taken.clear(),
        }
    }

    fn enter(&mut self, operation: &Operation) {
        let index = self.operations.len();
        self.skip_id(&operation.id);
        // A post-authorization bears the id of the authorization, which stays the owner of it.
        self.by_id.entry(operation.id.clone()).or_insert(index);
        if let Some(reference) = &operation.reference {
            let place = (operation.class, reference.clone());
            self.by_reference.entry(place).or_default().push(index);
        }
        if let Some(key) = &operation.key {
            self.by_key.insert(key.clone(), index);
        }
        if let Some(token) = token(operation) {
            self.by_token.insert((operation.class, token), index);
        }
        match operation.outcome {
            Outcome::ActionRequired { .. } => {
                self.challenges.insert((operation.class, operation.id.clone()), index);
            }
            Outcome::Approved | Outcome::Accepted { .. } | Outcome::Declined { .. } => {}
        }
        let (reference, key) = (operation.reference.as_ref(), operation.key.as_ref());
        self.delivered.extend(marks(operation.class, reference, key));
        self.operations.push(operation.clone());
    }

    /// A payer decides once.
    fn decide(&mut self, act: &Act) {
        let index = self.challenges.get(&(act.class, act.id.clone()));
        let outcome = index.and_then(|index| self.operations.get_mut(*index)).map(|operation| &mut operation.outcome);
        match outcome {
            Some(Outcome::ActionRequired { decision, .. }) => *decision = decision.or(Some(act.decision)),
            Some(Outcome::Approved | Outcome::Accepted { .. } | Outcome::Declined { .. }) | None => {}
        }
    }

    /// Never gives out this id again.
    fn skip_id(&mut self, id: &str) {
        let (next, number) = match id.strip_prefix(OTHER_PREFIX) {
            Some(number) => (&mut self.next_other, number),
            None => (&mut self.next_authorization, id),
        };
        let used: u64 = number.parse().unwrap_or_default();
        *next = used.saturating_add(1).max(*next);
    }

    pub fn next_id(&self, kind: Kind) -> String {
        match kind {
            Kind::Authorize => self.next_authorization.to_string(),
            Kind::Capture | Kind::Reverse | Kind::Sale | Kind::Refund | Kind::PostAuthorize | Kind::Tokenize => {
                self.next_other_id()
            }
        }
    }

    pub fn next_other_id(&self) -> String {
        format!("{OTHER_PREFIX}{}", self.next_other)
    }

    pub fn is_full(&self) -> bool {
        self.records >= RECORDS_MAX
    }

    /// The operation that an order acts on: it must exist in the class and be of a fitting kind.
    pub fn target(&self, order: &Order) -> Option<&Operation> {
        let index = self.by_id.get(order.on.as_ref()?)?;
        self.operations
            .get(*index)
            .filter(|target| target.class == order.class && order.kind.acts_on().contains(&target.kind))
    }

    /// The browser's authorization that an order registers, if it is as the order says.
    pub fn authorized_by_browser(&self, order: &Order, now_ms: i64) -> Option<&Operation> {
        self.target(order).filter(|authorization| {
            authorization.reference.is_none()
                && authorization.amount == order.amount
                && authorization.currency == order.currency
                && authorization.is_effect(now_ms)
                && !authorization.has_failed(now_ms)
        })
    }

    /// The code that an order's method carries, if it is a token that its class has given out.
    pub fn carried(&self, order: &Order, now_ms: i64) -> Option<u16> {
        let Instrument::Method(method) = &order.instrument else { return None };
        let index = self.by_token.get(&(order.class, method.clone()))?;
        let known = self.operations.get(*index).filter(|operation| {
            operation.outcome.at(now_ms) == Outcome::Approved
                && !operation.has_failed(now_ms)
                && !self.is_reversed(operation.class, operation.reference.as_ref())
        });
        known?.carries
    }

    /// The operation that needs its payer, or did.
    pub fn challenge(&self, class: Class, id: &str) -> Option<&Operation> {
        self.operations.get(*self.challenges.get(&(class, id.to_owned()))?)
    }

    /// An operation by its place among all, from 0.
    pub fn at(&self, place: usize) -> Option<&Operation> {
        self.operations.get(place)
    }

    /// Whether somebody has said that this notice of the operation at that place was taken.
    pub fn is_taken(&self, place: usize, stage: Stage) -> bool {
        self.taken.contains(&(place, stage))
    }

    /// How many operations have been recorded.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// The places of the operations of which there may be something to tell after this record, the last one.
    pub fn touched(&self, record: &Record) -> Range<usize> {
        let end = self.operations.len();
        match record {
            Record::Operation(_) => end.saturating_sub(1)..end,
            Record::Act(act) => match self.challenges.get(&(act.class, act.id.clone())) {
                Some(place) => *place..place + 1,
                None => 0..0,
            },
            Record::Resend(_) => 0..end,
            Record::Unacted(_) | Record::Reversal(_) | Record::Taken(_) => 0..0,
        }
    }

    /// The operation that was carried out under this key, while the key is remembered.
    pub fn under_key(&self, key: &str, now_ms: i64) -> Option<&Operation> {
        let index = self.by_key.get(key)?;
        self.operations.get(*index).filter(|operation| now_ms.saturating_sub(operation.at_ms) < KEY_WINDOW_MS)
    }

    pub fn under_reference<'books>(
        &'books self,
        class: Class,
        reference: &str,
    ) -> impl Iterator<Item = &'books Operation> + use<'books> {
        let indices = self.by_reference.get(&(class, reference.to_owned()));
        indices.into_iter().flatten().filter_map(|index| self.operations.get(*index))
    }

    /// Whether no delivery of this operation has arrived before.
    pub fn is_first_delivery(&self, order: &Order) -> bool {
        marks(order.class, order.reference.as_ref(), order.key.as_ref()).all(|mark| !self.delivered.contains(&mark))
    }

    pub fn reversal(&self, reference: &str) -> Option<&Reversal> {
        self.reversals.get(reference)
    }

    /// The moment since when nothing is told of an operation unasked, because its reference was reversed.
    pub fn silent_since(&self, operation: &Operation) -> Option<i64> {
        let reversal = self.reversal(operation.reference.as_ref()?)?;
        operation.class.reverses_by_reference().then_some(reversal.at_ms)
    }

    /// A reversal ends its reference, so that whatever bears the reference is older and voided.
    pub fn is_reversed(&self, class: Class, reference: Option<&String>) -> bool {
        class.reverses_by_reference() && reference.is_some_and(|reference| self.reversals.contains_key(reference))
    }

    /// Money that moved, oldest first.
    pub fn effects(&self, now_ms: i64) -> impl Iterator<Item = Effect<'_>> {
        let moved = self.operations.iter().filter(move |operation| operation.is_effect(now_ms));
        moved.map(move |operation| Effect {
            id: &operation.id,
            class: operation.class,
            kind: operation.kind,
            reference: operation.reference.as_deref(),
            amount: operation.amount,
            currency: &operation.currency,
            on: operation.on.as_deref(),
            key: operation.key.as_deref(),
            method_type: operation.method_type.as_deref(),
            merchant_initiated: operation.merchant_initiated,
            status: operation.outcome.at(now_ms).name(),
            voided: self.is_reversed(operation.class, operation.reference.as_ref()),
            failed: operation.has_failed(now_ms),
            charged_back: operation.charged_back(now_ms),
            at: Timestamp::from_millis(operation.at_ms).to_string(),
        })
    }
}

fn marks(class: Class, reference: Option<&String>, key: Option<&String>) -> impl Iterator<Item = Mark> {
    let by_reference = reference.map(|reference| Mark::Reference(class, reference.clone()));
    let by_key = key.map(|key| Mark::Key(key.clone()));
    by_reference.into_iter().chain(by_key)
}
