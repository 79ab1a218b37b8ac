//! What is read and what is refused, and that what prints reads back.

use super::*;

fn check<T: ToString>(parse: fn(&str) -> Result<T, Unfit>, refusal: Unfit, rows: &[(&str, Option<&str>)]) {
    for (text, printed) in rows {
        let read = parse(text).map(|value| value.to_string());
        assert_eq!(read.as_deref(), printed.ok_or(&refusal).map_err(|unfit| *unfit).as_deref(), "{text:?}");
        if let Some(printed) = printed {
            assert_eq!(parse(printed).map(|value| value.to_string()).as_deref(), Ok(*printed), "{text:?}");
        }
    }
}

#[test]
fn a_date_is_a_day_that_exists_in_one_spelling() {
    check(
        Date::parse,
        Unfit::Date,
        &[
            ("2026-01-31", Some("2026-01-31")),
            ("2024-02-29", Some("2024-02-29")),
            ("2000-02-29", Some("2000-02-29")),
            ("1970-01-01", Some("1970-01-01")),
            ("2999-12-31", Some("2999-12-31")),
            ("2026-02-29", None),
            ("2100-02-29", None),
            ("2026-04-31", None),
            ("2026-00-10", None),
            ("2026-13-10", None),
            ("2026-01-00", None),
            ("1969-12-31", None),
            ("3000-01-01", None),
            ("0000-01-01", None),
            ("-2026-01-01", None),
            ("+2026-01-01", None),
            ("002026-01-01", None),
            ("2026-1-1", None),
            ("20260101", None),
            ("2026-W01-1", None),
            ("2026-001", None),
            ("2026-01-31T00:00:00Z", None),
            ("2026-01-31 ", None),
            (" 2026-01-31", None),
            ("2026/01/31", None),
            ("２０２６-01-31", None),
            ("2026-01-+1", None),
            ("", None),
        ],
    );
}

#[test]
fn a_time_of_day_has_milliseconds_and_no_zone() {
    check(
        TimeOfDay::parse,
        Unfit::Time,
        &[
            ("02:05", Some("02:05:00.000")),
            ("02:05:09", Some("02:05:09.000")),
            ("02:05:09.007", Some("02:05:09.007")),
            ("00:00", Some("00:00:00.000")),
            ("23:59:59.999", Some("23:59:59.999")),
            ("24:00", None),
            ("23:60", None),
            ("23:59:60", None),
            ("2:05", None),
            ("02", None),
            ("0205", None),
            ("02:05:", None),
            ("02:05:09.", None),
            ("02:05:09.7", None),
            ("02:05:09.0070", None),
            ("02:05:09,007", None),
            ("02:05.500", None),
            ("02:05Z", None),
            ("02:05:09.007Z", None),
            ("02:05:09+09:00", None),
            ("2026-01-01T02:05", None),
            ("-2:05", None),
            ("", None),
        ],
    );
}

#[test]
fn a_zone_is_a_name_of_the_database_in_its_own_spelling() {
    check(
        Zone::parse,
        Unfit::Zone,
        &[
            ("Asia/Tokyo", Some("Asia/Tokyo")),
            ("america/argentina/comodrivadavia", Some("America/Argentina/ComodRivadavia")),
            ("AMERICA/NEW_YORK", Some("America/New_York")),
            ("Asia/Calcutta", Some("Asia/Calcutta")),
            ("Asia/Kolkata", Some("Asia/Kolkata")),
            ("UTC", Some("UTC")),
            ("utc", Some("UTC")),
            ("Etc/UTC", Some("Etc/UTC")),
            ("Etc/GMT+5", Some("Etc/GMT+5")),
            ("EST5EDT", Some("EST5EDT")),
            ("Z", None),
            ("+09:00", None),
            ("UTC+9", None),
            ("JST-9", None),
            ("EST5EDT,M3.2.0,M11.1.0", None),
            ("<+09>-9", None),
            ("JST", None),
            ("local", None),
            ("Etc/Unknown", None),
            ("Factory", None),
            ("Asia/Nowhere", None),
            ("Asia", None),
            ("Asia/", None),
            ("../../etc/localtime", None),
            ("Asia/Tokyo ", None),
            ("Asia/Tokyo\0", None),
            ("", None),
        ],
    );
}

#[test]
fn a_day_of_the_month_is_counted_from_either_end() {
    check(
        MonthDay::parse,
        Unfit::MonthDay,
        &[
            ("1", Some("1")),
            ("28", Some("28")),
            ("31", Some("31")),
            ("L", Some("L")),
            ("L-1", Some("L-1")),
            ("L-9", Some("L-9")),
            ("0", None),
            ("32", None),
            ("05", None),
            ("+5", None),
            ("-1", None),
            ("256", None),
            ("99999999999", None),
            ("1.0", None),
            ("l", None),
            ("L-0", None),
            ("L-10", None),
            ("L-31", None),
            ("L-", None),
            ("L1", None),
            ("L--1", None),
            ("Last", None),
            ("", None),
        ],
    );
    assert_eq!(MonthDay::from_last(10), Err(Unfit::MonthDay));
    assert_eq!(MonthDay::day(0), Err(Unfit::MonthDay));
    assert_eq!(MonthDay::of(date("2026-02-28")), MonthDay::day(28).expect("a day"));
}

