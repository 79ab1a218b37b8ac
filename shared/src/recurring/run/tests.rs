//! Runs and their lanes: what is counted, when somebody must look again, and when all of it has ended.

use super::*;
use crate::payment::tests::fixtures::{START, key, merchant};

const SECOND: Duration = Duration::from_secs(1);

fn after(seconds: u32) -> Timestamp {
    START.plus(SECOND * seconds)
}

fn new() -> Run {
    let takes = Takes::ReadyOn(Date::parse("2026-09-21").expect("a date"));
    Run::new(merchant(), Cause::Asked(&key("now")), takes, Criteria::default(), START)
}

/// One that began with these lanes.
fn begun(lanes: u64) -> Run {
    new().started(lanes, START)
}

fn counts(listed: u64, seen: u64, processed: u64, failed: u64, pending: u64) -> Counts {
    Counts { listed, seen, processed, failed, pending }
}

/// Somebody holds it, and its list has so many.
fn lane(listed: u64) -> Lane {
    Lane::new(merchant(), new().id, 3, listed, START).held(Nonce(7), after(25), START)
}

fn schedules(numbers: std::ops::Range<u8>) -> Vec<ScheduleId> {
    numbers.map(|number| ScheduleId::made_under(&merchant(), &key(&number.to_string()))).collect()
}

/// A page of the list.
fn page(numbers: std::ops::Range<u8>, cursor: &str) -> Page {
    Page::Listed { schedules: schedules(numbers), cursor: cursor.to_owned() }
}

/// What was left open, once more.
fn open(numbers: std::ops::Range<u8>) -> Page {
    Page::Open(schedules(numbers))
}

/// What came of a page.
fn came(processed: u64, failed: u64, pending: u64) -> Counts {
    Counts { processed, failed, pending, ..Counts::default() }
}

/// A lane that has charged two schedules of its list, of which one is pending, and knows of no more.
fn waiting() -> Lane {
    let lane = lane(2).turned(Counts::default(), page(0..2, "b"), after(1));
    lane.turned(came(1, 0, 1), Page::End(Some(after(60))), after(2))
}

#[test]
fn the_lanes_are_the_bits_from_the_lowest() {
    assert_eq!(lanes(0).count(), 0);
    assert_eq!(lanes(1 | 1 << 5 | 1 << 63).collect::<Vec<_>>(), [0, 5, 63]);
    assert_eq!(lanes(u64::MAX).count(), usize::from(LANES));
}

#[test]
fn a_run_is_looked_at_when_it_is_made_and_one_that_tries_again_at_its_time() {
    assert_eq!((new().status, new().due, new().is_retry()), (Status::New, Some(START), false));
    for (at, due) in [(after(60), after(60)), (START, START), (Timestamp::from_millis(0), START)] {
        let run = Run::new(merchant(), Cause::Retries(at), Takes::RetriesBy(at), Criteria::default(), START);
        assert_eq!((run.due, run.is_retry(), run.scheduler), (Some(due), true, None));
    }
}

#[test]
fn a_run_without_lanes_has_ended_with_its_start() {
    let run = begun(0b11);
    assert_eq!((run.status, run.started_at, run.completed_at), (Status::Started, Some(START), None));
    assert_eq!((run.lanes, run.due, run.version), (0b11, Some(START), 2));
    let nothing = begun(0);
    assert_eq!((nothing.status, nothing.completed_at, nothing.due), (Status::Completed, Some(START), None));
    assert!(run.goes_on() && !nothing.goes_on());
}

#[test]
fn a_run_sums_up_its_lanes_and_ends_with_the_last_of_them() {
    let done =
        lane(2).turned(Counts::default(), page(0..2, "b"), START).turned(came(1, 1, 0), Page::End(None), after(1));
    assert!(done.is_done());
    let (busy, run) = (lane(7), begun(0b11));
    let summed = run.summed(&[done.clone(), busy.clone()], after(10));
    assert_eq!(summed.counts, counts(9, 2, 1, 1, 0));
    assert_eq!((summed.status, summed.completed_at, summed.version), (Status::Started, None, run.version + 1));
    assert_eq!(summed.due, Some(after(40)));
    // What was summed up before does not count again.
    let last =
        busy.turned(Counts::default(), page(2..9, "i"), after(11)).turned(came(7, 0, 0), Page::End(None), after(12));
    let ended = summed.summed(&[done.clone(), last], after(13));
    assert_eq!(ended.counts, counts(9, 9, 8, 1, 0));
    assert_eq!((ended.status, ended.completed_at, ended.due), (Status::Completed, Some(after(13)), None));
    // What is pending is waited for.
    let summed = run.summed(&[done, waiting()], after(13));
    assert_eq!((summed.status, summed.counts.pending, summed.completed_at), (Status::Started, 1, None));
}

