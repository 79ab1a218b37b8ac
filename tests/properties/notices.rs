//! Whatever comes as a notice is taken only from whoever knows a secret, only for what was signed, only in time, and only
//! of what its gateway was asked for.

use bolero::TypeGenerator;
use bolero::generator::produce;
use kessai_functions::FUNCTIONS;
use kessai_functions::notice::Taken;
use kessai_functions::sandbox::{
    Class, DEFAULT_URL, Decline, Ending, Item, Kind, Notice, Operation, Outcome, SIGNATURE_HEADER, Sequel, Stage,
    envelope, notices,
};
use kessai_shared::card::Secret;
use kessai_shared::gateways::{News, NotTaken, Notice as Told, RawNotice, sandbox};
use kessai_shared::ids::{Ordinal, PaymentId, ProviderId, Record};
use kessai_shared::money::{Currency, Money};
use kessai_shared::payment::Answer;
use kessai_shared::payment::Outcome::{Approved, Unknown};
use kessai_shared::payment::sequel::{self as dispute, What};
use kessai_shared::stored::payment::Stored;
use kessai_shared::time::Timestamp;

use crate::fixtures::{START, key, merchant};
use crate::knocking::Change;
use crate::world::{NOTICE_SECRET, NOTIFY, PROVIDER, World, sample};

/// The place of `sale` among the functions.
const SALE: usize = 3;

/// Any two of these may be known to a merchant, while one replaces the other.
const SECRETS: [&str; 3] = ["first", "second", "third"];

/// A notice, how it was signed, and what became of it on its way.
#[derive(Debug, TypeGenerator)]
struct Letter {
    id: String,
    reference: Option<String>,
    became: Became,
    kind: u8,
    #[generator(produce::<Vec<_>>().with().len(1..3_usize))]
    signed_with: Vec<u8>,
    #[generator(produce::<Vec<_>>().with().len(0..3_usize))]
    known: Vec<u8>,
    on_its_way: OnItsWay,
    /// How long that takes, in seconds.
    late: i16,
    is_prompt: bool,
}

#[derive(Clone, Copy, Debug, TypeGenerator)]
enum Became {
    Approved,
    AcceptedThenApproved,
    AcceptedThenDeclined,
    Declined,
    ApprovedThenFailed,
    ApprovedThenDisputed,
}

#[derive(Debug, TypeGenerator)]
enum OnItsWay {
    Nothing,
    Changes {
        #[generator(produce::<Vec<_>>().with().len(0..3_usize))]
        body: Vec<Change>,
        #[generator(produce::<Vec<_>>().with().len(0..3_usize))]
        signature: Vec<Change>,
    },
    AnotherBody(Vec<u8>),
    AnotherSignature(String),
    Louder,
}

#[test]
fn only_what_was_signed_is_taken_and_only_for_what_was_signed() {
    fuzz!(20_000, produce::<Letter>(), |letter: &Letter| {
        let items = notices(&letter.operation(), DEFAULT_URL);
        let signers: Vec<&str> = letter.signed_with.iter().map(|which| pick(*which)).collect();
        let known: Vec<&str> = letter.known.iter().map(|which| pick(*which)).collect();
        let signed = envelope(items.iter().map(|item| &item.told), &signers, START.as_millis());
        let (body, signature) = letter.on_its_way.applied_to(&signed);
        let seconds = if letter.is_prompt { letter.late % 300 } else { letter.late };
        let now = Timestamp::from_millis(START.as_millis() + i64::from(seconds) * 1_000);
        let expected = match () {
            () if body != signed.body.as_bytes() || !known.iter().any(|one| signers.contains(one)) => {
                Err(NotTaken::Forged)
            }
            () if seconds.unsigned_abs() > 300 => Err(NotTaken::Stale),
            () => Ok(items.iter().map(|item| (letter.reference.clone().unwrap_or_default(), name(item))).collect()),
        };
        let is_signed_so = signature == signed.signature;
        for taken in read(&body, &signature, &known, now) {
            // Another form of the same signature may pass, and then for the same.
            let is_forged = taken == Err(NotTaken::Forged) && !is_signed_so;
            assert!(taken == expected || is_forged, "{taken:?}, not {expected:?}, under {signature:?}");
        }
    });
}

