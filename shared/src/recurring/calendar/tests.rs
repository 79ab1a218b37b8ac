//! The calendar against tables that somebody else worked out, and against counting day by day.

mod properties;
mod reading;
mod tables;

use super::*;

fn date(text: &str) -> Date {
    Date::parse(text).expect("a date")
}

/// `once`, `days 3`, `weeks 2 Sunday`, `months 1 L-1`, `years 1 29`, with `2026-01-31..2026-12-31 x5`
/// around it, the end and the count left out at will.
fn recurrence(rhythm: &str, span: &str) -> Recurrence {
    let (first, rest) = span.split_once("..").expect("a start");
    let (last, count) = match rest.split_once(" x") {
        Some((last, count)) => (last, Some(count.parse().expect("a count"))),
        None => (rest, None),
    };
    let last = (!last.is_empty()).then(|| date(last));
    let words: Vec<&str> = rhythm.split(' ').collect();
    let unit = match words[..] {
        ["once"] => return Recurrence::new(Rhythm::each(Unit::Days), date(first), last, Some(1)).expect("once"),
        ["days", _] => Unit::Days,
        ["weeks", _, day] => Unit::Weeks(parse_weekday(day).expect("a weekday")),
        ["months", _, day] => Unit::Months(MonthDay::parse(day).expect("a day")),
        ["years", _, day] => Unit::Years(MonthDay::parse(day).expect("a day")),
        _ => panic!("{rhythm:?} is no rhythm"),
    };
    let every = words[1].parse().expect("a number");
    let rhythm = Rhythm::new(every, unit).expect("a rhythm");
    Recurrence::new(rhythm, date(first), last, count).expect("a recurrence")
}

fn timetable(rhythm: &str, span: &str, at: &str) -> Timetable {
    let (at, zone) = at.split_once(' ').expect("a time and a zone");
    let (at, zone) = (TimeOfDay::parse(at).expect("a time"), Zone::parse(zone).expect("a zone"));
    Timetable { dates: recurrence(rhythm, span), at, zone }
}