#[test]
fn a_run_that_goes_on_for_long_is_looked_at_less_and_less() {
    for (age, wait) in [(0, 30), (240, 30), (480, 60), (8 * 3600, 3600), (24 * 3600, 3600)] {
        let summed = begun(1).summed(&[lane(1)], after(age));
        assert_eq!(summed.due, Some(after(age + wait)), "after {age} s");
    }
}

#[test]
fn a_run_that_is_stopped_stays_so_and_ends_with_what_it_had_begun() {
    let stopped = begun(1).stopped().expect("it goes on");
    assert_eq!((stopped.status, stopped.due, stopped.version), (Status::Stopped, Some(START), 3));
    assert_eq!((stopped.completed_at, stopped.goes_on(), stopped.stopped()), (None, false, None));
    let waits = stopped.summed(&[waiting()], after(3));
    assert_eq!((waits.status, waits.completed_at, waits.due), (Status::Stopped, None, Some(after(33))));
    let done = waiting().turned(Counts::default(), Page::End(None), after(90));
    let done = done.turned(Counts::default(), Page::End(None), after(180));
    let ended = waits.summed(&[done], after(180));
    assert_eq!((ended.status, ended.completed_at, ended.due), (Status::Stopped, Some(after(180)), None));
    assert_eq!(ended.stopped(), None);
    assert_eq!(new().stopped().map(|run| run.status), Some(Status::Stopped), "before it has started");
    assert_eq!(begun(0).stopped(), None, "it is over");
    assert_eq!(Run { status: Status::Failed, ..new() }.stopped(), None);
}

#[test]
fn a_run_is_expected_to_end_as_it_has_gone_so_far_and_no_faster_than_its_gateways() {
    // A hundred of three hundred seen, after ten seconds.
    let run = Run { counts: counts(300, 100, 0, 0, 0), ..begun(1) };
    let none_seen = Run { counts: counts(300, 0, 0, 0, 0), ..begun(1) };
    let all_seen = Run { counts: counts(300, 300, 0, 0, 0), ..begun(1) };
    let rows = [
        (&run, None, Some(20_000)),
        (&run, Some(25), Some(20_000)),
        (&run, Some(5), Some(40_000)),
        (&run, Some(0), Some(20_000)),
        (&none_seen, None, None),
        (&none_seen, Some(0), None),
        (&none_seen, Some(40), Some(7_500)),
        (&all_seen, Some(1), Some(0)),
    ];
    for (run, per_second, millis) in rows {
        let end = millis.map(|millis| after(10).plus(Duration::from_millis(millis)));
        assert_eq!(run.expected_end(per_second, after(10)), end, "{:?} at {per_second:?}", run.counts);
    }
    for status in [Status::New, Status::Completed, Status::Stopped, Status::Failed] {
        let run = Run { status, ..run.clone() };
        assert_eq!(run.expected_end(Some(5), after(10)), None, "{status:?}");
    }
    assert_eq!(new().expected_end(Some(5), after(10)), None);
}

#[test]
fn a_lane_is_held_until_its_holder_must_be_gone() {
    let free = Lane::new(merchant(), new().id, 3, 9, START);
    assert_eq!((free.due, free.held_until(START), free.counts), (Some(START), None, counts(9, 0, 0, 0, 0)));
    let held = free.held(Nonce(7), after(25), START);
    assert_eq!((held.due, held.version), (Some(after(30)), free.version + 1));
    assert_eq!(held.held_until(after(29)), Some(after(30)));
    assert_eq!(held.held_until(after(30)), None);
}

