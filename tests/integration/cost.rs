//! What an operation costs, counted: writes, reads and write units of the payments table. And what recurs: what a tick
//! asks, and what charging an item adds to that.

mod counted;

use std::ops::Range;
use std::sync::Arc;

use kessai_functions::event::HttpAnswer;
use kessai_functions::local::embedded;
use kessai_functions::scheduler_tick::{Tick, Ticking};
use kessai_functions::{authorize, capture, refund, sale};
use kessai_infra::aws::Account;
use kessai_infra::dynamodb::DynamoDb;
use kessai_shared::ids::ItemKey;
use kessai_shared::memory::Meter;
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::ports::{Clock, Expected, Pending, Written};
use kessai_shared::recurring::ids::{RecurringKey, ScheduleId, SchedulerId};
use kessai_shared::recurring::schedule::Schedule;
use kessai_shared::recurring::scheduler::Scheduler;
use kessai_shared::stored::payment::KEY;
use kessai_shared::stored::recurring::schedule::StoredSchedule;
use kessai_shared::stored::recurring::scheduler::StoredScheduler;
use kessai_shared::together::together;
use serde_json::{Value, json};

use self::counted::{Asked, Counted};
use crate::in_process::{InProcess, Spent};
use crate::runs::side_by_side::{Kept, Quiet};
use crate::runs::{SCHEDULERS, Shop, keys_of_lane, lane_of, run_key};

fn id(answer: &HttpAnswer, record: &str) -> String {
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    body[record]["id"].as_str().unwrap_or_else(|| panic!("no {record} in {}", answer.body)).to_owned()
}

#[tokio::test]
async fn an_operation_costs_two_writes_and_a_duplicate_at_most_one() {
    let bench = InProcess::new().await;
    let (authorized, spent) = bench.ask(&authorize::FUNCTION, None, "a", bench.opening()).await;
    assert_eq!(authorized.status_code, 201, "{}", authorized.body);
    assert_eq!(spent, Meter { reads: 0, writes: 2, write_units: 2 }, "an authorization of a typical request");

    let (again, spent) = bench.ask(&authorize::FUNCTION, None, "a", bench.opening()).await;
    assert_eq!(again.body, authorized.body);
    assert_eq!(spent, Meter { reads: 0, writes: 1, write_units: 1 }, "its duplicate");

    let (_, spent) = bench.ask(&sale::FUNCTION, None, "s", bench.opening()).await;
    assert_eq!(spent, Meter { reads: 0, writes: 2, write_units: 2 }, "a sale");

    let authorization = id(&authorized, "paymentAuthorization");
    let to = Some(("authorizationId", authorization.as_str()));
    let (captured, spent) = bench.ask(&capture::FUNCTION, to, "c", json!({ "amount": 100 })).await;
    assert_eq!(spent, Meter { reads: 1, writes: 2, write_units: 2 }, "a capture: {}", captured.body);

    let (_, spent) = bench.ask(&capture::FUNCTION, to, "c", json!({ "amount": 100 })).await;
    assert_eq!(spent, Meter { reads: 1, writes: 0, write_units: 0 }, "its duplicate");
    let (_, spent) = bench.ask(&capture::FUNCTION, to, "d", json!({ "amount": 5000 })).await;
    assert_eq!(spent, Meter { reads: 1, writes: 0, write_units: 0 }, "a refused capture");

    let payment = id(&captured, "payment");
    let to = Some(("paymentId", payment.as_str()));
    let (refunded, spent) = bench.ask(&refund::FUNCTION, to, "r", json!({})).await;
    assert_eq!(refunded.status_code, 201, "{}", refunded.body);
    assert_eq!(spent, Meter { reads: 1, writes: 2, write_units: 2 }, "a refund");
}

#[tokio::test]
async fn a_notice_costs_a_read_and_a_write_and_its_duplicate_the_read() {
    use crate::notify::{Told, dispute, operation};
    let told = Told::new().await;
    let sale = told.sale("KEYED", "90.18").await;
    let meter = |writes| Meter { reads: 1, writes, write_units: writes };
    for (item, writes) in [
        (operation(&sale, "accepted"), 0),
        (operation(&sale, "approved"), 1),
        (operation(&sale, "approved"), 0),
        (dispute(&sale, "opened", 9_018), 1),
        (dispute(&sale, "opened", 9_018), 0),
    ] {
        let (answer, spent) = told.tell(std::slice::from_ref(&item)).await;
        assert_eq!(answer.status_code, 200, "{}", answer.body);
        assert_eq!(spent.payments, meter(writes), "{item}");
    }
}