#[test]
fn a_weekday_is_spelt_as_on_the_wire() {
    let name = |text: &str| parse_weekday(text).map(weekday_name);
    for day in ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] {
        assert_eq!(name(day), Ok(day));
    }
    for text in ["sunday", "SUNDAY", "Sun", "Someday", "0", ""] {
        assert_eq!(name(text), Err(Unfit::Weekday), "{text:?}");
    }
    assert_eq!(weekday_name(date("2026-11-23").weekday()), "Monday");
}

#[test]
fn dates_and_times_sort_as_their_texts_do() {
    let dates = ["1970-01-01", "1999-12-31", "2026-01-31", "2026-02-01", "2999-12-31"].map(date);
    assert!(dates.is_sorted());
    let times = ["00:00", "00:00:00.001", "09:59:59.999", "10:00"].map(|text| TimeOfDay::parse(text).expect("a time"));
    assert!(times.is_sorted());
    let zones = ["America/New_York", "Asia/Tokyo", "UTC"].map(|text| Zone::parse(text).expect("a zone"));
    assert!(zones.is_sorted());
    assert_eq!(Zone::parse("asia/tokyo"), Zone::parse("Asia/Tokyo"));
    assert_ne!(Zone::parse("Asia/Calcutta"), Zone::parse("Asia/Kolkata"), "one offset, two names");
}

#[test]
fn a_rhythm_reads_in_plain_words() {
    let rows = [
        ("days 1", "daily"),
        ("days 10", "every 10 days"),
        ("weeks 1 Sunday", "weekly on Sunday"),
        ("weeks 2 Friday", "every 2 weeks on Friday"),
        ("months 1 28", "monthly on day 28"),
        ("months 3 L", "every 3 months on the last day"),
        ("months 1 L-1", "monthly on the day before the last"),
        ("months 1 L-2", "monthly on the day 2 days before the last"),
        ("years 1 29", "yearly on day 29"),
        ("years 5 1", "every 5 years on day 1"),
    ];
    for (rhythm, words) in rows {
        assert_eq!(recurrence(rhythm, "2026-01-01..").rhythm().to_string(), words);
    }
}

#[test]
fn a_recurrence_reads_in_plain_words() {
    let rows = [
        ("once", "2026-05-01..2026-12-31", "once on 2026-05-01"),
        ("weeks 1 Sunday", "2026-05-01.. x1", "once on 2026-05-03"),
        ("days 1", "2026-05-01..", "daily from 2026-05-01"),
        ("months 1 28", "2026-01-01..2026-12-31", "monthly on day 28 from 2026-01-01 until 2026-12-31"),
        ("weeks 1 Sunday", "2026-01-01.. x5", "weekly on Sunday from 2026-01-01, 5 times"),
    ];
    for (rhythm, span, words) in rows {
        assert_eq!(recurrence(rhythm, span).to_string(), words);
    }
}

#[test]
fn nonsense_is_refused_and_says_what_is_wrong() {
    let daily = Rhythm::each(Unit::Days);
    let (today, tomorrow) = (date("2026-03-01"), date("2026-03-02"));
    let rows = [
        (Rhythm::new(0, Unit::Days).err(), Unfit::Every, "must be from 1 to 999"),
        (Rhythm::new(1000, Unit::Days).err(), Unfit::Every, "must be from 1 to 999"),
        (Recurrence::new(daily, tomorrow, Some(today), None).err(), Unfit::End, "must not be before the start"),
        (Recurrence::new(daily, today, None, Some(0)).err(), Unfit::Count, "must be at least 1"),
        (Date::parse("").err(), Unfit::Date, "must be a date from 1970-01-01 to 2999-12-31, as YYYY-MM-DD"),
        (MonthDay::parse("0").err(), Unfit::MonthDay, "must be a day of the month from 1 to 31, or L, or L-1 to L-9"),
    ];
    for (refused, unfit, words) in rows {
        assert_eq!(refused, Some(unfit));
        assert_eq!(unfit.to_string(), words);
    }
    assert!(Recurrence::new(daily, today, Some(today), Some(1)).is_ok());
}

#[test]
fn a_day_that_is_none_of_its_dates_has_no_run() {
    let timetable = timetable("weeks 1 Sunday", "2026-03-01..2026-03-15", "09:00 Asia/Tokyo");
    let rows = [
        ("2026-02-22", false),
        ("2026-03-01", true),
        ("2026-03-02", false),
        ("2026-03-15", true),
        ("2026-03-22", false),
    ];
    for (day, runs) in rows {
        assert_eq!(timetable.run_on(date(day)).is_some(), runs, "{day}");
    }
}
