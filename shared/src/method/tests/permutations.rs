//! Whatever order the news of a tokenization come in, they come to the same: the same state and the same token.
//!
//! What happens is the gateway's answer, its notice, the same notice again, the caller asking again under the same key,
//! and something that the gateway tells against itself. All orders of these five are tried, for each answer and each
//! verdict.

use std::time::Duration;

use super::fixtures::{action, full, sealed};
use crate::event::EventNames;
use crate::method::step::{Heard, Learned, heard};
use crate::method::{Method, State, Status, Step, step};
use crate::payment::tests::fixtures::{START, answer, claim};
use crate::payment::tests::permutations::permutations;
use crate::payment::{Decline, Nonce, Outcome};
use crate::rejection::Rejection;
use crate::seal::Sealed;
use crate::time::Timestamp;

/// One of the five.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Happens {
    Answer,
    Notice,
    NoticeAgain,
    AskedAgain,
    Afterwards,
}

const ALL: [Happens; 5] =
    [Happens::Answer, Happens::Notice, Happens::NoticeAgain, Happens::AskedAgain, Happens::Afterwards];

/// The nonces of who asks first, and of who asks again.
const FIRST: u64 = 1;
const AGAIN: u64 = 2;

/// What the gateway does: it answers, and later it has a verdict.
#[derive(Clone, Debug)]
struct World {
    answer: Outcome,
    verdict: Outcome,
    afterwards: Afterwards,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Afterwards {
    Nothing,
    /// It says once more that it has accepted it, or that the payer must act: that was on its way for long.
    Late,
    /// It says the opposite of its verdict.
    Opposite,
    /// It gives another token.
    Another,
}

/// A method on its way, and how often the gateway contradicted itself.
struct Story {
    method: Method,
    now: Timestamp,
    contradictions: usize,
}

fn another() -> Sealed {
    Sealed { bytes: vec![0x6F; 33], ..sealed() }
}

fn fresh() -> Method {
    Method { version: 0, state: State::Unsent, token: None, ..full() }
}

impl Story {
    fn begun() -> Self {
        match step(None, &fresh(), claim(FIRST, START), START) {
            Ok(Step::Ask { method, .. }) => {
                let mut story = Self { method: fresh(), now: START, contradictions: 0 };
                story.write(method);
                story
            }
            other => panic!("{other:?}"),
        }
    }

    /// With what merchants are to be told of it.
    fn write(&mut self, mut method: Method) {
        method.tell(Some(&self.method), EventNames::all(), self.now);
        self.method = method;
    }

    fn events(&self) -> Vec<&'static str> {
        let entries = &self.method.outbox.entries;
        entries.iter().map(|entry| self.method.event(entry).expect("a name").text()).collect()
    }

    fn hear(&mut self, nonce: Option<u64>, outcome: &Outcome, token: &Sealed) {
        let token = matches!(outcome, Outcome::Approved(_)).then_some(token);
        let is_another = self.method.token.as_ref().zip(token).is_some_and(|(kept, heard)| kept != heard);
        let news = Heard { nonce: nonce.map(Nonce), outcome, token, is_another };
        let Learned { method, contradiction } = heard(&self.method, &news, self.now);
        assert!(!contradiction || method == self.method, "what contradicts changes nothing");
        self.contradictions += usize::from(contradiction);
        self.write(method);
    }

    /// What the same key leads to: whether the gateway is asked.
    fn ask_again(&mut self) -> bool {
        match step(Some(self.method.clone()), &fresh(), claim(AGAIN, self.now), self.now) {
            Ok(Step::Ask { method, .. }) => {
                self.write(method);
                true
            }
            Ok(Step::Known(method)) => {
                assert_eq!(method, self.method, "it is answered with what is there");
                false
            }
            // The first one still waits for the answer.
            Err(Rejection::InProgress { .. }) => false,
            other => panic!("{other:?}"),
        }
    }
}

impl World {
    fn all(afterwards: &[Afterwards]) -> Vec<Self> {
        let verdicts = [Outcome::Approved(answer("r")), Outcome::Declined(Decline::Soft, answer("r"))];
        let mut all = Vec::new();
        for verdict in &verdicts {
            let answers = [
                verdict.clone(),
                Outcome::Accepted(answer("r")),
                Outcome::ActionRequired(answer("r"), action()),
                Outcome::Unknown,
            ];
            for afterwards in afterwards {
                let world = |answer| Self { answer, verdict: verdict.clone(), afterwards: *afterwards };
                all.extend(answers.clone().map(world));
            }
        }
        all
    }

