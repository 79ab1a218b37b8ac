//! One payment to the letter. Whoever changes what is stored changes this page, and sees that items
//! written before must still be read.

use super::payment;
use crate::card::{CardFacts, CardType, Expiry};
use crate::fingerprint::Fingerprint;
use crate::ids::{EndpointId, Ordinal};
use crate::payment::asked::{AccountId, Amount, Details, Group, InstrumentFacts, Membership, RefundReason};
use crate::payment::outbox::{Behind, Entry, News};
use crate::payment::sequel::{self, Sequel, Stage, What};
use crate::payment::tests::fixtures::{START, answer, cents, dollars, exactly, key};
use crate::payment::{
    Answer, Asked, Decline, Generation, Interaction, Kind, Log, Nonce, Open, Operation, Outbox, Payment, Settled,
    Source, State, Verdict,
};
use crate::stored::payment::Stored;
use crate::stored::{Attribute, Item};

fn authorization() -> Operation {
    let text = |text: &str| Some(text.to_owned());
    let card_type = Some(CardType::Visa);
    let expiry = Expiry { month: 3, year: 2030 };
    let card = CardFacts { bin: "424242".to_owned(), last_four: "4242".to_owned(), expiry, card_type };
    let group = Group { member: Membership::New { source: text("801A") }, currency: Some(dollars()) };
    let details = Details {
        account: AccountId::parse("001A"),
        effective_at: Some(START),
        comments: text("by the door"),
        client_context: text("web"),
        email: text("carol@example.com"),
        ip_address: text("203.0.113.7"),
        mac_address: text("00-00-5E-00-53-01"),
        phone: text("+1 555 0100"),
        additional_data: [("till".to_owned(), "4".to_owned())].into(),
        group: Some(group),
        submitted_by_merchant: true,
    };
    let answer = Answer {
        reference: text("ch_1"),
        reference_details: text("more"),
        code: text("00"),
        description: text("approved"),
        message: text("thank you"),
        authorization_code: text("A1"),
        avs_code: text("Y"),
        date: Some(START),
    };
    let log = Log { at: START, source: Source::Answer, interaction: Interaction::Success, code: text("00") };
    let late = Log { source: Source::Notice, interaction: Interaction::Failed, code: None, ..log.clone() };
    let dispute =
        Sequel { id: "D1".to_owned(), what: What::Dispute(Stage::ChargedBack), minor: Some(50), code: text("10.4") };
    Operation {
        asked: Asked {
            kind: Kind::Authorize,
            key: key("order 1"),
            amount: exactly(12_050),
            details,
            instrument: Some(InstrumentFacts::Card(card)),
        },
        fingerprint: Some(Fingerprint([0xF1; 16])),
        amount: cents(12_050),
        requested_at: START,
        generation: Generation(2),
        state: State::Settled(Settled { verdict: Verdict::Approved, answer, at: START }),
        logs: vec![log],
        contradictions: vec![late],
        sequels: vec![sequel::Heard { sequel: dispute, at: START }],
    }
}

fn of(kind: Kind, name: &str, amount: Amount, state: State) -> Operation {
    let asked = Asked { kind, key: key(name), amount, details: Details::default(), instrument: None };
    Operation {
        asked,
        fingerprint: None,
        amount: cents(60),
        requested_at: START,
        generation: Generation::FIRST,
        state,
        logs: Vec::new(),
        contradictions: Vec::new(),
        sequels: Vec::new(),
    }
}

fn representative() -> Payment {
    let capture = Kind::Capture { authorization: Ordinal::FIRST, is_final: true };
    let open = Open {
        nonce: Nonce(0x0102_0304_0506_0708),
        deadline: START,
        attempts: 2,
        unknown: true,
        undoing: true,
        due: Some(START),
    };
    let refund =
        Kind::Refund { payment: Ordinal::new(1).expect("a place"), reason: Some(RefundReason::RequestedByCustomer) };
    let declined = Settled { verdict: Verdict::Declined(Decline::Soft), answer: answer("re_1"), at: START };
    let operations = vec![
        authorization(),
        of(capture, "capture", exactly(60), State::Open(open)),
        of(refund, "refund", Amount::Rest, State::Settled(declined)),
    ];
    Payment { expires_at: Some(START), multi_capture: true, outbox: outbox(), ..payment(operations) }
}