#[test]
fn whatever_comes_to_the_public_door_is_taken_from_nobody_who_knows_no_secret() {
    type Visit = (Vec<u8>, String, Option<String>, Vec<Change>);
    fuzz!(5_000, produce::<Visit>(), |(body, signature, query, changes): &Visit| {
        let world = World::new((500, ""));
        world.ask_sample(SALE);
        let (before, set_up_before) = (world.rests(), world.set_up_writes());
        let mut event = sample(NOTIFY);
        let is_own = changes.is_empty();
        let changed = changed(event.headers[SIGNATURE_HEADER].clone().into_bytes(), changes);
        let signature = if is_own { signature.clone() } else { String::from_utf8_lossy(&changed).into_owned() };
        event.headers.insert(SIGNATURE_HEADER.to_owned(), signature);
        event.body = Some(String::from_utf8_lossy(body).into_owned().into());
        event.raw_query_string = query.clone().unwrap_or(event.raw_query_string);
        let answer = world.ask(FUNCTIONS[NOTIFY], &event);
        assert!([400, 403, 404].contains(&answer.status_code), "{} {}", answer.status_code, answer.body);
        assert_eq!((world.rests(), world.set_up_writes()), (before, set_up_before), "something was written");
    });
    assert_eq!(World::new((500, "")).ask_sample(NOTIFY).status_code, 200, "{NOTICE_SECRET} signs the sample itself");
}

#[test]
fn a_gateway_is_believed_only_of_the_records_that_it_was_asked_for() {
    let asked = ProviderId::parse(PROVIDER).expect("a provider id");
    let sale = PaymentId::opened_by(&merchant(), &key("order-801-sale"));
    let next = Ordinal::new(1).expect("a place");
    let rows = [
        (ProviderId::from_random([9; 16]), Record::Payment.id(sale, Ordinal::FIRST), "Pending"),
        (asked, Record::Authorization.id(sale, Ordinal::FIRST), "Pending"),
        (asked, Record::Refund.id(sale, Ordinal::FIRST), "Pending"),
        (asked, Record::Payment.id(sale, next), "Pending"),
        (asked, Record::Payment.id(PaymentId::opened_by(&merchant(), &key("another")), Ordinal::FIRST), "Pending"),
        (asked, Record::Payment.id(sale, Ordinal::FIRST), "Processed"),
    ];
    for (provider, record, status) in rows {
        let world = World::new((500, ""));
        assert_eq!(world.ask_sample(SALE).status_code, 202, "nobody knows what became of it");
        let before = world.items();
        let reference = record.to_string();
        let told =
            Told { reference: reference.clone(), news: News::Outcome(Approved(Answer::default())), amount: None };
        let taken = world.tell(provider, told);
        let stored = Stored::from_item(world.items().remove(0)).expect("an item of ours");
        assert_eq!(stored.payment.operations[0].state.status(), status, "{reference} by {provider}");
        assert_eq!(world.items() == before, status == "Pending", "{reference} by {provider}");
        let expected = if status == "Pending" { Taken::Unmatched } else { Taken::Heard(record) };
        assert_eq!(taken, expected, "{reference} by {provider}");
    }
}

#[test]
fn of_another_amount_nothing_is_settled_and_of_another_currency_no_amount_is_counted() {
    let provider = ProviderId::parse(PROVIDER).expect("a provider id");
    let sale = PaymentId::opened_by(&merchant(), &key("order-801-sale"));
    let reference = Record::Payment.id(sale, Ordinal::FIRST).to_string();
    let tell = |world: &World, news, amount| {
        world.tell(provider, Told { reference: reference.clone(), news, amount });
        Stored::from_item(world.items().remove(0)).expect("an item of ours").payment
    };
    let yen = Currency::parse("JPY").expect("a currency");
    let world = World::new((500, ""));
    world.ask_sample(SALE);
    let asked = tell(&world, News::Outcome(Unknown), None).operations[0].amount;
    for amount in [asked.with(asked.minor - 1), Money::new(asked.minor, yen)] {
        let told = tell(&world, News::Outcome(Approved(Answer::default())), Some(amount));
        assert_eq!(told.operations[0].state.status(), "Pending", "{amount:?}");
    }
    let told = tell(&world, News::Outcome(Approved(Answer::default())), Some(asked));
    assert_eq!(told.operations[0].state.status(), "Processed");
    for (id, currency, minor) in [("d1", asked.currency, Some(70)), ("d2", yen, None)] {
        let disputed = What::Dispute(dispute::Stage::ChargedBack);
        let sequel = dispute::Sequel { id: id.to_owned(), what: disputed, minor: Some(70), code: None };
        let told = tell(&world, News::Sequel(sequel), Some(Money::new(70, currency)));
        let last = told.operations[0].sequels.last().map(|heard| (heard.sequel.id.clone(), heard.sequel.minor));
        assert_eq!(last, Some((id.to_owned(), minor)));
    }
}

