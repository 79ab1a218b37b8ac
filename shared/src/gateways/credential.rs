//! What an account at a gateway is known by, and how it is to be spoken to: named members, as its adapter wants them.
//!
//! It is sealed as one secret with the gateway's set-up. Which members there are, and what they look like, each adapter
//! says in a table; what is checked against it once needs no second look.

use std::collections::BTreeMap;
use std::fmt;

use crate::card::Secret;
use crate::merchant::GatewayMode;

/// Characters of a member at most: the longest key of a gateway has some two hundred.
const LONGEST: usize = 512;

/// Characters of a secret member at least: it is masked wherever a gateway repeats it, in references too, where a shorter
/// text stands by chance.
const SHORTEST_SECRET: usize = 8;

/// A member of a credential.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    pub name: &'static str,
    pub is_required: bool,
    /// Whether it can be one.
    pub fits: fn(&str) -> bool,
    /// What one looks like, to say where it cannot.
    pub form: &'static str,
    /// Whether who knows it can speak for us. Else it is a setting, or the name of an account.
    pub is_secret: bool,
    /// Whether it is of test or of live operation, where the gateway documents that its form tells.
    pub mode: fn(&str) -> Option<GatewayMode>,
}

/// The mode of something whose form tells none.
pub fn tells_no_mode(_: &str) -> Option<GatewayMode> {
    None
}

/// The mode of a key such as `sk_test_…`, whatever kind of key it is.
pub fn mode_of_key(text: &str) -> Option<GatewayMode> {
    let (_, rest) = text.split_once('_')?;
    let is_of = |mode: &str| rest.strip_prefix(mode).is_some_and(|rest| rest.starts_with('_'));
    let modes = [("test", GatewayMode::Test), ("live", GatewayMode::Live)];
    modes.into_iter().find_map(|(name, mode)| is_of(name).then_some(mode))
}

/// Why something is no credential. Names the member, and holds nothing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    pub member: String,
    pub why: String,
}

/// The members of a credential. They are secrets: it cannot be printed.
#[derive(Default)]
pub struct Credential {
    members: BTreeMap<String, Secret>,
    table: &'static [Member],
}

impl Credential {
    /// What we are known by where nobody wants to know.
    pub const fn none() -> Self {
        Self { members: BTreeMap::new(), table: &[] }
    }

    /// One with these members, and no others than the table knows.
    pub fn of(members: BTreeMap<String, Secret>, table: &'static [Member]) -> Result<Self, Misfit> {
        let misfit = |member: &str, why: String| Misfit { member: member.to_owned(), why };
        for (name, text) in &members {
            let Some(member) = table.iter().find(|member| member.name == name) else {
                let known: Vec<&str> = table.iter().map(|member| member.name).collect();
                return Err(misfit(name, format!("is none of {}", known.join(", "))));
            };
            if text.reveal().len() > LONGEST || !(member.fits)(text.reveal()) {
                return Err(misfit(name, format!("must be {}", member.form)));
            }
            if member.is_secret && text.reveal().len() < SHORTEST_SECRET {
                return Err(misfit(name, format!("must have {SHORTEST_SECRET} characters or more")));
            }
        }
        match table.iter().find(|member| member.is_required && !members.contains_key(member.name)) {
            Some(missing) => Err(misfit(missing.name, "is missing".to_owned())),
            None => Ok(Self { members, table }),
        }
    }

    /// Whether it is of this mode, as far as its members tell.
    pub fn suits(&self, mode: GatewayMode) -> Result<(), Misfit> {
        let of = |name: &str, text: &Secret| self.member(name).and_then(|member| (member.mode)(text.reveal()));
        let told = self.members.iter().find_map(|(name, text)| Some((name, of(name, text)?)));
        match (told, mode) {
            (Some((name, told)), GatewayMode::Test | GatewayMode::Live) if told != mode => {
                let why = format!("is of mode {}, and the gateway of mode {}", told.name(), mode.name());
                Err(Misfit { member: name.clone(), why })
            }
            // Whoever is connected through somebody else may be so in either.
            (_, GatewayMode::Test | GatewayMode::Live | GatewayMode::Connected) => Ok(()),
        }
    }

    fn member(&self, name: &str) -> Option<&Member> {
        self.table.iter().find(|member| member.name == name)
    }

    /// What rests, sealed.
    pub fn to_secret(&self) -> Secret {
        let members: BTreeMap<&str, &str> =
            self.members.iter().map(|(name, text)| (name.as_str(), text.reveal())).collect();
        Secret::new(serde_json::to_string(&members).unwrap_or_default())
    }

    /// From what rested. It may have been set when the table was another.
    pub fn from_secret(secret: &Secret, table: &'static [Member]) -> Option<Self> {
        let members: BTreeMap<String, String> = serde_json::from_str(secret.reveal()).ok()?;
        Some(Self { members: members.into_iter().map(|(name, text)| (name, Secret::new(text))).collect(), table })
    }

