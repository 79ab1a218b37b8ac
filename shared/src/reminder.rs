//! Reminders: how it comes that somebody looks at a payment, at a stored method or at what recurs when it is due.
//!
//! Whoever writes an item that has work left writes when it is due. The stream of the table shows every
//! write to a relay, which sends a [`Reminder`] with the right delay. A queue holds messages back for at most
//! [`LONGEST_DELAY`], and what merchants are to be told goes to a function at once, which nothing holds back. What is
//! due later than that is marked where it rests ([`mark`]), and a tick finds it there when its time has come. Whoever
//! is reminded looks, which is harmless at any time. If nothing changed and nothing was due, the reminder of a
//! follow-up is sent [`again`](Reminder::again); what merchants are owed is told up to [`EARLY`] before it is due.
//!
//! Nothing here must be exact. Reminders may come twice, late or in any order; what must not happen is that
//! none comes.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::ids::ItemKey;
use crate::stored::payment::{DUE, KEY, OWED, VERSION};
use crate::stored::{Attribute, Item, Unreadable};
use crate::time::Timestamp;
use crate::trace::{TRACE, TraceId};

/// As long as SQS can hold a message back.
pub const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);

/// The attribute of an item that is due later than that, and of no other: the key of the index in which the tick
/// finds it, by when it is due.
pub const LATE: &str = "lt";

/// The same of an item whose merchant is to be told something later than that.
pub const OWED_LATE: &str = "le";

/// Their only value: late items are few, and one query finds the next of them. An index takes at least a thousand of
/// them a second in one place.
pub const MARKED: i64 = 0;

/// How far the clocks of those who write and of those who look may be apart. What is due almost too late for the
/// queue is marked as if it were, so that nobody takes it for the other's.
const CLOCKS_DIFFER: Duration = Duration::from_secs(60);

/// What merchants are to be told sooner than this they are told at once: what is new is due when it was written, by a
/// clock that may go before ours. A second attempt may be made so much too early.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Whoever tells merchants something so much too early does it all the same, because the reminder comes once: what was
/// due soon by the clock of whoever wrote it is not due later by that of whoever tells it.
pub const EARLY: Duration = CLOCKS_DIFFER.saturating_add(AT_ONCE);

/// Time from one tick to the next.
pub const TICK: Duration = Duration::from_secs(60);

/// How far a tick looks ahead where a queue can hold back what it finds: the next may come late.
const AHEAD: Duration = TICK.saturating_mul(2);

/// Look at this item, because this version of it says so. What a newer version says has a reminder of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reminder {
    pub item: ItemKey,
    pub version: u64,
}

/// The names of what a message is about.
const PAYMENT: &str = "payment";
const METHOD: &str = "method";
const RECURRING: &str = "recurring";

/// What there is to do when somebody looks: each has a way of its own, so that neither holds up the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Errand {
    /// Finish what a gateway left open.
    FollowUp,
    /// Tell merchants.
    Deliver,
}

impl Errand {
    pub const ALL: [Self; 2] = [Self::FollowUp, Self::Deliver];

    /// The attribute that says when.
    pub fn due(self) -> &'static str {
        match self {
            Self::FollowUp => DUE,
            Self::Deliver => OWED,
        }
    }

    /// The attribute that marks an item that is due late.
    pub fn mark(self) -> &'static str {
        match self {
            Self::FollowUp => LATE,
            Self::Deliver => OWED_LATE,
        }
    }

    /// The index of late items.
    pub fn index(self) -> &'static str {
        match self {
            Self::FollowUp => "late",
            Self::Deliver => "owed",
        }
    }

    /// How long a reminder can be held back on its way: in a queue, or not at all.
    fn longest_delay(self) -> Duration {
        match self {
            Self::FollowUp => LONGEST_DELAY,
            Self::Deliver => Duration::ZERO,
        }
    }

    /// What is due later than this after it was written is due late.
    fn late_after(self) -> Duration {
        match self {
            Self::FollowUp => LONGEST_DELAY.saturating_sub(CLOCKS_DIFFER),
            Self::Deliver => AT_ONCE,
        }
    }

    /// What is due until then a tick reminds of.
    pub fn horizon(self, now: Timestamp) -> Timestamp {
        match self {
            Self::FollowUp => now.plus(AHEAD),
            Self::Deliver => now,
        }
    }

    /// How long a reminder must be held back: whole seconds, as many as can be.
    pub fn delay(self, due: Timestamp, now: Timestamp) -> Duration {
        let seconds = due.since(now).as_millis().div_ceil(1000);
        Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX)).min(self.longest_delay())
    }

    /// Whether a tick reminds of something that is near, or overdue although somebody was reminded of it: then after
    /// one more tick, after two, four, and so on, because what failed so often will go on to fail.
    pub fn is_turn(self, due: Timestamp, now: Timestamp) -> bool {
        let ticks = now.since(due).as_millis() / TICK.as_millis();
        due <= self.horizon(now) && (ticks == 0 || ticks.is_power_of_two())
    }
}

