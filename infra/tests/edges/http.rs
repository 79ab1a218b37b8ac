//! What the HTTP client says of a request is what a server can confirm: it counts what it received.

use std::future::{Future, poll_fn};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::sync::mpsc;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use kessai_infra::http::HttpClient;
use kessai_shared::ports::{Http, HttpFault, HttpRequest, HttpResponse, Method};
use tokio::time;
use zeroize::Zeroizing;

use crate::scripted::{Act, Scripted};

/// The longest body that is taken.
const CAP: usize = 256 * 1024;

const PATIENCE: Duration = Duration::from_secs(5);
const IMPATIENCE: Duration = Duration::from_millis(300);

/// What a server finds in its transcript once for each time that the request came.
const SECRET: &str = "4111111111111111";

fn post(url: &str) -> HttpRequest {
    HttpRequest {
        method: Method::Post,
        url: format!("{url}/authorizations"),
        headers: vec![("content-type", "text/plain".to_owned()), ("authorization", "token".to_owned())],
        body: Zeroizing::new(SECRET.as_bytes().to_vec()),
    }
}

/// What is said of a request, in a word.
fn word(answer: &Result<HttpResponse, HttpFault>) -> &'static str {
    match answer {
        Ok(_) => "answered",
        Err(HttpFault::NotSent(text)) => said(text, "not sent"),
        Err(HttpFault::Lost(text)) => said(text, "lost"),
    }
}

