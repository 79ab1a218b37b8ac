//! What is kept of what is heard: what settles an operation, what does not, and what disagrees.

use super::fixtures::{LIFE, START, acting, answer, capture, cents, exactly, opening, stored_method, terms};
use super::purchase::Purchase;
use crate::card::Secret;
use crate::gateways::sandbox;
use crate::ids::Ordinal;
use crate::money::{Currency, Money};
use crate::payment::sequel::{Sequel, Stage, What};
use crate::payment::{Answer, Decline, Event, Interaction, Kind, MARGIN, MAX_LOGS, Nonce, Outcome, Source, State};

const FIRST: Ordinal = Ordinal::FIRST;

fn open_sale() -> Purchase {
    Purchase::asked(&opening(Kind::Sale, stored_method(), "order 1", 100), terms(&sandbox::LOOK_UP))
}

/// Whoever claimed it was killed, and every request it sent has arrived.
fn abandoned_sale() -> Purchase {
    let mut purchase = open_sale();
    purchase.wait(LIFE + MARGIN);
    purchase
}

#[test]
fn silence_fills_the_logs_only_so_far() {
    let mut purchase = abandoned_sale();
    for _ in 0..2 * MAX_LOGS {
        purchase.hear_from(FIRST, Source::LookUp, Outcome::Unknown);
    }
    assert_eq!(purchase.payment.operations[0].logs.len(), MAX_LOGS);
    purchase.hear(FIRST, Outcome::Approved(answer("a")));
    let logs = &purchase.payment.operations[0].logs;
    assert_eq!(logs.len(), MAX_LOGS + 1, "what settles it is always logged");
    assert_eq!(logs.last().map(|log| (log.interaction, log.code.as_deref())), Some((Interaction::Success, Some("00"))));
}

#[test]
fn contradictions_are_kept_up_to_a_limit_and_change_nothing() {
    let mut purchase = Purchase::approved(Kind::Sale, 100, terms(&sandbox::LOOK_UP));
    let settled = purchase.state(FIRST).clone();
    for count in 1..2 * MAX_LOGS {
        let heard = purchase.hear_from(FIRST, Source::Notice, Outcome::Declined(Decline::Permanent, answer("d")));
        assert_eq!(purchase.payment.operations[0].contradictions.len(), count.min(MAX_LOGS));
        assert_eq!(*purchase.state(FIRST), settled);
        assert!(heard.contradiction, "each is an alarm, also those that there is no room for");
    }
}

#[test]
fn an_approval_under_another_reference_is_a_second_effect() {
    let reference = |reference: Option<&str>| Answer { reference: reference.map(str::to_owned), ..Answer::default() };
    let rows = [
        (Some("ch_1"), Some("ch_1"), false),
        (Some("ch_1"), Some("ch_2"), true),
        (Some("ch_1"), None, false),
        (None, Some("ch_2"), false),
    ];
    for (known, heard, contradicts) in rows {
        let mut purchase = open_sale();
        purchase.hear(FIRST, Outcome::Approved(reference(known)));
        let step = purchase.hear_from(FIRST, Source::Notice, Outcome::Approved(reference(heard)));
        assert_eq!(step.contradiction, contradicts, "{known:?} and {heard:?}");
        assert_eq!(purchase.payment.operations[0].contradictions.len(), usize::from(contradicts));
        assert_eq!(purchase.payment.operations[0].answer(), Some(&reference(known)));
    }
}

