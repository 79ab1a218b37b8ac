//! Where the account has a bus for it, that hears how each sale and capture came out; elsewhere nothing is kept for it.

use std::sync::Mutex;

use kessai_functions::deliver_event::{self, Means};
use kessai_functions::door::Function;
use kessai_functions::event::HttpAnswer;
use kessai_functions::{authorize, capture, sale};
use kessai_shared::ids::MerchantId;
use kessai_shared::payment::Payment;
use kessai_shared::ports::{Bus, Deliveries, DeliveryFault, Pending};
use kessai_shared::stored::payment::Stored;
use kessai_shared::time::Timestamp;
use serde_json::{Value, json};

use crate::in_process::InProcess;

/// No merchant here has an endpoint.
struct Nobody;

impl Deliveries for Nobody {
    fn deliver<'a>(
        &'a self,
        url: &'a str,
        _: &'a [(&'static str, String)],
        _: Vec<u8>,
    ) -> Pending<'a, Result<u16, DeliveryFault>> {
        panic!("nobody listens at {url}")
    }
}

#[derive(Default)]
struct Heard(Mutex<Vec<(MerchantId, Timestamp, String)>>);

impl Bus for Heard {
    fn put(&self, merchant: MerchantId, at: Timestamp, detail: String) -> Pending<'_, Result<u16, DeliveryFault>> {
        self.0.lock().expect("events").push((merchant, at, detail));
        Box::pin(async { Ok(200) })
    }
}

async fn world(tells_bus: bool) -> InProcess {
    let mut world = InProcess::new().await;
    world.app.tells_bus = tells_bus;
    world
}

async fn opened(world: &InProcess, function: &'static Function, key: &str, amount: &str) -> HttpAnswer {
    let mut body = world.opening();
    body["amount"] = serde_json::from_str(amount).expect("a number");
    world.ask(function, None, key, body).await.0
}

fn payments(world: &InProcess) -> Vec<Payment> {
    let items = world.payments.items().into_iter();
    items.map(|item| Stored::from_item(item).expect("a payment").payment).collect()
}

/// What the bus hears of all payments: each detail without the event's id, which depends on the time.
async fn heard(world: &InProcess) -> Vec<String> {
    let bus = Heard::default();
    for payment in payments(world) {
        let means = Means { deliveries: &Nobody, bus: Some(&bus) };
        let told = deliver_event::tell(&world.invocation(), means, payment.key(), world.deadline()).await;
        let told = told.expect("nothing hinders it").expect("a payment");
        assert_eq!((told.outbox.due(), told.outbox.entries.len()), (None, 0));
    }
    let heard = bus.0.into_inner().expect("events");
    let shown = heard.into_iter().map(|(merchant, at, detail)| {
        assert_eq!(merchant, world.merchant);
        let known: Value = serde_json::from_str(&detail).expect("JSON");
        let id = known["EventUuid"].as_str().expect("an id");
        assert!(id.starts_with(&format!("evt_{:011x}", at.as_millis())), "{id}");
        detail.replace(id, "evt")
    });
    shown.collect()
}

#[tokio::test]
async fn a_sale_that_succeeded_to_the_letter() {
    let world = world(true).await;
    assert_eq!(opened(&world, &sale::FUNCTION, "order 1", "50").await.status_code, 201);
    let expected = r#"{"EventUuid":"evt","IsSuccess":true,"PaymentGatewayLogId":"0XthoZ2xA3IWCb4CJH","PaymentId":"0aQUBCA0dRspzn62TA","PaymentStatus":"Processed","ReplayId":"1","RequestIdentifier":"order 1","Type":"Sale"}"#;
    assert_eq!(heard(&world).await, [expected]);
}

#[tokio::test]
async fn a_sale_that_was_declined_to_the_letter() {
    let world = world(true).await;
    assert_eq!(opened(&world, &sale::FUNCTION, "order 2", "90.01").await.status_code, 402);
    let expected = r#"{"ErrorCode":"DECLINED","ErrorMessage":"The gateway declined: Do Not Honour","EventUuid":"evt","IsSuccess":false,"PaymentGatewayLogId":"0Xt2dPpFBQC2TJaC3N","PaymentId":"0aQNaTKvIrTEb4qMLD","PaymentStatus":"Failed","ReplayId":"1","RequestIdentifier":"order 2","Type":"Sale"}"#;
    assert_eq!(heard(&world).await, [expected]);
}

#[tokio::test]
async fn of_a_purchase_in_two_steps_it_hears_of_the_capture_alone() {
    let world = world(true).await;
    let authorized = opened(&world, &authorize::FUNCTION, "a", "50").await;
    assert_eq!(heard(&world).await, [""; 0]);
    let authorized: Value = serde_json::from_str(&authorized.body).expect("JSON");
    let id = authorized["paymentAuthorization"]["id"].as_str().expect("an id");
    let to = Some(("authorizationId", id));
    let (captured, _) = world.ask(&capture::FUNCTION, to, "c", json!({ "amount": 20 })).await;
    let captured: Value = serde_json::from_str(&captured.body).expect("JSON");
    let [detail] = heard(&world).await.try_into().expect("one event");
    let detail: Value = serde_json::from_str(&detail).expect("JSON");
    assert_eq!((&detail["Type"], &detail["RequestIdentifier"]), (&json!("Capture"), &json!("c")));
    assert_eq!(detail["PaymentId"], captured["payment"]["id"]);
    assert_eq!(detail["PaymentGatewayLogId"], captured["paymentGatewayLogs"][0]["id"]);
}

#[tokio::test]
async fn an_account_without_a_bus_keeps_nothing_for_it() {
    for tells_bus in [false, true] {
        let world = world(tells_bus).await;
        opened(&world, &sale::FUNCTION, "s", "50").await;
        let [payment] = payments(&world).try_into().expect("one payment");
        let entries = payment.outbox.entries.len();
        assert_eq!((payment.outbox.due().is_some(), entries), (tells_bus, usize::from(tells_bus)));
    }
}
