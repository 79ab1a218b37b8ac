//! `kessai listen`: shows events as they happen, and forwards them to a server that is being developed.
//!
//! It asks for what is newer than what it has shown, every second. An event may be recorded a while after it happened and
//! so come before what was shown meanwhile: what was shown in the last minute is looked at again ([`Shown`]), and each
//! version of an event is shown once. When Kessai does not answer, or is started again, it goes on.
//!
//! A forwarded event is a delivery as an endpoint gets it, signed under a secret that is made for this run. Whoever runs
//! this says where to, and it is their machine: any address will do, also in plain HTTP. What fails is shown and not sent
//! again.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use clap::Args;
use data_encoding::BASE64;
use kessai_infra::http::HttpClient;
use kessai_infra::system::{SystemClock, SystemEntropy};
use kessai_shared::card::Secret;
use kessai_shared::event::{ID_DIGITS, ID_PREFIX};
use kessai_shared::merchant::EventFilter;
use kessai_shared::merchant::address::{AddressError, Plain, check};
use kessai_shared::ports::{Clock, Entropy, Http, HttpFault, HttpRequest, Method};
use kessai_shared::webhook::{self, SECRET_PREFIX, sign};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep};
use zeroize::Zeroizing;

use super::api::{API_KEY, Api, Refused, SET_UP_KEY, To};
use super::events::{AMOUNT, CURRENCY, KEEPS_LITTLE, PATH, RECORD, STATUS, event_id};
use super::text::{cell, printable};
use crate::lambda::StartError;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(1);

/// Between two looks in vain; it doubles up to the longest.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long after it happened an event may be recorded, so that it is still seen.
const WINDOW: Duration = Duration::from_secs(60);

/// How long the server that is being developed may take: as long as any endpoint.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The key is in KESSAI_API_KEY, or else in KESSAI_SET_UP_KEY, and needs the scope read.
#[derive(Debug, Args)]
pub struct Listen {
    /// Send each event there, signed as deliveries are, such as http://localhost:3000/hook
    #[arg(long, value_name = "URL", value_parser = address)]
    forward_to: Option<String>,
    /// Only these: an event by its name (refund.created), or all of a kind (payment.*). May be given several times, or
    /// several with commas between [default: every one]
    #[arg(long, value_name = "EVENT", value_parser = filter, value_delimiter = ',')]
    events: Vec<EventFilter>,
    /// Begin after this event, instead of with what happens from now on
    #[arg(long, value_name = "ID", value_parser = event_id)]
    from: Option<String>,
    /// End after so many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max: Option<u64>,
    /// End after one event
    #[arg(long, conflicts_with = "max")]
    once: bool,
    #[command(flatten)]
    to: To,
}

fn address(text: &str) -> Result<String, String> {
    // In plain HTTP as well.
    let secure = text.strip_prefix("http://").map(|rest| format!("https://{rest}"));
    check(secure.as_deref().unwrap_or(text), Plain::Nowhere).map_err(|error| match error {
        AddressError::NoHttps => "must begin with http:// or https://".to_owned(),
        AddressError::NoHost
        | AddressError::UserInfo
        | AddressError::Strange
        | AddressError::Numeric
        | AddressError::NotPublic => error.to_string(),
    })?;
    Ok(text.to_owned())
}

fn filter(text: &str) -> Result<EventFilter, String> {
    EventFilter::parse(text).ok_or_else(|| "must be the name of an event, or such as payment.*".to_owned())
}

/// As the API shows it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    events: Vec<Box<RawValue>>,
    next_page_token: Option<String>,
    keep_events: bool,
}

/// An event as it is told, without what came of telling anybody.
#[derive(Deserialize, Serialize)]
struct Told<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    name: &'a str,
    timestamp: &'a str,
    version: u32,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
}

impl Listen {
    /// Listens until as many events were shown as are asked for, or somebody ends it.
    pub(super) async fn run(self) -> Result<(), StartError> {
        let forward = self.forward_to.clone().map(Forward::to);
        tokio::select! {
            listened = self.listen(forward) => listened,
            ended = tokio::signal::ctrl_c() => Ok(ended?),
        }
    }