/// A part of it, more than it, or another currency: the authorization of a part is the usual case.
#[test]
fn an_approval_of_another_amount_settles_nothing_and_is_an_alarm_each_time() {
    let yen = Currency::parse("JPY").expect("a currency");
    let approved = || Outcome::Approved(answer("a"));
    let before: [(&str, &[Outcome]); 5] = [
        ("Pending", &[]),
        ("Pending", &[Outcome::Unknown]),
        ("Pending", &[Outcome::Accepted(answer("a"))]),
        ("Processed", &[approved()]),
        ("Failed", &[Outcome::Declined(Decline::Soft, answer("a"))]),
    ];
    for (status, said) in before {
        for amount in [cents(99), cents(101), Money::new(100, yen)] {
            let mut sale = open_sale();
            said.iter().for_each(|outcome| drop(sale.hear(FIRST, outcome.clone())));
            let (state, due) = (sale.state(FIRST).clone(), sale.payment.due_at());
            for count in 1..=2 {
                let step = sale.hear_of(FIRST, Source::Notice, approved(), Some(amount));
                assert!(step.contradiction && step.effect.is_none(), "{said:?} {amount:?}");
                assert_eq!(sale.payment.operations[0].contradictions.len(), count);
            }
            assert_eq!((sale.state(FIRST), sale.state(FIRST).status()), (&state, status), "{said:?} {amount:?}");
            assert_eq!(sale.payment.due_at(), due, "whoever was to look still is");
            assert!(sale.payment.operations[0].reserves(), "{said:?} {amount:?}");
        }
    }
}

#[test]
fn an_approval_of_its_own_amount_or_of_none_that_is_said_settles_it() {
    for amount in [Some(cents(100)), None] {
        let mut sale = open_sale();
        let step = sale.hear_of(FIRST, Source::Notice, Outcome::Approved(answer("a")), amount);
        assert_eq!((step.contradiction, sale.state(FIRST).status()), (false, "Processed"), "{amount:?}");
    }
}

#[test]
fn only_an_approval_is_held_against_the_amount() {
    let of_another = [
        (Outcome::Accepted(answer("a")), "Pending"),
        (Outcome::Declined(Decline::Soft, answer("a")), "Failed"),
        (Outcome::Unknown, "Pending"),
    ];
    for (outcome, status) in of_another {
        let mut sale = open_sale();
        let step = sale.hear_of(FIRST, Source::Notice, outcome.clone(), Some(cents(99)));
        assert_eq!((step.contradiction, sale.state(FIRST).status()), (false, status), "{outcome:?}");
    }
}

#[test]
fn what_a_dispute_counts_in_another_currency_is_of_no_amount() {
    let [dollars, yen] = ["USD", "JPY"].map(|code| Currency::parse(code).expect("a currency"));
    let rows = [(None, Some(70)), (Some(Money::new(70, dollars)), Some(70)), (Some(Money::new(70, yen)), None)];
    for (said, minor) in rows {
        let what = What::Dispute(Stage::ChargedBack);
        let sequel = Sequel { id: "d".to_owned(), what, minor: Some(70), code: None };
        assert_eq!(sequel.counted_in(dollars, said).minor, minor, "{said:?}");
    }
}

#[test]
fn what_settles_it_is_kept_as_the_gateway_said_it_within_the_limits() {
    let long = "長".repeat(2_000);
    let said = Answer {
        reference: Some(long.clone()),
        reference_details: Some(long.clone()),
        code: Some(long.clone()),
        description: Some(long.clone()),
        message: Some(long.clone()),
        authorization_code: Some(long.clone()),
        avs_code: Some(long),
        date: Some(START),
    };
    let mut purchase = open_sale();
    purchase.hear(FIRST, Outcome::Approved(said));
    let kept = purchase.payment.operations[0].answer().expect("an answer").clone();
    let texts = [
        (kept.reference, 255),
        (kept.reference_details, 1_000),
        (kept.code, 64),
        (kept.description, 255),
        (kept.message, 255),
        (kept.authorization_code, 64),
        (kept.avs_code, 64),
    ];
    for (text, limit) in texts {
        assert_eq!(text.map(|text| text.chars().count()), Some(limit));
    }
    assert_eq!(kept.date, Some(START));
    let empty = Answer { code: Some(String::new()), ..Answer::default() };
    assert_eq!(empty.within_limits(), Answer::default(), "an empty text says nothing");
}

