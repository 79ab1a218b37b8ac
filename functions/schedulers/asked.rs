//! What a scheduler is made of, as a caller says it.
//!
//! The printed request of payment schedulers has no time zone and no day of the week. Both are read as the sibling for
//! invoices says them; without them the zone is UTC, and the day is that of `startDate`.

use kessai_shared::payment::IdempotencyKey;
use kessai_shared::recurring::calendar::{
    Date, MonthDay, Recurrence, Rhythm, TimeOfDay, Timetable, Unfit, Unit, Weekday, Zone, parse_weekday, weekday_name,
};
use kessai_shared::recurring::scheduler::{Asked, Status};

use super::criteria::{self, criteria};
use super::{dated, hash_of};
use crate::problem::Problem;
use crate::wire::body::{COMMENTS, NAME};
use crate::wire::members::Members;

const CADENCE: &str = "frequencyCadence";
const OPTIONS: &str = "frequencyCadenceOptions";
const ON_DAY: &str = "recursOnDay";
const ON_DATE: &str = "recursOnDate";
const EVERY_MONTH_ON: &str = "recursEveryMonthOnDay";

/// What stands in `recurringSubType` of a month's day.
pub(super) const SPECIFIC_DATE: &str = "SpecificDate";

/// The zone where none is named: a merchant has none set up.
pub(super) const USUAL_ZONE: &str = "UTC";

/// What may be asked of schedulers for invoices, and why not here.
const UNSUPPORTED: [(&str, &str); 2] = [
    ("shouldExcludeWkendAndHldy", "must be false: each run is on its day, whether or not people work then"),
    ("shouldStartRunImmediately", "must be false: POST /commerce/payments/payment-batch-runs starts a run now"),
];

/// Made completed it would do nothing, and it becomes that by itself.
const STATUSES: [(&str, Status); 4] = [
    ("Active", Status::Active),
    ("Canceled", Status::Canceled),
    ("Draft", Status::Draft),
    ("Inactive", Status::Inactive),
];

/// How often it starts a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cadence {
    Once,
    Daily,
    Weekly,
    Monthly,
}

const CADENCES: [(&str, Cadence); 4] =
    [("Once", Cadence::Once), ("Daily", Cadence::Daily), ("Weekly", Cadence::Weekly), ("Monthly", Cadence::Monthly)];

/// Reads all but the key.
pub(super) fn asked(members: &mut Members<'_>, key: IdempotencyKey) -> Result<Asked, Problem> {
    let name = members.text("schedulerName", NAME)?.ok_or_else(|| Problem::missing("schedulerName"))?;
    let comments = members.text("comments", COMMENTS)?;
    let cadence = members.literal(CADENCE, &CADENCES)?.ok_or_else(|| Problem::missing(CADENCE))?;
    let timetable = timetable(members, cadence)?;
    let criteria = criteria(members, cadence == Cadence::Monthly)?;
    let status = status(members)?;
    let said = [name.clone(), comments.clone().unwrap_or_default(), status.literal().to_owned()];
    let said = said.into_iter().chain(parts(&timetable)).chain(criteria::parts(&criteria));
    let hash = hash_of("payment scheduler as asked", &said.collect::<Vec<_>>());
    Ok(Asked { key, hash, name, comments, timetable, criteria, status })
}

/// The status that it is to have.
pub(super) fn status(members: &mut Members<'_>) -> Result<Status, Problem> {
    members.literal("status", &STATUSES)?.ok_or_else(|| Problem::missing("status"))
}

/// When its runs are, as is compared under a key.
fn parts(timetable: &Timetable) -> [String; 6] {
    let Timetable { dates, at, zone } = timetable;
    let (first, last) = (dates.first().to_string(), dates.last().map(|last| last.to_string()));
    let on = day_of_week(dates).map(str::to_owned).or_else(|| day_of_month(dates)).unwrap_or_default();
    [cadence(dates).to_owned(), on, first, last.unwrap_or_default(), at.to_string(), zone.to_string()]
}

/// How often something recurs, in the wire's word.
pub(super) fn cadence(dates: &Recurrence) -> &'static str {
    match dates.rhythm().unit() {
        _ if dates.count() == Some(1) => "Once",
        Unit::Days => "Daily",
        Unit::Weeks(_) => "Weekly",
        Unit::Months(_) => "Monthly",
        Unit::Years(_) => "Yearly",
    }
}