/// Two entries, one of which nobody was told, and an endpoint that could not be told the other.
fn outbox() -> Outbox {
    let entry = |number, news| Entry { number, operation: Ordinal::FIRST, news, at: START };
    let behind = Behind { from: 3, since: START, attempts: 2, due: START };
    Outbox {
        made: 4,
        seen: 3,
        entries: vec![entry(3, News::Verdict), entry(4, News::Sequel(0))],
        behind: [(endpoint(), behind)].into(),
    }
}

fn endpoint() -> EndpointId {
    EndpointId::from_random([3; 16])
}

fn map(item: Item) -> Attribute {
    Attribute::Map(item)
}

fn stored_authorization() -> Item {
    let millis = 1_790_000_000_000;
    let card = Item::new().with("bin", "424242").with("l4", "4242").with("ex", 203_003).with("ty", "Visa");
    let answer = Item::new()
        .with("r", "ch_1")
        .with("rd", "more")
        .with("c", "00")
        .with("de", "approved")
        .with("me", "thank you")
        .with("au", "A1")
        .with("av", "Y")
        .with("t", millis);
    let log = Item::new().with("t", millis).with("w", "answer").with("i", "ok").with("c", "00");
    Item::new()
        .with("k", "authorize")
        .with("y", "order 1")
        .with("a", 12_050)
        .with("t", millis)
        .with("cg", 2)
        .with("fp", vec![0xF1_u8; 16])
        .with("m", card)
        .with("ac", "001A")
        .with("ef", millis)
        .with("co", "by the door")
        .with("cx", "web")
        .with("em", "carol@example.com")
        .with("ip", "203.0.113.7")
        .with("ma", "00-00-5E-00-53-01")
        .with("ph", "+1 555 0100")
        .with("ad", Item::new().with("till", "4"))
        .with("gr", Item::new().with("so", "801A").with("cu", "USD"))
        .with("mi", true)
        .with("s", Item::new().with("s", "approved").with("an", answer).with("t", millis))
        .with("l", vec![map(log)])
        .with("n", vec![map(Item::new().with("t", millis).with("w", "notice").with("i", "no"))])
        .with("q", vec![map(stored_dispute())])
}

fn stored_dispute() -> Item {
    let dispute = Item::new().with("i", "D1").with("w", "dispute.charged_back").with("a", 50).with("c", "10.4");
    dispute.with("t", 1_790_000_000_000_i64)
}

fn stored_outbox() -> Item {
    let millis = 1_790_000_000_000_i64;
    let verdict = Item::new().with("n", 3).with("o", 0).with("w", "verdict").with("t", millis);
    let sequel = Item::new().with("n", 4).with("o", 0).with("w", "sequel").with("i", 0).with("t", millis);
    let behind = Item::new().with("w", endpoint().as_str().to_owned()).with("n", 3).with("t", millis).with("tr", 2);
    Item::new()
        .with("n", 4)
        .with("s", 3)
        .with("e", vec![map(verdict), map(sequel)])
        .with("b", vec![map(behind.with("du", millis))])
}

fn stored() -> Item {
    let millis = 1_790_000_000_000;
    let open = Item::new()
        .with("s", "open")
        .with("no", vec![1_u8, 2, 3, 4, 5, 6, 7, 8])
        .with("dl", millis)
        .with("tr", 2)
        .with("un", true)
        .with("du", millis);
    let capture = Item::new()
        .with("k", "capture")
        .with("on", 0)
        .with("fin", true)
        .with("y", "capture")
        .with("a", 60)
        .with("t", millis)
        .with("s", open)
        .with("ud", true);
    let answer = Item::new().with("r", "re_1").with("c", "00");
    let refund = Item::new()
        .with("k", "refund")
        .with("on", 1)
        .with("why", "requested_by_customer")
        .with("y", "refund")
        .with("a", 60)
        .with("all", true)
        .with("t", millis)
        .with("s", Item::new().with("s", "declined").with("an", answer).with("t", millis));
    Item::new()
        .with("pk", "00D0M41bLKJJnxR/abcdef01234567")
        .with("f", 1)
        .with("v", 7)
        .with("d", millis)
        .with("g", "0b00i83Cgecdbus")
        .with("c", "USD")
        .with("x", millis)
        .with("mc", true)
        .with("o", [stored_authorization(), capture, refund].map(map).to_vec())
        .with("ob", stored_outbox())
        .with("ed", millis)
}

#[test]
fn a_payment_is_stored_to_the_letter() {
    assert_eq!(Stored::following(None, representative()).to_item(), stored());
}

#[test]
fn what_an_earlier_version_stored_is_read() {
    assert_eq!(Stored::from_item(stored()).map(|stored| stored.payment), Ok(representative()));
}
