//! On which lists a schedule is: where those find it who have something to do with it, and nowhere else.

use super::{at, charge, item, run_id, subscription};
use crate::payment::Nonce;
use crate::payment::tests::fixtures::{START, merchant, method_id};
use crate::recurring::ids::{Cause, RunId};
use crate::recurring::schedule::{Item as Charge, Processing, Retry, Schedule, State, Status, Tried};
use crate::stored::recurring::lists::{Entry, Index, List, through, through_day};
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
    let on_day = |day: &str| Some(Entry::on_day(List::ready(&merchant, lane), super::day(day), id.id()));
    let open = |run: RunId, seconds: i64| Some(Entry::at(List::open(run, lane), at(seconds), id.id()));
    let again = |seconds: i64| Some(Entry::at(List::retries(&merchant, lane), at(seconds), id.id()));
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
        let made = Entry::at(List::schedules_of(&merchant, schedule.account.as_ref()), START, id.id());
        let expected: Vec<_> = [agenda, again, Some(made)].into_iter().flatten().collect();
        assert_eq!(entries(&schedule), expected, "{status:?}: {:?}", schedule.items);
        let item = item(&schedule);
        for index in Index::ALL {
            let entry = expected.iter().find(|entry| entry.list.index == index);
            assert_eq!(item.text(index.list()), entry.map(|entry| entry.list.name.as_str()));
            assert_eq!(item.text(index.place()), entry.map(|entry| entry.place.as_str()));
        }
    }
}

#[test]
fn lists_and_places_are_named_as_the_indexes_have_them() {
    let (merchant, id) = (merchant(), subscription().id.id());
    let run = run_id();
    let account = |text: &str| crate::payment::asked::AccountId::parse(text);
    let rows = [
        (List::ready(&merchant, 7), "ready/00D0M41bLKJJnxR/07".to_owned()),
        (List::open(run, 63), format!("open/{}/63", run.as_str())),
        (List::retries(&merchant, 0), "retry/00D0M41bLKJJnxR/00".to_owned()),
        (List::schedulers_of(&merchant), "00D0M41bLKJJnxR/schedulers".to_owned()),
        (List::runs_of(&merchant), "00D0M41bLKJJnxR/runs".to_owned()),
        (List::schedules_of(&merchant, None), "00D0M41bLKJJnxR/schedules".to_owned()),
        (
            List::schedules_of(&merchant, account("001xx000003DHP0AAO").as_ref()),
            "00D0M41bLKJJnxR/schedules/001xx000003DHP0".to_owned(),
        ),
    ];
    for (list, name) in rows {
        assert_eq!(list.name, name);
    }
    let list = List::ready(&merchant, 7);
    let day = super::day("2026-01-28");
    assert_eq!(Entry::on_day(list.clone(), day, id).place, format!("2026-01-28#{}", id.as_str()));
    assert_eq!(Entry::at(list.clone(), START, id).place, format!("001790000000000#{}", id.as_str()));
    // The ends: everything of that day or moment is before, everything after it behind.
    let (next_day, next) = (super::day("2026-01-29"), at(1));
    assert!(Entry::on_day(list.clone(), day, id).place < through_day(day));
    assert!(through_day(day) < Entry::on_day(list.clone(), next_day, id).place);
    assert!(Entry::at(list.clone(), START, id).place < through(START));
    assert!(through(START) < Entry::at(list, next, id).place);
}
