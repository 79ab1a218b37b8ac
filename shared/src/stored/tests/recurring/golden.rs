//! What recurs to the letter. Whoever changes what is stored changes this page, and sees that items written before must
//! still be read.

use super::{charge, dates, day, item, run_id, subscription};
use crate::ids::{EndpointId, Id, Ordinal};
use crate::merchant::set_up::Made;
use crate::payment::outbox::{Behind, Entry, News};
use crate::payment::tests::fixtures::{START, key, merchant, method_id};
use crate::payment::{Decline, Nonce, Outbox};
use crate::recurring::calendar::{MonthDay, Occasion, Recurrence, Rhythm, TimeOfDay, Timetable, Unit, Weekday, Zone};
use crate::recurring::ids::{ScheduleId, SchedulerId};
use crate::recurring::retry::{Category, Decision};
use crate::recurring::run::{self, Counts, Holder, Lane, Run, Takes};
use crate::recurring::schedule::{
    FailedTry, Failure, Failures, Item as Charge, Past, Processing, Retry, Schedule, State, Tried,
};
use crate::recurring::scheduler::{self, Criteria, Filter, FilterOperation, Matches, Scheduler};
use crate::stored::recurring::lane::StoredLane;
use crate::stored::recurring::run::StoredRun;
use crate::stored::recurring::schedule::StoredSchedule;
use crate::stored::recurring::scheduler::StoredScheduler;
use crate::stored::{Attribute, Item};

const MILLIS: i64 = 1_790_000_000_000;
const PLACE: &str = "001790000000000";

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn maps<const N: usize>(maps: [Item; N]) -> Vec<Attribute> {
    maps.map(Attribute::Map).into()
}

fn tried() -> Option<Tried> {
    Some(Tried { run: run_id(), page: 3 })
}

/// With a value wherever there can be one.
fn full() -> Schedule {
    let failure = Failure {
        category: Category::CardLimit,
        decision: Decision::Retriable,
        decline: Some(Decline::Soft),
        code: text("51"),
        message: text("insufficient funds"),
    };
    let recent = vec![FailedTry { at: START, by: Tried { run: run_id(), page: 1 } }];
    let failures = Failures { count: 2, first_at: START, recent, last: failure };
    let failed = State::Failed { at: START, retry: Some(Retry { at: START, with_other_method: true }) };
    let processing = Processing { since: START, nonce: Nonce(0x0102), deadline: START, due: START };
    let payment = Some(Id::with_number("0aQ", 1));
    let items = vec![
        Charge { tried_by: tried(), failures: Some(failures), attempts: 2, payment, ..charge(1, "2026-01-28", failed) },
        Charge {
            tried_by: tried(),
            tried_with: Some(method_id()),
            attempts: 1,
            ..charge(2, "2026-02-28", State::Processing(processing))
        },
        Charge {
            method: Some(method_id()),
            matching_value: text("gold"),
            comments: text("by the door"),
            occurrence: Some(2),
            made: Some(Made { under: 1, content: 2 }),
            ..charge(3, "2026-03-28", State::Ready)
        },
        charge(4, "2026-01-01", State::Processed { at: START }),
        charge(5, "2026-01-01", State::Canceled { at: START }),
        charge(6, "2026-01-01", State::Draft),
    ];
    let behind = Behind { from: 1, since: START, attempts: 2, due: START };
    let mut schedule = Schedule {
        total_requested: Some(6_000),
        reference: text("801A"),
        comments: text("for the flat"),
        items,
        last_number: 9,
        past: Past { items: 3, requested: 3_000, processed: 2_000, canceled: 1_000 },
        outbox: Outbox {
            made: 1,
            seen: 1,
            entries: vec![Entry { number: 1, operation: Ordinal::FIRST, news: News::Created, at: START }],
            behind: [(EndpointId::parse("9we000000000001").expect("an id"), behind)].into(),
        },
        ..subscription()
    };
    if let Some(recurrence) = &mut schedule.recurrence {
        recurrence.dates = dates(recurrence.dates.rhythm(), Some(day("2027-01-28")), Some(12));
        recurrence.matching_value = text("silver");
        recurrence.skipped = vec![4, 6];
    }
    schedule
}

