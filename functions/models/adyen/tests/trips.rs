//! Round trips: what the adapters ask, the model answers, and what it tells later, the adapters read.

use kessai_shared::gateways::TokenIntent;
use kessai_shared::method;
use kessai_shared::payment::Decline;
use kessai_shared::payment::sequel::{Stage, What};

use super::*;

#[test]
fn a_hold_is_captured_in_parts_and_given_back() {
    for mut shop in Shop::both() {
        let (opened, outcome) = shop.open(&Kind::Authorize, 5_000, &card());
        assert!(matches!(&outcome, Outcome::Approved(answer) if answer.authorization_code.is_some()), "{outcome:?}");
        assert_eq!(verdict(&shop.told(NOW), &opened.reference), Some("approved"), "the answer is told too");

        let (first, outcome) = shop.ask(&capture(), 2_000, None, Some(&opened));
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        let (second, _) = shop.ask(&capture(), 3_000, None, Some(&opened));
        let (third, _) = shop.ask(&capture(), 1, None, Some(&opened));
        let notices = shop.told(NOW);
        assert_eq!(
            [&first, &second, &third].map(|one| verdict(&notices, one)),
            [Some("approved"), Some("approved"), Some("declined")]
        );

        let (early, _) = shop.ask(&refund(), 100, None, Some(&opened));
        assert_eq!(verdict(&shop.told(NOW), &early), Some("declined"), "nothing is captured yet");
        shop.now += 2 * SECOND;
        let (some, _) = shop.ask(&refund(), 4_999, None, Some(&opened));
        let (more, _) = shop.ask(&refund(), 2, None, Some(&opened));
        let notices = shop.told(shop.now);
        assert_eq!([&some, &more].map(|one| verdict(&notices, one)), [Some("approved"), Some("declined")]);
        let expected = [
            (Act::Authorize, 5_000, false),
            (Act::Capture, 2_000, false),
            (Act::Capture, 3_000, false),
            (Act::Refund, 4_999, false),
        ];
        assert_eq!(shop.ledger(shop.now + 2 * SECOND), expected);
        assert_eq!(shop.ledger(NOW), expected[..1], "what is not yet so does not stand there");
    }
}

#[test]
fn a_hold_is_canceled_as_a_whole_and_only_once() {
    for mut shop in Shop::both() {
        let (opened, _) = shop.open(&Kind::Authorize, 5_000, &card());
        let (first, outcome) = shop.ask(&reverse(), 5_000, None, Some(&opened));
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        let (second, _) = shop.ask(&reverse(), 5_000, None, Some(&opened));
        let (captured, _) = shop.ask(&capture(), 1_000, None, Some(&opened));
        let notices = shop.told(NOW);
        assert_eq!(
            [&first, &second, &captured].map(|one| verdict(&notices, one)),
            [Some("approved"), Some("declined"), Some("declined")]
        );
        assert_eq!(shop.ledger(NOW + SECOND), [(Act::Authorize, 5_000, false), (Act::Reverse, 5_000, false)]);
    }
}

#[test]
fn a_sale_is_taken_at_once_and_cannot_be_captured_again() {
    for mut shop in Shop::both() {
        let (opened, outcome) = shop.open(&Kind::Sale, 5_000, &card());
        assert!(matches!(outcome, Outcome::Approved(_)), "{outcome:?}");
        let (captured, _) = shop.ask(&capture(), 5_000, None, Some(&opened));
        let (canceled, _) = shop.ask(&reverse(), 5_000, None, Some(&opened));
        let (refunded, _) = shop.ask(&refund(), 5_000, None, Some(&opened));
        let notices = shop.told(NOW);
        assert_eq!(
            [&captured, &canceled, &refunded].map(|one| verdict(&notices, one)),
            [Some("declined"), Some("declined"), Some("approved")]
        );
        assert_eq!(shop.ledger(NOW + SECOND), [(Act::Sale, 5_000, false), (Act::Refund, 5_000, false)]);
    }
}

#[test]
fn amounts_and_names_ask_for_a_refusal() {
    let rows = [
        (9_001, "Carol", Decline::Soft),
        (9_002, "Carol", Decline::Permanent),
        (9_003, "Carol", Decline::Soft),
        (9_004, "Carol", Decline::InvalidData),
        (9_005, "Carol", Decline::InvalidData),
        (9_006, "Carol", Decline::RequiresReview),
        (9_007, "Carol", Decline::InvalidData),
        (100, "DECLINED", Decline::Soft),
    ];
    for mut shop in Shop::both() {
        for (minor, holder, expected) in rows {
            let (opened, outcome) = shop.open(&Kind::Sale, minor, &card_of("4111111111111111", holder));
            assert!(
                matches!(&outcome, Outcome::Declined(decline, answer) if *decline == expected && answer.description.is_some()),
                "{outcome:?}"
            );
            let notices = shop.told(NOW);
            let told = notices.iter().find(|notice| notice.reference == opened.reference).expect("it is told");
            let News::Outcome(Outcome::Declined(decline, _)) = told.news else { panic!("{told:?}") };
            assert_eq!(decline, expected, "the same by its reason");
        }
        assert_eq!(shop.ledger(i64::MAX), []);
    }
}

