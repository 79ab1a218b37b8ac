//! The local door: HTTP on loopback, each request an API Gateway event for the function behind its
//! route, each invocation killed at its deadline as the platform would.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use kessai_shared::event;
use kessai_shared::ids::{ApiKeyId, EndpointId, GatewayId, MethodId, ProviderId, Record};
use kessai_shared::ports::Clock;
use kessai_shared::recurring::ids::RecurringKey;
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use super::clock::MovableClock;
use super::follow_up::Worker;
use super::play::{Ahead, Played};
use super::routes::{Route, find};
use crate::door::{App, answer};
use crate::event::{HttpAnswer, HttpContext, HttpEvent, MAX_NOTICE, RequestContext};
use crate::problem::Problem;

/// What is read of a body that is too large, so that its sender hears the answer.
const MAX_DRAINED: usize = 16 * 1024 * 1024;

const USUAL_BODY: usize = 16 * 1024;

/// How long running requests may take once the server is told to end.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// Where the clock is read and moved.
const CLOCK_PATH: &str = "/local/clock";

/// The local server's parts.
pub struct Server {
    pub app: App,
    pub routes: Vec<Route>,
    pub clock: Arc<MovableClock>,
    pub worker: Arc<Worker>,
    pub quiet: bool,
}

impl Server {
    /// Serves until `shutdown`, then lets running requests end.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut shutdown => break,
            };
            let Ok((stream, _)) = accepted else { continue };
            let server = Arc::clone(&self);
            let service = service_fn(move |request| respond(Arc::clone(&server), request));
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            let connection = graceful.watch(connection);
            // A connection that breaks is its client's business.
            tokio::spawn(async move { drop(connection.await) });
        }
        tokio::select! {
            () = graceful.shutdown() => {}
            () = tokio::time::sleep(LAST_REQUESTS) => {}
        }
    }

    async fn dispatch(&self, route: &Route, event: &HttpEvent) -> HttpAnswer {
        let invocation = async {
            let deadline = self.clock.now().plus(route.timeout);
            tokio::time::timeout(route.timeout, answer(&self.app, route.function, event, deadline)).await
        };
        match self.clock.hold(invocation).await {
            Ok(answer) => answer,
            Err(_) => killed().into(),
        }
    }

    fn log(&self, event: &HttpEvent, answer: &HttpAnswer, took: Duration) {
        if !self.quiet {
            let (method, path) = (&event.request_context.http.method, shown_path(event));
            let time = self.clock.now();
            let replayed = if answer.headers.contains_key("idempotent-replayed") { " (replayed)" } else { "" };
            eprintln!("{time} {method} {path} {} in {} ms{replayed}", answer.status_code, took.as_millis());
        }
    }
}

/// The path as it may be printed: of what its caller put there, ids alone. Anything else may be in the wrong place.
fn shown_path(event: &HttpEvent) -> String {
    let Some((_, pattern)) = event.route_key.split_once(' ') else {
        let is_clock = event.raw_path == CLOCK_PATH;
        return if is_clock { CLOCK_PATH } else { "(no route)" }.to_owned();
    };
    let shown = pattern.split('/').map(|segment| {
        let name = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        name.and_then(|name| event.path_parameter(name)).filter(|text| is_id(text)).unwrap_or(segment)
    });
    shown.collect::<Vec<_>>().join("/")
}