#[test]
fn what_is_logged_of_it_is_within_the_limits_too() {
    let said = || Answer { code: Some("長".repeat(65)), ..Answer::default() };
    let outcomes = [
        Outcome::Accepted(said()),
        Outcome::Declined(Decline::Soft, said()),
        // What has settled it is contradicted by this.
        Outcome::Approved(said()),
    ];
    let mut purchase = open_sale();
    outcomes.into_iter().for_each(|outcome| drop(purchase.hear(FIRST, outcome)));
    let operation = &purchase.payment.operations[0];
    assert_eq!((operation.logs.len(), operation.contradictions.len()), (2, 1));
    for log in operation.logs.iter().chain(&operation.contradictions) {
        assert_eq!(log.code.as_deref(), Some(&*"長".repeat(64)), "{log:?}");
    }
}

#[test]
fn a_reference_that_is_too_long_to_keep_does_not_contradict_itself() {
    let said = || Answer { reference: Some("長".repeat(256)), ..Answer::default() };
    let mut purchase = open_sale();
    purchase.hear(FIRST, Outcome::Approved(said()));
    assert!(!purchase.hear_from(FIRST, Source::Notice, Outcome::Approved(said())).contradiction);
}

#[test]
fn a_card_number_that_a_gateway_repeats_is_masked_however_it_is_written() {
    let zeros = |count| "0".repeat(count);
    let rows = [
        ("4242424242424242", "****"),
        ("4242 4242 4242 4242", "****"),
        ("4242-4242-4242-4242", "****"),
        ("3782 822463-10005", "****"),
        ("no such card: 4242424242424242.", "no such card: ****."),
        ("長4242 4242 4242 4242長", "長****長"),
        ("-4242-4242-4242-4242- ", "-****- "),
        ("4242424242424242/378282246310005 of order 4242424242424241", "****/**** of order 4242424242424241"),
        ("4242424242424242 and 4242424242424242", "**** and ****"),
        ("order 7 4242 4242 4242 4242 9", "order 7 **** 9"),
        // Its first four groups could be a number, and so could its last four.
        ("0000 4242 4242 4242 4242.", "****."),
        // All of it could be a number, and so could the middle alone.
        ("1000 4242 4242 4242 100", "****"),
        ("4242  4242  4242  4242", "4242  4242  4242  4242"),
        ("4242.4242.4242.4242", "4242.4242.4242.4242"),
        ("4111 - 1111 - 1111 - 1111", "4111 - 1111 - 1111 - 1111"),
        ("4111 1111 1111 1112", "4111 1111 1111 1112"),
        (&zeros(11), &zeros(11)),
        (&zeros(12), "****"),
        (&zeros(19), "****"),
        (&zeros(20), &zeros(20)),
        ("00", "00"),
    ];
    for (said, rests) in rows {
        let echo = Answer { message: Some(said.to_owned()), ..Answer::default() };
        assert_eq!(echo.within_limits().message.as_deref(), Some(rests), "{said}");
    }
}

#[test]
fn a_card_number_is_masked_in_every_text_but_the_reference() {
    let all = |text: &str| {
        let text = || Some(text.to_owned());
        Answer {
            reference: Some("4242424242424242".to_owned()),
            reference_details: text(),
            code: text(),
            description: text(),
            message: text(),
            authorization_code: text(),
            avs_code: text(),
            date: None,
        }
    };
    assert_eq!(all("4242424242424242").within_limits(), all("****"));
    let outcomes: [fn(Answer) -> Outcome; 4] =
        [Outcome::Approved, Outcome::Accepted, |answer| Outcome::Declined(Decline::Soft, answer), Outcome::Voided];
    for outcome in outcomes {
        assert_eq!(outcome(all("4242424242424242")).within_limits(), outcome(all("****")));
    }
    for outcome in [Outcome::NotSent, Outcome::Unknown, Outcome::NeverReceived] {
        assert_eq!(outcome.clone().within_limits(), outcome);
    }
}

