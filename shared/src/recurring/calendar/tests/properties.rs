//! Whatever the rhythm, the zone and the instant.

use std::collections::BTreeSet;

use super::*;
use crate::time::Timestamp;

const SEEDS: u64 = 1_000;
/// How many runs of a timetable are looked at.
const RUNS: usize = 30;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

fn some_date(random: &mut fastrand::Rng) -> Date {
    let last = Date::MIN.days_until(Date::MAX);
    let days = if random.u8(..8) == 0 { random.i64(0..=last) } else { random.i64(0..26_000) };
    Date::MIN.plus_days(days).expect("a date")
}

fn some_month_day(random: &mut fastrand::Rng) -> MonthDay {
    match random.u8(..4) {
        0 => MonthDay::from_last(random.u8(..=MAX_FROM_LAST)),
        1 => MonthDay::day(random.u8(28..=31)),
        _ => MonthDay::day(random.u8(1..=31)),
    }
    .expect("a day")
}

fn some_rhythm(random: &mut fastrand::Rng) -> Rhythm {
    let unit = match random.u8(..4) {
        0 => Unit::Days,
        1 => Unit::Weeks(some_date(random).weekday()),
        2 => Unit::Months(some_month_day(random)),
        _ => Unit::Years(some_month_day(random)),
    };
    let every = if random.u8(..8) == 0 { random.u16(1..=MAX_EVERY) } else { random.u16(1..=5) };
    Rhythm::new(every, unit).expect("a rhythm")
}

fn some_time(random: &mut fastrand::Rng) -> TimeOfDay {
    let [hour, minute, second, millis] = [24, 60, 60, 1000].map(|end| random.u16(..end));
    let text = match random.u8(..3) {
        0 => format!("{:02}:{:02}", [0, 1, 2, 3, 23][usize::from(hour) % 5], [0, 15, 30, 45][usize::from(minute) % 4]),
        1 => ["00:00:00.000", "23:59:59.999"][usize::from(hour) % 2].to_owned(),
        _ => format!("{hour:02}:{minute:02}:{second:02}.{millis:03}"),
    };
    TimeOfDay::parse(&text).expect("a time")
}

fn zones() -> Vec<Zone> {
    let names = jiff::tz::TimeZoneDatabase::bundled();
    let zones: Vec<Zone> = names.available().filter_map(|name| Zone::parse(name.as_str()).ok()).collect();
    assert!(zones.len() > 590, "{}", zones.len());
    zones
}

/// Whether a day fits, by nothing but the day itself.
fn fits(rhythm: Rhythm, start: Date, day: Date) -> bool {
    let months = |date: Date| i64::from(date.civil().year()) * 12 + i64::from(date.civil().month());
    let every = i64::from(rhythm.every());
    let on = |anchor: MonthDay| {
        let length = day.civil().days_in_month();
        match anchor.to_string().split_once('L') {
            Some((_, "")) => day.civil().day() == length,
            Some((_, back)) => day.civil().day() == length + back.parse::<i8>().expect("a number"),
            None => day.civil().day() == anchor.to_string().parse::<i8>().expect("a number").min(length),
        }
    };
    match rhythm.unit() {
        Unit::Days => start.days_until(day) % every == 0,
        Unit::Weeks(weekday) => day.weekday() == weekday && start.days_until(day) % (7 * every) == 0,
        Unit::Months(anchor) => on(anchor) && (months(day) - months(start)) % every == 0,
        Unit::Years(anchor) => on(anchor) && (months(day) - months(start)) % (12 * every) == 0,
    }
}

