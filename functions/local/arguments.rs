//! What `kessai` can be told on the command line.

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use kessai_shared::card::Secret;

use crate::command::SetUp;
use crate::models;
use crate::models::catalog::{CATALOG, line};
use crate::sandbox::{Class, Notify, Receivers};

/// A payments service. Without a command: in one process, over an embedded database, with sandbox gateways
/// and models of gateways.
#[derive(Debug, Parser)]
#[command(name = "kessai", version, args_conflicts_with_subcommands = true, subcommand_value_name = "COMMAND")]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub serve: Serve,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the sandbox gateways alone, so that they outlive the server
    Sandbox(Sandbox),
    /// Run the models of payment gateways alone, for any client to try
    Gateways(Gateways),
    /// Show three months of a subscription in a few seconds: a local server in memory, which is gone afterwards
    Demo,
    #[command(flatten)]
    SetUp(Box<SetUp>),
}

#[derive(Debug, Args)]
pub struct Serve {
    /// Port to listen on; 0 picks a free one.
    #[arg(long, default_value_t = 9400)]
    pub port: u16,
    /// Where the data rest, and local.env.
    #[arg(long, value_name = "DIR", default_value = ".kessai")]
    pub data: PathBuf,
    /// Keep payments in memory only.
    #[arg(long)]
    pub memory: bool,
    /// Use the sandbox gateways at this address instead of starting them.
    #[arg(long, value_name = "URL")]
    pub sandbox_url: Option<String>,
    /// Port of the sandbox gateways; 0 picks a free one.
    #[arg(long, default_value_t = 9401, conflicts_with = "sandbox_url")]
    pub sandbox_port: u16,
    /// Use the models of payment gateways at this address instead of starting them.
    #[arg(long, value_name = "URL")]
    pub models_url: Option<String>,
    /// Port of the models of payment gateways; 0 picks a free one.
    #[arg(long, default_value_t = 9402, conflicts_with = "models_url")]
    pub models_port: u16,
    /// Start no models of payment gateways.
    #[arg(long, conflicts_with_all = ["models_port", "models_url"])]
    pub no_models: bool,
    /// Print nothing per request.
    #[arg(long)]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub struct Sandbox {
    /// Port to listen on; 0 picks a free one.
    #[arg(long, default_value_t = 9401)]
    pub port: u16,
    /// Where the ledger rests; in memory only where there is none.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where the notices of a class go (keyed, look-up, timeout-reversal, none); may be repeated.
    #[arg(long, value_name = "CLASS=URL", value_parser = of_class)]
    pub notify: Vec<(Class, Arc<Secret>)>,
    /// What the notices of a class are signed with; may be repeated, twice for a class while a secret is replaced.
    #[arg(long, value_name = "CLASS=SECRET", value_parser = of_class)]
    pub notify_secret: Vec<(Class, Arc<Secret>)>,
}

/// The models of payment gateways alone.
#[derive(Debug, Args)]
pub struct Gateways {
    /// Port to listen on; 0 picks a free one.
    #[arg(long, default_value_t = 9402)]
    pub port: u16,
    /// Where the notices of a model go; may be repeated.
    #[arg(long, value_name = "MODEL=URL", value_parser = of_model)]
    pub notify: Vec<(String, Arc<Secret>)>,
    /// What the notices of a model are signed with [default: something that is printed]; may be repeated.
    #[arg(long, value_name = "MODEL=SECRET", value_parser = of_model)]
    pub notify_secret: Vec<(String, Arc<Secret>)>,
}

impl Gateways {
    /// Where notices go.
    ///
    /// # Errors
    /// Says which argument is wrong.
    pub fn receivers(&self) -> Result<models::Receivers, String> {
        let mut receivers = models::Receivers::new();
        for (model, url) in &self.notify {
            if !is_url(url.reveal()) {
                return Err(format!("--notify {model}: must be a URL of http or https"));
            }
            receivers.entry(model.clone()).or_default().push(url.reveal().to_owned());
        }
        Ok(receivers)
    }

    /// What notices of a model are signed with, where it was said: the last time counts.
    pub fn secret(&self, model: &str) -> Option<String> {
        let said = self.notify_secret.iter().rfind(|(name, _)| name == model);
        said.map(|(_, secret)| secret.reveal().to_owned())
    }
}