/// What a written item says about when to look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image {
    pub reminder: Reminder,
    /// For each errand, in their order.
    pub due: [Option<Due>; 2],
    /// Of whoever wrote it.
    pub trace: Option<TraceId>,
}

/// When somebody must look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    pub at: Timestamp,
    /// Later than a reminder can be held back: the tick's affair.
    pub is_late: bool,
}

/// A reminder on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delayed {
    pub reminder: Reminder,
    pub errand: Errand,
    pub delay: Duration,
    pub trace: Option<TraceId>,
}

impl Image {
    /// Of the whole item, or of those attributes of it that matter here.
    pub fn of(item: &Item) -> Result<Self, Unreadable> {
        let needs = |name: &str| Unreadable(format!("{name} is missing or no value of ours"));
        let key = item.text(KEY).and_then(ItemKey::parse).ok_or_else(|| needs(KEY))?;
        let version = item.number(VERSION).and_then(|version| u64::try_from(version).ok());
        Ok(Self {
            reminder: Reminder { item: key, version: version.ok_or_else(|| needs(VERSION))? },
            due: [Self::due_of(item, Errand::FollowUp)?, Self::due_of(item, Errand::Deliver)?],
            trace: item.bytes(TRACE).and_then(TraceId::from_bytes),
        })
    }

    fn due_of(item: &Item, errand: Errand) -> Result<Option<Due>, Unreadable> {
        match item.get(errand.due()) {
            Some(Attribute::Number(due)) => {
                let is_late = item.get(errand.mark()).is_some();
                Ok(Some(Due { at: Timestamp::from_millis(*due), is_late }))
            }
            None => Ok(None),
            // To take it for nothing would be to forget the payment.
            Some(_) => Err(Unreadable(format!("{} is no value of ours", errand.due()))),
        }
    }

    /// When somebody must look for this.
    pub fn due(&self, errand: Errand) -> Option<Due> {
        self.due[errand as usize]
    }

    /// Its reminder for this errand, if it asks for one.
    pub fn delayed(&self, errand: Errand, now: Timestamp) -> Option<Delayed> {
        let Self { reminder, trace, .. } = *self;
        Some(Delayed { reminder, errand, delay: errand.delay(self.due(errand)?.at, now), trace })
    }
}

impl Reminder {
    /// The message, as it lies in a queue.
    pub fn message(&self) -> String {
        let kind = match self.item {
            ItemKey::Payment(_) => PAYMENT,
            ItemKey::Method(..) => METHOD,
            ItemKey::Recurring(..) => RECURRING,
        };
        json!({ kind: self.item.to_string(), "version": self.version }).to_string()
    }

    /// Reads a message.
    pub fn parse(message: &str) -> Option<Self> {
        let message: Value = serde_json::from_str(message).ok()?;
        let key = [PAYMENT, METHOD, RECURRING].into_iter().find_map(|kind| message.get(kind))?.as_str()?;
        Some(Self { item: ItemKey::parse(key)?, version: message.get("version")?.as_u64()? })
    }

    /// When the same reminder must come again after a look that left the item due then, in this version of it; none
    /// where something else reminds of it.
    pub fn again(&self, version: u64, due: Option<Timestamp>) -> Option<Timestamp> {
        due.filter(|_| version == self.version)
    }
}

/// The reminders that the stream asks for: of every item, what its last version says.
pub fn reminders(images: impl IntoIterator<Item = Image>, now: Timestamp) -> Vec<Delayed> {
    let mut last: BTreeMap<ItemKey, Image> = BTreeMap::new();
    for image in images {
        let key = image.reminder.item;
        if last.get(&key).is_none_or(|known| known.reminder.version <= image.reminder.version) {
            last.insert(key, image);
        }
    }
    let errands = |image: Image| {
        let queued = move |errand: &Errand| image.due(*errand).is_some_and(|due| !due.is_late);
        Errand::ALL.into_iter().filter(queued).filter_map(move |errand| image.delayed(errand, now))
    };
    last.into_values().flat_map(errands).collect()
}

