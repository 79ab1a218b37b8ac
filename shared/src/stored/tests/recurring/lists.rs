//! On which lists a schedule is: where those find it who have something to do with it, and nowhere else.

use super::{at, charge, item, run_id, subscription};
use crate::payment::Nonce;
use crate::payment::asked::AccountId;
use crate::payment::tests::fixtures::{START, merchant, method_id};
use crate::recurring::ids::{Cause, RunId};
use crate::recurring::schedule::{Item as Charge, Processing, Retry, Schedule, State, Status, Tried};
use crate::stored::recurring::lists::{Entry, Index, runs_of, schedulers_of, schedules_of};
use crate::stored::recurring::schedule::entries;

fn ready(target: &str) -> Charge {
    charge(1, target, State::Ready)
}

fn processing(run: RunId, seconds: i64) -> Charge {
    let processing = Processing { nonce: Nonce(1), deadline: START, method: method_id(), due: at(seconds) };
    Charge { tried_by: Some(Tried { run, page: 1 }), ..charge(2, "2026-01-28", State::Processing(processing)) }
}

fn failed(retry: Option<i64>) -> Charge {
    let retry = retry.map(|seconds| Retry { at: at(seconds), with_other_method: false });
    charge(3, "2026-01-28", State::Failed { at: START, retry })
}

fn processed() -> Charge {
    charge(4, "2025-12-28", State::Processed { at: START })
}

#[test]
fn it_is_found_by_whoever_has_something_to_do_with_it() {
    let (merchant, id) = (merchant(), subscription().id);
    let lane = id.lane();
    let other_run = RunId::of(&merchant, Cause::Retries(at(1)));
    let entry = |index: Index, list: String, place: String| {
        Some(Entry { index, list: format!("{list}/{lane:02}"), place: format!("{place}#{}", id.id().as_str()) })
    };
    let digits = |seconds: i64| format!("00{}", at(seconds).as_millis());
    let (ready_list, retry_list) = (format!("ready/{}", merchant.as_str()), format!("retry/{}", merchant.as_str()));
    let on_day = |day: &str| entry(Index::Agenda, ready_list.clone(), day.to_owned());
    let open = |run: RunId, seconds: i64| entry(Index::Agenda, format!("open/{}", run.as_str()), digits(seconds));
    let again = |seconds: i64| entry(Index::Again, retry_list.clone(), digits(seconds));
    let rows = [
        (Status::Open, vec![], None, None),
        (Status::Open, vec![processed(), failed(None), charge(1, "2026-01-01", State::Draft)], None, None),
        (Status::Open, vec![ready("2026-02-28"), ready("2026-01-28"), processed()], on_day("2026-01-28"), None),
        (Status::Open, vec![failed(Some(60)), failed(Some(30))], None, again(30)),
        (Status::Open, vec![ready("2026-02-28"), failed(Some(60))], on_day("2026-02-28"), again(60)),
        (Status::Open, vec![ready("2026-01-28"), processing(run_id(), 5), failed(Some(60))], open(run_id(), 5), None),
        (Status::Open, vec![processing(run_id(), 5), processing(other_run, 4)], open(other_run, 4), None),
        // What is under way must be asked about, whatever anybody wants now.
        (Status::Canceled, vec![processing(run_id(), 5)], open(run_id(), 5), None),
        (Status::OnHold, vec![ready("2026-01-28"), failed(Some(60))], None, None),
        (Status::Draft, vec![ready("2026-01-28")], None, None),
        (Status::Completed, vec![processed()], None, None),
    ];
    for (status, items, agenda, again) in rows {
        let schedule = Schedule { status, items, ..subscription() };
        let made = Entry {
            index: Index::Of,
            list: schedules_of(&merchant, schedule.account.as_ref()),
            place: format!("{}#{}", digits(0), id.id().as_str()),
        };
        let expected: Vec<_> = [agenda, again, Some(made)].into_iter().flatten().collect();
        assert_eq!(entries(&schedule), expected, "{status:?}: {:?}", schedule.items);
        let item = item(&schedule);
        for index in Index::ALL {
            let entry = expected.iter().find(|entry| entry.index == index);
            assert_eq!(item.text(index.list()), entry.map(|entry| entry.list.as_str()));
            assert_eq!(item.text(index.place()), entry.map(|entry| entry.place.as_str()));
        }
    }
}

#[test]
fn an_accounts_schedules_are_on_one_list_whichever_form_of_its_id_was_given() {
    let merchant = merchant();
    let of = |text: &str| schedules_of(&merchant, AccountId::parse(text).as_ref());
    assert_eq!(of("001xx000003DHP0AAO"), "00D0M41bLKJJnxR/schedules/001xx000003DHP0");
    assert_eq!(of("001xx000003DHP0"), of("001xx000003DHP0AAO"));
    assert_eq!(schedules_of(&merchant, None), "00D0M41bLKJJnxR/schedules");
    assert_eq!(schedulers_of(&merchant), "00D0M41bLKJJnxR/schedulers");
    assert_eq!(runs_of(&merchant), "00D0M41bLKJJnxR/runs");
}
