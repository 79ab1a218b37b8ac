//! What is kept of notices comes back as it was told, and so does what an older version kept.

use crate::gateways::{News, Notice};
use crate::ids::ProviderId;
use crate::money::{Currency, Money};
use crate::payment::sequel::{Sequel, What};
use crate::payment::tests::fixtures::{START, answer, cents, merchant};
use crate::payment::{Decline, Outcome, PayerAction};
use crate::stored::event::PLACE;
use crate::stored::notice::{decode_kept, encode_kept};
use crate::stored::{Attribute, Item};

fn provider() -> ProviderId {
    ProviderId::from_random([9; 16])
}

fn kept(news: News, amount: Option<Money>) -> Option<Item> {
    let notice = Notice { reference: "order".to_owned(), news, amount };
    encode_kept(&merchant(), provider(), &notice, START)
}

/// Each of these, told anew.
fn told() -> Vec<News> {
    let action = PayerAction { url: "https://gateway.test/1".to_owned(), expires_at: START };
    let outcomes = [
        Outcome::Approved(answer("a")),
        Outcome::Accepted(answer("a")),
        Outcome::ActionRequired(answer("a"), action),
        Outcome::Declined(Decline::Permanent, answer("a")),
        Outcome::Voided(answer("a")),
    ];
    let sequel = Sequel { id: "s".to_owned(), what: What::Failed, minor: Some(7), code: Some("10.4".to_owned()) };
    outcomes.into_iter().map(News::Outcome).chain([News::Sequel(sequel)]).collect()
}

#[test]
fn what_is_kept_comes_back_with_its_amount() {
    let yen = Currency::parse("JPY").expect("a currency");
    for amount in [None, Some(cents(12_050)), Some(Money::new(-1, yen))] {
        for (news, again) in told().into_iter().zip(told()) {
            let item = kept(news, amount).expect("it is kept");
            let (by, news, of) = decode_kept(item).expect("it was just written");
            assert_eq!((by, format!("{news:?}"), of), (provider(), format!("{again:?}"), amount));
        }
    }
}

#[test]
fn one_amount_is_other_news_than_another() {
    let place = |amount| {
        let item = kept(News::Outcome(Outcome::Approved(answer("a"))), amount).expect("it is kept");
        item.text(PLACE).map(str::to_owned)
    };
    assert!(place(Some(cents(1))).is_some());
    assert_ne!(place(Some(cents(1))), place(Some(cents(2))));
    assert_eq!(place(Some(cents(1))), place(Some(cents(1))));
}

#[test]
fn an_amount_whose_currency_nobody_knows_cannot_be_read() {
    let mut item = kept(News::Outcome(Outcome::Approved(answer("a"))), Some(cents(1))).expect("it is kept");
    let Some(Attribute::Map(told)) = item.get("n") else { panic!("{item:?}") };
    let told = told.clone().with("cu", "XXX");
    item.insert("n".to_owned(), Attribute::Map(told));
    assert!(decode_kept(item).is_err());
}