    /// A member, empty where there is none.
    pub fn text(&self, name: &str) -> &str {
        self.members.get(name).map_or("", Secret::reveal)
    }

    /// A text in which a gateway may have repeated some of it, without that.
    pub fn masked_in(&self, text: String) -> String {
        let members = self.secrets().map(Secret::reveal).filter(|member| !member.is_empty());
        members.fold(text, |text, member| text.replace(member, "****"))
    }

    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Those that are to be kept out of what gateways say. Settings and names of accounts may stand in a gateway's
    /// reference, by which its operation is found. What the table does not know may be a secret, if it is as long as one.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        let is_secret = |name: &str, text: &Secret| match self.member(name) {
            Some(member) => member.is_secret,
            None => text.reveal().len() >= SHORTEST_SECRET,
        };
        self.members.iter().filter(move |(name, text)| is_secret(name, text)).map(|(_, text)| text)
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
        Member {
            name: "key",
            is_required: true,
            fits: |text| text.starts_with("sk_"),
            form: "sk_ and more",
            is_secret: true,
            mode: mode_of_key,
        },
        Member {
            name: "version",
            is_required: false,
            fits: |text| text.len() == 10,
            form: "a date",
            is_secret: false,
            mode: tells_no_mode,
        },
    ];

    fn of(members: &[(&str, &str)]) -> Result<Credential, Misfit> {
        let secret = |(name, text): &(&str, &str)| ((*name).to_owned(), Secret::new((*text).to_owned()));
        Credential::of(members.iter().map(secret).collect(), TABLE)
    }

    #[test]
    fn a_credential_has_the_members_of_its_table_and_comes_back_as_it_was() {
        let credential = of(&[("key", "sk_01234"), ("version", "2025-01-28")]).unwrap_or_default();
        let back = Credential::from_secret(&credential.to_secret(), TABLE).unwrap_or_default();
        assert_eq!((back.text("key"), back.text("version"), back.text("other")), ("sk_01234", "2025-01-28", ""));
        let secrets: Vec<&str> = back.secrets().map(Secret::reveal).collect();
        assert_eq!(secrets, ["sk_01234"], "a date stands in references by chance");
        assert_eq!(back.masked_in("no sk_01234 since 2025-01-28".to_owned()), "no **** since 2025-01-28");
    }

    #[test]
    fn what_an_older_table_knew_is_a_secret_where_it_is_as_long_as_one() {
        let rested = Secret::new(r#"{"key":"sk_1","password":"12345678","region":"eu","shard":"1234567"}"#.to_owned());
        let back = Credential::from_secret(&rested, TABLE).unwrap_or_default();
        assert_eq!(back.secrets().map(Secret::reveal).collect::<Vec<_>>(), ["sk_1", "12345678"]);
        assert_eq!(back.masked_in("eu_1234567_12345678".to_owned()), "eu_1234567_****");
    }

    #[test]
    fn a_key_that_tells_another_mode_than_the_gateways_does_not_suit_it() {
        let rows = [
            ("sk_test_1", GatewayMode::Test, None),
            ("sk_live_1", GatewayMode::Live, None),
            ("sk_test_1", GatewayMode::Connected, None),
            ("sk_live_1", GatewayMode::Connected, None),
            ("sk_12345", GatewayMode::Live, None),
            ("sk_testing", GatewayMode::Live, None),
            ("sk_test_1", GatewayMode::Live, Some("key: is of mode Test, and the gateway of mode Live")),
            ("sk_live_1", GatewayMode::Test, Some("key: is of mode Live, and the gateway of mode Test")),
        ];
        for (key, mode, why) in rows {
            let credential = of(&[("key", key), ("version", "test_or_no")]).unwrap_or_default();
            let misfit = credential.suits(mode).err().map(|misfit| misfit.to_string());
            assert_eq!(misfit.as_deref(), why, "{key}");
        }
        assert_eq!(mode_of_key("rk_live_1"), Some(GatewayMode::Live));
    }

    #[test]
    fn what_does_not_fit_is_named_and_not_repeated() {
        let long = format!("sk_{}", "x".repeat(LONGEST));
        let rows: [(&[(&str, &str)], &str); 6] = [
            (&[], "key: is missing"),
            (&[("key", "pk_secret")], "key: must be sk_ and more"),
            (&[("key", &long)], "key: must be sk_ and more"),
            (&[("key", "sk_1234")], "key: must have 8 characters or more"),
            (&[("key", "sk_12345"), ("version", "old")], "version: must be a date"),
            (&[("key", "sk_12345"), ("token", "t")], "token: is none of key, version"),
        ];
        for (members, why) in rows {
            assert_eq!(of(members).err().map(|misfit| misfit.to_string()).as_deref(), Some(why));
        }
    }
}
