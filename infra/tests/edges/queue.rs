//! Reminders leave in batches, with their delays and traces, and what was refused is a fault.

use std::sync::Arc;
use std::time::Duration;

use kessai_infra::aws::Account;
use kessai_infra::http::HttpClient;
use kessai_infra::sqs::Sqs;
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

fn follow_up(server: &Scripted) -> Sqs {
    let http = Arc::new(HttpClient::new().unwrap());
    Account::at(&server.url).queue(http, vec![(Errand::FollowUp, "http://queue/follow-up".to_owned())])
}

#[tokio::test]
async fn ten_reminders_leave_with_each_call() {
    let server = queue(r#"{"Successful":[],"Failed":[]}"#).await;
    let reminders: Vec<_> = (0..25).map(delayed).collect();
    follow_up(&server).send(&reminders).await.unwrap();
    assert_eq!(server.received("AmazonSQS.SendMessageBatch"), 3);
    assert_eq!(server.received("\"DelaySeconds\""), 25);
    assert_eq!(server.received("\"DelaySeconds\":24"), 1);
    assert_eq!(server.received(&format!("Root={TRACE}")), 1);
    let message = serde_json::to_string(&delayed(24).reminder.message()).unwrap();
    assert_eq!(server.received(&message), 1, "{message}");
    assert_eq!(server.received(r#""QueueUrl":"http://queue/follow-up""#), 3);
    assert_eq!(server.received("content-type: application/x-amz-json-1.0"), 3);
    assert_eq!(server.received("/us-east-1/sqs/aws4_request"), 3);
    assert_eq!(server.received(r#""AWSTraceHeader":{"DataType":"String""#), 1);
}

#[tokio::test]
async fn a_message_that_is_refused_is_a_fault() {
    let refusal = r#"{"Successful":[],"Failed":[{"Id":"0","Code":"InternalError","SenderFault":false}]}"#;
    let server = queue(refusal).await;
    let fault = follow_up(&server).send(&[delayed(1)]).await.unwrap_err();
    assert_eq!(fault.to_string(), "SQS refused a message: InternalError");
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_what_will_not_is_a_fault_at_once() {
    let rows: [(u16, &str, &str, usize); 4] = [
        (400, r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist"}"#, "SQS: 400 com.amazonaws.sqs#QueueDoesNotExist", 1),
        (400, r#"{"__type":"com.amazonaws.sqs#RequestThrottled"}"#, "SQS: 400 com.amazonaws.sqs#RequestThrottled", 3),
        (503, "", "SQS: 503 ", 3),
        (200, "<html>", "SQS: an answer that is none", 1),
    ];
    for (status, body, says, attempts) in rows {
        let server = Scripted::start(vec![Act::Read, Act::answer(status, body.as_bytes())]).await;
        assert_eq!(follow_up(&server).send(&[delayed(1)]).await.unwrap_err().to_string(), says);
        assert_eq!(server.received("AmazonSQS.SendMessageBatch"), attempts, "{says}");
    }
}

#[tokio::test]
async fn a_call_whose_answer_is_lost_is_made_again() {
    let answers = vec![Act::Read, Act::answer(200, br#"{"Successful":[]}"#)];
    let server = Scripted::start_with(vec![vec![Act::Read, Act::Reset], answers]).await;
    follow_up(&server).send(&[delayed(1)]).await.unwrap();
    assert_eq!(server.received("AmazonSQS.SendMessageBatch"), 2);
}

#[tokio::test]
async fn an_errand_without_a_queue_is_a_fault() {
    let server = queue("{}").await;
    let reminder = Delayed { errand: Errand::Deliver, ..delayed(1) };
    let fault = follow_up(&server).send(&[reminder]).await.unwrap_err();
    assert_eq!(fault.to_string(), "this function has no queue for Deliver");
}

#[tokio::test]
async fn nothing_to_send_is_no_call() {
    let server = queue("{}").await;
    follow_up(&server).send(&[]).await.unwrap();
    assert_eq!(server.received_bytes(), 0);
}