#[test]
fn a_page_of_the_list_is_seen_when_it_is_done_with() {
    let begun = lane(5).turned(Counts::default(), page(0..3, "c"), after(1));
    assert_eq!((begun.page, begun.schedules.len(), begun.is_read), (1, 3, false));
    assert_eq!((begun.cursor.as_deref(), begun.counts), (Some("c"), counts(5, 0, 0, 0, 0)));
    assert_eq!((begun.due, begun.holder), (Some(after(30)), lane(5).holder), "whoever holds it goes on");
    let next = begun.turned(came(2, 1, 1), page(3..5, "e"), after(2));
    assert_eq!((next.page, &next.schedules, next.is_read), (2, &schedules(3..5), false));
    assert_eq!((next.cursor.as_deref(), next.counts), (Some("e"), counts(5, 3, 2, 1, 1)));
    assert_eq!(next.tried(), Tried { run: new().id, page: 2 });
}

#[test]
fn what_comes_up_again_was_pending_and_is_not_seen_twice() {
    let first = lane(5).turned(Counts::default(), page(0..3, "c"), after(1));
    let again = first.turned(came(1, 0, 2), open(1..3), after(2));
    assert_eq!(again.counts, counts(5, 3, 1, 0, 2));
    assert_eq!((again.is_open, again.is_read, again.cursor.as_deref(), again.page), (true, false, Some("c"), 2));
    // The list goes on behind what was read of it before.
    let charged = again.turned(came(1, 0, 1), page(3..5, "e"), after(3));
    assert_eq!(charged.counts, counts(5, 3, 2, 0, 1), "one is known by now, the other is not");
    assert_eq!((charged.is_open, charged.cursor.as_deref(), charged.page), (false, Some("e"), 3));
    let charged = charged.turned(came(2, 0, 0), Page::End(Some(after(60))), after(4));
    assert_eq!(charged.counts, counts(5, 5, 4, 0, 1));
    let last = charged.turned(Counts::default(), open(2..3), after(60));
    let last = last.turned(came(0, 1, 0), Page::End(None), after(61));
    assert_eq!(last.counts, counts(5, 5, 4, 1, 0));
    assert!(last.is_done());
}

#[test]
fn a_lane_without_time_goes_on_behind_what_it_has_done() {
    let page_of_two = lane(5).turned(Counts::default(), page(0..2, "b"), after(1));
    let later = page_of_two.turned(came(2, 0, 0), Page::Later(after(22)), after(20));
    assert_eq!((later.due, later.holder, later.is_read), (Some(after(22)), None, false));
    assert_eq!((later.schedules.len(), later.cursor.as_deref()), (0, Some("b")));
    assert_eq!(later.counts, counts(5, 2, 2, 0, 0));
}

#[test]
fn a_lane_that_is_read_waits_for_what_is_pending() {
    let waits = waiting();
    assert_eq!((waits.due, waits.holder, waits.is_read), (Some(after(60)), None, true));
    assert_eq!((waits.counts, waits.is_done()), (counts(2, 2, 1, 0, 1), false));
    // What is pending is on no list: lists may lag, so somebody looks once more before that counts as known.
    let lagging = waits.turned(Counts::default(), Page::End(None), after(70));
    assert_eq!((lagging.due, lagging.is_read, lagging.is_done()), (Some(after(70 + 60)), true, false));
    assert_eq!(lagging.counts, counts(2, 2, 1, 0, 0));
    let done = lagging.turned(Counts::default(), Page::End(None), after(130));
    assert_eq!((done.due, done.holder, done.is_done()), (None, None, true));
}

#[test]
fn a_lane_whose_list_is_empty_has_ended() {
    let done = lane(0).turned(Counts::default(), Page::End(None), after(1));
    assert_eq!((done.due, done.is_read, done.holder, done.counts), (None, true, None, Counts::default()));
    assert!(done.is_done());
    assert!(!Lane { is_read: false, ..done }.is_done(), "its list was not read");
}

/// Other runs hold something up on its list, or in what it has open.
fn held_up(lane: Lane, until: u32) -> Lane {
    Lane { back: Some(after(until)), ..lane }
}

