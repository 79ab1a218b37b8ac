//! What gateways take in a second is kept to by all processes together, and costs nothing where nothing is documented.

use std::sync::Arc;

use kessai_functions::rates::{GatewayRates, Rates};
use kessai_shared::gateways::{Adapter, Check, sandbox};
use kessai_shared::ids::{ApiKeyId, GatewayId};
use kessai_shared::memory::Memory;
use kessai_shared::ports::{Expected, Limiter, Pending, Store, StoreFault, Written};
use kessai_shared::rate::Rate;
use kessai_shared::shell::Route;
use kessai_shared::stored::Item;
use kessai_shared::time::Timestamp;
use serde_json::{Value, json};

use crate::in_process::InProcess;

const START: i64 = 1_790_000_000_000;

/// As many as a gateway may take in a second.
const MOST: u16 = 14;

static LIMITED: Adapter = Adapter { rate: |_| Some(MOST), ..sandbox::KEYED };

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(START + millis)
}

fn gateway(seed: u8) -> GatewayId {
    GatewayId::from_random([seed; 16])
}

fn processes(store: &Arc<Memory>, count: usize) -> Vec<GatewayRates> {
    (0..count).map(|_| GatewayRates { rates: Arc::default(), store: store.clone() }).collect()
}

/// Sends as much as is let through, and says when.
async fn send_all(processes: &[GatewayRates], id: GatewayId, millis: impl Iterator<Item = i64>) -> Vec<i64> {
    let mut sent = Vec::new();
    for now in millis {
        for process in processes {
            while process.admit(id, MOST, at(now)).await {
                sent.push(now);
            }
        }
    }
    sent
}

#[tokio::test]
async fn in_no_second_is_more_sent_than_the_gateway_takes_however_many_processes_ask() {
    for count in [1, 5] {
        let processes = processes(&Arc::default(), count);
        let sent =
            send_all(&processes, gateway(1), (0..6_000).filter(|now| !(1_500..3_700).contains(now)).step_by(10)).await;
        let in_second = |from: i64| sent.iter().filter(|now| (from..from + 1_000).contains(*now)).count();
        let busiest = (0..6_000).map(in_second).max().unwrap_or_default();
        assert!(busiest <= usize::from(MOST), "{busiest} by {count} processes");
        assert!(in_second(4_900) >= 10, "{} by {count} processes", in_second(4_900));
    }
}

#[tokio::test]
async fn gateways_and_keys_have_buckets_of_their_own() {
    let store: Arc<Memory> = Arc::default();
    let processes = processes(&store, 1);
    let alone = send_all(&processes, gateway(1), std::iter::once(0)).await.len();
    assert!((1..usize::from(MOST)).contains(&alone));
    assert_eq!(send_all(&processes, gateway(2), std::iter::once(0)).await.len(), alone);
    let key = ApiKeyId::from_random([1; 16]);
    assert_eq!(processes[0].rates.admit(&*store, key, Rate::of_caller(1), at(0)).await, Ok(()));
    assert_eq!(store.items().len(), 3);
}

#[tokio::test]
async fn a_request_to_a_limited_gateway_costs_one_write_and_one_that_is_turned_away_none() {
    let store: Arc<Memory> = Arc::default();
    let processes = processes(&store, 1);
    let sent = send_all(&processes, gateway(1), std::iter::once(0)).await.len();
    let spent = store.meter();
    assert_eq!((spent.reads, spent.writes), (0, u64::try_from(sent).expect("a few")));
    for _ in 0..10 {
        assert!(!processes[0].admit(gateway(1), MOST, at(1)).await);
    }
    assert_eq!(store.meter(), spent);
}

/// A store that is down.
struct Down;

impl Store for Down {
    fn read<'a>(&'a self, _: &'a str) -> Pending<'a, Result<Option<Item>, StoreFault>> {
        Box::pin(async { Err(StoreFault("down".into())) })
    }

    fn write(&self, _: Item, _: Expected) -> Pending<'_, Result<Written, StoreFault>> {
        Box::pin(async { Err(StoreFault("down".into())) })
    }
}

#[tokio::test]
async fn where_nobody_can_tell_it_is_sent() {
    let process = GatewayRates { rates: Arc::new(Rates::default()), store: Arc::new(Down) };
    for _ in 0..100 {
        assert!(process.admit(gateway(1), MOST, at(0)).await);
    }
}

#[tokio::test]
async fn a_gateway_without_a_documented_limit_costs_no_write() {
    let world = InProcess::new().await;
    let authorization = format!("Bearer {}", world.api_key.reveal());
    let headers = [("content-type", "application/json"), ("authorization", authorization.as_str())];
    let path = "/commerce/payments/authorizations";
    let (made, spent) = world.request("POST", path, &headers, &world.opening()).await;
    assert_eq!((made.status_code, spent.merchants.writes), (201, 0), "{}", made.body);
    let made: Value = serde_json::from_str(&made.body).expect("JSON");
    let id = made["paymentAuthorization"]["id"].as_str().expect("an id");
    let (made, spent) =
        world.request("POST", &format!("{path}/{id}/captures"), &headers, &json!({ "amount": 1 })).await;
    assert_eq!((made.status_code, spent.merchants.writes), (201, 0), "{}", made.body);
    let (_, spent) = world
        .request("POST", &format!("/sobjects/PaymentGateway/{}/check", world.gateway), &headers, &Value::Null)
        .await;
    assert_eq!(spent.merchants.writes, 0);
}

#[tokio::test]
async fn what_is_over_the_limit_reaches_no_gateway() {
    let mut world = InProcess::new().await;
    // The clock of the world goes on; a limit that is used up does not.
    let used_up = GatewayRates { rates: Arc::default(), store: world.merchants.clone() };
    let far = world.now().plus(std::time::Duration::from_secs(3_600));
    while used_up.admit(world.gateway, MOST, far).await {}
    world.app.shell.limiter = Some(Arc::new(used_up));
    let account = kessai_shared::merchant::Gateway::at("sandbox-keyed", "http://127.0.0.1:1/keyed");
    let route = Route {
        merchant: world.merchant,
        id: world.gateway,
        gateway: &account,
        adapter: &LIMITED,
        wanted: kessai_shared::event::EventNames::NONE,
    };
    let check: Check = LIMITED.check.expect("it can be checked");
    let shell = &world.app.shell;
    let told = shell.check(route, check, world.deadline()).await.expect("an answer");
    assert!(told.as_ref().is_err_and(|why| why.contains("no more requests for now")), "{told:?}");
    let free = Route { adapter: &sandbox::KEYED, ..route };
    let told = shell.check(free, check, world.deadline()).await.expect("an answer");
    assert!(told.as_ref().is_err_and(|why| why.contains("was not reached")), "there is nobody: {told:?}");
}
