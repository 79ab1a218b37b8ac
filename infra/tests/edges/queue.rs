//! Reminders leave in batches, with their delays and traces, and what was refused is a fault.

use std::time::Duration;

use kessai_infra::aws::Account;
use kessai_shared::ids::{MerchantId, PaymentId, PaymentKey};
use kessai_shared::payment::IdempotencyKey;
use kessai_shared::ports::Queue;
use kessai_shared::reminder::{Delayed, Errand, Reminder};
use kessai_shared::trace::TraceId;

use crate::scripted::{Act, Scripted};

const TRACE: &str = "1-67891233-abcdef012345678912345678";

fn delayed(version: u64) -> Delayed {
    let merchant = MerchantId::from_random([1; 16]);
    let payment = PaymentId::opened_by(&merchant, &IdempotencyKey::parse("k").unwrap());
    let reminder = Reminder { item: PaymentKey { merchant, payment }.into(), version };
    let trace = TraceId::parse(TRACE).filter(|_| version == 7);
    Delayed { reminder, errand: Errand::FollowUp, delay: Duration::from_secs(version), trace }
}

async fn queue(answer: &str) -> Scripted {
    Scripted::start(vec![Act::Read, Act::answer(200, answer.as_bytes())]).await
}

#[tokio::test]
async fn ten_reminders_leave_with_each_call() {
    let server = queue(r#"{"Successful":[],"Failed":[]}"#).await;
    let reminders: Vec<_> = (0..25).map(delayed).collect();
    Account::at(&server.url)
        .queue(vec![(Errand::FollowUp, "http://queue/follow-up".to_owned())])
        .send(&reminders)
        .await
        .unwrap();
    assert_eq!(server.received("AmazonSQS.SendMessageBatch"), 3);
    assert_eq!(server.received("\"DelaySeconds\""), 25);
    assert_eq!(server.received("\"DelaySeconds\":24"), 1);
    assert_eq!(server.received(&format!("Root={TRACE}")), 1);
    let message = serde_json::to_string(&delayed(24).reminder.message()).unwrap();
    assert_eq!(server.received(&message), 1, "{message}");
}

#[tokio::test]
async fn a_message_that_is_refused_is_a_fault() {
    let refusal = r#"{"Successful":[],"Failed":[{"Id":"0","Code":"InternalError","SenderFault":false}]}"#;
    let server = queue(refusal).await;
    let fault = Account::at(&server.url)
        .queue(vec![(Errand::FollowUp, "http://queue/follow-up".to_owned())])
        .send(&[delayed(1)])
        .await
        .unwrap_err();
    assert_eq!(fault.to_string(), "SQS refused a message: InternalError");
}

#[tokio::test]
async fn nothing_to_send_is_no_call() {
    let server = queue("{}").await;
    Account::at(&server.url)
        .queue(vec![(Errand::FollowUp, "http://queue/follow-up".to_owned())])
        .send(&[])
        .await
        .unwrap();
    assert_eq!(server.received_bytes(), 0);
}
