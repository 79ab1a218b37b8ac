//! Where Kessai is, with which key it is asked, what else is secret in a request, and what its refusals say.
//!
//! A key comes from the environment or from the local server's `local.env`, never from the command line, where every
//! user of the machine could read it. A key belongs to an address: that of `local.env` is sent to the local server and
//! nowhere else, and none is sent in the clear over a network.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use kessai_infra::http::HttpClient;
use kessai_shared::merchant::ApiKey;
use kessai_shared::merchant::address::{AddressError, Plain, check};
use kessai_shared::ports::{Http, HttpFault, HttpRequest, HttpResponse, Method};
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::Asking;
use super::text::printable;
use crate::lambda::{StartError, variable};
use crate::local::files::variables;

/// Names of variables, as `local.env` has them.
const URL: &str = "KESSAI_URL";
pub const SET_UP_KEY: &str = "KESSAI_SET_UP_KEY";
pub const API_KEY: &str = "KESSAI_API_KEY";

/// API Gateway waits for 30 seconds, and must get through.
const TIMEOUT: Duration = Duration::from_secs(35);

/// Of every command: whom it asks.
#[derive(Clone, Debug, Args)]
pub struct To {
    /// Where Kessai is, https:// (http:// on this machine only). Otherwise KESSAI_URL says so, or local.env. The key is
    /// in KESSAI_SET_UP_KEY or KESSAI_API_KEY; where neither is set, in local.env.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Where the local server keeps local.env
    #[arg(long, value_name = "DIR", default_value = ".kessai")]
    pub data: PathBuf,
    /// Print the API's answer as it is, as JSON; nothing where it is empty
    #[arg(long)]
    pub json: bool,
}

/// Longer than any secret that the API takes, and than all members of a credential together.
const LONGEST_SECRET: u64 = 16 * 1_024;

/// A secret that the caller has of somebody else: from this variable or, where it is not set, from standard input.
pub fn given_secret(name: &str) -> Result<Zeroizing<String>, StartError> {
    if let Some(secret) = variable(name).filter(|secret| !secret.is_empty()) {
        return Ok(secret.into());
    }
    let none = || format!("no secret: export {name}, or write it to standard input from a file or another program");
    let text = standard_input().map_err(|_| none())?;
    let secret = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
    if secret.is_empty() { Err(none().into()) } else { Ok(secret) }
}

/// A text that holds secrets: of this file, or of standard input where that is `-`.
pub fn given_text(file: &Path) -> Result<Zeroizing<String>, StartError> {
    if file.as_os_str() == "-" {
        return standard_input();
    }
    let named = |error| format!("{}: {error}", file.display());
    let mut text = Zeroizing::new(String::new());
    fs::File::open(file).map_err(named)?.take(LONGEST_SECRET).read_to_string(&mut text).map_err(named)?;
    Ok(text)
}

fn standard_input() -> Result<Zeroizing<String>, StartError> {
    // Whoever types it shows it.
    if io::stdin().is_terminal() {
        return Err("standard input: is a terminal; write to it from a file or another program".into());
    }
    let mut text = Zeroizing::new(String::new());
    io::stdin().lock().take(LONGEST_SECRET).read_to_string(&mut text)?;
    Ok(text)
}

/// Kessai, for whoever has a key.
#[derive(Debug)]
pub struct Api {
    url: String,
    key: ApiKey,
    /// How long an answer is waited for.
    patience: Duration,
}

