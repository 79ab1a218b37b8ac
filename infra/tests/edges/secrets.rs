//! Secrets come in one signed call, and what is missing is named.

use kessai_infra::aws::Account;
use kessai_infra::http::HttpClient;

use crate::scripted::{Act, Scripted};

#[tokio::test]
async fn a_functions_credentials_come_with_a_session_token_that_is_signed_too() {
    let server = Scripted::start(answer(200, r#"{"Parameters":[{"Name":"/a","Value":"one"}]}"#)).await;
    let environment = |name: &str| match name {
        "AWS_ENDPOINT_URL" => Some(server.url.clone()),
        "AWS_SESSION_TOKEN" => Some("a-session".to_owned()),
        "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("eu-central-1".to_owned()),
        _ => None,
    };
    let account = Account::from_environment(&environment).unwrap();
    account.secrets().fetch(&HttpClient::new().unwrap(), &["/a"]).await.unwrap();
    assert_eq!(server.received("x-amz-security-token: a-session"), 1);
    assert_eq!(server.received("x-amz-date;x-amz-security-token;x-amz-target"), 1, "it is among what is signed");
}

async fn fetch(script: Vec<Act>, names: &[&str]) -> (Scripted, Result<Vec<String>, String>) {
    let server = Scripted::start(script).await;
    let http = HttpClient::new().unwrap();
    let fetched = Account::at(&server.url).secrets().fetch(&http, names).await;
    let values = fetched.map(|found| found.into_values().map(|value| value.to_string()).collect());
    (server, values.map_err(|fault| fault.to_string()))
}

fn answer(status: u16, body: &str) -> Vec<Act> {
    vec![Act::Read, Act::answer(status, body.as_bytes())]
}

#[tokio::test]
async fn all_come_in_one_signed_call() {
    let both = r#"{"Parameters":[{"Name":"/b","Value":"two"},{"Name":"/a","Value":"one"}],"InvalidParameters":[]}"#;
    let (server, values) = fetch(answer(200, both), &["/a", "/b"]).await;
    assert_eq!(values.unwrap(), ["one", "two"]);
    for (text, times) in [
        ("AmazonSSM.GetParameters", 1),
        (r#""WithDecryption":true"#, 1),
        ("AWS4-HMAC-SHA256 Credential=local/", 1),
        ("/us-east-1/ssm/aws4_request", 1),
        ("x-amz-date: ", 1),
    ] {
        assert_eq!(server.received(text), times, "{text}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_named() {
    let (_, values) = fetch(answer(200, r#"{"Parameters":[],"InvalidParameters":["/a"]}"#), &["/a"]).await;
    assert_eq!(values.unwrap_err(), "Parameter Store: there is no parameter /a");
}

#[tokio::test]
async fn a_refusal_is_final_and_a_failure_is_tried_again() {
    let rows = [
        (400, r#"{"__type":"AccessDeniedException","message":"no"}"#, "Parameter Store: 400 AccessDeniedException", 1),
        (400, r#"{"__type":"ThrottlingException"}"#, "Parameter Store: 400 ThrottlingException", 4),
        (500, "", "Parameter Store: 500 ", 4),
    ];
    for (status, body, says, attempts) in rows {
        let (server, values) = fetch(answer(status, body), &["/a"]).await;
        assert_eq!(values.unwrap_err(), says);
        assert_eq!(server.received("AmazonSSM.GetParameters"), attempts);
    }
}