/// Whether this is an id of ours.
fn is_id(text: &str) -> bool {
    let is_known = Record::ALL.into_iter().any(|record| record.locate(text).is_some())
        || MethodId::parse(text).is_some()
        || GatewayId::parse(text).is_some()
        || ProviderId::parse(text).is_some()
        || ApiKeyId::parse(text).is_some()
        || EndpointId::parse(text).is_some()
        || RecurringKey::parse(text).is_some()
        || event::is_id(text);
    // Foreign ids have any prefix, and a card number can be as long; but each prefix of ours has a letter.
    is_known && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

async fn respond(server: Arc<Server>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let started = Instant::now();
    let event = event(&server, request).await;
    // On AWS an invocation goes on when its caller hangs up.
    let invocation = tokio::spawn(async move {
        let answer = invoke(&server, event).await;
        server.log(&answer.0, &answer.1, started.elapsed());
        answer.1
    });
    let answer =
        invocation.await.unwrap_or_else(|_| HttpAnswer::json(500, r#"{"message":"Internal Server Error"}"#.to_owned()));
    Ok(response(answer))
}

async fn invoke(server: &Server, mut event: HttpEvent) -> (HttpEvent, HttpAnswer) {
    let HttpContext { method, path, .. } = &event.request_context.http;
    if path == CLOCK_PATH {
        let answer = move_clock(server, &event).await.unwrap_or_else(HttpAnswer::from);
        return (event, answer);
    }
    let answer = match find(&server.routes, method, path) {
        Some((route, parameters)) => {
            event.route_key = format!("{method} {}", route.path);
            event.path_parameters = parameters;
            server.dispatch(route, &event).await
        }
        None => HttpAnswer::json(404, r#"{"message":"Not Found"}"#.to_owned()),
    };
    (event, answer)
}

/// `POST /local/clock {"advance":"P1M"}` moves the clock, and what is due on the way happens; `GET` tells the time.
async fn move_clock(server: &Server, event: &HttpEvent) -> Result<HttpAnswer, Problem> {
    match event.request_context.http.method.as_str() {
        "GET" => Ok(HttpAnswer::json(200, format!(r#"{{"now":"{}"}}"#, server.clock.now()))),
        "POST" => {
            let by = Ahead::read(event.body.as_ref().map(|body| body.as_str()).unwrap_or_default())?;
            let Played { now, looks } = server.worker.play(by).await?;
            Ok(HttpAnswer::json(200, format!(r#"{{"now":"{now}","looks":{looks}}}"#)))
        }
        _ => Err(Problem::new(405, "METHOD_NOT_ALLOWED", "use GET or POST")),
    }
}

/// What the platform answers for an invocation that it killed. The gateway may have acted.
fn killed() -> Problem {
    let message = "The operation was cut off at its deadline; ask again with the same idempotency key";
    Problem::new(504, "TIMEOUT", message)
}

/// The request as API Gateway would describe it.
async fn event(server: &Server, request: Request<Incoming>) -> HttpEvent {
    let (head, body) = request.into_parts();
    let mut event = HttpEvent {
        version: "2.0".to_owned(),
        raw_path: head.uri.path().to_owned(),
        raw_query_string: head.uri.query().unwrap_or_default().to_owned(),
        request_context: RequestContext {
            request_id: format!("{:032x}", u128::from_be_bytes(server.app.shell.entropy.bytes())),
            http: HttpContext {
                method: head.method.as_str().to_owned(),
                path: head.uri.path().to_owned(),
                source_ip: "127.0.0.1".to_owned(),
            },
        },
        ..HttpEvent::default()
    };
    for (name, value) in &head.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let joined = event.headers.entry(name.as_str().to_owned()).or_default();
        joined.push_str(if joined.is_empty() { "" } else { "," });
        joined.push_str(&value);
    }
    let bytes = read(body).await;
    match String::from_utf8(bytes) {
        Ok(text) => event.body = (!text.is_empty()).then(|| Zeroizing::new(text)),
        Err(error) => {
            event.body = Some(Zeroizing::new(BASE64.encode(error.as_bytes())));
            event.is_base64_encoded = true;
        }
    }
    event
}

/// The body, or as much of it as tells that it is too large.
async fn read(mut body: Incoming) -> Vec<u8> {
    // Room for any usual body from the start: a buffer that grows leaves copies behind.
    let (mut kept, mut seen) = (Vec::with_capacity(USUAL_BODY), 0_usize);
    while let Some(Ok(frame)) = body.frame().await {
        let data = frame.into_data().unwrap_or_default();
        seen = seen.saturating_add(data.len());
        // The largest that any function takes.
        if kept.len() <= MAX_NOTICE {
            kept.extend_from_slice(&data);
        }
        if seen > MAX_DRAINED {
            break;
        }
    }
    kept
}

fn response(answer: HttpAnswer) -> Response<Full<Bytes>> {
    let mut response = Response::builder().status(answer.status_code);
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    let body = Full::new(Bytes::from(answer.body));
    response.body(body).unwrap_or_else(|_| Response::new(Full::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_path_what_is_no_id_is_not_printed() {
        let routes = super::super::routes::routes().expect("a readable template");
        let payment = "/commerce/payments/payments";
        let rows = [
            (format!("{payment}/5512345678901231"), format!("{payment}/{{paymentId}}")),
            (format!("{payment}/378282246310005"), format!("{payment}/{{paymentId}}")),
            (format!("{payment}/kessai_00"), format!("{payment}/{{paymentId}}")),
            (
                "/commerce/payments/payment-methods/03O000000000000".to_owned(),
                "/commerce/payments/payment-methods/03O000000000000".to_owned(),
            ),
            ("/set-up".to_owned(), "/set-up".to_owned()),
            ("/5512345678901231".to_owned(), "(no route)".to_owned()),
            (CLOCK_PATH.to_owned(), CLOCK_PATH.to_owned()),
        ];
        for (path, shown) in rows {
            let found = find(&routes, "GET", &path);
            let (route_key, path_parameters) =
                found.map(|(route, parameters)| (format!("GET {}", route.path), parameters)).unwrap_or_default();
            let event = HttpEvent { raw_path: path, route_key, path_parameters, ..HttpEvent::default() };
            assert_eq!(shown_path(&event), shown);
        }
    }
}
