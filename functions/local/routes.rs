//! The routes, read from the template that also deploys them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

use crate::FUNCTIONS;
use crate::door::Function;
use crate::lambda::StartError;

const TEMPLATE: &str = include_str!("../../template.yaml");

/// The parts of the template that say what is served where. Everything else is for the deployment.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Template {
    globals: Globals,
    resources: BTreeMap<String, Resource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Globals {
    function: FunctionDefaults,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FunctionDefaults {
    timeout: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Resource {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    properties: Properties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Metadata {
    build_properties: BuildProperties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct BuildProperties {
    binary: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Properties {
    timeout: Option<u64>,
    events: BTreeMap<String, Trigger>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Trigger {
    #[serde(rename = "Type")]
    kind: String,
    properties: TriggerProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TriggerProperties {
    path: Option<String>,
    method: Option<String>,
}

/// A method and path, and the function behind them.
#[derive(Clone, Debug)]
pub struct Route {
    pub method: String,
    pub path: String,
    pub function: &'static Function,
    /// After which the platform kills an invocation.
    pub timeout: Duration,
}

/// Every route of the template.
pub fn routes() -> Result<Vec<Route>, StartError> {
    let template: Template = serde_saphyr::from_str(TEMPLATE)?;
    let default = template.globals.function.timeout;
    let mut routes = Vec::new();
    let functions = template.resources.into_values().filter(|resource| resource.kind == "AWS::Serverless::Function");
    for resource in functions {
        let binary = resource.metadata.build_properties.binary;
        let mut triggers =
            resource.properties.events.into_values().filter(|trigger| trigger.kind == "HttpApi").peekable();
        if triggers.peek().is_none() {
            continue;
        }
        let function = FUNCTIONS.iter().find(|function| function.name == binary).copied();
        let function = function.ok_or_else(|| format!("template.yaml: no function is called {binary:?}"))?;
        let timeout = Duration::from_secs(resource.properties.timeout.unwrap_or(default));
        for trigger in triggers {
            let (Some(path), Some(method)) = (trigger.properties.path, trigger.properties.method) else { continue };
            routes.push(Route { method: method.to_uppercase(), path, function, timeout });
        }
    }
    Ok(routes)
}

/// The route that a request takes, with what its path's parameters stand for.
pub fn find<'a>(routes: &'a [Route], method: &str, path: &str) -> Option<(&'a Route, BTreeMap<String, String>)> {
    routes.iter().filter(|route| route.method == method).find_map(|route| Some((route, parameters(&route.path, path)?)))
}

/// `{name+}` at the end stands for whatever follows the slash before it, and there may be nothing.
fn parameters(pattern: &str, path: &str) -> Option<BTreeMap<String, String>> {
    let greedy = pattern.strip_suffix("+}").and_then(|rest| rest.rsplit_once("/{"));
    let patterns: Vec<_> = greedy.map_or(pattern, |(before, _)| before).split('/').collect();
    let mut segments: Vec<_> = path.split('/').collect();
    let mut parameters = BTreeMap::new();
    if let Some((_, name)) = greedy {
        let rest = segments.split_off(patterns.len().min(segments.len()));
        if rest.is_empty() {
            return None;
        }
        let rest = rest.join("/");
        if !rest.is_empty() {
            parameters.insert(name.to_owned(), rest);
        }
    }
    if patterns.len() != segments.len() {
        return None;
    }
    for (pattern, segment) in patterns.into_iter().zip(segments) {
        let name = pattern.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        match name {
            Some(name) if !segment.is_empty() => {
                parameters.insert(name.to_owned(), segment.to_owned());
            }
            Some(_) => return None,
            None if pattern == segment => {}
            None => return None,
        }
    }
    Some(parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greedy_parameter_stands_for_all_that_follows() {
        let rows = [
            ("/tokens", None),
            ("/tokens/", Some("")),
            ("/tokens/1", Some("1")),
            ("/tokens/1/2", Some("1/2")),
            ("/token/1", None),
            ("/", None),
        ];
        for (path, rest) in rows {
            let expected = rest.map(|rest| {
                let named = (!rest.is_empty()).then(|| ("proxy".to_owned(), rest.to_owned()));
                named.into_iter().collect::<BTreeMap<_, _>>()
            });
            assert_eq!(parameters("/tokens/{proxy+}", path), expected, "{path}");
        }
    }

    #[test]
    fn the_template_leads_to_every_function_with_and_without_the_version_prefix() {
        let routes = routes().expect("a readable template");
        let rows = [
            ("POST", "payment-methods", "tokenize"),
            ("POST", "payment-method/tokens", "tokenize"),
            ("POST", "payment-method/tokens/", "tokenize"),
            ("PATCH", "payment-methods/1", "tokenize"),
            ("GET", "payment-methods", "retrieve"),
            ("GET", "payment-methods/1", "retrieve"),
            ("POST", "authorizations", "authorize"),
            ("POST", "authorizations/1/captures", "capture"),
            ("POST", "authorizations/1/reversals", "reverse"),
            ("POST", "sales", "sale"),
            ("POST", "postAuths", "post-auth"),
            ("POST", "notify", "notify-webhook"),
            ("POST", "payments/1/refunds", "refund"),
            ("GET", "authorizations/1", "retrieve"),
            ("GET", "authorizations/1/captures/2", "retrieve"),
            ("GET", "authorizations/1/reversals/2", "retrieve"),
            ("GET", "payments/1", "retrieve"),
            ("GET", "payments/1/refunds/2", "retrieve"),
            ("GET", "refunds/1", "retrieve"),
            ("GET", "events", "events"),
            ("GET", "events/1", "events"),
            ("POST", "events/1/redeliver", "events"),
            ("GET", "payment-schedulers", "schedulers"),
            ("POST", "payment-schedulers", "schedulers"),
            ("POST", "payment-schedulers/", "schedulers"),
            ("PATCH", "payment-schedulers/1", "schedulers"),
            ("POST", "payment-batch-runs", "schedulers"),
            ("GET", "payment-batch-runs/1", "schedulers"),
            ("PATCH", "payment-batch-runs/1", "schedulers"),
            ("GET", "payment-schedules", "schedules"),
            ("POST", "payment-schedules", "schedules"),
            ("PATCH", "payment-schedules/1", "schedules"),
            ("POST", "payment-schedules/1/payment-schedule-items", "schedules"),
            ("GET", "payment-schedule-items/1", "schedules"),
            ("PATCH", "payment-schedule-items/1", "schedules"),
        ];
        for (method, path, function) in rows {
            for prefix in ["", "/services/data/v67.0"] {
                let path = format!("{prefix}/commerce/payments/{path}");
                let found = find(&routes, method, &path).map(|(route, _)| route.function.name);
                assert_eq!(found, Some(function), "{method} {path}");
            }
        }
        let elsewhere = [
            ("GET", "/commerce/payments/authorizations"),
            ("POST", "/commerce/payments"),
            ("POST", "/commerce/payments/authorizations//captures"),
            ("DELETE", "/commerce/payments/sales"),
        ];
        for (method, path) in elsewhere {
            assert!(find(&routes, method, path).is_none(), "{method} {path}");
        }
    }
}