fn stored_charges() -> Vec<Attribute> {
    let run = run_id().as_str().to_owned();
    let charge = |number: i64, target: &'static str, state: &'static str| {
        Item::new().with("n", number).with("a", 1_000).with("ta", target).with("s", state)
    };
    let failure = Item::new()
        .with("ca", "CardLimit")
        .with("de", "Retriable")
        .with("dc", "soft")
        .with("c", "51")
        .with("me", "insufficient funds");
    let failed = charge(1, "2026-01-28", "failed")
        .with("t", MILLIS)
        .with("ra", MILLIS)
        .with("ro", true)
        .with("tr", 2)
        .with("rn", run.clone())
        .with("pg", 3)
        .with("fc", 2)
        .with("ff", MILLIS)
        .with("fr", maps([Item::new().with("t", MILLIS).with("rn", run.clone()).with("pg", 1)]))
        .with("fl", failure)
        .with("p", "0aQ000000000001");
    let processing = charge(2, "2026-02-28", "processing")
        .with("si", MILLIS)
        .with("no", vec![0, 0, 0, 0, 0, 0, 1, 2])
        .with("dl", MILLIS)
        .with("du", MILLIS)
        .with("tr", 1)
        .with("tm", method_id().as_str().to_owned())
        .with("rn", run)
        .with("pg", 3);
    let ready = charge(3, "2026-03-28", "ready")
        .with("m", method_id().as_str().to_owned())
        .with("mv", "gold")
        .with("co", "by the door")
        .with("oc", 2)
        .with("mk", [1_u128.to_be_bytes(), 2_u128.to_be_bytes()].concat());
    let ended = |number, state| charge(number, "2026-01-01", state).with("t", MILLIS);
    let draft = charge(6, "2026-01-01", "draft");
    maps([failed, processing, ready, ended(4, "processed"), ended(5, "canceled"), draft])
}

#[test]
fn a_schedule_to_the_letter() {
    let rhythm = Item::new().with("e", 1).with("u", "months").with("o", "28");
    let dates = Item::new().with("r", rhythm).with("fi", "2026-01-28").with("la", "2027-01-28").with("n", 12);
    let recurrence = Item::new()
        .with("da", dates)
        .with("a", 1_000)
        .with("mv", "silver")
        .with("nx", 1)
        .with("sk", vec![Attribute::Number(4), Attribute::Number(6)]);
    let entry = Item::new().with("n", 1).with("o", 0).with("w", "created").with("t", MILLIS);
    let behind =
        Item::new().with("w", "9we000000000001").with("n", 1).with("t", MILLIS).with("tr", 2).with("du", MILLIS);
    let outbox = Item::new().with("n", 1).with("s", 1).with("e", maps([entry])).with("b", maps([behind]));
    let schedule = full();
    let (id, lane) = (schedule.id.id().as_str().to_owned(), schedule.id.lane());
    let stored = Item::new()
        .with("pk", format!("00D0M41bLKJJnxR/{id}"))
        .with("v", 7)
        .with("f", 1)
        .with("y", "schedule 1")
        .with("aq", vec![0xA5_u8; 16])
        .with("t", MILLIS)
        .with("s", "open")
        .with("ac", "001xx000003DHP0AAO")
        .with("g", "0b00i83Cgecdbus")
        .with("m", method_id().as_str().to_owned())
        .with("c", "USD")
        .with("tr", 6_000)
        .with("rf", "801A")
        .with("co", "for the flat")
        .with("rc", recurrence)
        .with("i", stored_charges())
        .with("ln", 9)
        .with("pa", Item::new().with("n", 3).with("r", 3_000).with("p", 2_000).with("x", 1_000))
        .with("ob", outbox)
        .with("ed", MILLIS)
        .with("d", MILLIS + 720_000)
        .with("li", format!("ready/00D0M41bLKJJnxR/{lane:02}"))
        .with("la", format!("2026-03-28#{id}"))
        .with("ri", format!("open/{}/{lane:02}", run_id().as_str()))
        .with("ra", format!("{PLACE}#{id}"))
        .with("of", "00D0M41bLKJJnxR/schedules/001xx000003DHP0")
        .with("on", format!("{PLACE}#{id}"));
    assert_eq!(item(&schedule), stored);
    assert_eq!(StoredSchedule::from_item(stored).map(|stored| stored.schedule), Ok(schedule));
}

