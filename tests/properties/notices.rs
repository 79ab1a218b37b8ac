//! Whatever comes as a notice is taken only from whoever knows a secret, only for what was signed, and only of what
//! its gateway was asked for.

use bolero::TypeGenerator;
use bolero::generator::produce;
use kessai_functions::sandbox::{Class, Decline, Ending, Kind, Notice, Operation, Outcome, notice};
use kessai_shared::card::Secret;
use kessai_shared::gateways::{ADAPTERS, Notice as Told};
use kessai_shared::ids::{GatewayId, Ordinal, PaymentId, Record};
use kessai_shared::payment::Answer;
use kessai_shared::payment::Outcome::Approved;
use kessai_shared::stored::payment::Stored;

use crate::fixtures::{START, gateway_id, key, merchant};
use crate::knocking::Change;
use crate::world::{GATEWAY, World};

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
    signed_with: u8,
    #[generator(produce::<Vec<_>>().with().len(0..3_usize))]
    known: Vec<u8>,
    on_its_way: OnItsWay,
}

#[derive(Clone, Copy, Debug, TypeGenerator)]
enum Became {
    Approved,
    Accepted,
    AcceptedThenApproved,
    AcceptedThenDeclined,
    Declined,
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
        let signer = pick(letter.signed_with);
        let signed = notice(&letter.operation(), signer, START.as_millis());
        let known: Vec<&str> = letter.known.iter().map(|which| pick(*which)).collect();
        check(letter, (signed.body.as_bytes(), &signed.signature), &[signer], true);
        let (body, signature) = letter.on_its_way.applied_to(&signed);
        let is_untouched = body == signed.body.as_bytes() && signature == signed.signature;
        check(letter, (&body, &signature), &known, is_untouched && known.contains(&signer));
    });
}

#[test]
fn a_gateway_is_believed_only_of_the_records_that_it_was_asked_for() {
    let asked = GatewayId::parse(GATEWAY).expect("a gateway id");
    let sale = PaymentId::opened_by(&merchant(), &key("order-801-sale"));
    let next = Ordinal::new(1).expect("a place");
    let rows = [
        (gateway_id(), Record::Payment.id(sale, Ordinal::FIRST), "Pending"),
        (asked, Record::Authorization.id(sale, Ordinal::FIRST), "Pending"),
        (asked, Record::Refund.id(sale, Ordinal::FIRST), "Pending"),
        (asked, Record::Payment.id(sale, next), "Pending"),
        (asked, Record::Payment.id(PaymentId::opened_by(&merchant(), &key("another")), Ordinal::FIRST), "Pending"),
        (asked, Record::Payment.id(sale, Ordinal::FIRST), "Processed"),
    ];
    for (gateway, record, status) in rows {
        let world = World::new((500, ""));
        assert_eq!(world.ask_sample(SALE).status_code, 202, "nobody knows what became of it");
        let before = world.items();
        let reference = record.to_string();
        world.tell(gateway, Told { reference: reference.clone(), outcome: Approved(Answer::default()) });
        let stored = Stored::from_item(world.items().remove(0)).expect("an item of ours");
        assert_eq!(stored.payment.operations[0].state.status(), status, "{reference} by {gateway}");
        assert_eq!(world.items() == before, status == "Pending", "{reference} by {gateway}");
    }
}

/// Every adapter that hears notices takes this one exactly if it is genuine, and says whose it is and what it says.
fn check(letter: &Letter, (body, signature): (&[u8], &str), known: &[&str], is_genuine: bool) {
    let secrets: Vec<Secret> = known.iter().map(|secret| Secret::new((*secret).to_owned())).collect();
    // What a browser asked for has no reference of ours.
    let expected = letter.reference.as_deref().filter(|_| is_genuine).map(|name| (name, letter.became.name()));
    let readers: Vec<_> = ADAPTERS.iter().filter_map(|adapter| adapter.notice).collect();
    assert!(!readers.is_empty(), "nobody hears notices");
    for read in readers {
        let taken = read(body, signature, &secrets);
        let taken = taken.as_ref().map(|taken| (taken.reference.as_str(), taken.outcome.name()));
        assert_eq!(taken, expected, "{:?} signed {signature:?}", String::from_utf8_lossy(body));
    }
}

fn pick(which: u8) -> &'static str {
    SECRETS[usize::from(which) % SECRETS.len()]
}

impl Letter {
    fn operation(&self) -> Operation {
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
            sequel: None,
            tells_first: false,
            at_ms: START.as_millis(),
            answers_at_ms: START.as_millis(),
        }
    }
}

impl Became {
    fn outcome(self) -> Outcome {
        let now_ms = START.as_millis();
        match self {
            Self::Approved => Outcome::Approved,
            Self::Accepted => Outcome::Accepted { ends: Ending::Approved, settles_at_ms: now_ms + 1 },
            Self::AcceptedThenApproved => Outcome::Accepted { ends: Ending::Approved, settles_at_ms: now_ms },
            Self::AcceptedThenDeclined => Outcome::Accepted { ends: Ending::Declined, settles_at_ms: now_ms },
            Self::Declined => Outcome::Declined { because: Decline::StolenCard },
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Approved | Self::AcceptedThenApproved => "approved",
            Self::Accepted => "accepted",
            Self::AcceptedThenDeclined | Self::Declined => "declined",
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