impl Api {
    /// `keys`: the variables that may hold the key, the first that does counts.
    pub fn of(to: &To, keys: [&'static str; 2]) -> Result<Self, StartError> {
        let file = to.data.join("local.env");
        // Where it cannot be read it says nothing.
        let local = Zeroizing::new(fs::read_to_string(&file).unwrap_or_default());
        let given = Given { url: to.url.clone(), keys, local: &local };
        given.find(&variable).map_err(|why| why.replace("local.env", &file.display().to_string()).into())
    }

    /// There, with this key, for whoever waits so long for an answer.
    pub fn at(url: String, key: ApiKey, patience: Duration) -> Self {
        Self { url, key, patience }
    }

    /// The answer as it is, or that member of it that is meant; an error where it is none of success.
    pub async fn ask(&self, asking: &Asking) -> Result<String, StartError> {
        let mut headers = Vec::new();
        headers.extend(asking.idempotency_key.as_ref().map(|key| ("idempotency-key", format!("\"{key}\""))));
        let body = asking.body.as_ref().map(|body| serde_json::to_vec(&body.0)).transpose()?;
        headers.extend(body.as_ref().map(|_| ("content-type", "application/json".to_owned())));
        let body = Zeroizing::new(body.unwrap_or_default());
        let http = HttpClient::new()?;
        let text = self.send(&http, asking.method, &asking.path, headers, body).await?;
        let text = match asking.member {
            Some(member) => part(&text, member)?,
            None => text,
        };
        Ok(if text.is_empty() { text } else { text + "\n" })
    }

    /// What there is to read, for whoever reads more than once.
    pub async fn get(&self, http: &HttpClient, path: &str) -> Result<String, Refused> {
        self.send(http, Method::Get, path, Vec::new(), Zeroizing::default()).await
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub async fn send(
        &self,
        http: &HttpClient,
        method: Method,
        path: &str,
        mut headers: Vec<(&'static str, String)>,
        body: Zeroizing<Vec<u8>>,
    ) -> Result<String, Refused> {
        headers.push(("authorization", format!("Bearer {}", self.key.reveal())));
        let request = HttpRequest { method, url: format!("{}{path}", self.url), headers, body };
        let answer = http.send(request, self.patience).await;
        let answer = answer.map_err(|fault| Refused { why: self.unanswered(fault), is_passing: true })?;
        if !(200..300).contains(&answer.status) {
            return Err(Refused { why: refusal(&answer), is_passing: answer.status == 429 || answer.status >= 500 });
        }
        let strange = |_| Refused { why: "the answer is no text".to_owned(), is_passing: false };
        str::from_utf8(&answer.body).map(str::to_owned).map_err(strange)
    }

    fn unanswered(&self, fault: HttpFault) -> String {
        match fault {
            HttpFault::NotSent(why) => format!("{} was not reached: {why}", self.url),
            HttpFault::Lost(why) => format!("{} did not answer, and may have done it: {why}", self.url),
        }
    }
}

/// Why there is no answer that helps.
#[derive(Debug)]
pub struct Refused {
    pub why: String,
    /// Asked for later it may be there.
    pub is_passing: bool,
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.why)
    }
}

impl Error for Refused {}

/// A member of an answer, as it stands there.
fn part(text: &str, member: &str) -> Result<String, StartError> {
    let members: BTreeMap<&str, &RawValue> = serde_json::from_str(text)?;
    Ok(members.get(member).ok_or_else(|| format!("the answer has no {member}"))?.get().to_owned())
}

/// What there is to find an address and a key in.
struct Given<'a> {
    url: Option<String>,
    keys: [&'static str; 2],
    /// What `local.env` says.
    local: &'a str,
}

impl Given<'_> {
    fn find(self, environment: &dyn Fn(&str) -> Option<String>) -> Result<Api, String> {
        let set = |name: &str| environment(name).filter(|value| !value.is_empty());
        let url = self.url.or_else(|| set(URL)).map(|url| url.trim_end_matches('/').to_owned());
        let local = variables(self.local);
        let local_key = local.get(SET_UP_KEY).or_else(|| local.get(API_KEY)).copied();
        let (url, name, key) = match (self.keys.into_iter().find_map(|name| Some((name, set(name)?))), url) {
            (Some((name, key)), Some(url)) => (url, name, Zeroizing::new(key)),
            (Some((name, _)), None) => return Err(format!("{name} is set: say where it belongs, by {URL} or --url")),
            (None, url) => {
                let none =
                    || format!("no API key: export {URL} and {}, or start the local server (local.env)", self.keys[0]);
                let (key, its_url) = local_key.zip(local.get(URL).copied()).ok_or_else(none)?;
                if let Some(url) = url.filter(|url| url != its_url) {
                    return Err(format!(
                        "no API key for {url}: export {}; the one in local.env is for {its_url}",
                        self.keys[0]
                    ));
                }
                (its_url.to_owned(), SET_UP_KEY, Zeroizing::new(key.to_owned()))
            }
        };
        check(&url, Plain::Loopback).map_err(|error| match error {
            AddressError::NoHttps => {
                format!("{URL}: must begin with https://, or with http:// for this machine: the key is sent there")
            }
            AddressError::NoHost
            | AddressError::UserInfo
            | AddressError::Strange
            | AddressError::Numeric
            | AddressError::NotPublic => format!("{URL}: {error}"),
        })?;
        let key = ApiKey::parse(key.trim()).ok_or_else(|| format!("{name}: is no API key"))?;
        Ok(Api { url, key, patience: TIMEOUT })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Problem {
    error_code: Option<String>,
    message: String,
}

/// The error as the API words it; API Gateway itself has no code and no list.
fn refusal(answer: &HttpResponse) -> String {
    let problems = serde_json::from_slice::<Vec<Problem>>(&answer.body);
    let problems = problems.or_else(|_| serde_json::from_slice(&answer.body).map(|problem| vec![problem]));
    let said = problems.unwrap_or_default().into_iter().map(|problem| match problem.error_code {
        Some(code) => format!("{code}: {}", problem.message),
        None => format!("{}: {}", answer.status, problem.message),
    });
    let said = said.collect::<Vec<_>>().join("; ");
    if said.is_empty() { format!("{}: an answer that is none of Kessai's", answer.status) } else { printable(&said) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCAL: &str =
        "export KESSAI_URL=http://127.0.0.1:9400\nexport KESSAI_API_KEY=kessai_a\nexport KESSAI_SET_UP_KEY=kessai_b\n";

    /// Where it would be asked, and with which key.
    fn found(url: Option<&str>, environment: &[(&str, &str)], local: &str) -> Result<String, String> {
        let variable = |name: &str| {
            let row = environment.iter().find(|(known, _)| *known == name);
            row.map(|(_, value)| (*value).to_owned())
        };
        let given = Given { url: url.map(str::to_owned), keys: [SET_UP_KEY, API_KEY], local };
        given.find(&variable).map(|api| format!("{} {}", api.url, api.key.reveal()))
    }

    #[test]
    fn a_key_is_sent_where_it_belongs() {
        let (aws, set_up, api) = ((URL, "https://x.example/"), (SET_UP_KEY, "kessai_s"), (API_KEY, "kessai_k"));
        let local = (URL, "http://127.0.0.1:9400");
        let (insecure, strange) = ((URL, "http://x.example"), (SET_UP_KEY, "s"));
        let empty = (SET_UP_KEY, "");
        let rows = [
            (None, vec![aws, set_up, api], LOCAL, Ok("https://x.example kessai_s")),
            (None, vec![aws, empty, api], LOCAL, Ok("https://x.example kessai_k")),
            (Some("https://y.example"), vec![aws, api], "", Ok("https://y.example kessai_k")),
            (None, vec![], LOCAL, Ok("http://127.0.0.1:9400 kessai_b")),
            (None, vec![local], LOCAL, Ok("http://127.0.0.1:9400 kessai_b")),
            (Some("http://127.0.0.1:9400/"), vec![aws], LOCAL, Ok("http://127.0.0.1:9400 kessai_b")),
            (None, vec![aws], LOCAL, Err("no API key for https://x.example")),
            (None, vec![set_up], LOCAL, Err("KESSAI_SET_UP_KEY is set")),
            (None, vec![], "", Err("no API key")),
            (None, vec![], "export KESSAI_API_KEY=kessai_a\n", Err("no API key")),
            (None, vec![insecure, set_up], LOCAL, Err("KESSAI_URL: must begin with https://")),
            (Some("x.example"), vec![set_up], LOCAL, Err("KESSAI_URL: must begin with https://")),
            (Some("https://a:b@x.example"), vec![set_up], LOCAL, Err("KESSAI_URL: must not hold a user")),
            (None, vec![aws, strange], LOCAL, Err("KESSAI_SET_UP_KEY: is no API key")),
        ];
        for (url, environment, local, expected) in rows {
            match (found(url, &environment, local), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{url:?} {environment:?}"),
                (Err(why), Err(expected)) => assert!(why.starts_with(expected), "{url:?} {environment:?}: {why}"),
                (found, _) => panic!("{url:?} {environment:?}: {found:?}"),
            }
        }
    }

    #[test]
    fn a_refusal_is_told_in_the_words_of_whoever_refused() {
        let rows = [
            (r#"[{"errorCode":"NOT_FOUND","message":"It is not there"}]"#, "NOT_FOUND: It is not there"),
            (r#"{"message":"Not Found"}"#, "404: Not Found"),
            ("<html>", "404: an answer that is none of Kessai's"),
            ("[]", "404: an answer that is none of Kessai's"),
            ("[{\"message\":\"\\u001b[2J\"}]", "404: \\u{1b}[2J"),
        ];
        for (body, expected) in rows {
            let answer = HttpResponse { status: 404, body: body.as_bytes().to_vec() };
            assert_eq!(refusal(&answer), expected);
        }
    }
}
