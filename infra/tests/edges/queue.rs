//! Reminders leave in batches, with their delays and traces, for a queue or for a function, and what was refused is a
//! fault.

use std::sync::Arc;
use std::time::Duration;

use kessai_infra::aws::Account;
use kessai_infra::http::HttpClient;
use kessai_infra::reminders::Reminders;
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

fn follow_up(server: &Scripted) -> Reminders {
    let http = Arc::new(HttpClient::new().unwrap());
    Account::at(&server.url).reminders(http, vec![(Errand::FollowUp, "http://queue/follow-up".to_owned())])
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
    assert_eq!(fault.to_string(), "SQS: a message was refused: InternalError");
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
async fn an_errand_without_a_place_is_a_fault() {
    let server = queue("{}").await;
    let reminder = Delayed { errand: Errand::Deliver, ..delayed(1) };
    let fault = follow_up(&server).send(&[reminder]).await.unwrap_err();
    assert_eq!(fault.to_string(), "this function has nowhere to send Deliver");
}

#[tokio::test]
async fn nothing_to_send_is_no_call() {
    let server = queue("{}").await;
    follow_up(&server).send(&[]).await.unwrap();
    assert_eq!(server.received_bytes(), 0);
}

/// A function that is called and not waited for.
fn deliver(server: &Scripted) -> Reminders {
    let http = Arc::new(HttpClient::new().unwrap());
    Account::at(&server.url).reminders(http, vec![(Errand::Deliver, "kessai-deliver_1".to_owned())])
}

fn owed(version: u64) -> Delayed {
    Delayed { errand: Errand::Deliver, delay: Duration::ZERO, ..delayed(version) }
}

const INVOCATION: &str = "POST /2015-03-31/functions/kessai-deliver_1/invocations HTTP/1.1";

#[tokio::test]
async fn ten_deliveries_are_one_call_that_nobody_waits_for() {
    let server = Scripted::start(vec![Act::Read, Act::answer(202, b"")]).await;
    let reminders: Vec<_> = (0..25).map(owed).collect();
    deliver(&server).send(&reminders).await.unwrap();
    assert_eq!(server.received(INVOCATION), 3);
    assert_eq!(server.received("x-amz-invocation-type: Event"), 3);
    assert_eq!(server.received("content-type: application/json"), 3);
    assert_eq!(server.received("/us-east-1/lambda/aws4_request"), 3);
    assert_eq!(server.received("SignedHeaders=content-type;host;x-amz-date;x-amz-invocation-type,"), 3);
    assert_eq!(server.received(r#"{"Records":[{"#), 3);
    // As SQS would hand them to a function.
    let message = serde_json::to_string(&owed(24).reminder.message()).unwrap();
    assert_eq!(server.received(&format!("\"body\":{message}")), 1, "{message}");
    assert_eq!(server.received(&format!("\"messageId\":\"{}/24\"", owed(24).reminder.item)), 1);
    assert_eq!(server.received(&format!(r#""attributes":{{"AWSTraceHeader":"Root={TRACE}"}}"#)), 1);
    assert_eq!(server.received("\"body\""), 25);
}

#[tokio::test]
async fn a_function_that_cannot_be_called_is_a_fault_and_one_that_may_be_later_is_called_again() {
    let rows: [(u16, &str, usize); 5] = [
        (404, "Lambda: 404 ", 1),
        (403, "Lambda: 403 ", 1),
        // What was waited for was not asked for.
        (200, "Lambda: 200 ", 1),
        (429, "Lambda: 429 ", 3),
        (500, "Lambda: 500 ", 3),
    ];
    for (status, says, attempts) in rows {
        let server = Scripted::start(vec![Act::Read, Act::answer(status, br#"{"Message":"x"}"#)]).await;
        assert_eq!(deliver(&server).send(&[owed(1)]).await.unwrap_err().to_string(), says);
        assert_eq!(server.received(INVOCATION), attempts, "{says}");
    }
}

#[tokio::test]
async fn a_function_whose_answer_is_lost_is_called_again() {
    let answers = vec![Act::Read, Act::answer(202, b"")];
    let server = Scripted::start_with(vec![vec![Act::Read, Act::Reset], answers]).await;
    deliver(&server).send(&[owed(1)]).await.unwrap();
    assert_eq!(server.received(INVOCATION), 2);
}
