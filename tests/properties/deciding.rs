//! What holds of [`step`](kessai_shared::payment::step), whatever happens in whatever order.

use kessai_shared::payment::asked::InstrumentFacts;
use kessai_shared::payment::{
    BalanceCheck, Claim, Effect, Event, Kind, Nonce, Operation, Payment, Source, State, Step, Terms, step,
};
use kessai_shared::rejection::Rejection;
use kessai_shared::time::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::fixed::cases;
use crate::happenings::histories;
use crate::histories::Turn;

type Checked = Result<(), TestCaseError>;

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn what_is_settled_never_changes(history in histories(false)) {
        history.play(|turn| {
            let Ok(step) = turn.result else { return Ok(()) };
            for (ordinal, was) in turn.before.iter().flat_map(|payment| payment.numbered()) {
                let is = step.payment.operation(ordinal);
                prop_assert!(is.is_some(), "{ordinal:?} is gone");
                if let (true, Some(is)) = (was.is_settled(), is) {
                    prop_assert!(is.contradictions.starts_with(&was.contradictions));
                    let changed = Operation { contradictions: was.contradictions.clone(), ..is.clone() } != *was;
                    prop_assert!(!changed, "{was:?} became {is:?}");
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn the_version_counts_the_changes_and_nothing_else(history in histories(false)) {
        history.play(|turn| {
            let Ok(step) = turn.result else { return Ok(()) };
            let Some(before) = turn.before else {
                prop_assert_eq!(step.payment.version, 1);
                return Ok(());
            };
            let changed = Payment { version: before.version, ..step.payment.clone() } != *before;
            prop_assert_eq!(step.payment.version, before.version + u64::from(changed));
            Ok(())
        })?;
    }

    /// No hidden state: neither does a rejection leave anything behind that a second try would see.
    #[test]
    fn the_same_again_is_decided_the_same(history in histories(false)) {
        history.play(|turn| {
            prop_assert_eq!(&decide(turn.before, turn), turn.result);
            Ok(())
        })?;
    }

    #[test]
    fn an_event_that_is_put_twice_does_no_more_than_once(history in histories(false)) {
        history.play(|turn| {
            let Ok(once) = turn.result else { return Ok(()) };
            let twice = decide(Some(&once.payment), turn);
            match turn.event {
                // The acknowledgement of the write was lost: the same claimant goes on as if it had come.
                Event::Requested { .. } => prop_assert_eq!(&twice, turn.result),
                Event::Learned { source, .. } => {
                    let twice = twice.expect("what was heard is never rejected");
                    prop_assert_eq!(gist(&twice.payment, *source), gist(&once.payment, *source));
                    prop_assert_eq!(twice.effect, None);
                }
                Event::Followed { .. } | Event::Told { .. } => prop_assert_eq!(&twice, turn.result),
                Event::ToldAgain { .. } => {}
                Event::Due { .. } => {
                    let twice = twice.expect("a look is never rejected");
                    prop_assert!(twice == *once || twice.operation != once.operation, "due again at once: {twice:?}");
                }
            }
            Ok(())
        })?;
    }

    #[test]
    fn whoever_asks_beside_another_sends_nothing_as_if_it_were_the_first(history in histories(false)) {
        history.play(|turn| {
            let (Ok(once), Event::Requested { merchant, request, fingerprint, claim }) = (turn.result, turn.event)
            else {
                return Ok(());
            };
            let (merchant, fingerprint) = (*merchant, *fingerprint);
            let claim = Claim { nonce: Nonce(u64::MAX), ..*claim };
            let another = Event::Requested { merchant, request, fingerprint, claim };
            if let Ok(Step { effect: Some(effect), .. }) = step(Some(&once.payment), &another, turn.terms, turn.now) {
                prop_assert!(matches!(effect, Effect::Send { duplicate: true, .. }), "{effect:?}");
            }
            Ok(())
        })?;
    }

    #[test]
    fn no_more_is_reserved_than_was_approved(history in histories(true)) {
        history.play(|turn| match turn.result {
            Ok(step) => nothing_is_overdrawn(&step.payment, turn.terms.balance_check),
            Err(_) => Ok(()),
        })?;
    }

    #[test]
    fn a_gateway_is_asked_only_for_what_it_offers(history in histories(false)) {
        history.play(|turn| {
            let Terms { key_window, look_up, timeout_reversal, .. } = turn.terms;
            let payment = turn.result.as_ref().ok().map(|step| &step.payment);
            let operation = |ordinal| payment.and_then(|payment| payment.operation(ordinal));
            let is_within = |ordinal, reach| operation(ordinal).is_some_and(|known| known.is_within(reach));
            match turn.result.as_ref().ok().and_then(|step| step.effect) {
                Some(Effect::Send { duplicate: true, .. }) => prop_assert!(key_window.is_some()),
                Some(Effect::LookUp { operation, .. }) => prop_assert!(is_within(operation, *look_up)),
                Some(Effect::Reverse { operation, .. }) => prop_assert!(is_within(operation, *timeout_reversal)),
                Some(Effect::Send { duplicate: false, .. }) | None => {}
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_payment_is_due_exactly_as_long_as_something_is_left_to_do(history in histories(false)) {
        history.play(|turn| {
            let Ok(Step { payment, .. }) = turn.result else { return Ok(()) };
            let is_open = |operation: &&Operation| matches!(operation.state, State::Open(_) | State::Accepted(_));
            let open: Vec<&Operation> = payment.operations.iter().filter(is_open).collect();
            if open.is_empty() {
                prop_assert_eq!(payment.due_at(), None);
            }
            for operation in open.iter().filter(|operation| operation.state.due().is_none()) {
                prop_assert!(is_beyond_help(operation, turn.terms, turn.now), "{operation:?} is forgotten");
            }
            Ok(())
        })?;
    }

    /// Otherwise it would be looked at again and again.
    #[test]
    fn a_look_leaves_nothing_due_but_what_it_asks_the_gateway_about(history in histories(false)) {
        history.play(|turn| {
            let (Ok(looked), Event::Due { .. }) = (turn.result, turn.event) else { return Ok(()) };
            let Some(operation) = looked.operation.and_then(|place| looked.payment.operation(place)) else {
                prop_assert!(looked.payment.due_at().is_none_or(|due| due > turn.now));
                return Ok(());
            };
            let asks = matches!(looked.effect, Some(Effect::LookUp { .. }));
            prop_assert!(asks || operation.state.due().is_none_or(|due| due > turn.now), "{operation:?}");
            Ok(())
        })?;
    }
}

fn decide(payment: Option<&Payment>, turn: &Turn<'_>) -> Result<Step, Rejection> {
    step(payment, turn.event, turn.terms, turn.now)
}

/// What must be the same however often something is heard: all but how often, and when to look again. What is told
/// unasked changes not even these.
fn gist(payment: &Payment, source: Source) -> Payment {
    let mut payment = Payment { version: 0, ..payment.clone() };
    for operation in &mut payment.operations {
        operation.logs.clear();
        operation.contradictions.clear();
        if source == Source::Notice {
            continue;
        }
        match &mut operation.state {
            State::Open(open) => (open.attempts, open.due) = (0, None),
            State::Accepted(accepted) => (accepted.attempts, accepted.due) = (0, None),
            State::Unsent | State::Settled(_) => {}
        }
    }
    payment
}

/// Counted by hand, by what each operation acts on.
fn nothing_is_overdrawn(payment: &Payment, check: BalanceCheck) -> Checked {
    let counts = |kind: &Kind| !matches!((kind, check), (Kind::Reverse { .. }, BalanceCheck::Gateway));
    for (ordinal, approved) in payment.numbered() {
        let drawn: i64 = payment
            .operations
            .iter()
            .filter(|operation| operation.asked.kind.target() == Some(ordinal) && counts(&operation.asked.kind))
            .filter(|operation| operation.reserves())
            .map(|operation| operation.amount.minor)
            .sum();
        let limit = approved.amount.minor;
        prop_assert!(drawn <= limit, "{drawn} of {limit} at {ordinal:?}");
        prop_assert!(drawn == 0 || approved.is_approved(), "{drawn} of what never took effect, at {ordinal:?}");
    }
    Ok(())
}

/// Whether nobody can find out what became of it: no key, no question and no end of a hold helps.
fn is_beyond_help(operation: &Operation, terms: &Terms, now: Timestamp) -> bool {
    let is_whole = matches!(operation.asked.instrument, None | Some(InstrumentFacts::Stored(_)));
    let hour = std::time::Duration::from_secs(60 * 60);
    let in_window = terms.key_window.is_some_and(|window| now < operation.requested_at.plus(window - hour));
    let can_find_out = match &operation.state {
        State::Open(open) => !open.unknown || operation.is_within(terms.timeout_reversal) || (is_whole && in_window),
        State::Accepted(_) | State::Unsent | State::Settled(_) => false,
    };
    !can_find_out && !operation.is_within(terms.look_up) && !operation.asked.kind.holds()
}