#[test]
fn a_lane_reads_its_list_again_for_what_other_runs_hold_up() {
    let first = lane(4).turned(Counts::default(), page(0..2, "b"), after(1));
    let second = held_up(first, 31).turned(came(1, 0, 0), page(2..4, "d"), after(2));
    let read = second.turned(came(2, 0, 0), Page::End(None), after(3));
    assert_eq!((read.due, read.is_read, read.is_done()), (Some(after(31)), true, false));
    assert_eq!(read.counts, counts(4, 4, 3, 0, 0));
    let early = read.held(Nonce(8), after(55), after(30));
    assert_eq!(
        (early.is_read, early.cursor.as_deref(), early.back),
        (true, Some("d"), Some(after(31))),
        "it is not time"
    );
    let again = read.held(Nonce(8), after(56), after(31));
    assert_eq!((again.is_read, &again.cursor, again.back), (false, &None, None));
    // What it comes upon once more was seen.
    let again = again.turned(Counts::default(), page(1..2, "b"), after(32));
    let done = again.turned(came(1, 0, 0), Page::End(None), after(33));
    assert_eq!(done.counts, counts(4, 4, 4, 0, 0));
    assert!(done.is_done());
}

#[test]
fn a_lane_that_reads_its_list_begins_it_anew_at_its_end_and_no_sooner() {
    let first = lane(9).turned(Counts::default(), page(0..2, "b"), after(1));
    let later = held_up(first, 10).turned(came(2, 0, 0), Page::Later(after(20)), after(20));
    let on = later.held(Nonce(8), after(45), after(20));
    assert_eq!((on.is_read, on.cursor.as_deref(), on.back), (false, Some("b"), Some(after(10))));
}

#[test]
fn a_lane_comes_back_for_what_it_finds_held_up_in_what_was_open() {
    let opened = waiting().turned(Counts::default(), open(0..1), after(60));
    let read = held_up(opened, 90).turned(came(1, 0, 0), Page::End(None), after(61));
    assert_eq!((read.due, read.is_read), (Some(after(90)), true));
    let again = read.held(Nonce(8), after(115), after(90));
    assert!(!again.is_read, "its list is read again");
    // What is pending is not forgotten meanwhile: what is due first comes first, and lists may lag.
    let waits = held_up(lane(2), 90).turned(came(0, 0, 1), Page::End(Some(after(60))), after(2));
    assert_eq!((waits.due, waits.back), (Some(after(60)), Some(after(90))));
    let lags = held_up(lane(2), 90).turned(came(0, 0, 1), Page::End(None), after(2));
    assert_eq!((lags.due, lags.back, lags.counts.pending), (Some(after(2 + 60)), Some(after(90)), 0));
}

#[test]
fn a_run_that_is_stopped_does_not_wait_for_others() {
    let only_comes_back = held_up(lane(2), 90).turned(came(2, 0, 0), Page::End(None), after(2));
    let pending = held_up(lane(2), 90).turned(came(1, 0, 1), Page::End(Some(after(100))), after(2));
    let stopped = begun(1).stopped().expect("it goes on");
    let ended = stopped.summed(std::slice::from_ref(&only_comes_back), after(3));
    assert_eq!((ended.status, ended.completed_at), (Status::Stopped, Some(after(3))));
    assert_eq!(stopped.summed(&[pending], after(3)).completed_at, None);
    assert_eq!(stopped.summed(&[lane(2)], after(3)).completed_at, None, "somebody is at work");
    assert_eq!(begun(1).summed(&[only_comes_back], after(3)).completed_at, None);
}

#[test]
fn a_run_comes_back_less_and_less() {
    for (age, wait) in [(0, 30), (240, 30), (480, 60), (8 * 3600, 3600), (16 * 24 * 3600, 2 * 24 * 3600)] {
        assert_eq!(begun(1).comes_back(after(age)), after(age + wait), "after {age} s");
    }
}

#[test]
fn a_lane_that_is_released_keeps_its_page() {
    let begun = lane(5).turned(Counts::default(), page(0..3, "c"), after(1));
    let released = begun.released(after(20));
    let expected = Lane { holder: None, due: Some(after(20)), version: begun.version + 1, ..begun };
    assert_eq!(released, expected);
}