fn said(text: &str, word: &'static str) -> &'static str {
    assert!(!text.is_empty() && !text.contains(SECRET) && !text.contains("token"), "{text}");
    word
}

fn head(length: usize) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn an_answer_is_an_answer_whatever_its_status() {
    let client = HttpClient::new().unwrap();
    for (status, body) in [(200, &b"{}"[..]), (500, b"no luck"), (302, b""), (404, b""), (200, &[b'x'; CAP])] {
        let server = Scripted::start(vec![Act::Read, Act::answer(status, body)]).await;
        let answer = client.send(post(&server.url), PATIENCE).await;
        assert_eq!(answer, Ok(HttpResponse { status, body: body.to_vec() }));
        assert_eq!(server.received(SECRET), 1);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let client = HttpClient::new().unwrap();
    let there = Scripted::start(vec![Act::Read, Act::answer(200, b"")]).await;
    let redirect = format!("HTTP/1.1 307 There\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", there.url);
    let here = Scripted::start(vec![Act::Read, Act::Write(redirect.into_bytes())]).await;
    let answer = client.send(post(&here.url), PATIENCE).await.unwrap();
    assert_eq!(answer.status, 307);
    assert_eq!(there.received_bytes(), 0);
}

#[tokio::test]
async fn a_request_arrives_as_it_was_made() {
    let client = HttpClient::new().unwrap();
    let server = Scripted::start(vec![Act::Read, Act::answer(200, b"")]).await;
    client.send(post(&server.url), PATIENCE).await.unwrap();
    let url = format!("{}/operations?reference=1", server.url);
    let get = HttpRequest { method: Method::Get, url, headers: Vec::new(), body: Zeroizing::default() };
    client.send(get, PATIENCE).await.unwrap();
    let host = server.url.trim_start_matches("http://");
    let lines = [
        "POST /authorizations HTTP/1.1\r\ncontent-type: text/plain\r\nauthorization: token\r\n",
        "content-length: 16\r\n\r\n4111111111111111",
        "GET /operations?reference=1 HTTP/1.1\r\n",
        &format!("host: {host}\r\n"),
    ];
    assert_eq!(lines.map(|line| server.received(line)), [1, 1, 1, 2]);
}

#[tokio::test]
async fn a_request_that_arrived_and_was_not_answered_is_lost() {
    let client = HttpClient::new().unwrap();
    let cut_head = Act::Write(b"HTTP/1.1 200 OK\r\ncontent-".to_vec());
    let cut_body = Act::Write([&head(10)[..], b"123"].concat());
    let endless = Act::Write([&b"HTTP/1.1 200 OK\r\n\r\n"[..], &[b'x'; CAP + 1]].concat());
    let rows = [
        ("closed", vec![Act::Read, Act::Close]),
        ("reset", vec![Act::Read, Act::Reset]),
        ("half closed", vec![Act::Read, Act::HalfClose]),
        ("silent", vec![Act::Read, Act::Hang]),
        ("head cut short", vec![Act::Read, cut_head.clone(), Act::Close]),
        ("head that does not end", vec![Act::Read, cut_head, Act::Hang]),
        ("body cut short", vec![Act::Read, cut_body.clone(), Act::Close]),
        ("body that does not end", vec![Act::Read, cut_body, Act::Hang]),
        ("no HTTP", vec![Act::Read, Act::Write(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), Act::Close]),
        ("announced beyond the cap", vec![Act::Read, Act::answer(200, &[b'x'; CAP + 1])]),
        ("beyond the cap", vec![Act::Read, endless, Act::Hang]),
    ];
    for (name, script) in rows {
        let server = Scripted::start(script).await;
        let answer = client.send(post(&server.url), IMPATIENCE).await;
        assert_eq!(word(&answer), "lost", "{name}: {answer:?}");
        assert_eq!(server.received(SECRET), 1, "{name}");
    }
}

#[tokio::test]
async fn a_request_without_a_connection_is_not_sent() {
    let client = HttpClient::new().unwrap();
    let silent = Scripted::start(vec![Act::Hang]).await;
    let plain = Scripted::start(vec![Act::Write(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()), Act::HalfClose]).await;
    let tls = |server: &Scripted| server.url.replace("http://", "https://");
    let rows = [
        ("refused", "http://127.0.0.1:1".to_owned(), PATIENCE),
        ("no such name", "http://no-such-host.invalid".to_owned(), PATIENCE),
        ("no URL", "http://not a url".to_owned(), PATIENCE),
        ("no host", String::new(), PATIENCE),
        ("no scheme of ours", "ftp://127.0.0.1".to_owned(), PATIENCE),
        ("TLS that does not begin, and no time", tls(&silent), IMPATIENCE),
        ("TLS that does not begin", tls(&silent), PATIENCE),
        ("no TLS", tls(&plain), PATIENCE),
    ];
    for (name, url, patience) in rows {
        let answer = client.send(post(&url), patience).await;
        assert_eq!(word(&answer), "not sent", "{name}: {answer:?}");
    }
    assert_eq!(silent.received(SECRET) + plain.received(SECRET), 0);
}

#[tokio::test]
async fn a_header_that_cannot_be_written_is_not_sent() {
    let client = HttpClient::new().unwrap();
    let server = Scripted::start(vec![Act::Read, Act::answer(200, b"")]).await;
    let mut request = post(&server.url);
    request.headers.push(("idempotency-key", "two\r\nlines".to_owned()));
    let answer = client.send(request, PATIENCE).await;
    assert_eq!(word(&answer), "not sent");
    assert_eq!(server.received_bytes(), 0);
}

/// The server reads whatever still comes after it has said farewell, so that its count is the truth.
#[tokio::test]
async fn a_connection_that_ends_at_once_is_spoken_of_honestly() {
    let client = HttpClient::new().unwrap();
    for round in 0..100 {
        let server = Scripted::start(vec![Act::HalfClose]).await;
        let answer = client.send(post(&server.url), PATIENCE).await;
        assert_honest(&answer, &server, 0, round).await;
    }
}

/// A connection is used once, and ends somewhere around the time of the second request, in several ways.
#[tokio::test]
async fn a_request_on_a_connection_that_ended_is_sent_at_most_once() {
    let client = HttpClient::new().unwrap();
    let again = vec![Act::Read, Act::answer(200, b"")];
    for round in 0..300_u32 {
        let pause = Duration::from_micros(20 * u64::from(round / 3));
        let end = [Act::HalfClose, Act::Close, Act::Reset][round as usize % 3].clone();
        let once = vec![Act::Read, Act::answer(200, b""), Act::Wait(pause / 2), end];
        let server = Scripted::start_with(vec![once, again.clone()]).await;
        client.send(post(&server.url), PATIENCE).await.expect("the first request is answered");
        time::sleep(pause).await;
        let answer = client.send(post(&server.url), PATIENCE).await;
        assert_honest(&answer, &server, 1, round).await;
    }
}

/// When the request is handed over, the runtime has seen the connection's end and its task has not: both
/// are woken by the same look at the network, and the test goes first.
#[tokio::test]
async fn a_request_that_an_ended_connection_gives_back_is_not_sent() {
    let client = HttpClient::new().unwrap();
    let (end, ended) = mpsc::channel();
    let (bid_farewell, farewell) = mpsc::channel();
    let (url, server) = answer_once(ended, bid_farewell);
    client.send(post(&url), PATIENCE).await.expect("the first request is answered");
    // The connection comes to rest.
    time::sleep(Duration::from_millis(10)).await;
    let wake = loop {
        let mut wake = Box::pin(time::sleep(Duration::from_millis(10)));
        // Where the test is held up, its time may be over before it is looked at.
        if poll_fn(|context| Poll::Ready(wake.as_mut().poll(context).is_pending())).await {
            break wake;
        }
    };
    end.send(()).unwrap();
    farewell.recv().unwrap();
    thread::sleep(Duration::from_millis(50));
    wake.await;
    let answer = client.send(post(&url), PATIENCE).await;
    assert_eq!(word(&answer), "not sent", "{answer:?}");
    assert_eq!(server.join().unwrap(), 0, "bytes came after the end");
}

/// Answers one request, says farewell when told to and that it has, and counts the bytes that come after it. It runs on
/// a thread of its own, so it goes on while the test holds up the runtime.
fn answer_once(ended: mpsc::Receiver<()>, bid_farewell: mpsc::Sender<()>) -> (String, thread::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(SECRET.as_bytes()) {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.extend(byte);
        }
        stream.write_all(&head(0)).unwrap();
        ended.recv().unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        bid_farewell.send(()).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap()
    });
    (url, server)
}

#[tokio::test]
async fn an_idle_connection_is_used_again_until_it_is_too_old() {
    let client = HttpClient::new().unwrap();
    let server = Scripted::start_with(vec![
        vec![Act::Read, Act::answer(200, b"first")],
        vec![Act::Read, Act::answer(200, b"second")],
    ])
    .await;
    for (pause_ms, connection) in [(0, "first"), (1_000, "first"), (4_500, "second")] {
        time::sleep(Duration::from_millis(pause_ms)).await;
        let answer = client.send(post(&server.url), PATIENCE).await.unwrap();
        assert_eq!(str::from_utf8(&answer.body).unwrap(), connection, "after {pause_ms} ms");
    }
}

async fn assert_honest(answer: &Result<HttpResponse, HttpFault>, server: &Scripted, before: usize, round: u32) {
    // What is on its way may still arrive.
    time::sleep(Duration::from_millis(5)).await;
    let received = server.received(SECRET) - before;
    let possible = match word(answer) {
        "answered" => 1..=1,
        "not sent" => 0..=0,
        _ => 0..=1,
    };
    assert!(possible.contains(&received), "round {round}: {answer:?}, received {received} times");
}