    async fn listen(&self, forward: Option<Forward>) -> Result<(), StartError> {
        let mut most = if self.once { Some(1) } else { self.max };
        let http = HttpClient::new()?;
        let mut api = self.api()?;
        self.say(&format!("Listening to {}. Ctrl-C ends it.", api.url()))?;
        if let Some(forward) = &forward {
            let secret = forward.secret.reveal();
            self.say(&format!("Forwarding to {}, signed with {secret}", printable(&forward.url)))?;
        }
        let (mut shown, mut pause) = (None::<Shown>, EVERY);
        loop {
            match self.look(&api, &http, &mut shown).await {
                Ok(fresh) => {
                    pause = EVERY;
                    for event in fresh {
                        self.show(&event, forward.as_ref(), &http).await?;
                        most = most.map(|most| most - 1);
                        if most == Some(0) {
                            return Ok(());
                        }
                    }
                }
                Err(Refused { why, is_passing: false }) => return Err(why.into()),
                Err(Refused { why, is_passing: true }) => {
                    writeln!(io::stderr(), "{why}; trying again")?;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    // A local server that was started again may be elsewhere.
                    api = self.api().unwrap_or(api);
                }
            }
            sleep(pause).await;
        }
    }

    fn api(&self) -> Result<Api, StartError> {
        Api::of(&self.to, [API_KEY, SET_UP_KEY])
    }

    /// What is new, in the order of time.
    async fn look(
        &self,
        api: &Api,
        http: &HttpClient,
        shown: &mut Option<Shown>,
    ) -> Result<Vec<Box<RawValue>>, Refused> {
        let shown = match shown {
            Some(shown) => shown,
            None => shown.insert(self.begin(api, http).await?),
        };
        shown.forget(Instant::now());
        let (mut fresh, mut token) = (Vec::new(), None::<String>);
        loop {
            let token_asked = token.map(|token| format!("&pageToken={token}")).unwrap_or_default();
            let page = page(api, http, &format!("after={}{token_asked}", shown.after)).await?;
            for event in page.events {
                let told: Told<'_> = serde_json::from_str(event.get()).map_err(strange)?;
                let is_meant = self.events.is_empty() || self.events.iter().any(|filter| filter.matches(told.name));
                if shown.is_new(told.id, told.version, Instant::now()) && is_meant {
                    fresh.push(event);
                }
            }
            token = page.next_page_token;
            if token.is_none() {
                return Ok(fresh);
            }
        }
    }

    /// From where it is listened: what happened before is known.
    async fn begin(&self, api: &Api, http: &HttpClient) -> Result<Shown, Refused> {
        let newest = page(api, http, "pageSize=1").await?;
        if !newest.keep_events {
            // Where nobody reads this, it may as well not be said.
            drop(writeln!(io::stderr(), "{KEEPS_LITTLE}"));
        }
        let newest = newest.events.first().map(|event| serde_json::from_str::<Told<'_>>(event.get()));
        let newest = newest.transpose().map_err(strange)?.map(|newest| newest.id.to_owned());
        Ok(Shown::after(self.from.clone().or(newest).unwrap_or_else(before_all)))
    }

    async fn show(&self, event: &RawValue, forward: Option<&Forward>, http: &HttpClient) -> Result<(), StartError> {
        let told: Told<'_> = serde_json::from_str(event.get())?;
        let answer = match forward {
            Some(forward) => format!("  --> {}", forward.send(http, &told).await?),
            None => String::new(),
        };
        let mut out = io::stdout().lock();
        match self.to.json {
            true => writeln!(out, "{}", event.get())?,
            false => writeln!(out, "{}{answer}", line(&serde_json::from_str(event.get())?))?,
        }
        Ok(out.flush()?)
    }

    /// To people: beside the events where those are for programs.
    fn say(&self, text: &str) -> Result<(), StartError> {
        match self.to.json {
            true => writeln!(io::stderr(), "{text}")?,
            false => writeln!(io::stdout(), "{text}")?,
        }
        Ok(())
    }
}

async fn page(api: &Api, http: &HttpClient, query: &str) -> Result<Page, Refused> {
    let text = api.get(http, &format!("{PATH}?{query}")).await?;
    serde_json::from_str(&text).map_err(strange)
}

fn strange(error: serde_json::Error) -> Refused {
    Refused { why: format!("an answer that is none of Kessai's: {error}"), is_passing: false }
}

/// An id that is older than any.
fn before_all() -> String {
    format!("{ID_PREFIX}{}", "0".repeat(ID_DIGITS))
}

/// One event as people read it.
fn line(event: &Value) -> String {
    let said = [
        ("", &["/timestamp"][..]),
        ("", &["/type"]),
        ("", &["/id"]),
        ("v", &["/version"]),
        ("", RECORD.1),
        ("", AMOUNT.1),
        ("", CURRENCY.1),
        ("", STATUS.1),
    ];
    said.map(|(before, places)| format!("{before}{}", cell(event, places))).join(" ")
}

/// Where events are forwarded, and under which secret.
struct Forward {
    url: String,
    secret: Secret,
}

impl Forward {
    fn to(url: String) -> Self {
        let bytes = Zeroizing::new([SystemEntropy.bytes(), SystemEntropy.bytes()].concat());
        let text = Zeroizing::new(BASE64.encode(&bytes));
        Self { url, secret: Secret::new(format!("{SECRET_PREFIX}{}", *text)) }
    }