#[test]
fn the_dates_are_the_days_that_fit_and_no_others() {
    for seed in 0..SEEDS / 8 {
        let random = &mut fastrand::Rng::with_seed(seed);
        let (rhythm, first) = (some_rhythm(random), some_date(random));
        let Some(start) = rhythm.occurrence(first, 0) else { continue };
        assert!(first <= start && first.days_until(start) < 32, "seed {seed}");
        let mut n = 0;
        for days in 0..500 {
            let Some(day) = first.plus_days(days) else { break };
            let expected = day >= start && fits(rhythm, start, day);
            assert_eq!(rhythm.occurrence(first, n) == Some(day), expected, "seed {seed}: {rhythm}, {day}");
            let next = rhythm.first_on_or_after(first, day);
            assert_eq!(next, rhythm.occurrence(first, n).map(|date| (n, date)), "seed {seed}: {rhythm}, {day}");
            n += u32::from(expected);
        }
    }
}

#[test]
fn a_date_far_away_is_found_by_its_number_and_the_number_by_its_date() {
    for seed in 0..SEEDS {
        let random = &mut fastrand::Rng::with_seed(seed);
        let (rhythm, first, from) = (some_rhythm(random), some_date(random), some_date(random));
        let Some((n, found)) = rhythm.first_on_or_after(first, from) else {
            assert!(from.days_until(Date::MAX) < 366 * 1000, "seed {seed}");
            continue;
        };
        assert!(found >= from && found >= first, "seed {seed}");
        assert_eq!(rhythm.occurrence(first, n), Some(found), "seed {seed}");
        assert_eq!(rhythm.first_on_or_after(first, found), Some((n, found)), "seed {seed}");
        if let Some(before) = n.checked_sub(1).and_then(|n| rhythm.occurrence(first, n)) {
            assert!(before < from, "seed {seed}");
        }
        assert_eq!(rhythm.occurrence(first, u32::MAX), None, "seed {seed}");
    }
}

/// Walks from run to run, and compares with the dates one by one.
fn walk(timetable: &Timetable, runs: usize, about: &str) {
    let mut after = Timestamp::from_millis(i64::MIN);
    for date in timetable.dates.dates_from(0).take(runs) {
        let run = timetable.next_after(after).expect("a run");
        assert_eq!(run.date, date, "{about}");
        assert!(run.at > after, "{about}: {date}");
        assert_eq!(timetable.run_on(date), Some(run.at), "{about}");
        after = run.at;
    }
    if timetable.dates.dates_from(0).nth(runs).is_none() {
        assert_eq!(timetable.next_after(after), None, "{about}");
    }
}

#[test]
fn whoever_goes_from_run_to_run_comes_by_every_date_once_and_in_order() {
    let zones = zones();
    for seed in 0..SEEDS {
        let random = &mut fastrand::Rng::with_seed(seed);
        let (rhythm, first) = (some_rhythm(random), some_date(random));
        let last = random.bool().then(|| first.plus_days(random.i64(0..400))).flatten();
        let count = random.bool().then(|| random.u32(1..40));
        let dates = Recurrence::new(rhythm, first, last, count).expect("a recurrence");
        let zone = random.choice(&zones).expect("a zone").clone();
        let timetable = Timetable { dates, at: some_time(random), zone };
        walk(&timetable, RUNS, &format!("seed {seed}: {timetable:?}"));

        // From anywhere between them: the first that is later, found by looking at each.
        let runs: Vec<Run> = dates
            .dates_from(0)
            .take(RUNS)
            .map(|date| Run { date, at: timetable.run_on(date).expect("an instant") })
            .collect();
        let Some(run) = random.choice(&runs) else { continue };
        let by_ms = random.choice([0, 1, DAY_MS, 20 * DAY_MS]).expect("a distance");
        let instant = Timestamp::from_millis(run.at.as_millis() + random.i64(-by_ms..=by_ms));
        let expected = runs.iter().find(|run| run.at > instant);
        if expected.is_some() || runs.len() < RUNS {
            assert_eq!(timetable.next_after(instant), expected.copied(), "seed {seed}: after {instant}");
        }
    }
}

