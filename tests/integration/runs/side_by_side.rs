//! However many ticks, messages and looks there are at the same instant, a day has one run, and each item is charged once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kessai_functions::batch::Message;
use kessai_functions::follow_up;
use kessai_functions::local::embedded;
use kessai_functions::scheduler_tick::{Tick, Ticked, Ticking};
use kessai_infra::dynamodb::DynamoDb;
use kessai_shared::ids::ItemKey;
use kessai_shared::ports::{Journal, Note, Pending, Queue, QueueFault};
use kessai_shared::recurring::ids::RecurringKey;
use kessai_shared::reminder::{Delayed, Errand};
use kessai_shared::time::Timestamp;
use kessai_shared::together::together;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{RUNS, Shop, item};

/// A queue that keeps what it is sent; whoever has sent something may never hear that it has.
#[derive(Default)]
pub struct Kept {
    sent: Mutex<Vec<Delayed>>,
    never_answers: bool,
    was_sent: Notify,
}

impl Kept {
    fn take(&self) -> Vec<Delayed> {
        std::mem::take(&mut *self.sent.lock().expect("what was sent"))
    }
}

impl Queue for Kept {
    fn send<'a>(&'a self, reminders: &'a [Delayed]) -> Pending<'a, Result<(), QueueFault>> {
        self.sent.lock().expect("what was sent").extend(reminders);
        self.was_sent.notify_one();
        Box::pin(async {
            if self.never_answers {
                std::future::pending::<()>().await;
            }
            Ok(())
        })
    }
}

/// A journal that nobody reads.
pub struct Quiet;

impl Journal for Quiet {
    fn note(&self, _: &Note<'_>) {}
}

/// A shop whose schedules are in a table as on AWS, in which what is due late is found.
struct Account {
    shop: Shop,
    payments: DynamoDb,
    vault: DynamoDb,
    schedules: DynamoDb,
}

impl Account {
    async fn open() -> Self {
        let mut shop = Shop::open().await;
        let database = embedded::start(None).await.unwrap_or_else(|error| panic!("{error:?}"));
        let account = kessai_infra::aws::Account::at(&database.url).patient();
        let [payments, vault, schedules] = ["late", "late-vault", "late-schedules"].map(|name| account.table(name));
        for table in [&payments, &vault] {
            table.create_indexed_table().await.expect("a table");
        }
        schedules.create_indexed_schedules_table().await.expect("a table");
        let schedules = schedules.with_clock(Arc::clone(&shop.world.app.shell.clock));
        shop.world.app.schedules = Some(Arc::new(schedules.clone()));
        Self { shop, payments, vault, schedules }
    }

    async fn tick(&self, queue: &dyn Queue, now: Timestamp) -> Ticked {
        let Self { shop, payments, vault, schedules } = self;
        let (deadline, clock) = (shop.world.deadline(), &*shop.world.app.shell.clock);
        let ticking = Ticking { payments, vault, schedules, queue, journal: &Quiet, now, deadline, clock };
        ticking.tick(Tick::default()).await.unwrap_or_else(|error| panic!("{error}"))
    }

    /// Handles each of them twice, all side by side, and again until it was handled.
    async fn handle_all_twice(&self, reminders: &[Delayed]) {
        let queue: Arc<dyn Queue> = Arc::new(Kept::default());
        let app = self.shop.world.invocation();
        let body = |reminder: &Delayed| json!({ "messageId": "m", "body": reminder.reminder.message() });
        let mut left: Vec<Message> = [reminders, reminders]
            .concat()
            .iter()
            .map(|reminder| serde_json::from_value(body(reminder)).expect("a message"))
            .collect();
        while !left.is_empty() {
            let deadline = self.shop.world.deadline();
            let handled =
                together(left.iter().map(|message| -> Pending<'_, bool> {
                    Box::pin(follow_up::handle(&app, &queue, message, deadline))
                }));
            let mut handled = handled.await.into_iter();
            left.retain(|_| !handled.next().expect("each was looked at"));
        }
    }

    /// What is due until then, as the stream of the table tells it; the earliest first.
    async fn due(&self, until: Timestamp) -> Vec<(Timestamp, Delayed)> {
        let page = self.schedules.due(until, None).await.expect("a page");
        assert!(page.next.is_none(), "there is little of it");
        let due = page.images.iter().filter_map(|image| {
            let (at, errand) = (image.due(Errand::FollowUp)?.at, Errand::FollowUp);
            Some((at, image.delayed(errand, self.shop.world.now())?))
        });
        let mut due: Vec<_> = due.collect();
        due.sort_by_key(|(at, _)| *at);
        due
    }

    async fn runs_of(&self, scheduler: &str) -> Vec<Value> {
        let page = self.shop.get(&format!("{RUNS}?billingBatchSchedulerId={scheduler}&pageSize=100")).await;
        page["paymentBatchRuns"].as_array().expect("runs").clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_has_one_run_and_an_item_one_charge_however_many_look_at_the_same_instant() {
    let account = Account::open().await;
    let shop = &account.shop;
    let mut schedules = Vec::new();
    for key in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        schedules.push(shop.schedule(key, &json!({ "items": [item("10", "2020-01-01")] })).await);
    }
    let (scheduler, day) = shop.scheduler_when_it_is_due().await;

    let now = shop.world.now();
    let (queue, lost) = (Kept::default(), Kept { never_answers: true, ..Kept::default() });
    let (one, other) = tokio::join!(account.tick(&queue, now), account.tick(&queue, now));
    assert_eq!((one.reminders, other.reminders), (1, 1));
    // A third one is killed once it has sent a page.
    tokio::select! {
        _ = account.tick(&lost, now) => panic!("it has heard of what it has sent"),
        () = lost.was_sent.notified() => {}
    }
    let reminders = [queue.take(), lost.take()].concat();
    assert_eq!(reminders.len(), 3);
    account.handle_all_twice(&reminders).await;
    let runs = account.runs_of(&scheduler).await;
    assert_eq!((runs.len(), &runs[0]["runDate"]), (1, &json!(day)));
    assert_eq!(account.tick(&queue, now).await.reminders, 0, "its next time is tomorrow's");

    let run = runs[0]["id"].as_str().expect("an id");
    let mut ended = shop.run(run).await;
    for _ in 0..100 {
        if ended["completionTime"].is_string() {
            break;
        }
        let mut due = account.due(shop.world.now()).await;
        if due.is_empty() {
            let later = account.due(shop.world.now().plus(Duration::from_secs(3600))).await;
            let (at, _) = *later.first().expect("somebody must look");
            shop.world.advance(at.since(shop.world.now())).await;
            due = account.due(shop.world.now()).await;
        }
        let due: Vec<_> = due.into_iter().map(|(_, reminder)| reminder).collect();
        account.handle_all_twice(&due).await;
        ended = shop.run(run).await;
    }
    let counts = ["listedSchedules", "seenSchedules", "totalProcessedScheduleItems", "totalFailedScheduleItems"];
    assert_eq!(
        (&ended["status"], counts.map(|member| &ended[member])),
        (&json!("Completed"), [8, 8, 8, 0].map(|n| json!(n)).each_ref())
    );
    shop.check_each_was_charged_once(&schedules).await;
    assert_eq!(account.runs_of(&scheduler).await.len(), 1);
    // Nobody but the scheduler waits for anything.
    let waiting = account.due(Timestamp::from_millis(i64::MAX)).await;
    let [(_, left)] = waiting.as_slice() else { panic!("{waiting:?}") };
    assert!(matches!(left.reminder.item, ItemKey::Recurring(_, RecurringKey::Scheduler(_))));
}