/// Copies of what is in the shop's table under names of their own: so many schedules, and a tenth as many
/// schedulers, none of which is due for years.
async fn fill(shop: &Shop, names: Range<usize>) {
    let (mut schedule, mut scheduler) = (None, None);
    for item in shop.world.schedules.items() {
        match item.text(KEY).and_then(ItemKey::parse) {
            Some(ItemKey::Recurring(_, RecurringKey::Schedule(_))) => schedule = StoredSchedule::from_item(item).ok(),
            _ => scheduler = StoredScheduler::from_item(item).ok(),
        }
    }
    let (schedule, scheduler) = (schedule.expect("a schedule").schedule, scheduler.expect("a scheduler").scheduler);
    let agenda = shop.world.app.schedules.as_deref().expect("a table");
    for numbers in names.collect::<Vec<_>>().chunks(8) {
        let items = numbers.iter().flat_map(|number| {
            let key = IdempotencyKey::parse(&format!("order {number}")).expect("a key");
            let id = ScheduleId::made_under(&shop.world.merchant, &key);
            let schedule = Schedule { id, ..schedule.clone() };
            let id = SchedulerId::made_under(&shop.world.merchant, &key);
            let scheduler = (number % 10 == 0).then(|| Scheduler { id, key, ..scheduler.clone() });
            let schedulers = scheduler.map(|scheduler| StoredScheduler::following(None, scheduler).to_item());
            schedulers.into_iter().chain([StoredSchedule::following(None, schedule).to_item()])
        });
        let writes = items.map(|item| -> Pending<'_, _> { agenda.write(item, Expected::Absent) });
        for written in together(writes).await {
            assert!(matches!(written, Ok(Written::Done)), "{written:?}");
        }
    }
}

/// A tick reads indexes, and of these only what is due: what is not costs nothing, however much of it there is.
#[tokio::test(flavor = "multi_thread")]
async fn a_tick_asks_five_times_and_reads_what_is_due_and_nothing_else() {
    let mut shop = Shop::open().await;
    shop.schedule("one", &json!({})).await;
    let far = json!({
        "schedulerName": "Far", "status": "Active", "startDate": "2090-01-01", "preferredTime": "02:05",
        "frequencyCadence": "Daily",
    });
    shop.ask("POST", SCHEDULERS, None, &far).await;
    let database = embedded::start(None).await.unwrap_or_else(|error| panic!("{error:?}"));
    let clock: Arc<dyn Clock> = Arc::clone(&shop.world.app.shell.clock);
    let counted = Counted::before(&database.url).await;
    let table = |url: &str, name: &str| Account::at(url).patient().table(name).with_clock(Arc::clone(&clock));
    let names = ["late", "late-vault", "late-schedules"];
    let [payments, vault, schedules]: [DynamoDb; 3] = names.map(|name| table(&database.url, name));
    for table in [payments, vault] {
        table.create_indexed_table().await.expect("a table");
    }
    schedules.create_indexed_schedules_table().await.expect("a table");
    shop.world.app.schedules = Some(Arc::new(schedules));

    shop.scheduler_when_it_is_due().await;

    let [payments, vault, schedules]: [DynamoDb; 3] = names.map(|name| table(&counted.url, name));
    let mut seen = Vec::new();
    for names in [0..10, 10..2_000] {
        fill(&shop, names).await;
        let (now, deadline, queue) = (shop.world.now(), shop.world.deadline(), Kept::default());
        let (payments, vault, schedules) = (&payments, &vault, &schedules);
        let ticking =
            Ticking { payments, vault, schedules, queue: &queue, journal: &Quiet, now, deadline, clock: &*clock };
        ticking.tick(Tick::default()).await.unwrap_or_else(|error| panic!("{error}"));
        seen.push(counted.take());
    }
    // Of each table what is due late for each of its errands, page by page of 1 MB: there is one page.
    let expected = Asked { requests: vec!["Query".to_owned(); 5], read: 1 };
    assert_eq!(seen, [expected.clone(), expected]);
}

/// What the look at a lane cost on whose list there are so many.
async fn cost_of_lane(shop: &Shop, keys: &[String]) -> Spent {
    for key in keys {
        shop.schedule(key, &json!({})).await;
    }
    let run = shop.start().await;
    shop.look(run_key(&shop.world, &run)).await;
    let before = shop.world.spent();
    shop.look(lane_of(&shop.world, &run, 7)).await;
    let spent = shop.world.spent().since(before);
    assert_eq!(shop.ended(&run).await["totalProcessedScheduleItems"], json!(keys.len()));
    spent
}

#[tokio::test]
async fn charging_an_item_costs_two_writes_beside_those_of_its_payment() {
    let shop = Shop::open().await;
    let keys = keys_of_lane(&shop.world, 7, 9);
    let (one, many) = (cost_of_lane(&shop, &keys[..1]).await, cost_of_lane(&shop, &keys[1..]).await);
    // Of seven more; what the lane and the page of its list cost is the same.
    let more = many.since(one);
    let each = |reads: u64, writes: u64| Meter { reads: 7 * reads, writes: 7 * writes, write_units: 7 * writes };
    assert_eq!(more.payments, each(0, 2), "the sale");
    assert_eq!(more.schedules, each(1, 2), "it is read; that it is charged, and what came of it");
    assert_eq!(more.vault, each(1, 0), "the method");
    assert_eq!(more.merchants, each(0, 0), "known to the lane");
    // The lane itself is taken, has its page, and is done with.
    assert_eq!(one.schedules, Meter { reads: 1 + 10, writes: 2 + 3, write_units: 2 + 3 });
}
