//! Stored methods of which nothing is said that could be left out, and of which everything is.

use crate::bank::{AccountType, BankFacts, BankType, EntryClass, HolderType};
use crate::card::{CardType, Expiry};
use crate::fingerprint::Fingerprint;
use crate::ids::MethodKind;
use crate::method::{
    Asked, CardCategory, CardOnFile, Changes, Details, Facts, Method, Open, ProcessingMode, Sender, State, Status,
};
use crate::payment::asked::AccountId;
use crate::payment::outbox::Outbox;
use crate::payment::tests::fixtures::{LIFE, START, answer, gateway_id, key, merchant, method_id};
use crate::payment::{Answer, Decline, Nonce, PayerAction};
use crate::seal::{KeyId, Sealed};

pub(crate) const DECLINES: [Decline; 4] =
    [Decline::Soft, Decline::Permanent, Decline::RequiresReview, Decline::InvalidData];

pub(crate) fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// Sealed bytes that nothing opens.
pub(crate) fn sealed() -> Sealed {
    Sealed { key: KeyId::parse("k1").expect("an id"), bytes: vec![0x5E; 33] }
}

pub(crate) fn kept(status: Status) -> State {
    State::Kept { status, answer: answer("pm_1"), at: START }
}

pub(crate) fn refused(decline: Decline) -> State {
    State::Refused { decline, answer: answer("pm_1"), at: START }
}

pub(crate) fn accepted(action: Option<PayerAction>) -> State {
    State::Accepted { answer: answer("pm_1"), action, at: START }
}

pub(crate) fn action() -> PayerAction {
    PayerAction { url: "https://gateway.test/1".to_owned(), expires_at: START.plus(LIFE) }
}

pub(crate) fn open(nonce: u64) -> Open {
    Open { nonce: Nonce(nonce), deadline: START.plus(LIFE), unknown: false, duplicate: false }
}

/// A card that is kept, and nothing else known of it.
pub(crate) fn plain() -> Method {
    Method {
        version: 7,
        state: State::Kept { status: Status::Active, answer: Answer::default(), at: START },
        ..Method::of_token(merchant(), method_id(), key("method 1"), START)
    }
}

pub(crate) fn card() -> CardOnFile {
    CardOnFile {
        bin: text("424242"),
        last_four: text("0007"),
        expiry: Some(Expiry { month: 3, year: 2030 }),
        card_type: Some(CardType::Visa),
        category: Some(CardCategory::Debit),
    }
}

pub(crate) fn bank() -> BankFacts {
    BankFacts {
        last_four: "3000".to_owned(),
        bank_type: BankType::Ach,
        bank_code: text("110000000"),
        account_type: Some(AccountType::Checking),
        holder_type: Some(HolderType::Business),
        entry_class: Some(EntryClass::Web),
        mandate: text("mandate 1"),
    }
}

pub(crate) fn sender() -> Sender {
    Sender {
        email: text("till@example.com"),
        ip_address: text("203.0.113.7"),
        mac_address: text("00-00-5E-00-53-01"),
        phone: text("+1 555 0100"),
        additional_data: [("till".to_owned(), "4".to_owned())].into(),
    }
}

pub(crate) fn details() -> Details {
    Details {
        account: AccountId::parse("001xx000003DHP0AAO"),
        nick_name: text("the blue one"),
        email: text("carol@example.com"),
        comments: text("by the door"),
        company_name: text("Smith & Co"),
        auto_pay: true,
        saved_by_merchant: true,
        processing_mode: ProcessingMode::External,
        record_type: text("GiroPay"),
        method_type: text("Klarna"),
        gateway_type: text("klarna_v2"),
        sender: sender(),
    }
}

/// One with a value in every place.
pub(crate) fn full() -> Method {
    Method {
        merchant: merchant(),
        id: method_id(),
        version: 7,
        asked: Asked {
            kind: MethodKind::Card,
            key: key("method 1"),
            gateway: Some(gateway_id()),
            facts: Facts::Card(card()),
            details: details(),
        },
        fingerprint: Some(Fingerprint([0xF1; 16])),
        requested_at: START,
        state: kept(Status::Inactive),
        changes: Changes { nick_name: Some(text("the red one")), auto_pay: Some(false) },
        token: Some(sealed()),
        outbox: Outbox::default(),
    }
}
