//! Whatever order the news of an operation come in, they come to the same: the same state, the same balances, the same
//! events.
//!
//! What happens is the gateway's answer, its notice, the same notice again, a look by follow-up, and something that it
//! tells after its verdict. All orders of these five are tried, for each operation, each answer, each verdict, each thing
//! told afterwards, and each gateway.

use std::time::Duration;

use super::fixtures::{acting, answer, capture, cents, exactly, opening, refund, stored_method, terms};
use super::purchase::Purchase;
use crate::event::EventNames;
use crate::gateways::{Adapter, sandbox};
use crate::ids::Ordinal;
use crate::payment::outbox::News;
use crate::payment::sequel::{Sequel, Stage, What};
use crate::payment::{Decline, Effect, Event, Kind, Operation, Outcome, PayerAction, Source, State, Terms, Verdict};

/// One of the five.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Happens {
    Answer,
    Notice,
    NoticeAgain,
    FollowUp,
    Afterwards,
}

const ALL: [Happens; 5] =
    [Happens::Answer, Happens::Notice, Happens::NoticeAgain, Happens::FollowUp, Happens::Afterwards];

/// The kinds of operation, in a payment where they may be asked for.
const KINDS: [&str; 6] = ["authorize", "post-authorize", "sale", "capture", "reverse", "refund"];

/// What the gateway does: it answers, and later it has a verdict.
#[derive(Clone, Debug)]
struct World {
    kind: &'static str,
    answer: Outcome,
    verdict: Outcome,
    afterwards: Afterwards,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Afterwards {
    Nothing,
    Sequel(What),
    /// It says the opposite of its verdict.
    Opposite,
    /// It approves another amount.
    Part,
}

/// What must not depend on the order. Times, logs and the number of writes may.
#[derive(Debug, PartialEq, Eq)]
struct Outcomes {
    state: String,
    sequels: Vec<(String, What)>,
    reserves: bool,
    stands: bool,
    balances: [i64; 5],
    events: Vec<&'static str>,
    is_contradicted: bool,
}

pub(crate) fn permutations<T: Copy>(of: &[T]) -> Vec<Vec<T>> {
    let Some((first, rest)) = of.split_first() else { return vec![Vec::new()] };
    let into = |order: Vec<T>| {
        (0..=order.len()).map(move |place| {
            let mut order = order.clone();
            order.insert(place, *first);
            order
        })
    };
    permutations(rest).into_iter().flat_map(into).collect()
}

fn begin(kind: &str, terms: Terms) -> Purchase {
    let hold = || Purchase::approved(Kind::Authorize, 100, terms);
    let reverse = Kind::Reverse { authorization: Ordinal::FIRST };
    match kind {
        "authorize" => Purchase::asked(&opening(Kind::Authorize, stored_method(), "it", 100), terms),
        "post-authorize" => Purchase::asked(&opening(Kind::PostAuthorize, stored_method(), "it", 100), terms),
        "sale" => Purchase::asked(&opening(Kind::Sale, stored_method(), "it", 100), terms),
        "capture" => with(hold(), capture(Ordinal::FIRST)),
        "reverse" => with(hold(), reverse),
        "refund" => with(Purchase::approved(Kind::Sale, 100, terms), refund(Ordinal::FIRST)),
        other => panic!("{other}"),
    }
}

fn with(mut purchase: Purchase, kind: Kind) -> Purchase {
    purchase.ask(&acting(kind, "it", exactly(60))).expect("it may be asked for");
    purchase
}

fn opposite(verdict: &Outcome) -> Outcome {
    match verdict {
        Outcome::Approved(_) => Outcome::Declined(Decline::Soft, answer("r")),
        _ => Outcome::Approved(answer("r")),
    }
}

impl World {
    fn all() -> Vec<Self> {
        let verdicts = [Outcome::Approved(answer("r")), Outcome::Declined(Decline::Soft, answer("r"))];
        let mut all = Vec::new();
        for kind in KINDS {
            for verdict in &verdicts {
                let action = || PayerAction { url: "https://gateway.test/1".to_owned(), expires_at: later() };
                let answers = [
                    verdict.clone(),
                    Outcome::Accepted(answer("r")),
                    Outcome::ActionRequired(answer("r"), action()),
                    Outcome::Unknown,
                ];
                let sequels = What::ALL.map(Afterwards::Sequel);
                let sequels = sequels.into_iter().filter(|_| matches!(verdict, Outcome::Approved(_)));
                let words = [Afterwards::Nothing, Afterwards::Opposite, Afterwards::Part];
                for afterwards in words.into_iter().chain(sequels) {
                    let verdict = verdict.clone();
                    all.extend(answers.clone().map(|answer| Self {
                        kind,
                        answer,
                        verdict: verdict.clone(),
                        afterwards,
                    }));
                }
            }
        }
        all
    }

