//! `dates.txt` and `zones.txt`: cases of the calendar with the instants that come of them, in UTC. They
//! were computed with Python's `datetime` and `zoneinfo` on release 2026f of the database, day by day.
//!
//! A case is what it shows, then rhythm, span, time and zone, and after which instant is asked (without:
//! before everything); then the runs, date and instant, and whether it goes on.

use super::*;
use crate::time::Timestamp;

const CASES: usize = 105;

#[test]
fn every_case_of_the_tables_has_the_runs_that_are_written_there() {
    let tables = [include_str!("dates.txt"), include_str!("zones.txt")];
    let cases = tables.iter().flat_map(|table| table.trim_end().split("\n\n")).map(check).count();
    assert_eq!(cases, CASES);
}

fn check(case: &str) {
    let mut lines = case.lines().map(str::trim);
    let about = lines.next().expect("what it shows");
    let columns: Vec<&str> = lines.next().expect("columns").split(" | ").collect();
    let timetable = timetable(columns[0], columns[1], columns[2]);
    let mut after = columns.get(3).map_or(Timestamp::from_millis(i64::MIN), |column| {
        let instant = column.strip_prefix("after ").expect("an instant");
        Timestamp::parse(instant).expect("an instant")
    });
    let mut runs: Vec<&str> = lines.flat_map(|line| line.split(" | ")).collect();
    let end = runs.pop();
    for run in runs {
        let (day, instant) = run.split_once(' ').expect("a date and an instant");
        let expected = Run { date: date(day), at: Timestamp::parse(instant).expect("an instant") };
        assert_eq!(timetable.next_after(after), Some(expected), "{about}: {run}");
        assert_eq!(timetable.run_on(expected.date), Some(expected.at), "{about}: {run}");
        after = expected.at;
    }
    let goes_on = timetable.next_after(after).is_some();
    assert_eq!(end, Some(if goes_on { "and on" } else { "end" }), "{about}");
}
