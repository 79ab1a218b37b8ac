//! What a schedule is made of.

use super::*;
use crate::merchant::set_up::Made;
use crate::recurring::calendar::Unfit;
use crate::recurring::schedule::{MAX_WAITING, Status};

fn made(change: impl FnOnce(&mut Asked), items: &[(i64, &str)]) -> Result<Schedule, Refused> {
    let items = items.iter().map(|(amount, target)| item(*amount, target)).collect();
    let mut asked = asked(Charges::Items(items));
    change(&mut asked);
    Schedule::make(asked, START)
}

#[test]
fn given_items_come_to_no_more_than_what_is_asked_for() {
    let days = [(6_000, "2026-10-01"), (4_000, "2026-11-01")];
    let total = |total| move |asked: &mut Asked| asked.total_requested = Some(total);
    for (total_requested, available) in [(10_000, 0), (12_000, 2_000)] {
        let amounts = made(total(total_requested), &days).expect("a schedule").amounts();
        assert_eq!((amounts.requested, amounts.items(), amounts.available()), (10_000, 10_000, available));
        assert_eq!((amounts.remaining(), amounts.processed, amounts.canceled), (10_000, 0, 0));
    }
    let refused = made(total(9_999), &days).expect_err("too much");
    assert_eq!((refused.code(), refused.member()), ((422, "AMOUNT_EXCEEDS_BALANCE"), "requestedAmount"));
    assert_eq!(refused.to_string(), "requestedAmount: exceeds what is available: 39.99 USD");
    assert_eq!(made(|_| (), &days).expect("a schedule").left(), None);
}

#[test]
fn what_cannot_be_charged_is_refused() {
    let refused = |result: Result<Schedule, Refused>| result.expect_err("refused").to_string();
    for amount in [0, -1] {
        assert_eq!(refused(made(|_| (), &[(amount, "2026-10-01")])), "requestedAmount: must be greater than 0");
    }
    assert_eq!(
        refused(made(|asked| asked.total_requested = Some(0), &[(1, "2026-10-01")])),
        "totalRequestedAmount: must be greater than 0"
    );
    assert_eq!(refused(made(|_| (), &[])), "items: at least one is needed, or a recurrence");
    assert_eq!(refused(made(|_| (), &[(1, "2026-10-01"); MAX_WAITING + 1])), "items: at most 100 may wait");
    assert_eq!(made(|_| (), &[(1, "2026-10-01"); MAX_WAITING]).expect("a schedule").items.len(), MAX_WAITING);
    let draft = made(|asked| asked.is_draft = true, &[]).expect("a draft may have none yet");
    assert_eq!(draft.status, Status::Draft);
    assert_eq!(World::of(draft).change(Change::Open), Err(Refused::NoItems));
}

#[test]
fn what_recurs_must_do_so() {
    let refused = |recurrence| Schedule::make(asked(Charges::Recurrence(recurrence)), START).expect_err("refused");
    let start = || monthly("2026-10-31");
    let unfit = |member, unfit| Refused::Unfit { member, unfit };
    let before = Some(date("2026-10-30"));
    let rows = [
        (AskedRecurrence { until: before, ..start() }, unfit("recurrence.endDate", Unfit::End)),
        (AskedRecurrence { count: Some(0), ..start() }, unfit("recurrence.occurrences", Unfit::Count)),
        (AskedRecurrence { trial_days: Some(1_000), ..start() }, unfit("recurrence.trialDays", Unfit::Every)),
        (AskedRecurrence { amount: 0, ..start() }, Refused::NotPositive { member: "recurrence.amount" }),
        (
            AskedRecurrence {
                rhythm: Rhythm::each(Unit::Months(MonthDay::LAST)),
                until: Some(date("2026-10-30")),
                ..monthly("2026-10-15")
            },
            Refused::Never,
        ),
    ];
    for (recurrence, expected) in rows {
        assert_eq!(refused(recurrence), expected);
        assert_eq!(expected.code(), (400, "INVALID_API_INPUT"));
        assert!(expected.to_string().starts_with(expected.member()), "{expected}");
    }
}

#[test]
fn the_same_key_leads_to_the_same_place() {
    let (one, other) = (instalments(&[(1, "2026-10-01")]), subscription(monthly("2026-10-01")));
    assert_eq!(one.id, other.id);
    let keys = [(1, 1), (1, 2), (2, 1)].map(|(item, attempt)| one.sale_key(number(item), attempt));
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
    assert!(keys.iter().all(|key| IdempotencyKey::parse(key.as_str()).is_none()), "no caller's");
}

#[test]
fn an_item_is_added_once_under_its_key() {
    let mut world = World::of(instalments(&[(1_000, "2026-10-01")]));
    let made = |under, content| Some(Made { under, content });
    let added = |made| Change::AddItem(AskedItem { made, ..item(500, "2026-11-01") });
    for _ in 0..2 {
        world.change(added(made(1, 1))).expect("added");
        assert_eq!(world.schedule.items.len(), 2);
    }
    assert_eq!(world.change(added(made(1, 2))), Err(Refused::Reused));
    assert_eq!(world.schedule.made_under(Made { under: 1, content: 3 }).map(|item| item.number), Some(number(2)));
    world.change(added(made(2, 1))).expect("added");
    world.change(added(None)).expect("added");
    assert_eq!(world.schedule.items.len(), 4);
}