    fn play(&self, order: &[Happens], adapter: &Adapter) -> Purchase {
        let mut purchase = begin(self.kind, Terms { wanted: EventNames::all(), ..terms(adapter) });
        let operation = purchase.last();
        let mut is_answered = false;
        for happens in order {
            purchase.wait(Duration::from_secs(1));
            match happens {
                Happens::Answer => {
                    is_answered = true;
                    purchase.hear(operation, self.answer.clone());
                }
                Happens::Notice | Happens::NoticeAgain => {
                    purchase.hear_from(operation, Source::Notice, self.verdict.clone());
                }
                Happens::FollowUp => self.follow_up(&mut purchase, is_answered),
                Happens::Afterwards => self.go_on(&mut purchase, operation),
            }
        }
        purchase
    }

    /// Whoever waits for the answer is there until it comes: before that there is nothing to be found out. That holds
    /// end is another story.
    fn follow_up(&self, purchase: &mut Purchase, is_answered: bool) {
        let soon = purchase.now.plus(Duration::from_secs(60 * 60));
        let due = purchase.payment.due_at().filter(|due| is_answered && *due <= soon);
        purchase.now = purchase.now.max(due.unwrap_or(purchase.now));
        let step = purchase.look();
        match step.effect {
            Some(Effect::LookUp { operation, .. }) => {
                purchase.hear_from(operation, Source::LookUp, self.verdict.clone());
            }
            Some(Effect::Send { operation, duplicate: true, .. }) => {
                purchase.hear(operation, self.verdict.clone());
            }
            Some(Effect::Reverse { operation, .. }) => {
                purchase.hear_from(operation, Source::TimeoutReversal, Outcome::Voided(answer("v")));
            }
            None => {}
            Some(Effect::Send { duplicate: false, .. }) => panic!("follow-up asks for nothing new"),
        }
    }