    fn play(&self, order: &[Happens]) -> Story {
        let mut story = Story::begun();
        for happens in order {
            story.now = story.now.plus(Duration::from_secs(1));
            match happens {
                Happens::Answer => story.hear(Some(FIRST), &self.answer, &sealed()),
                Happens::Notice | Happens::NoticeAgain => story.hear(None, &self.verdict, &sealed()),
                Happens::AskedAgain if story.ask_again() => {
                    // Under the same key it answers the same, unless nobody heard it.
                    let heard = if self.answer == Outcome::Unknown { &self.verdict } else { &self.answer };
                    story.hear(Some(AGAIN), heard, &sealed());
                }
                Happens::AskedAgain => {}
                Happens::Afterwards => self.go_on(&mut story),
            }
        }
        story
    }

    fn go_on(&self, story: &mut Story) {
        let opposite = match &self.verdict {
            Outcome::Approved(_) => Outcome::Declined(Decline::Soft, answer("r")),
            _ => Outcome::Approved(answer("r")),
        };
        match self.afterwards {
            Afterwards::Nothing => {}
            Afterwards::Late => {
                story.hear(None, &Outcome::Accepted(answer("r")), &sealed());
                story.hear(None, &Outcome::ActionRequired(answer("r"), action()), &sealed());
            }
            Afterwards::Opposite => story.hear(None, &opposite, &sealed()),
            Afterwards::Another => story.hear(None, &Outcome::Approved(answer("r")), &another()),
        }
    }
}

/// What must not depend on the order. Times and the number of writes may. Of an order in which nobody was told anything
/// before the end, one event is left.
fn outcome(story: &Story) -> (&'static str, Option<Sealed>) {
    let (state, heard, event) = match &story.method.state {
        State::Kept { status: Status::Active, answer, .. } => ("kept", answer, "payment_method.created"),
        State::Refused { decline: Decline::Soft, answer, .. } => ("refused", answer, "payment_method.failed"),
        other => panic!("{other:?}"),
    };
    assert_eq!((heard, story.events()), (&answer("r"), vec![event]));
    (state, story.method.token.clone())
}

#[test]
fn whatever_order_the_news_come_in_they_come_to_the_same() {
    let orders = permutations(&ALL);
    assert_eq!(orders.len(), 120);
    for world in World::all(&[Afterwards::Nothing, Afterwards::Late]) {
        let expected = match world.verdict {
            Outcome::Approved(_) => ("kept", Some(sealed())),
            _ => ("refused", None),
        };
        for order in &orders {
            let story = world.play(order);
            assert_eq!((outcome(&story), story.contradictions), (expected.clone(), 0), "{world:?} {order:?}");
        }
    }
}

/// What was told first stands, because that is what a caller was told; and a person hears of the rest.
#[test]
fn a_gateway_that_contradicts_itself_is_noted_and_changes_nothing() {
    for world in World::all(&[Afterwards::Opposite, Afterwards::Another]) {
        for order in permutations(&ALL) {
            let story = world.play(&order);
            let (state, token) = outcome(&story);
            assert!(story.contradictions > 0, "{world:?} {order:?}");
            assert_eq!(token.is_some(), state == "kept", "{world:?} {order:?}");
            match order[0] {
                Happens::Afterwards if matches!(world.verdict, Outcome::Approved(_)) => {
                    assert_ne!(token, Some(sealed()), "{world:?} {order:?}");
                }
                Happens::Afterwards => assert_eq!(state, "kept", "{world:?} {order:?}"),
                Happens::Notice | Happens::NoticeAgain => {
                    let is_kept = matches!(world.verdict, Outcome::Approved(_));
                    assert_eq!(token, is_kept.then(sealed), "{world:?} {order:?}");
                }
                Happens::Answer | Happens::AskedAgain => {}
            }
        }
    }
}

#[test]
fn what_is_accepted_is_not_asked_for_again_however_long_it_takes() {
    for answer in [Outcome::Accepted(answer("r")), Outcome::ActionRequired(answer("r"), action())] {
        let mut story = Story::begun();
        story.hear(Some(FIRST), &answer, &sealed());
        let accepted = story.method.clone();
        story.now = START.plus(Duration::from_secs(400 * 24 * 60 * 60));
        assert!(!story.ask_again());
        assert_eq!(story.method, accepted);
    }
}