/// Marks an item that is about to be written if it is due later than a reminder can be held back, and takes the mark
/// of an older version away if it is not.
pub fn mark(item: &mut Item, now: Timestamp) {
    for errand in Errand::ALL {
        let due = item.number(errand.due()).map(Timestamp::from_millis);
        let is_late = due.is_some_and(|due| due.since(now) > errand.late_after());
        match is_late {
            true => item.insert(errand.mark(), MARKED),
            false => drop(item.remove(errand.mark())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{MerchantId, MethodId, MethodKind, PaymentId, PaymentKey};
    use crate::payment::IdempotencyKey;
    use crate::recurring::ids::{Cause, RecurringKey, RunId};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn key(payment: u8) -> ItemKey {
        let merchant = MerchantId::from_random([1; 16]);
        let key = IdempotencyKey::parse(&payment.to_string()).unwrap();
        PaymentKey { merchant, payment: PaymentId::opened_by(&merchant, &key) }.into()
    }

    fn item(payment: u8, version: i64, due: Option<Timestamp>) -> Item {
        let item = Item::new().with(KEY, key(payment).to_string()).with(VERSION, version);
        item.with_some(DUE, due.map(Timestamp::as_millis))
    }

    fn image(payment: u8, version: i64, due: Option<i64>) -> Image {
        Image::of(&item(payment, version, due.map(at))).unwrap()
    }

    #[test]
    fn of_each_payment_the_last_version_says_when() {
        let images = [
            image(1, 1, Some(30)),
            image(2, 1, Some(31)),
            image(1, 2, None),
            image(3, 5, Some(50)),
            image(3, 4, Some(40)),
            image(4, 1, Some(60)),
            image(4, 1, Some(60)),
        ];
        let asked: Vec<_> = reminders(images, at(30))
            .into_iter()
            .map(|Delayed { reminder, delay, .. }| (reminder.item, reminder.version, delay.as_secs()))
            .collect();
        let mut expected = [(2, 1, 1), (3, 5, 20), (4, 1, 30)].map(|(payment, version, s)| (key(payment), version, s));
        expected.sort();
        assert_eq!(asked, expected);
    }

    #[test]
    fn what_is_marked_is_left_to_the_tick() {
        let now = at(1_000_000);
        let rows = [
            (Some(now), false),
            (Some(now.plus(LONGEST_DELAY - CLOCKS_DIFFER)), false),
            (Some(now.plus(LONGEST_DELAY - CLOCKS_DIFFER + Duration::from_millis(1))), true),
            (Some(now.plus(Duration::from_secs(7 * 86_400))), true),
            (None, false),
        ];
        for (due, is_late) in rows {
            // What an older version said is of no importance.
            let mut item = item(1, 2, due).with(LATE, 7);
            mark(&mut item, now);
            let noted = Image::of(&item).unwrap().due(Errand::FollowUp);
            assert_eq!(noted.is_some_and(|due| due.is_late), is_late, "{due:?}");
            assert_eq!(item.number(LATE), is_late.then_some(MARKED), "{due:?}");
            assert_eq!(reminders([Image::of(&item).unwrap()], now).len(), usize::from(due.is_some() && !is_late));
        }
    }

    /// However far the clocks of who writes, relays, ticks and tells are apart, within what is allowed.
    #[test]
    fn what_merchants_are_owed_is_told_at_once_or_marked_whatever_the_clocks_say() {
        let wrote = at(1_000_000);
        let clocks = [-60_i64, -59, -1, 0, 1, 59, 60];
        let by = |seconds: i64| Timestamp::from_millis(wrote.as_millis() + seconds * 1000);
        for due_ms in (-90_000..90_000).step_by(500).chain([4_999, 5_001]) {
            let due = Timestamp::from_millis(wrote.as_millis() + due_ms);
            let mut item = item(1, 2, None).with(OWED, due.as_millis());
            mark(&mut item, wrote);
            let image = Image::of(&item).unwrap();
            assert_eq!(item.number(OWED_LATE).is_some(), due_ms > 5_000, "{due_ms}");
            for clock in clocks.map(by) {
                let relayed = reminders([image], clock);
                if due_ms > 5_000 {
                    assert_eq!(relayed, [], "{due_ms}");
                    let turns = (0..=4).map(|tick| clock.plus(TICK * tick));
                    assert!({ turns }.any(|tick| Errand::Deliver.is_turn(due, tick)), "{due_ms} {clock}");
                } else {
                    let [told] = relayed.as_slice() else { panic!("{due_ms}: {relayed:?}") };
                    assert_eq!((told.errand, told.delay), (Errand::Deliver, Duration::ZERO));
                    assert!(due <= clock.plus(EARLY), "{due_ms} {clock}: told");
                }
            }
        }
    }

    #[test]
    fn an_item_that_is_none_of_ours_is_refused_by_name() {
        let sound = || item(1, 1, None);
        let rows = [
            (sound().with(KEY, "nonsense"), "pk"),
            (sound().with(VERSION, -1), "v"),
            (sound().with(DUE, "soon"), "d"),
            (Item::new().with(KEY, key(1).to_string()), "v"),
        ];
        for (item, name) in rows {
            let error = Image::of(&item).unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn a_message_comes_back_as_it_was_sent_and_others_do_not() {
        let merchant = key(1).merchant();
        let methods = MethodKind::ALL.map(|kind| {
            let key = IdempotencyKey::parse("m").unwrap();
            ItemKey::Method(merchant, MethodId::made_by(kind, &merchant, &key))
        });
        let run = RunId::of(&merchant, Cause::Retries(at(60)));
        let recurring =
            [RecurringKey::Run(run), RecurringKey::Lane(run, 7)].map(|key| ItemKey::Recurring(merchant, key));
        for item in methods.into_iter().chain(recurring).chain([key(1)]) {
            let reminder = Reminder { item, version: 7 };
            assert_eq!(Reminder::parse(&reminder.message()), Some(reminder));
            assert_eq!(reminder.message().contains("method"), matches!(item, ItemKey::Method(..)));
            assert_eq!(reminder.message().contains("recurring"), matches!(item, ItemKey::Recurring(..)));
        }
        let payment = key(1).to_string();
        for strange in [
            String::new(),
            "7".to_owned(),
            json!({ "payment": payment }).to_string(),
            json!({ "payment": payment, "version": -1 }).to_string(),
            json!({ "payment": "x", "version": 1 }).to_string(),
        ] {
            assert_eq!(Reminder::parse(&strange), None, "{strange}");
        }
    }

    #[test]
    fn a_reminder_comes_again_where_nothing_newer_was_written_and_something_is_left() {
        let reminder = Reminder { item: key(1), version: 7 };
        assert_eq!(reminder.again(7, Some(at(1))), Some(at(1)));
        assert_eq!(reminder.again(7, None), None);
        assert_eq!(reminder.again(8, Some(at(1))), None);
    }

    #[test]
    fn a_delay_is_whole_seconds_and_no_longer_than_a_queue_can_wait() {
        let now = at(100);
        let rows = [(99_999, 0), (100_000, 0), (100_001, 1), (101_000, 1), (1_000_000, 900), (1_000_001, 900)];
        for (due_ms, seconds) in rows {
            let due = Timestamp::from_millis(due_ms);
            assert_eq!(Errand::FollowUp.delay(due, now), Duration::from_secs(seconds), "{due_ms}");
            assert_eq!(Errand::Deliver.delay(due, now), Duration::ZERO, "nothing holds it back");
        }
    }

    #[test]
    fn whatever_is_due_is_reminded_of_before_though_a_tick_is_missing() {
        for due in (0..600).map(|second| at(86_400 + second)) {
            let ticks = (1_400..1_500).map(|minute| at(minute * 60 + 17));
            let reminders: Vec<_> = ticks.filter(|now| *now <= due && Errand::FollowUp.is_turn(due, *now)).collect();
            assert!(reminders.len() >= 2, "due at {due}: {reminders:?}");
        }
    }

    #[test]
    fn what_merchants_are_owed_is_told_by_the_first_tick_after_and_the_next_if_that_is_missing() {
        for due in (0..600).map(|second| at(86_400 + second)) {
            let turns: Vec<_> = (1_430..1_460)
                .map(|minute| at(minute * 60 + 17))
                .filter(|now| Errand::Deliver.is_turn(due, *now))
                .map(|now| now.since(due).as_secs() / 60)
                .collect();
            assert_eq!(turns[..4], [0, 1, 2, 4], "due at {due}");
        }
        assert!(!Errand::Deliver.is_turn(at(121), at(120)), "nothing could hold it back");
    }

    #[test]
    fn what_stays_overdue_is_reminded_of_more_and_more_rarely() {
        let due = at(0);
        let turns: Vec<_> = (0..100).filter(|tick| Errand::FollowUp.is_turn(due, at(tick * 60 + 17))).collect();
        assert_eq!(turns, [0, 1, 2, 4, 8, 16, 32, 64]);
        let is_turn = |due| Errand::FollowUp.is_turn(due, at(0));
        assert!(is_turn(at(120)) && !is_turn(at(121)), "not before it is near");
    }
}
