//! Whatever a payment has become, it rests and comes back as it was, at the price that the store asks.

use kessai_shared::payment::Answer;
use kessai_shared::stored::payment::Stored;
use kessai_shared::stored::{Attribute, Item};
use proptest::prelude::*;
use proptest::sample::select;

use crate::fixed::cases;
use crate::happenings::histories;

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn every_payment_that_can_be_reached_reads_back_as_it_was(history in histories(false)) {
        let payment = history.play(|_| Ok(()))?.expect("somebody asked");
        let item = Stored::following(None, payment.clone()).to_item();
        let read = Stored::from_item(item.clone()).expect("what was written");
        prop_assert_eq!(read.to_item(), item);
        prop_assert_eq!(read.payment, payment);
    }

    #[test]
    fn every_payment_costs_what_the_store_would_count(history in histories(false)) {
        let payment = history.play(|_| Ok(()))?.expect("somebody asked");
        let item = Stored::following(None, payment).to_item();
        let counted = bytes_of_members(&item);
        prop_assert_eq!(item.size_bytes(), counted);
        prop_assert_eq!(item.write_units(), counted as u64 / 1024 + u64::from(!counted.is_multiple_of(1024)));
    }

    /// What is too long for its record is cut when it comes in, wherever it rests.
    #[test]
    fn what_a_gateway_says_rests_within_its_limits(history in histories(false)) {
        let payment = history.play(|_| Ok(()))?.expect("somebody asked");
        for operation in &payment.operations {
            let logged = operation.logs.iter().chain(&operation.contradictions).map(|log| log.code.as_ref());
            let answer = operation.answer();
            let texts = [
                (255, answer.and_then(|answer| answer.reference.as_ref())),
                (1000, answer.and_then(|answer| answer.reference_details.as_ref())),
                (255, answer.and_then(|answer| answer.description.as_ref())),
                (255, answer.and_then(|answer| answer.message.as_ref())),
                (64, answer.and_then(|answer| answer.code.as_ref())),
            ];
            for (limit, text) in texts.into_iter().chain(logged.map(|code| (64, code))) {
                let length = text.map_or(0, |text| text.chars().count());
                prop_assert!(length <= limit, "{length} characters where {limit} fit");
            }
        }
    }

    /// However a gateway writes it, and wherever.
    #[test]
    fn a_card_number_that_a_gateway_repeats_never_rests(separator in select(vec!["", " ", "-"]), place in 0..6_usize) {
        let number = ["4242"; 4].join(separator);
        let echo = |at: usize| (at == place).then(|| format!("no such card: {number}"));
        let answer = Answer {
            description: echo(0),
            message: echo(1),
            code: echo(2),
            authorization_code: echo(3),
            avs_code: echo(4),
            reference_details: echo(5),
            ..Answer::default()
        };
        let rests = format!("{:?}", answer.within_limits());
        prop_assert!(!rests.contains(&number), "{rests}");
    }
}

/// As the DynamoDB Developer Guide says under "item sizes and formats".
fn bytes_of_members(item: &Item) -> usize {
    let mut sum = 0;
    for (name, value) in item.iter() {
        sum += name.len() + bytes_of(value);
    }
    sum
}

fn bytes_of(value: &Attribute) -> usize {
    match value {
        Attribute::Text(text) => text.len(),
        Attribute::Bytes(bytes) => bytes.len(),
        Attribute::Flag(_) => 1,
        Attribute::List(members) => members.iter().fold(3, |sum, member| sum + 1 + bytes_of(member)),
        Attribute::Map(members) => 3 + members.iter().count() + bytes_of_members(members),
        Attribute::Number(number) => {
            let mut significant = number.unsigned_abs();
            while significant != 0 && significant.is_multiple_of(10) {
                significant /= 10;
            }
            let digits = significant.checked_ilog10().map_or(0, |log| log as usize + 1);
            let sign = usize::from(*number < 0);
            1 + sign + digits / 2 + digits % 2
        }
    }
}
