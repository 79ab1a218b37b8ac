//! An event is put on the bus as its rules know it, and what the bus did not take is a fault.

use std::sync::Arc;

use kessai_infra::aws::Account;
use kessai_infra::http::HttpClient;
use kessai_shared::ids::MerchantId;
use kessai_shared::ports::{Bus, DeliveryFault};
use kessai_shared::time::Timestamp;

use crate::scripted::{Act, Scripted};

const TAKEN: &str = r#"{"FailedEntryCount":0,"Entries":[{"EventId":"11710aed-b79e-4468-a20b-bb3c0c3b4860"}]}"#;

async fn bus(status: u16, answer: &str) -> Scripted {
    Scripted::start(vec![Act::Read, Act::answer(status, answer.as_bytes())]).await
}

fn merchant() -> MerchantId {
    MerchantId::from_random([1; 16])
}

async fn put(server: &Scripted) -> Result<u16, DeliveryFault> {
    let bus = Account::at(&server.url).bus(Arc::new(HttpClient::new().unwrap()), "till".to_owned());
    let at = Timestamp::from_millis(1_700_000_000_999);
    bus.put(merchant(), at, r#"{"IsSuccess":true}"#.to_owned()).await
}

#[tokio::test]
async fn an_event_is_put_as_rules_know_it() {
    let server = bus(200, TAKEN).await;
    assert_eq!(put(&server).await, Ok(200));
    let resources = format!(r#""Resources":["{}"]"#, merchant());
    for text in [
        "x-amz-target: AWSEvents.PutEvents",
        "content-type: application/x-amz-json-1.1",
        "/us-east-1/events/aws4_request",
        r#""EventBusName":"till""#,
        r#""Source":"kessai""#,
        r#""DetailType":"PaymentCreationEvent""#,
        r#""Detail":"{\"IsSuccess\":true}""#,
        r#""Time":1700000000"#,
        &resources,
    ] {
        assert_eq!(server.received(text), 1, "{text}");
    }
}

#[tokio::test]
async fn an_entry_that_failed_is_a_fault_although_the_answer_is_200() {
    let refused = r#"{"FailedEntryCount":1,"Entries":[{"ErrorCode":"ThrottlingException","ErrorMessage":"no"}]}"#;
    for (answer, cause) in [
        (refused, "EventBridge: ThrottlingException"),
        (r#"{"FailedEntryCount":1}"#, "EventBridge: "),
        ("{}", "EventBridge: an answer that is none"),
        ("<html>", "EventBridge: an answer that is none"),
    ] {
        let server = bus(200, answer).await;
        assert_eq!(put(&server).await, Err(DeliveryFault::NotTaken(cause.to_owned())));
        assert_eq!(server.received("AWSEvents.PutEvents"), 1, "{answer}");
    }
}

#[tokio::test]
async fn an_event_that_was_not_taken_may_be_put_again() {
    let refused = r#"{"FailedEntryCount":1,"Entries":[{"ErrorCode":"InternalFailure"}]}"#;
    let answers = [refused, TAKEN].map(|answer| Act::answer(200, answer.as_bytes()));
    let [first, second] = answers;
    let scripts = vec![vec![Act::Read, first, Act::Close], vec![Act::Read, second]];
    let server = Scripted::start_with(scripts).await;
    assert!(put(&server).await.is_err());
    assert_eq!(put(&server).await, Ok(200));
    assert_eq!(server.received("AWSEvents.PutEvents"), 2);
}

#[tokio::test]
async fn what_will_not_pass_is_asked_once_and_what_may_is_asked_again() {
    for (status, body, cause, attempts) in [
        (400, r#"{"__type":"AccessDeniedException"}"#, "EventBridge: 400 AccessDeniedException", 1),
        (500, "", "EventBridge: 500 ", 3),
    ] {
        let server = bus(status, body).await;
        assert_eq!(put(&server).await, Err(DeliveryFault::NotTaken(cause.to_owned())));
        assert_eq!(server.received("AWSEvents.PutEvents"), attempts, "{cause}");
    }
}