    /// Sends it once; the status of the answer, or why there is none.
    async fn send(&self, http: &HttpClient, told: &Told<'_>) -> Result<String, StartError> {
        let body = serde_json::to_vec(told)?;
        let seconds = SystemClock.now().as_millis() / 1000;
        let secrets = std::slice::from_ref(&self.secret);
        let signature = sign(told.id, seconds, &body, secrets).ok_or("the secret is none")?;
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            (webhook::ID, told.id.to_owned()),
            (webhook::TIMESTAMP, seconds.to_string()),
            (webhook::SIGNATURE, signature),
        ];
        let request = HttpRequest { method: Method::Post, url: self.url.clone(), headers, body: Zeroizing::new(body) };
        Ok(match http.send(request, TIMEOUT).await {
            Ok(answer) => answer.status.to_string(),
            Err(HttpFault::NotSent(why)) => format!("not reached: {}", printable(&why)),
            Err(HttpFault::Lost(why)) => format!("no answer: {}", printable(&why)),
        })
    }
}

/// What was shown lately, and after which event to look for more.
#[derive(Debug)]
struct Shown {
    /// Nothing older is looked at.
    after: String,
    /// Their versions, and when each was first seen.
    lately: BTreeMap<String, (u32, Instant)>,
}

impl Shown {
    fn after(id: String) -> Self {
        Self { after: id, lately: BTreeMap::new() }
    }

    /// Goes past what was seen so long ago that nothing comes before it any more.
    fn forget(&mut self, now: Instant) {
        while let Some(oldest) = self.lately.first_entry() {
            let (_, seen) = *oldest.get();
            if now.saturating_duration_since(seen) < WINDOW {
                return;
            }
            self.after = oldest.remove_entry().0;
        }
    }

    /// Whether nobody has seen this version of it; now somebody has.
    fn is_new(&mut self, id: &str, version: u32, now: Instant) -> bool {
        match self.lately.get_mut(id) {
            Some((known, _)) if *known >= version => false,
            Some((known, _)) => {
                *known = version;
                true
            }
            None => {
                self.lately.insert(id.to_owned(), (version, now));
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_is_shown_once_and_what_comes_late_is_not_missed() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut shown = Shown::after("evt_1".to_owned());
        let rows = [
            (0, "evt_3", 1, true),
            (1, "evt_3", 1, false),
            (1, "evt_2", 1, true),
            (2, "evt_3", 4, true),
            (3, "evt_3", 4, false),
            (3, "evt_3", 1, false),
        ];
        for (seconds, id, version, is_new) in rows {
            shown.forget(at(seconds));
            assert_eq!(shown.is_new(id, version, at(seconds)), is_new, "{id} {version} at {seconds}");
        }
        assert_eq!(shown.after, "evt_1");
        shown.forget(at(60));
        assert_eq!(shown.after, "evt_1", "something may still come before evt_2");
        shown.forget(at(61));
        assert_eq!((shown.after.as_str(), shown.lately.len()), ("evt_3", 0));
    }

    #[test]
    fn an_event_is_a_line() {
        let event = serde_json::json!({
            "id": "evt_1", "type": "refund.created", "timestamp": "2026-08-01T00:00:00.000Z", "version": 3,
            "data": { "refund": { "id": "0eb1", "amount": 12, "currencyIsoCode": "USD", "status": "Pro\u{1b}cessed" } },
        });
        let expected = "2026-08-01T00:00:00.000Z refund.created evt_1 v3 0eb1 12 USD Pro\\u{1b}cessed";
        assert_eq!(line(&event), expected);
        assert!(kessai_shared::event::is_id(&before_all()));
    }
}