pub(super) fn day_of_week(dates: &Recurrence) -> Option<&'static str> {
    if let Unit::Weeks(day) = dates.rhythm().unit() { Some(weekday_name(day)) } else { None }
}

pub(super) fn day_of_month(dates: &Recurrence) -> Option<String> {
    match dates.rhythm().unit() {
        Unit::Months(day) | Unit::Years(day) => Some(day.to_string()),
        Unit::Days | Unit::Weeks(_) => None,
    }
}

fn timetable(members: &mut Members<'_>, cadence: Cadence) -> Result<Timetable, Problem> {
    let first = dated(members, "startDate", Date::parse)?.ok_or_else(|| Problem::missing("startDate"))?;
    let last = dated(members, "endDate", Date::parse)?;
    let at = dated(members, "preferredTime", TimeOfDay::parse)?.ok_or_else(|| Problem::missing("preferredTime"))?;
    let zone = zone(members)?;
    let on = On::read(members)?;
    on.fits(cadence)?;
    if cadence == Cadence::Monthly && last.is_none() {
        return Err(Problem::missing("endDate"));
    }
    let unit = match cadence {
        Cadence::Once | Cadence::Daily => Unit::Days,
        Cadence::Weekly => Unit::Weeks(on.weekday.unwrap_or_else(|| first.weekday())),
        Cadence::Monthly => Unit::Months(on.month_day.ok_or_else(|| Problem::missing(EVERY_MONTH_ON))?),
    };
    let count = (cadence == Cadence::Once).then_some(1);
    let dates = Recurrence::new(Rhythm::each(unit), first, last, count);
    let dates = dates.map_err(|unfit| Problem::invalid("endDate", unfit))?;
    if dates.date(0).is_none() {
        return Err(Problem::invalid("endDate", "leaves no day for a run"));
    }
    Ok(Timetable { dates, at, zone })
}

/// The zone that is named, or else the usual one.
pub(super) fn zone(members: &mut Members<'_>) -> Result<Zone, Problem> {
    match dated(members, "timezone", Zone::parse)? {
        Some(zone) => Ok(zone),
        None => Zone::parse(USUAL_ZONE).map_err(|unfit| Problem::invalid("timezone", unfit)),
    }
}

/// Which day of a week or month is meant.
struct On {
    weekday: Option<Weekday>,
    month_day: Option<MonthDay>,
    /// The member that says the day of the month.
    month_day_in: String,
}

impl On {
    fn read(members: &mut Members<'_>) -> Result<Self, Problem> {
        let every_month = month_day(members, EVERY_MONTH_ON)?;
        let on = Self { weekday: None, month_day: every_month, month_day_in: EVERY_MONTH_ON.to_owned() };
        let Some(mut options) = members.object(OPTIONS)? else { return Ok(on) };
        for (member, why) in UNSUPPORTED {
            if options.flag(member)? == Some(true) {
                return Err(Problem::invalid(&options.name(member), why));
            }
        }
        let sub_type = options.literal("recurringSubType", &[(SPECIFIC_DATE, ())])?;
        let weekday = dated(&mut options, ON_DAY, parse_weekday)?;
        let date = month_day(&mut options, ON_DATE)?;
        let name = options.name(ON_DATE);
        options.finish()?;
        match (date, on.month_day) {
            (Some(_), Some(_)) => {
                Err(Problem::invalid(&name, format!("must not be given together with {EVERY_MONTH_ON}")))
            }
            (Some(date), None) => Ok(Self { weekday, month_day: Some(date), month_day_in: name }),
            (None, None) if sub_type.is_some() => Err(Problem::missing(&name)),
            (None, _) => Ok(Self { weekday, ..on }),
        }
    }

    /// Refuses a day of what it does not recur by.
    fn fits(&self, cadence: Cadence) -> Result<(), Problem> {
        if self.weekday.is_some() && cadence != Cadence::Weekly {
            return Err(Problem::invalid(&format!("{OPTIONS}.{ON_DAY}"), "is of Weekly only"));
        }
        if self.month_day.is_some() && cadence != Cadence::Monthly {
            return Err(Problem::invalid(&self.month_day_in, "is of Monthly only"));
        }
        Ok(())
    }
}

/// It is a text on the wire, and a number is what is meant.
fn month_day(members: &mut Members<'_>, member: &str) -> Result<Option<MonthDay>, Problem> {
    let Some(day) = members.digits(member)? else { return Ok(None) };
    MonthDay::parse(&day).map(Some).map_err(|unfit: Unfit| Problem::invalid(&members.name(member), unfit))
}
