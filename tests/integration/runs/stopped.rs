//! A run that is stopped finishes what it charges and begins nothing else; what it leaves is charged by the next.

use serde_json::{Value, json};

use super::{RUNS, Shop, keys_of_lane, lane_of, run_key};

#[tokio::test]
async fn what_a_run_that_is_stopped_leaves_is_charged_by_the_next_one_and_all_of_it_once() {
    let shop = Shop::open().await;
    let (busy, waiting) = (7, 40);
    let mut schedules = Vec::new();
    for key in [keys_of_lane(&shop.world, busy, 30), keys_of_lane(&shop.world, waiting, 5)].concat() {
        schedules.push(shop.schedule(&key, &json!({})).await);
    }
    let run = shop.start().await;
    shop.look(run_key(&shop.world, &run)).await;
    // As soon as the first is charged, somebody stops it.
    let path = format!("{RUNS}/{run}");
    let stop = async {
        while shop.world.payments.items().is_empty() {
            tokio::task::yield_now().await;
        }
        shop.ask("PATCH", &path, None, &json!({ "status": "Stopped" })).await
    };
    let (_, stopped) = tokio::join!(shop.look(lane_of(&shop.world, &run, busy)), stop);
    assert_eq!(stopped, json!({ "status": "Stopped" }));
    let ended = shop.ended(&run).await;
    // The page that it was working on is finished; of the next one it has looked at all, and begun nothing.
    let counts = |run: &Value| {
        ["listedSchedules", "seenSchedules", "totalProcessedScheduleItems", "totalFailedScheduleItems"]
            .map(|member| run[member].as_u64().expect("a number"))
    };
    assert_eq!((&ended["status"], counts(&ended)), (&json!("Stopped"), [35, 30, 25, 0]));
    assert_eq!(shop.charges().len(), 25);
    let mut left = 0;
    for schedule in &schedules {
        let shown = shop.shown(schedule).await;
        left += usize::from(shown["items"][0]["status"] == "Ready for Processing");
    }
    assert_eq!(left, 10);

    let next = shop.start().await;
    let ended = shop.ended(&next).await;
    assert_eq!((&ended["status"], counts(&ended)), (&json!("Completed"), [10, 10, 10, 0]));
    shop.check_each_was_charged_once(&schedules).await;
}

#[tokio::test]
async fn a_run_that_is_stopped_before_it_has_started_charges_nothing() {
    let shop = Shop::open().await;
    let schedules = [shop.schedule("one", &json!({})).await];
    let run = shop.start().await;
    shop.ask("PATCH", &format!("{RUNS}/{run}"), None, &json!({ "status": "Stopped" })).await;
    let ended = shop.ended(&run).await;
    assert_eq!((&ended["status"], &ended["seenSchedules"]), (&json!("Stopped"), &json!(0)));
    assert!(shop.charges().is_empty());
    let next = shop.start().await;
    assert_eq!(shop.ended(&next).await["status"], "Completed");
    shop.check_each_was_charged_once(&schedules).await;
}