/// What every adapter of the sandbox reads in this one: of which records it tells what.
fn read(
    body: &[u8],
    signature: &str,
    known: &[&str],
    now: Timestamp,
) -> Vec<Result<Vec<(String, &'static str)>, NotTaken>> {
    let secrets: Vec<Secret> = known.iter().map(|secret| Secret::new((*secret).to_owned())).collect();
    let codecs: Vec<_> = sandbox::ALL.iter().filter_map(|adapter| adapter.notice).collect();
    assert!(!codecs.is_empty(), "nobody hears notices");
    let header = |name: &str| (name == SIGNATURE_HEADER).then_some(signature);
    let told = |notice: Told| {
        let name = match &notice.news {
            News::Outcome(outcome) | News::Token(outcome, _) => outcome.name(),
            News::Sequel(sequel) => sequel.what.name(),
        };
        (notice.reference, name)
    };
    let read = codecs.iter().map(|codec| (codec.read)(&RawNotice { body, header: &header, now }, &secrets));
    read.map(|notices| {
        notices.map(|notices| {
            notices.into_iter().flatten().filter_map(kessai_shared::gateways::Told::notice).map(told).collect()
        })
    })
    .collect()
}

/// What we call that.
fn name(item: &Item) -> &'static str {
    match item.stage {
        Stage::Accepted => "accepted",
        Stage::ActionRequired => "action required",
        Stage::Approved => "approved",
        Stage::Declined => "declined",
        Stage::Failed => "failed",
        Stage::DisputeOpened => "dispute.opened",
        Stage::ChargedBack => "dispute.charged_back",
        Stage::DisputeReversed => "dispute.reversed",
    }
}

fn pick(which: u8) -> &'static str {
    SECRETS[usize::from(which) % SECRETS.len()]
}

impl Letter {
    fn operation(&self) -> Operation {
        let at_ms = START.as_millis();
        let sequel = match self.became {
            Became::ApprovedThenFailed => Some(Sequel::Fails { at_ms }),
            Became::ApprovedThenDisputed => Some(Sequel::Disputed {
                opened_at_ms: at_ms,
                charged_back_at_ms: at_ms + 1,
                reversed_at_ms: Some(at_ms + 2),
            }),
            _ => None,
        };
        Operation {
            id: self.id.clone(),
            class: Class::Keyed,
            kind: Kind::ALL[usize::from(self.kind) % Kind::ALL.len()],
            reference: self.reference.clone(),
            amount: 100,
            currency: "USD".to_owned(),
            on: None,
            carries: None,
            saved_by_merchant: false,
            method_type: None,
            merchant_initiated: false,
            key: None,
            fingerprint: 0,
            outcome: self.became.outcome(),
            sequel,
            tells_first: false,
            at_ms,
            answers_at_ms: at_ms,
        }
    }
}

impl Became {
    fn outcome(self) -> Outcome {
        let settles_at_ms = START.as_millis() + 1;
        match self {
            Self::Approved | Self::ApprovedThenFailed | Self::ApprovedThenDisputed => Outcome::Approved,
            Self::AcceptedThenApproved => Outcome::Accepted { ends: Ending::Approved, settles_at_ms },
            Self::AcceptedThenDeclined => Outcome::Accepted { ends: Ending::Declined, settles_at_ms },
            Self::Declined => Outcome::Declined { because: Decline::StolenCard },
        }
    }
}

impl OnItsWay {
    /// The body and the signature as they arrive.
    fn applied_to(&self, signed: &Notice) -> (Vec<u8>, String) {
        let (body, signature) = (signed.body.clone().into_bytes(), signed.signature.clone());
        match self {
            Self::Nothing => (body, signature),
            Self::Changes { body: of_body, signature: of_signature } => {
                let signature = changed(signature.into_bytes(), of_signature);
                (changed(body, of_body), String::from_utf8_lossy(&signature).into_owned())
            }
            Self::AnotherBody(body) => (body.clone(), signature),
            Self::AnotherSignature(signature) => (body, signature.clone()),
            Self::Louder => (body, signature.to_uppercase()),
        }
    }
}

fn changed(bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    changes.iter().fold(bytes, |bytes, change| change.applied_to(bytes))
}