/// What may be left out is left out.
#[test]
fn a_schedule_of_one_charge_to_the_letter() {
    let one = charge(1, "2026-01-28", State::Ready);
    let schedule = Schedule { account: None, recurrence: None, items: vec![one], ..subscription() };
    let (id, lane) = (schedule.id.id().as_str().to_owned(), schedule.id.lane());
    let ready = Item::new().with("n", 1).with("a", 1_000).with("ta", "2026-01-28").with("s", "ready");
    let stored = Item::new()
        .with("pk", format!("00D0M41bLKJJnxR/{id}"))
        .with("v", 7)
        .with("f", 1)
        .with("y", "schedule 1")
        .with("aq", vec![0xA5_u8; 16])
        .with("t", MILLIS)
        .with("s", "open")
        .with("g", "0b00i83Cgecdbus")
        .with("m", method_id().as_str().to_owned())
        .with("c", "USD")
        .with("i", maps([ready]))
        .with("ln", 1)
        .with("li", format!("ready/00D0M41bLKJJnxR/{lane:02}"))
        .with("la", format!("2026-01-28#{id}"))
        .with("of", "00D0M41bLKJJnxR/schedules")
        .with("on", format!("{PLACE}#{id}"));
    assert_eq!(item(&schedule), stored);
    assert_eq!(StoredSchedule::from_item(stored).map(|stored| stored.schedule), Ok(schedule));
}

fn criteria() -> Criteria {
    let filter = |operation, value: &str, sequence| Filter { operation, value: value.to_owned(), sequence };
    let filters = vec![
        filter(FilterOperation::Equals, "gold", 1),
        filter(FilterOperation::NotEquals, "silver", 2),
        filter(FilterOperation::InList, "gold,silver", 3),
    ];
    Criteria { matches: Matches::None, filters }
}

fn stored_criteria() -> Item {
    let filter = |operation: &'static str, value: &'static str, sequence: i64| {
        Item::new().with("o", operation).with("v", value).with("s", sequence)
    };
    let filters = maps([filter("equals", "gold", 1), filter("not", "silver", 2), filter("in", "gold,silver", 3)]);
    Item::new().with("no", true).with("fs", filters)
}

#[test]
fn a_scheduler_to_the_letter() {
    let rhythm = Rhythm::new(2, Unit::Weeks(Weekday::Sunday)).expect("a rhythm");
    let dates = Recurrence::new(rhythm, day("2026-01-04"), Some(day("2026-12-31")), Some(10)).expect("dates");
    let scheduler = Scheduler {
        merchant: merchant(),
        id: SchedulerId::parse("5BS000000000001").expect("an id"),
        version: 7,
        key: key("scheduler 1"),
        asked: [0xA5; 16],
        name: "every other Sunday".to_owned(),
        comments: Some("not in August".to_owned()),
        timetable: Timetable {
            dates,
            at: TimeOfDay::parse("02:30").expect("a time"),
            zone: Zone::parse("Asia/Tokyo").expect("a zone"),
        },
        criteria: criteria(),
        status: scheduler::Status::Active,
        created_at: START,
        last_run: Some(day("2026-01-04")),
        next_run: Some(Occasion { date: day("2026-01-18"), at: START }),
    };
    let timetable = Item::new()
        .with("r", Item::new().with("e", 2).with("u", "weeks").with("w", "Sunday"))
        .with("fi", "2026-01-04")
        .with("la", "2026-12-31")
        .with("n", 10)
        .with("at", "02:30:00.000")
        .with("z", "Asia/Tokyo");
    let stored = Item::new()
        .with("pk", "00D0M41bLKJJnxR/5BS000000000001")
        .with("v", 7)
        .with("f", 1)
        .with("d", MILLIS)
        .with("y", "scheduler 1")
        .with("aq", vec![0xA5_u8; 16])
        .with("t", MILLIS)
        .with("nm", "every other Sunday")
        .with("cm", "not in August")
        .with("tt", timetable)
        .with("cr", stored_criteria())
        .with("s", "active")
        .with("lr", "2026-01-04")
        .with("nr", "2026-01-18")
        .with("li", "active/00D0M41bLKJJnxR")
        .with("la", format!("{PLACE}#5BS000000000001"))
        .with("of", "00D0M41bLKJJnxR/schedulers")
        .with("on", format!("{PLACE}#5BS000000000001"));
    assert_eq!(StoredScheduler::following(None, scheduler.clone()).to_item(), stored);
    assert_eq!(StoredScheduler::from_item(stored).map(|stored| stored.scheduler), Ok(scheduler));
}

