//! When something recurs, as maps.
//!
//! | attribute | of a rhythm |
//! |---|---|
//! | `e` `u` | every so many of what: `days`, `weeks`, `months`, `years` |
//! | `w` `o` | on which day of the week, or of the month |
//!
//! | attribute | of dates |
//! |---|---|
//! | `r` | rhythm |
//! | `fi` `la` `n` | first and last day, how many there are at most |
//!
//! | attribute | of a timetable, beside its dates |
//! |---|---|
//! | `at` `z` | time of day, zone |

use crate::recurring::calendar::{
    Date, MonthDay, Recurrence, Rhythm, TimeOfDay, Timetable, Unit, Zone, parse_weekday, weekday_name,
};
use crate::stored::item::Item;
use crate::stored::reader::{Reader, Unreadable, strange};

fn encode_rhythm(rhythm: Rhythm) -> Item {
    let (unit, weekday, day) = match rhythm.unit() {
        Unit::Days => ("days", None, None),
        Unit::Weeks(weekday) => ("weeks", Some(weekday_name(weekday)), None),
        Unit::Months(day) => ("months", None, Some(day)),
        Unit::Years(day) => ("years", None, Some(day)),
    };
    Item::new()
        .with("e", i64::from(rhythm.every()))
        .with("u", unit)
        .with_some("w", weekday)
        .with_some("o", day.map(|day| day.to_string()))
}

fn decode_rhythm(item: Item) -> Result<Rhythm, Unreadable> {
    let mut reader = Reader::new(item);
    let day = |reader: &mut Reader| reader.parsed("o", |text| MonthDay::parse(text).ok());
    let unit = match &*reader.word("u")? {
        "days" => Unit::Days,
        "weeks" => Unit::Weeks(reader.parsed("w", |text| parse_weekday(text).ok())?),
        "months" => Unit::Months(day(&mut reader)?),
        "years" => Unit::Years(day(&mut reader)?),
        _ => return Err(strange("u")),
    };
    let every = u16::try_from(reader.number("e")?).ok();
    every.and_then(|every| Rhythm::new(every, unit).ok()).ok_or_else(|| strange("e"))
}

pub(super) fn encode_dates(dates: &Recurrence) -> Item {
    Item::new()
        .with("r", encode_rhythm(dates.rhythm()))
        .with("fi", dates.first().to_string())
        .with_some("la", dates.last().map(|last| last.to_string()))
        .with_some("n", dates.count().map(i64::from))
}

pub(super) fn decode_dates(item: Item) -> Result<Recurrence, Unreadable> {
    take_dates(&mut Reader::new(item))
}

fn take_dates(reader: &mut Reader) -> Result<Recurrence, Unreadable> {
    let (rhythm, first) = (decode_rhythm(reader.map("r")?)?, day(reader, "fi")?);
    let (last, count) = (maybe_day(reader, "la")?, reader.maybe_small("n")?);
    Recurrence::new(rhythm, first, last, count).map_err(|_| strange("la"))
}

pub(super) fn encode_timetable(timetable: &Timetable) -> Item {
    let Timetable { dates, at, zone } = timetable;
    encode_dates(dates).with("at", at.to_string()).with("z", zone.to_string())
}

pub(super) fn decode_timetable(item: Item) -> Result<Timetable, Unreadable> {
    let mut reader = Reader::new(item);
    Ok(Timetable {
        dates: take_dates(&mut reader)?,
        at: reader.parsed("at", |text| TimeOfDay::parse(text).ok())?,
        zone: reader.parsed("z", |text| Zone::parse(text).ok())?,
    })
}

pub(super) fn day(reader: &mut Reader, name: &str) -> Result<Date, Unreadable> {
    reader.parsed(name, |text| Date::parse(text).ok())
}

pub(super) fn maybe_day(reader: &mut Reader, name: &str) -> Result<Option<Date>, Unreadable> {
    reader.maybe_parsed(name, |text| Date::parse(text).ok())
}