/// What is said of a model.
fn of_model(text: &str) -> Result<(String, Arc<Secret>), String> {
    let (model, rest) = text.split_once('=').ok_or("must be MODEL=…")?;
    let names = || CATALOG.iter().map(|line| line.name).collect::<Vec<_>>().join(", ");
    line(model).ok_or_else(|| format!("the model must be one of {}", names()))?;
    Ok((model.to_owned(), Arc::new(Secret::new(rest.to_owned()))))
}

fn is_url(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// What is said of a class. It may be a secret, so that it cannot be printed.
fn of_class(text: &str) -> Result<(Class, Arc<Secret>), String> {
    let (class, rest) = text.split_once('=').ok_or("must be CLASS=…")?;
    let names = || Class::ALL.map(Class::name).join(", ");
    let class = Class::by_name(class).ok_or_else(|| format!("the class must be one of {}", names()))?;
    Ok((class, Arc::new(Secret::new(rest.to_owned()))))
}

impl Sandbox {
    /// Where notices go, and what they are signed with.
    ///
    /// # Errors
    /// Says which argument of a class is missing, wrong, or one too many.
    pub fn receivers(&self) -> Result<Receivers, String> {
        let mut receivers = Receivers::new();
        for (class, url) in &self.notify {
            let (name, url) = (class.name(), url.reveal());
            if !is_url(url) {
                return Err(format!("--notify {name}: must be a URL of http or https"));
            }
            if receivers
                .insert(*class, Notify { url: url.to_owned(), secrets: Vec::new(), only_later: false })
                .is_some()
            {
                return Err(format!("--notify {name}: the notices of a class go to one URL"));
            }
        }
        for (class, secret) in &self.notify_secret {
            let name = class.name();
            let receiver = receivers.get_mut(class).ok_or_else(|| format!("--notify {name}=URL is missing"))?;
            if secret.reveal().is_empty() {
                return Err(format!("--notify-secret {name}: must not be empty"));
            }
            receiver.secrets.push(Secret::new(secret.reveal().to_owned()));
        }
        match receivers.iter().find(|(_, receiver)| receiver.secrets.is_empty()) {
            Some((class, _)) => Err(format!("--notify-secret {}=SECRET is missing", class.name())),
            None => Ok(receivers),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn notices_go_where_a_class_has_both_a_url_and_a_secret() {
        let hook = "keyed=http://127.0.0.1:9400/notify?provider=p";
        let rows: [(&[&str], Result<&str, &str>); 10] = [
            (&[], Ok("{}")),
            (&["--notify", hook, "--notify-secret", "keyed=a=b"], Ok("p\", secrets: [***]")),
            (&["--notify", hook, "--notify-secret", "keyed=a", "--notify-secret", "keyed=b"], Ok("[***, ***]")),
            (&["--notify", hook], Err("--notify-secret keyed=SECRET is missing")),
            (&["--notify-secret", "keyed=a"], Err("--notify keyed=URL is missing")),
            (&["--notify", hook, "--notify-secret", "keyed="], Err("must not be empty")),
            (&["--notify", hook, "--notify", hook], Err("go to one URL")),
            (&["--notify", "keyed=ftp://a"], Err("must be a URL of http or https")),
            (&["--notify", "http://a"], Err("must be CLASS=")),
            (&["--notify", "key=http://a"], Err("keyed, look-up, timeout-reversal, none")),
        ];
        for (arguments, expected) in rows {
            let words = ["kessai", "sandbox"].iter().chain(arguments);
            let told = match Arguments::try_parse_from(words) {
                Ok(Arguments { command: Some(Command::Sandbox(sandbox)), .. }) => {
                    assert!(!format!("{sandbox:?}").contains("=b"), "{sandbox:?}");
                    sandbox.receivers().map(|receivers| format!("{receivers:?}"))
                }
                Ok(other) => panic!("{other:?}"),
                Err(error) => Err(error.to_string()),
            };
            match (told, expected) {
                (Ok(told), Ok(part)) | (Err(told), Err(part)) => assert!(told.contains(part), "{told}"),
                (told, _) => panic!("{arguments:?}: {told:?}"),
            }
        }
    }
}
