//! The stored format: what it is to the letter, that nothing is lost in it, and what it costs.

mod broken;
mod carried;
mod golden;
mod items;
mod merchants;
mod methods;
mod notices;
mod recurring;
mod round_trip;
mod size;

use super::Item;
use super::payment::Stored;
use crate::ids::PaymentId;
use crate::payment::Kind;
use crate::payment::asked::{Details, InstrumentFacts};
use crate::payment::tests::fixtures::{START, answer, cents, dollars, exactly, gateway_id, key, merchant, method_id};
use crate::payment::{Asked, Generation, Operation, Outbox, Payment, Settled, State, Verdict};

/// An approved sale with nothing said about it that could be left out.
fn sale() -> Operation {
    let instrument = Some(InstrumentFacts::Stored(method_id()));
    Operation {
        asked: Asked {
            kind: Kind::Sale,
            key: key("order 1"),
            amount: exactly(100),
            details: Details::default(),
            instrument,
        },
        fingerprint: None,
        amount: cents(100),
        requested_at: START,
        generation: Generation::FIRST,
        state: State::Settled(Settled { verdict: Verdict::Approved, answer: answer("a"), at: START }),
        logs: Vec::new(),
        contradictions: Vec::new(),
        sequels: Vec::new(),
    }
}

fn payment(operations: Vec<Operation>) -> Payment {
    Payment {
        merchant: merchant(),
        id: PaymentId::from_bits(0x00ab_cdef_0123_4567),
        version: 7,
        gateway: gateway_id(),
        currency: dollars(),
        expires_at: None,
        multi_capture: false,
        operations,
        outbox: Outbox::default(),
    }
}

fn item(payment: &Payment) -> Item {
    Stored::following(None, payment.clone()).to_item()
}