#[test]
fn no_change_of_any_zones_clocks_makes_a_date_be_left_out_or_come_twice() {
    let mut random = fastrand::Rng::with_seed(1);
    let since: jiff::Timestamp = "1970-01-05T00:00Z".parse().expect("an instant");
    let until: jiff::Timestamp = "2040-01-01T00:00Z".parse().expect("an instant");
    // Zones that change alike at one instant are looked at once.
    let mut seen = BTreeSet::new();
    for zone in zones() {
        let rules = jiff::tz::TimeZoneDatabase::bundled().get(zone.name()).expect("a zone");
        for change in rules.following(since).take_while(|change| change.timestamp() < until) {
            let at = change.timestamp();
            let before = rules.to_offset(at - jiff::SignedDuration::from_secs(1));
            if !seen.insert((at, before, change.offset())) {
                continue;
            }
            let first = zone.day_before(Timestamp::from_millis(at.as_millisecond())).plus_days(-1).expect("a date");
            let dates = Recurrence::new(Rhythm::each(Unit::Days), first, None, Some(5)).expect("dates");
            let timetable = Timetable { dates, at: some_time(&mut random), zone: zone.clone() };
            walk(&timetable, 5, &format!("{timetable:?}"));
        }
    }
    assert!(seen.len() > 5_000, "{}", seen.len());
}

#[test]
fn the_ends_of_time_are_answered_too() {
    let zones = zones();
    for zone in zones {
        for at in ["00:00", "23:59:59.999"] {
            let at = TimeOfDay::parse(at).expect("a time");
            let timetable = |first| Timetable {
                dates: Recurrence::new(Rhythm::each(Unit::Days), first, None, None).expect("dates"),
                at,
                zone: zone.clone(),
            };
            let run = |date| zone.instant(date, at).map(|at| Run { date, at });
            let [least, most] = [i64::MIN, i64::MAX].map(Timestamp::from_millis);
            assert!(run(Date::MIN).is_some() && run(Date::MAX).is_some(), "{zone}");
            assert_eq!(timetable(Date::MIN).next_after(least), run(Date::MIN), "{zone}");
            assert_eq!(timetable(Date::MAX).next_after(least), run(Date::MAX), "{zone}");
            assert_eq!(timetable(Date::MIN).next_after(most), None, "{zone}");
            let end = zone.instant(Date::MAX, at).expect("an instant");
            assert_eq!(timetable(Date::MIN).next_after(end), None, "{zone}");
        }
    }
}

#[test]
fn no_text_is_too_strange_to_be_read_or_refused() {
    let seeds = ["2026-01-31", "23:59:59.999", "Asia/Tokyo", "L-9", "28", "Sunday", "EST5EDT"];
    let strange = ['-', ':', '.', '0', '9', 'L', '/', '+', 'é', '０', '\0', '\u{10ffff}'];
    for seed in 0..SEEDS * 10 {
        let random = &mut fastrand::Rng::with_seed(seed);
        let mut text: Vec<char> = random.choice(seeds).expect("a text").chars().collect();
        for _ in 0..random.u8(1..4) {
            let place = random.usize(..=text.len());
            match random.u8(..3) {
                0 if place < text.len() => drop(text.remove(place)),
                1 if place < text.len() => text[place] = random.choice(strange).expect("a character"),
                _ => text.insert(place, random.choice(strange).expect("a character")),
            }
        }
        let text: String = text.into_iter().collect();
        if let Ok(date) = Date::parse(&text) {
            assert_eq!(date.to_string(), text);
        }
        if let Ok(time) = TimeOfDay::parse(&text) {
            assert!(time.to_string().starts_with(&text), "{text:?}");
        }
        if let Ok(zone) = Zone::parse(&text) {
            assert!(zone.name().eq_ignore_ascii_case(&text), "{text:?}");
        }
        if let Ok(day) = MonthDay::parse(&text) {
            assert_eq!(day.to_string(), text);
        }
        if let Ok(day) = parse_weekday(&text) {
            assert_eq!(weekday_name(day), text);
        }
    }
}