    fn go_on(&self, purchase: &mut Purchase, operation: Ordinal) {
        match self.afterwards {
            Afterwards::Nothing => {}
            Afterwards::Sequel(what) => {
                let sequel = Sequel { id: "s".to_owned(), what, minor: Some(25), code: None };
                purchase.put(&Event::Followed { operation, sequel: &sequel }).expect("never refused");
            }
            Afterwards::Opposite => {
                purchase.hear_from(operation, Source::Notice, opposite(&self.verdict));
            }
            Afterwards::Part => {
                let approved = Outcome::Approved(answer("r"));
                purchase.hear_of(operation, Source::Notice, approved, Some(cents(7)));
            }
        }
    }
}

fn later() -> crate::time::Timestamp {
    super::fixtures::START.plus(Duration::from_secs(24 * 60 * 60))
}

fn outcomes(purchase: &Purchase) -> Outcomes {
    let payment = &purchase.payment;
    let operation = payment.operations.last().expect("an operation");
    let first = Ordinal::FIRST;
    let mut sequels: Vec<_> =
        operation.sequels.iter().map(|heard| (heard.sequel.id.clone(), heard.sequel.what)).collect();
    sequels.sort_by_key(|(_, what)| what.name());
    let of_it = payment.outbox.entries.iter().filter(|entry| entry.operation == purchase.last());
    Outcomes {
        state: state(operation),
        sequels,
        reserves: operation.reserves(),
        stands: operation.stands(),
        balances: [
            payment.captured(first).minor,
            payment.reversed(first).minor,
            payment.refunded(first).minor,
            payment.uncaptured(first).minor,
            payment.refundable(first).minor,
        ],
        events: of_it.map(|entry| payment.event(entry).expect("a name").text()).collect(),
        is_contradicted: !operation.contradictions.is_empty(),
    }
}

fn state(operation: &Operation) -> String {
    match &operation.state {
        State::Settled(settled) => format!("{:?} {:?}", settled.verdict, settled.answer),
        other => panic!("{other:?}"),
    }
}

/// Gateways that undo what they do not answer are not among these: there the follow-up is an act, see below.
#[test]
fn whatever_order_the_news_come_in_they_come_to_the_same() {
    let (orders, mut worlds) = (permutations(&ALL), 0);
    assert_eq!(orders.len(), 120);
    for adapter in [&sandbox::KEYED, &sandbox::LOOK_UP, &sandbox::NONE] {
        for world in World::all() {
            if world.afterwards == Afterwards::Opposite {
                continue;
            }
            let expected = outcomes(&world.play(&ALL, adapter));
            let is_of_a_part = world.afterwards == Afterwards::Part;
            assert_eq!(expected.is_contradicted, is_of_a_part, "{world:?}");
            assert!(!is_of_a_part || expected.reserves, "{world:?}: so much may have been taken");
            for order in &orders {
                assert_eq!(outcomes(&world.play(order, adapter)), expected, "{} {world:?} {order:?}", adapter.name);
            }
            worlds += 1;
        }
    }
    // Three gateways; six kinds; four answers; five sequels or none of what is approved, none of what is declined; and
    // an approval of another amount, of both.
    assert_eq!(worlds, 3 * 6 * 4 * 9);
}

/// The verdict is what was told first, because that is what a caller was told. But whoever says both may have acted: its
/// amount stays spoken for, and a person hears of it.
#[test]
fn a_gateway_that_contradicts_itself_is_never_believed_to_have_done_nothing() {
    for adapter in [&sandbox::KEYED, &sandbox::LOOK_UP, &sandbox::NONE] {
        for world in World::all().into_iter().filter(|world| world.afterwards == Afterwards::Opposite) {
            for order in permutations(&ALL) {
                let found = outcomes(&world.play(&order, adapter));
                assert!(found.reserves && found.is_contradicted, "{} {world:?} {order:?}", adapter.name);
                let verdicts = found.events.iter().filter(|name| !name.ends_with(".created")).count();
                assert_eq!(verdicts, 1, "{world:?} {order:?}: {:?}", found.events);
            }
        }
    }
}

/// Where the follow-up undoes what nobody answered, it is undone or it stands: never both, never neither.
#[test]
fn what_may_be_undone_stands_or_is_undone_in_every_order() {
    for world in World::all().into_iter().filter(|world| world.afterwards != Afterwards::Opposite) {
        for order in permutations(&ALL) {
            let purchase = world.play(&order, &sandbox::TIMEOUT_REVERSAL);
            let operation = purchase.payment.operations.last().expect("an operation");
            let State::Settled(settled) = &operation.state else { panic!("{world:?} {order:?}") };
            let is_failed = world.afterwards == Afterwards::Sequel(What::Failed);
            let is_of_a_part = world.afterwards == Afterwards::Part;
            match settled.verdict {
                Verdict::Approved => assert_eq!(operation.reserves(), !is_failed, "{world:?} {order:?}"),
                Verdict::Voided => assert!(!operation.reserves(), "{world:?} {order:?}"),
                Verdict::Declined(_) => assert_eq!(operation.reserves(), is_of_a_part, "{world:?} {order:?}"),
                Verdict::NeverReceived | Verdict::Lapsed => panic!("{world:?} {order:?}"),
            }
        }
    }
}

/// A sequel is told once, after the verdict, however often and early it is heard.
#[test]
fn what_came_afterwards_is_told_after_the_verdict() {
    let stages = [Stage::Opened, Stage::ChargedBack, Stage::Reversed, Stage::Lost].map(What::Dispute);
    for order in permutations(&stages) {
        let mut sale = begin("sale", Terms { wanted: EventNames::all(), ..terms(&sandbox::NONE) });
        let operation = sale.last();
        for (place, what) in order.iter().enumerate() {
            if place == 2 {
                sale.hear(operation, Outcome::Approved(answer("r")));
            }
            let sequel = Sequel { id: "d1".to_owned(), what: *what, minor: Some(25), code: None };
            for _ in 0..2 {
                sale.put(&Event::Followed { operation, sequel: &sequel }).expect("never refused");
            }
        }
        assert_eq!(sale.payment.charged_back(operation).minor, 25, "{order:?}: it was lost");
        assert_eq!(sale.payment.refundable(operation).minor, 75);
        let news: Vec<_> = sale.payment.outbox.entries.iter().map(|entry| entry.news).collect();
        let [created, verdict, sequels @ ..] = &news[..] else { panic!("{news:?}") };
        assert_eq!((*created, *verdict), (News::Created, News::Verdict));
        assert_eq!(sequels.len(), 4, "{news:?}");
        let numbers: Vec<_> = sale.payment.outbox.entries.iter().map(|entry| entry.number).collect();
        assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    }
}

/// Of which dispute, what, and how much.
type Said = (&'static str, What, Option<i64>);

/// What a bank has taken is what its dispute says last, in part where it says so, and never more than there was.
#[test]
fn what_was_charged_back_follows_from_all_that_was_told_in_every_order() {
    let (opened, taken) = (What::Dispute(Stage::Opened), What::Dispute(Stage::ChargedBack));
    let (reversed, lost) = (What::Dispute(Stage::Reversed), What::Dispute(Stage::Lost));
    let rows: [(&[Said], i64); 9] = [
        (&[("d", opened, Some(100))], 0),
        (&[("d", opened, None), ("d", taken, Some(80))], 80),
        (&[("d", taken, None)], 100),
        (&[("d", taken, Some(80)), ("d", reversed, Some(30))], 50),
        (&[("d", taken, Some(80)), ("d", reversed, None)], 0),
        (&[("d", taken, Some(80)), ("d", reversed, Some(80)), ("d", lost, Some(70))], 70),
        (&[("d", taken, Some(40)), ("e", taken, Some(40))], 80),
        (&[("d", taken, Some(90)), ("e", taken, Some(90))], 100),
        (&[("d", taken, Some(-500))], 100),
    ];
    for (told, expected) in rows {
        for order in permutations(told) {
            let mut sale = Purchase::approved(Kind::Sale, 100, terms(&sandbox::NONE));
            for (id, what, minor) in &order {
                let sequel = Sequel { id: (*id).to_owned(), what: *what, minor: *minor, code: None };
                let operation = Ordinal::FIRST;
                sale.put(&Event::Followed { operation, sequel: &sequel }).expect("never refused");
            }
            assert_eq!(sale.payment.charged_back(Ordinal::FIRST).minor, expected, "{order:?}");
            assert_eq!(sale.payment.refundable(Ordinal::FIRST).minor, 100 - expected, "{order:?}");
        }
    }
}

/// What there is no room for is not forgotten in silence.
#[test]
fn more_sequels_than_there_is_room_for_raise_an_alarm() {
    let mut sale = Purchase::approved(Kind::Sale, 100, terms(&sandbox::NONE));
    let operation = Ordinal::FIRST;
    let mut strange = Vec::new();
    for number in 0..20 {
        let sequel = Sequel { id: format!("d{number}"), what: What::Failed, minor: None, code: None };
        let step = sale.put(&Event::Followed { operation, sequel: &sequel }).expect("never refused");
        strange.push(step.contradiction);
    }
    assert_eq!(strange.iter().filter(|is_strange| !**is_strange).count(), crate::payment::sequel::MAX_SEQUELS);
    assert!(strange.ends_with(&[true]));
}
