//! What an account at a gateway is known by, and how it is to be spoken to: named members, as its adapter wants them.
//!
//! It is sealed as one secret with the gateway's set-up. Which members there are, and what they look like, each adapter
//! says in a table; what is checked against it once needs no second look.

use std::collections::BTreeMap;
use std::fmt;

use crate::card::Secret;

/// Characters of a member at most: the longest key of a gateway has some two hundred.
const LONGEST: usize = 512;

/// Characters of the shortest key of a gateway; a name of an account, or a setting, has fewer, or is no secret.
const SHORTEST_SECRET: usize = 16;

/// A member of a credential.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    pub name: &'static str,
    pub is_required: bool,
    /// Whether it can be one.
    pub fits: fn(&str) -> bool,
    /// What one looks like, to say where it cannot.
    pub form: &'static str,
}

/// Why something is no credential. Names the member, and holds nothing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    pub member: String,
    pub why: String,
}

/// The members of a credential. They are secrets: it cannot be printed.
#[derive(Default)]
pub struct Credential(BTreeMap<String, Secret>);

impl Credential {
    /// What we are known by where nobody wants to know.
    pub const fn none() -> Self {
        Self(BTreeMap::new())
    }

    /// One with these members, and no others than the table knows.
    pub fn of(members: BTreeMap<String, Secret>, table: &[Member]) -> Result<Self, Misfit> {
        let misfit = |member: &str, why: String| Misfit { member: member.to_owned(), why };
        for (name, text) in &members {
            let Some(member) = table.iter().find(|member| member.name == name) else {
                let known: Vec<&str> = table.iter().map(|member| member.name).collect();
                return Err(misfit(name, format!("is none of {}", known.join(", "))));
            };
            if text.reveal().len() > LONGEST || !(member.fits)(text.reveal()) {
                return Err(misfit(name, format!("must be {}", member.form)));
            }
        }
        match table.iter().find(|member| member.is_required && !members.contains_key(member.name)) {
            Some(missing) => Err(misfit(missing.name, "is missing".to_owned())),
            None => Ok(Self(members)),
        }
    }

    /// What rests, sealed.
    pub fn to_secret(&self) -> Secret {
        let members: BTreeMap<&str, &str> = self.0.iter().map(|(name, text)| (name.as_str(), text.reveal())).collect();
        Secret::new(serde_json::to_string(&members).unwrap_or_default())
    }

    /// From what rested.
    pub fn from_secret(secret: &Secret) -> Option<Self> {
        let members: BTreeMap<String, String> = serde_json::from_str(secret.reveal()).ok()?;
        Some(Self(members.into_iter().map(|(name, text)| (name, Secret::new(text))).collect()))
    }

    /// A member, empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", Secret::reveal)
    }

    /// A text in which a gateway may have repeated some of it, without that.
    pub fn masked_in(&self, text: String) -> String {
        let members = self.secrets().map(Secret::reveal).filter(|member| !member.is_empty());
        members.fold(text, |text, member| text.replace(member, "****"))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that are to be kept out of what gateways say. The short ones are settings and names of accounts, and may
    /// stand in a gateway's reference by chance, by which its operation is found.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.0.values().filter(|member| member.reveal().len() >= SHORTEST_SECRET)
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.member, self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Member] = &[
        Member { name: "key", is_required: true, fits: |text| text.starts_with("sk_"), form: "sk_ and more" },
        Member { name: "version", is_required: false, fits: |text| text.len() == 10, form: "a date" },
    ];

    fn of(members: &[(&str, &str)]) -> Result<Credential, Misfit> {
        let secret = |(name, text): &(&str, &str)| ((*name).to_owned(), Secret::new((*text).to_owned()));
        Credential::of(members.iter().map(secret).collect(), TABLE)
    }

    #[test]
    fn a_credential_has_the_members_of_its_table_and_comes_back_as_it_was() {
        let credential = of(&[("key", "sk_0123456789abc"), ("version", "2025-01-28")]).unwrap_or_default();
        let back = Credential::from_secret(&credential.to_secret()).unwrap_or_default();
        assert_eq!(
            (back.text("key"), back.text("version"), back.text("other")),
            ("sk_0123456789abc", "2025-01-28", "")
        );
        let secrets: Vec<&str> = back.secrets().map(Secret::reveal).collect();
        assert_eq!(secrets, ["sk_0123456789abc"], "a date stands in references by chance");
        assert_eq!(back.masked_in("no sk_0123456789abc since 2025-01-28".to_owned()), "no **** since 2025-01-28");
    }

    #[test]
    fn what_does_not_fit_is_named_and_not_repeated() {
        let long = format!("sk_{}", "x".repeat(LONGEST));
        let rows: [(&[(&str, &str)], &str); 5] = [
            (&[], "key: is missing"),
            (&[("key", "pk_secret")], "key: must be sk_ and more"),
            (&[("key", &long)], "key: must be sk_ and more"),
            (&[("key", "sk_1"), ("version", "old")], "version: must be a date"),
            (&[("key", "sk_1"), ("token", "t")], "token: is none of key, version"),
        ];
        for (members, why) in rows {
            assert_eq!(of(members).err().map(|misfit| misfit.to_string()).as_deref(), Some(why));
        }
    }
}