#[test]
fn a_secret_that_a_gateway_repeats_is_masked_in_every_text() {
    let all = |said: &str| {
        let text = || Some(said.to_owned());
        Answer {
            reference: text(),
            reference_details: text(),
            code: text(),
            description: text(),
            message: text(),
            authorization_code: text(),
            avs_code: text(),
            date: Some(START),
        }
    };
    let secret = Secret::new("tok_1".to_owned());
    let outcomes: [fn(Answer) -> Outcome; 4] =
        [Outcome::Approved, Outcome::Accepted, |answer| Outcome::Declined(Decline::Soft, answer), Outcome::Voided];
    for outcome in outcomes {
        assert_eq!(outcome(all("tok_1 is (tok_1)")).without(&secret), outcome(all("**** is (****)")));
        assert_eq!(outcome(all("TOK_1 tok_")).without(&secret), outcome(all("TOK_1 tok_")));
        assert_eq!(outcome(Answer::default()).without(&secret), outcome(Answer::default()));
    }
    for outcome in [Outcome::NotSent, Outcome::Unknown, Outcome::NeverReceived] {
        assert_eq!(outcome.clone().without(&secret), outcome);
    }
}

#[test]
fn every_interaction_is_logged_in_the_wires_words() {
    let rows = [
        (Outcome::Approved(answer("a")), Interaction::Success),
        (Outcome::Accepted(answer("a")), Interaction::Success),
        (Outcome::Voided(answer("a")), Interaction::Success),
        (Outcome::Declined(Decline::Soft, answer("a")), Interaction::Failed),
        (Outcome::NotSent, Interaction::NoOp),
        (Outcome::NeverReceived, Interaction::NoOp),
        (Outcome::Unknown, Interaction::Timeout),
    ];
    for (outcome, interaction) in rows {
        let mut purchase = abandoned_sale();
        purchase.hear_from(FIRST, Source::LookUp, outcome.clone());
        let log = &purchase.payment.operations[0].logs[0];
        assert_eq!((log.source, log.interaction, log.at), (Source::LookUp, interaction, purchase.now), "{outcome:?}");
    }
}

#[test]
fn every_outcome_has_a_word_of_its_own() {
    let rows = [
        (Outcome::Approved(answer("a")), "approved"),
        (Outcome::Accepted(answer("a")), "accepted"),
        (Outcome::Declined(Decline::Soft, answer("a")), "declined"),
        (Outcome::NotSent, "not sent"),
        (Outcome::Unknown, "unknown"),
        (Outcome::NeverReceived, "never received"),
        (Outcome::Voided(answer("a")), "voided"),
    ];
    for (outcome, word) in rows {
        assert_eq!(outcome.name(), word);
    }
}

#[test]
fn news_of_an_operation_that_is_not_there_change_nothing() {
    let mut purchase = open_sale();
    let before = purchase.payment.clone();
    let operation = Ordinal::new(1).expect("a place");
    let outcome = Outcome::Approved(answer("a"));
    let news = Event::Learned { operation, source: Source::Notice, nonce: Nonce(1), outcome, amount: None };
    purchase.put(&news).expect("news are never refused");
    assert_eq!(purchase.payment, before);
}

#[test]
fn what_was_never_sent_and_is_told_of_in_another_amount_is_reserved_and_not_tried_anew() {
    let told = |purchase: &mut Purchase, place: Ordinal| {
        let step = purchase.hear_of(place, Source::Notice, Outcome::Approved(answer("a")), Some(cents(40)));
        assert!(step.contradiction && step.effect.is_none());
    };
    // Before it is known that nothing was sent, or after.
    for is_told_first in [true, false] {
        let mut hold = Purchase::approved(Kind::Authorize, 100, terms(&sandbox::LOOK_UP));
        let request = || acting(capture(FIRST), "capture", exactly(60));
        hold.ask(&request()).expect("a capture");
        let captured = hold.last();
        if is_told_first {
            told(&mut hold, captured);
        }
        hold.hear(captured, Outcome::NotSent);
        if !is_told_first {
            assert_eq!(hold.payment.uncaptured(FIRST), cents(100));
            told(&mut hold, captured);
        }
        assert_eq!((hold.state(captured), hold.payment.uncaptured(FIRST)), (&State::Unsent, cents(40)));
        let before = hold.payment.clone();
        let again = hold.ask(&request()).expect("an answer");
        assert_eq!((again.effect, again.payment), (None, before), "what there is");
        hold.hear_from(captured, Source::Notice, Outcome::Approved(answer("a")));
        assert!(hold.payment.operations[1].is_approved(), "told of in its own amount, it is settled");
    }
}