#[test]
fn what_is_only_received_ends_later_and_may_not_stand() {
    for mut shop in Shop::both() {
        for (minor, expected) in [(9_018, "approved"), (9_019, "declined")] {
            let (opened, outcome) = shop.open(&Kind::Authorize, minor, &card());
            assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
            assert_eq!(verdict(&shop.told(NOW + 5 * SECOND), &opened.reference), Some(expected));
        }
        let (opened, outcome) = shop.open(&Kind::Sale, 9_021, &card());
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        let notices = shop.told(NOW);
        assert!(notices.iter().all(|notice| notice.reference == opened.reference));
        assert!(
            matches!(&notices[..], [Notice { news: News::Outcome(Outcome::Approved(_)), .. }, Notice { news: News::Sequel(sequel), .. }] if sequel.what == What::Failed)
        );

        let (opened, _) = shop.open(&Kind::Authorize, 30_000, &card());
        shop.told(NOW);
        let failing = [(9_001, "declined"), (9_019, "declined"), (9_018, "approved"), (9_021, "approved")];
        for (minor, expected) in failing {
            let (captured, _) = shop.ask(&capture(), minor, None, Some(&opened));
            let notices = shop.told(NOW);
            assert_eq!(verdict(&notices, &captured), Some(expected), "{minor}");
            let fails = notices
                .iter()
                .any(|notice| matches!(&notice.news, News::Sequel(sequel) if sequel.what == What::Failed));
            assert_eq!(fails, minor == 9_021);
        }
        let undone = |shop: &Shop, at| shop.ledger(at).iter().filter(|(.., undone)| *undone).count();
        assert_eq!(
            (undone(&shop, NOW + 9 * SECOND), undone(&shop, NOW + 10 * SECOND)),
            (0, 2),
            "the sale and one capture"
        );
    }
}

#[test]
fn a_holders_name_asks_that_captures_and_refunds_fail_afterwards() {
    for (holder, kind) in [("capture failed", capture()), ("refund failed", refund())] {
        for mut shop in Shop::both() {
            let opens = if kind == capture() { Kind::Authorize } else { Kind::Sale };
            let (opened, _) = shop.open(&opens, 5_000, &card_of("4111111111111111", holder));
            shop.told(NOW);
            let (asked, _) = shop.ask(&kind, 5_000, None, Some(&opened));
            let notices = shop.told(NOW);
            assert_eq!(verdict(&notices, &asked), Some("approved"));
            let failed = notices.iter().any(|notice| {
                notice.reference == asked && matches!(&notice.news, News::Sequel(sequel) if sequel.what == What::Failed)
            });
            assert!(failed, "{holder}: {notices:?}");
        }
    }
}

#[test]
fn a_buyer_disputes_what_was_taken() {
    for mut shop in Shop::both() {
        for (minor, last) in [(9_023, Stage::ChargedBack), (9_024, Stage::Reversed)] {
            let stages = |notices: &[Notice], reference: &str| -> Vec<(Stage, String, Option<i64>)> {
                let of = |notice: &Notice| match &notice.news {
                    News::Sequel(sequel) if notice.reference == reference => match sequel.what {
                        What::Dispute(stage) => Some((stage, sequel.id.clone(), sequel.minor)),
                        What::Failed => None,
                    },
                    _ => None,
                };
                notices.iter().filter_map(of).collect()
            };
            let (sale, _) = shop.open(&Kind::Sale, minor, &card());
            let of_sale = stages(&shop.told(NOW), &sale.reference);
            let (hold, _) = shop.open(&Kind::Authorize, minor, &card());
            assert!(stages(&shop.told(NOW), &hold.reference).is_empty(), "nothing is taken yet");
            shop.ask(&capture(), minor, None, Some(&hold));
            let of_hold = stages(&shop.told(NOW), &hold.reference);
            for told in [of_sale, of_hold] {
                assert_eq!(told.last().map(|(stage, ..)| *stage), Some(last));
                assert!(told.is_sorted() && told.iter().all(|(_, id, of)| *id == told[0].1 && *of == Some(minor)));
                assert_eq!(told[0].0, Stage::Opened);
            }
        }
    }
}

