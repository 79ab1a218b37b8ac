//! On which lists a schedule is: where those find it who have something to do with it, and nowhere else.

use super::{at, charge, day, item, run_id, subscription};
use crate::payment::Nonce;
use crate::payment::asked::AccountId;
use crate::payment::tests::fixtures::{START, merchant};
use crate::recurring::ids::RunId;
use crate::recurring::schedule::{Item as Charge, Processing, Retry, Schedule, State, Status, Tried};
use crate::stored::recurring::lists::{Index, List, moment};

fn ready(target: &str) -> Charge {
    charge(1, target, State::Ready)
}

fn processing(run: RunId, seconds: i64) -> Charge {
    let processing = Processing { since: START, nonce: Nonce(1), deadline: START, due: at(seconds) };
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
    let place = |place: String| format!("{place}#{}", id.id().as_str());
    let digits = |seconds: i64| format!("00{}", at(seconds).as_millis());
    let on_day = |day: &str| Some((List::ready(&merchant, lane), place(day.to_owned())));
    let open = |run: RunId, seconds: i64| Some((List::open(run, lane), place(digits(seconds))));
    let again = |seconds: i64| Some((List::retries(&merchant, lane), place(digits(seconds))));
    let rows = [
        (Status::Open, vec![], None, None),
        (Status::Open, vec![processed(), failed(None), charge(1, "2026-01-01", State::Draft)], None, None),
        (Status::Open, vec![ready("2026-02-28"), ready("2026-01-28"), processed()], on_day("2026-01-28"), None),
        (Status::Open, vec![failed(Some(60)), failed(Some(30))], None, again(30)),
        (Status::Open, vec![ready("2026-02-28"), failed(Some(60))], on_day("2026-02-28"), again(60)),
        (
            Status::Open,
            vec![ready("2026-01-28"), processing(run_id(), 5), failed(Some(60))],
            on_day("2026-01-28"),
            open(run_id(), 5),
        ),
        // What is under way must be asked about, whatever anybody wants now.
        (Status::Canceled, vec![processing(run_id(), 5)], None, open(run_id(), 5)),
        (Status::OnHold { since: day("2026-01-01") }, vec![ready("2026-01-28"), failed(Some(60))], None, None),
        (Status::Draft, vec![ready("2026-01-28")], None, None),
        (Status::Completed, vec![processed()], None, None),
    ];
    for (status, items, agenda, again) in rows {
        let schedule = Schedule { status, items, ..subscription() };
        let made = (List::schedules_of(&merchant, schedule.account.as_ref()), place(digits(0)));
        let expected: Vec<_> = [agenda, again, Some(made)].into_iter().flatten().collect();
        let item = item(&schedule);
        for index in Index::ALL {
            let found = item.text(index.list()).zip(item.text(index.place()));
            let expected = expected.iter().find(|(list, _)| list.index == index);
            let expected = expected.map(|(list, place)| (list.name.as_str(), place.as_str()));
            assert_eq!(found, expected, "{status:?}: {:?}", schedule.items);
        }
    }
}

#[test]
fn a_place_says_when_unless_it_is_a_day() {
    let id = subscription().id.id();
    assert_eq!(moment(&List::made_at(at(7), id)), Some(at(7)));
    assert_eq!(moment("2026-01-28#5PS000000000001"), None);
    assert_eq!(moment("7"), None);
}

#[test]
fn an_accounts_schedules_are_on_one_list_whichever_form_of_its_id_was_given() {
    let merchant = merchant();
    let of = |text: &str| List::schedules_of(&merchant, AccountId::parse(text).as_ref()).name;
    assert_eq!(of("001xx000003DHP0AAO"), "00D0M41bLKJJnxR/schedules/001xx000003DHP0");
    assert_eq!(of("001xx000003DHP0"), of("001xx000003DHP0AAO"));
    assert_eq!(List::schedules_of(&merchant, None).name, "00D0M41bLKJJnxR/schedules");
    assert_eq!(List::active_schedulers_of(&merchant).name, "active/00D0M41bLKJJnxR");
    assert_eq!(List::schedulers_of(&merchant).name, "00D0M41bLKJJnxR/schedulers");
    assert_eq!(List::runs_of(&merchant).name, "00D0M41bLKJJnxR/runs");
}
