//! What gateways answer is believed only where it speaks of what was asked; nothing that they answer
//! breaks us.

use kessai_shared::gateways::{Adapter, Exchange, Intent, sandbox};
use kessai_shared::money::Money;
use kessai_shared::payment::asked::Details;
use kessai_shared::payment::{Instrument, Kind, Outcome};
use kessai_shared::ports::HttpResponse;
use kessai_shared::time::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};

use crate::fixed::cases;
use crate::fixtures::{dollars, stored_method};

const REFERENCE: &str = "0Xc000000000001AAA";

/// What could be taken for ours.
const STRANGERS: [&str; 6] =
    ["", "0Xc000000000001", "0xc000000000001aaa", "0Xc000000000001AAA ", "0Xc000000000001AAB", "%"];

/// The three things that a gateway is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Question {
    Send,
    LookUp,
    Reverse,
}

proptest! {
    #![proptest_config(cases(1_000))]

    #[test]
    fn arbitrary_bytes_are_believed_only_as_far_as_they_name_us(
        status in statuses(),
        body in vec(any::<u8>(), 0..200),
    ) {
        for_every_exchange(&HttpResponse { status, body }, the_answer_is_ours)?;
    }

    #[test]
    fn mutated_answers_are_believed_only_as_far_as_they_name_us(
        status in statuses(),
        body in bodies(REFERENCE),
        mutations in vec((any::<Index>(), any::<u8>(), 0..3_u8), 0..4),
    ) {
        let mut bytes = body.to_string().into_bytes();
        for (place, byte, how) in mutations {
            let place = place.index(bytes.len() + 1);
            match how {
                0 => bytes.truncate(place),
                1 => bytes.insert(place, byte),
                _ => bytes.iter_mut().skip(place).take(1).for_each(|old| *old = byte),
            }
        }
        for_every_exchange(&HttpResponse { status, body: bytes }, the_answer_is_ours)?;
    }

    #[test]
    fn what_names_another_tells_nothing(body in select(STRANGERS.to_vec()).prop_flat_map(bodies)) {
        let response = HttpResponse { status: 200, body: body.to_string().into_bytes() };
        for_every_exchange(&response, |_, _, _, outcome| {
            let asked_in_vain = body == json!({"operations": []}) && *outcome == Outcome::NeverReceived;
            prop_assert!(*outcome == Outcome::Unknown || asked_in_vain, "{outcome:?}");
            Ok(())
        })?;
    }

    #[test]
    fn arbitrary_json_without_our_name_moves_nothing(status in statuses(), body in values()) {
        let response = HttpResponse { status, body: body.to_string().into_bytes() };
        for_every_exchange(&response, |_, _, _, outcome| {
            let moves = matches!(outcome, Outcome::Approved(_) | Outcome::Accepted(_) | Outcome::Voided(_));
            prop_assert!(!moves, "{outcome:?}");
            Ok(())
        })?;
    }
}

type Check = Result<(), TestCaseError>;

fn for_every_exchange(
    response: &HttpResponse,
    check: impl Fn(Question, bool, &HttpResponse, &Outcome) -> Check,
) -> Check {
    let (kind, details, instrument) = (Kind::Sale, Details::default(), stored_method("03O000000000000"));
    for (adapter, duplicate) in sandbox::ALL.iter().flat_map(|adapter| [(adapter, false), (adapter, true)]) {
        for (question, exchange) in exchanges(adapter) {
            let intent = intent(&kind, &details, &instrument, duplicate);
            check(question, duplicate, response, &(exchange.decode)(&intent, response))?;
        }
    }
    Ok(())
}

fn exchanges(adapter: &Adapter) -> impl Iterator<Item = (Question, Exchange)> {
    let look_up = adapter.look_up.map(|(_, exchange)| (Question::LookUp, exchange));
    let reversal = adapter.timeout_reversal.map(|(_, exchange)| (Question::Reverse, exchange));
    [Some((Question::Send, adapter.send)), look_up, reversal].into_iter().flatten()
}

fn intent<'a>(kind: &'a Kind, details: &'a Details, instrument: &'a Instrument, duplicate: bool) -> Intent<'a> {
    Intent {
        kind,
        reference: REFERENCE.to_owned(),
        key: "00112233445566778899aabbccddeeff".to_owned(),
        amount: Money::new(12_050, dollars()),
        target: None,
        opening: None,
        known: None,
        instrument: Some(instrument),
        details,
        requested_at: Timestamp::from_millis(0),
        duplicate,
    }
}

/// What each outcome takes to be believed.
fn the_answer_is_ours(question: Question, duplicate: bool, response: &HttpResponse, outcome: &Outcome) -> Check {
    let status = response.status;
    let names_us = status == 200 && serde_json::from_slice(&response.body).is_ok_and(|body| names_us(&body));
    let refused = question == Question::Send && [400, 404].contains(&status) && !duplicate;
    let believed = match outcome {
        Outcome::Approved(_) | Outcome::Accepted(_) | Outcome::ActionRequired(..) => {
            names_us && question != Question::Reverse
        }
        Outcome::Declined(..) => (names_us && question != Question::Reverse) || refused,
        Outcome::Voided(_) => names_us && question == Question::Reverse,
        Outcome::NeverReceived => status == 200 && question == Question::LookUp,
        Outcome::NotSent => status == 429 && question == Question::Send,
        Outcome::Unknown => true,
    };
    prop_assert!(believed, "{question:?}, {duplicate}, {status}: {outcome:?}");
    Ok(())
}

fn names_us(body: &Value) -> bool {
    match body {
        Value::String(text) => text == REFERENCE,
        Value::Array(values) => values.iter().any(names_us),
        Value::Object(members) => members.values().any(names_us),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn statuses() -> impl Strategy<Value = u16> {
    prop_oneof![8 => Just(200), 3 => select(vec![201, 400, 404, 409, 422, 429, 500, 503]), 1 => any::<u16>()]
}

/// Bodies that the sandbox would write about `reference`, and some that it would not.
fn bodies(reference: &'static str) -> impl Strategy<Value = Value> {
    let states = ["approved", "accepted", "declined", "reversed", "nothing_to_reverse", "Approved", ""];
    let codes = ["00", "05", "09", "14", "43", "59", "é"];
    let operation = (select(states.to_vec()), select(codes.to_vec())).prop_map(move |(status, code)| {
        json!({"id": "SF1000001", "reference": reference, "status": status, "code": code, "message": "Transaction Normal",
            "date": "2026-08-01T00:00:01.000Z", "authorizationCode": "SF000001"})
    });
    let several = vec(operation.clone(), 0..4).prop_map(|operations| json!({ "operations": operations }));
    prop_oneof![operation, several]
}

/// JSON of any shape, its members called as in real answers so that it gets far.
fn values() -> impl Strategy<Value = Value> {
    let names = ["id", "reference", "status", "code", "message", "date", "operations", "authorizationCode"];
    let texts = ["approved", "accepted", "reversed", "00", "2026-08-01", "0Xc000000000001", ""];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        select(texts.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 8, move |inner| {
        let name = select(names.to_vec()).prop_map(str::to_owned);
        prop_oneof![
            vec(inner.clone(), 0..8).prop_map(Value::from),
            vec((name, inner), 0..8).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}