#[test]
fn every_rhythm_to_the_letter() {
    let every = |unit: &'static str| Item::new().with("e", 1).with("u", unit);
    let rows = [
        (Unit::Days, every("days")),
        (Unit::Weeks(Weekday::Saturday), every("weeks").with("w", "Saturday")),
        (Unit::Months(MonthDay::LAST), every("months").with("o", "L")),
        (Unit::Years(MonthDay::from_last(9).expect("a day")), every("years").with("o", "L-9")),
    ];
    for (unit, stored) in rows {
        let mut schedule = subscription();
        if let Some(recurrence) = &mut schedule.recurrence {
            recurrence.dates = dates(Rhythm::each(unit), None, None);
        }
        let item = item(&schedule);
        let Some(Attribute::Map(recurrence)) = item.get("rc") else { panic!("nothing recurs") };
        let Some(Attribute::Map(dates)) = recurrence.get("da") else { panic!("without dates") };
        assert_eq!(dates.get("r"), Some(&stored.into()));
    }
}

fn counts() -> Counts {
    Counts { listed: 1, seen: 2, processed: 4, failed: 5, pending: 6 }
}

fn stored_counts() -> Item {
    Item::new().with("l", 1).with("s", 2).with("p", 4).with("x", 5).with("w", 6)
}

#[test]
fn a_run_to_the_letter() {
    let run = Run {
        merchant: merchant(),
        id: run_id(),
        version: 7,
        scheduler: SchedulerId::parse("5BS000000000001"),
        asked: Some([0xA5; 16]),
        comments: Some("by hand".to_owned()),
        takes: Takes::ReadyOn(day("2026-01-04")),
        criteria: criteria(),
        status: run::Status::Started,
        created_at: START,
        started_at: Some(START),
        completed_at: Some(START),
        lanes: 0x8000_0000_0000_0001,
        counts: counts(),
        due: Some(START),
    };
    let id = run_id();
    let stored = Item::new()
        .with("pk", format!("00D0M41bLKJJnxR/{}", id.as_str()))
        .with("v", 7)
        .with("f", 1)
        .with("d", MILLIS)
        .with("sc", "5BS000000000001")
        .with("aq", vec![0xA5_u8; 16])
        .with("cm", "by hand")
        .with("cr", stored_criteria())
        .with("rd", "2026-01-04")
        .with("s", "started")
        .with("t", MILLIS)
        .with("st", MILLIS)
        .with("ct", MILLIS)
        .with("ls", vec![0x80_u8, 0, 0, 0, 0, 0, 0, 1])
        .with("co", stored_counts())
        .with("of", "00D0M41bLKJJnxR/runs")
        .with("on", format!("{PLACE}#{}", id.as_str()));
    assert_eq!(StoredRun::following(None, run.clone()).to_item(), stored);
    assert_eq!(StoredRun::from_item(stored.clone()).map(|stored| stored.run), Ok(run.clone()));

    let retries = Run { takes: Takes::RetriesBy(START), ..run };
    let mut stored = stored.with("rt", MILLIS);
    stored.remove("rd");
    assert_eq!(StoredRun::following(None, retries.clone()).to_item(), stored);
    assert_eq!(StoredRun::from_item(stored).map(|stored| stored.run), Ok(retries));
}

#[test]
fn a_lane_to_the_letter() {
    let schedule = ScheduleId::made_under(&merchant(), &key("schedule 1"));
    let lane = Lane {
        merchant: merchant(),
        run: run_id(),
        lane: 7,
        version: 7,
        holder: Some(Holder { nonce: Nonce(0x0102), until: START }),
        page: 2,
        schedules: vec![schedule],
        is_open: true,
        cursor: text("2026-01-04#x"),
        is_read: true,
        back: Some(START),
        counts: counts(),
        due: Some(START),
    };
    let stored = Item::new()
        .with("pk", format!("00D0M41bLKJJnxR/{}.07", run_id().as_str()))
        .with("v", 7)
        .with("f", 1)
        .with("d", MILLIS)
        .with("no", vec![0_u8, 0, 0, 0, 0, 0, 1, 2])
        .with("un", MILLIS)
        .with("pg", 2)
        .with("sc", vec![Attribute::from(schedule.id().as_str().to_owned())])
        .with("op", true)
        .with("cu", "2026-01-04#x")
        .with("rd", true)
        .with("bk", MILLIS)
        .with("co", stored_counts());
    assert_eq!(StoredLane::following(None, lane.clone()).to_item(), stored);
    assert_eq!(StoredLane::from_item(stored).map(|stored| stored.lane), Ok(lane));
}
