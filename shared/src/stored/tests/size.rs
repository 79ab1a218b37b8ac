//! What a typical payment costs: one write unit.

use super::{item, payment};
use crate::card::{CardFacts, CardType, Expiry};
use crate::fingerprint::Fingerprint;
use crate::ids::Ordinal;
use crate::payment::asked::{AccountId, Details, Group, InstrumentFacts, Membership};
use crate::payment::tests::fixtures::{START, capture, cents, exactly, key, method_id, place, refund};
use crate::payment::{
    Answer, Asked, Generation, Interaction, Kind, Log, Operation, Payment, Settled, Source, State, Verdict,
};
use crate::time::Timestamp;

/// Moments have all their digits, as real ones do.
const NOW: Timestamp = Timestamp::from_millis(START.as_millis() + 12_345);

/// A key as callers make them.
const KEY: &str = "01920b0e-7c3a-7b60-9d2e-2f6a3c1b4d5e";

fn settled(kind: Kind, instrument: Option<InstrumentFacts>, details: Details) -> Operation {
    let text = |text: &str| Some(text.to_owned());
    let answer = Answer {
        reference: text("pi_3MtwBwLkdIwHu7ix28a3tqPa"),
        code: text("00"),
        description: text("approved"),
        authorization_code: text("A1B2C3"),
        date: Some(NOW),
        ..Answer::default()
    };
    let fingerprint = matches!(instrument, Some(InstrumentFacts::Card(_))).then_some(Fingerprint([7; 16]));
    Operation {
        asked: Asked { kind, key: key(KEY), amount: exactly(12_345), details, instrument },
        fingerprint,
        amount: cents(12_345),
        requested_at: NOW,
        generation: Generation::FIRST,
        state: State::Settled(Settled { verdict: Verdict::Approved, answer, at: NOW }),
        logs: vec![Log { at: NOW, source: Source::Answer, interaction: Interaction::Success, code: text("00") }],
        contradictions: Vec::new(),
        sequels: Vec::new(),
    }
}

fn of(operations: Vec<Operation>) -> Payment {
    Payment { expires_at: Some(NOW), multi_capture: true, ..payment(operations) }
}

#[test]
fn a_typical_authorization_is_one_write_unit() {
    let text = |text: &str| Some(text.to_owned());
    let data = [("channel", "web shop"), ("basket", "8014x000001KlmN")];
    let details = Details {
        account: AccountId::parse("001xx000003DHP0AAO"),
        comments: Some("c".repeat(40)),
        email: text("carol.smith@example.com"),
        ip_address: text("203.0.113.107"),
        phone: text("+81 90 1234 5678"),
        additional_data: data.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        group: Some(Group { member: Membership::New { source: text("801xx000003DHP0AAO") }, currency: None }),
        ..Details::default()
    };
    let expiry = Expiry { month: 12, year: 2030 };
    let card_type = Some(CardType::MasterCard);
    let card = CardFacts { bin: "555555".to_owned(), last_four: "4444".to_owned(), expiry, card_type };
    let item = item(&of(vec![settled(Kind::Authorize, Some(InstrumentFacts::Card(card)), details)]));
    assert_eq!(item.write_units(), 1, "{} bytes", item.size_bytes());
}

#[test]
fn a_lean_payment_with_its_capture_and_refund_is_one_write_unit() {
    let instrument = Some(InstrumentFacts::Stored(method_id()));
    let item = item(&of(vec![
        settled(Kind::Authorize, instrument, Details::default()),
        settled(capture(Ordinal::FIRST), None, Details::default()),
        settled(refund(place(1)), None, Details::default()),
    ]));
    assert_eq!(item.write_units(), 1, "{} bytes", item.size_bytes());
}
