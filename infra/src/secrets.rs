//! Secrets, from the Parameter Store: all that a function needs in one call, while it starts.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::time::Duration;

use kessai_shared::ports::Http;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::signed::{CallFault, Patience, Service};

/// All attempts, with the pauses, stay below the ten seconds that a start may take; a function that cannot start is
/// started again. Many that start at once ask at once, and the store allows so many a second.
pub(crate) const PATIENCE: Patience =
    Patience { attempt: Duration::from_millis(1_500), attempts: 4, first_pause: Duration::from_millis(100) };

const TARGET: &str = "AmazonSSM.GetParameters";

/// The Parameter Store of a region.
pub struct Secrets {
    service: Service,
}

/// Why a secret is not to be had. Names it, and holds nothing of it.
#[derive(Debug)]
pub struct SecretsFault(CallFault);

impl fmt::Display for SecretsFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl Error for SecretsFault {}

impl Secrets {
    pub(crate) fn new(service: Service) -> Self {
        Self { service }
    }

    /// The values of these parameters, all of them. One call takes ten names.
    pub async fn fetch(
        &self,
        http: &dyn Http,
        names: &[&str],
    ) -> Result<BTreeMap<String, Zeroizing<String>>, SecretsFault> {
        let body = json!({ "Names": names, "WithDecryption": true }).to_string();
        let Answer { parameters } = self.service.call(http, TARGET, &body).await.map_err(SecretsFault)?;
        let found: BTreeMap<_, _> = parameters.into_iter().map(|parameter| (parameter.name, parameter.value)).collect();
        match names.iter().find(|name| !found.contains_key(**name)) {
            None => Ok(found),
            Some(name) => Err(SecretsFault(self.service.fault(format_args!("there is no parameter {name}")))),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    parameters: Vec<Parameter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Parameter {
    name: String,
    value: Zeroizing<String>,
}