#[test]
fn a_payer_is_sent_to_a_page_and_decides_there() {
    for (answer, expected) in [("approve", "approved"), ("decline", "declined")] {
        for instrument in [card_of("4212345678901237", "Carol"), card()] {
            let mut shop = Shop::at("adyen");
            shop.model = Adyen::new(KEY).with_pages_at("http://127.0.0.1:9402/adyen");
            let (opened, outcome) = shop.open(&Kind::Sale, 9_022, &instrument);
            let Outcome::ActionRequired(_, action) = outcome else { panic!("{outcome:?}") };
            assert_eq!(action.expires_at, Timestamp::from_millis(NOW + 12 * 60 * 60 * SECOND));
            assert!(shop.told(NOW).is_empty() && shop.ledger(NOW).is_empty());
            let path = action.url.strip_prefix("http://127.0.0.1:9402/adyen").expect("at the model").to_owned();
            let visit = |shop: &mut Shop, method: &str, body: String| {
                let request = Request {
                    method: method.to_owned(),
                    path: path.clone(),
                    body: body.into_bytes(),
                    ..Request::default()
                };
                shop.model.handle(&request, NOW + SECOND)
            };
            assert!(visit(&mut shop, "GET", String::new()).body.contains("<form"));
            let answered = visit(&mut shop, "POST", format!("result={answer}"));
            let back = format!("https://shop.test/back?redirectResult={}", opened.name);
            assert_eq!((answered.status, answered.headers), (302, vec![("location", back)]));
            assert_eq!(visit(&mut shop, "POST", "result=approve".to_owned()).status, 410, "once");
            assert_eq!(verdict(&shop.told(NOW), &opened.reference), Some(expected));
            assert_eq!(shop.ledger(NOW + SECOND).len(), usize::from(expected == "approved"));
        }
    }
}

#[test]
fn an_offer_that_nobody_takes_ends_and_is_told() {
    let mut shop = Shop::at("adyen");
    let (opened, _) = shop.open(&Kind::Authorize, 9_022, &card());
    let end = NOW + 12 * 60 * 60 * SECOND;
    assert!(shop.told(end - 1).is_empty());
    assert_eq!(verdict(&shop.told(end), &opened.reference), Some("declined"));
    assert!(shop.told(end + 1).is_empty() && shop.ledger(end).is_empty());
}

#[test]
fn the_older_dialect_has_no_page_for_a_payer() {
    let mut shop = Shop::at("adyen-classic");
    let (_, outcome) = shop.open(&Kind::Sale, 9_022, &card());
    assert!(
        matches!(&outcome, Outcome::Declined(Decline::Soft, answer) if answer.code.as_deref() == Some("RedirectShopper")),
        "{outcome:?}"
    );
}

#[test]
fn a_card_is_stored_and_charged() {
    for mut shop in Shop::both() {
        let (instrument, details) = (card(), method::Details::default());
        let intent = TokenIntent {
            reference: method_id().to_string(),
            key: "a".repeat(32),
            instrument: &instrument,
            details: &details,
            duplicate: false,
            prepared: None,
        };
        let exchange = shop.adapter.tokenize.expect("it keeps methods");
        let request = shop.with_account(|account| {
            assert_eq!((exchange.admits)(&intent, account), Ok(()));
            (exchange.encode)(&intent, account)
        });
        let answer = shop.send(&request);
        let (outcome, token) = (exchange.decode)(&intent, &answered(answer));
        let token = match token {
            Some(token) => token,
            None => {
                assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
                let mut notices = shop.told(NOW).into_iter();
                let Some(Notice { reference, news: News::Token(Outcome::Approved(_), Some(token)), .. }) =
                    notices.next()
                else {
                    panic!("a token is told")
                };
                assert_eq!(reference, method_id().to_string());
                token
            }
        };
        let (_, outcome) = shop.open(&Kind::Sale, 5_000, &on_file(token.reveal()));
        assert!(matches!(outcome, Outcome::Approved(_)), "{outcome:?}");
        let (_, outcome) = shop.open(&Kind::Sale, 5_000, &on_file("of nobody"));
        assert!(
            matches!(&outcome, Outcome::Declined(Decline::Permanent, answer) if answer.code.as_deref() == Some("803")),
            "{outcome:?}"
        );
        assert_eq!(shop.ledger(NOW), [(Act::Sale, 5_000, false)]);
    }
}

#[test]
fn an_account_that_works_is_told_from_one_that_does_not() {
    for mut shop in Shop::both() {
        let check = shop.adapter.check.expect("it can be checked");
        let mut request = shop.with_account(check.encode);
        let answer = shop.send(&request);
        let offers = (check.decode)(&answered(answer)).expect("it works");
        assert_eq!(offers.is_empty(), shop.adapter.name == "adyen-classic");
        for (name, value) in &mut request.headers {
            if *name == "x-api-key" {
                *value = "none".to_owned();
            }
        }
        let answer = shop.send(&request);
        assert_eq!(answer.status, 401);
        assert!((check.decode)(&answered(answer)).is_err());
    }
}
