//! Addresses that merchants give: of gateways, and of their own endpoints.
//!
//! Whoever sets up an address makes us send requests there. So it names one host over TLS and nothing else: no
//! credentials that would rest in plain sight, no fragment. Plain HTTP is for development, to the same machine.
//!
//! A gateway may well stand in a private network. An endpoint of a merchant's must not: whoever may choose where we
//! send to would see with our eyes. What its name says is looked at when it is set up ([`check_endpoint`]); what it
//! leads to, each time that something is delivered ([`is_public`]).

mod public;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub use self::public::is_public;

/// Why an address will not do, after "must".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    NoHttps,
    NoHost,
    UserInfo,
    Strange,
    Numeric,
    NotPublic,
}

impl fmt::Display for AddressError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NoHttps => "must begin with https://",
            Self::NoHost => "must name a host, and perhaps a port",
            Self::UserInfo => "must not hold a user or password",
            Self::Strange => "must be printable ASCII without spaces, quotes and a fragment",
            Self::Numeric => "must write an IPv4 address as four decimal numbers",
            Self::NotPublic => "must be a name or an address on the public internet",
        })
    }
}

/// What plain HTTP is allowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    Nowhere,
    /// Where gateways and endpoints may listen on the same machine. Never in a Lambda function: its platform listens there too.
    Loopback,
}

/// Whether requests may be sent there.
pub fn check(url: &str, plain: Plain) -> Result<(), AddressError> {
    sound_host(url, plain).map(|_| ())
}

/// Whether events may be delivered there, as far as that can be seen without looking the name up. With
/// [`Plain::Loopback`] they may be to the same machine.
pub fn check_endpoint(url: &str, plain: Plain) -> Result<(), AddressError> {
    let host = sound_host(url, plain)?;
    match plain == Plain::Loopback && is_loopback(host) {
        true => Ok(()),
        false => check_public(host),
    }
}

/// Names that are no place on the public internet, with all names below them: this machine (RFC 6761), what answers on
/// the local network (RFC 6762), a home (RFC 8375), and what is private by ICANN's word, as clouds call their metadata.
const PRIVATE_NAMES: [&str; 4] = ["localhost", "local", "home.arpa", "internal"];

fn check_public(host: &str) -> Result<(), AddressError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return if is_public(address) { Ok(()) } else { Err(AddressError::NotPublic) };
    }
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    if name.split('.').any(str::is_empty) {
        return Err(AddressError::NoHost);
    }
    let Some((_, last)) = name.rsplit_once('.') else {
        // A single number is an address too, and a single word is somebody's on the local network.
        return Err(if is_number(&name) { AddressError::Numeric } else { AddressError::NotPublic });
    };
    if is_number(last) {
        return Err(AddressError::Numeric);
    }
    let is_within =
        |private: &&str| name.strip_suffix(*private).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    match PRIVATE_NAMES.iter().any(is_within) {
        true => Err(AddressError::NotPublic),
        false => Ok(()),
    }
}

/// Whether a host that ends in this is read as an IPv4 address, in decimal, octal or hexadecimal digits ("ends in a
/// number" of the URL standard).
fn is_number(last: &str) -> bool {
    let is_hexadecimal = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    last.bytes().all(|byte| byte.is_ascii_digit()) || last.strip_prefix("0x").is_some_and(is_hexadecimal)
}

/// The host of an address that requests may be sent to.
fn sound_host(url: &str, plain: Plain) -> Result<&str, AddressError> {
    let is_strange = |byte: u8| !byte.is_ascii_graphic() || b"\"'<>\\^`{|}#".contains(&byte);
    if url.bytes().any(is_strange) {
        return Err(AddressError::Strange);
    }
    let (is_plain, rest) = match (strip(url, "https://"), strip(url, "http://")) {
        (Some(rest), _) => (false, rest),
        (None, Some(rest)) => (true, rest),
        (None, None) => return Err(AddressError::NoHttps),
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err(AddressError::UserInfo);
    }
    let host = host(authority).ok_or(AddressError::NoHost)?;
    match is_plain && !(plain == Plain::Loopback && is_loopback(host)) {
        true => Err(AddressError::NoHttps),
        false => Ok(host),
    }
}

/// Scheme and host: what a connection is opened to.
pub fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |scheme| scheme + 3);
    let end = url[host..].find(['/', '?']).map_or(url.len(), |path| host + path);
    &url[..end]
}

fn strip<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
    let begins = url.get(..scheme.len())?.eq_ignore_ascii_case(scheme);
    begins.then(|| &url[scheme.len()..])
}

/// The host of `host`, `host:port` or `[address]:port`.
fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, rest) = rest.split_once(']')?;
            address.parse::<Ipv6Addr>().ok()?;
            (address, rest.strip_prefix(':').or(rest.is_empty().then_some("443"))?)
        }
        None => authority.split_once(':').unwrap_or((authority, "443")),
    };
    let is_name = |host: &str| host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
    let is_host = host.parse::<Ipv6Addr>().is_ok() || (!host.is_empty() && is_name(host));
    let is_port = port.parse::<u16>().is_ok_and(|port| port != 0) && port.bytes().all(|byte| byte.is_ascii_digit());
    (is_host && is_port).then_some(host)
}

/// Whether a host is this machine, by its usual name or by its address.
pub fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_host_over_tls() {
        use AddressError::{NoHost, NoHttps, Strange, UserInfo};
        let rows = [
            ("https://api.example.com/v2", Plain::Nowhere, Ok(())),
            ("https://api.example.com:8443?x=1", Plain::Nowhere, Ok(())),
            ("HTTPS://api.example.com", Plain::Nowhere, Ok(())),
            ("https://[2001:db8::1]:8443/x", Plain::Nowhere, Ok(())),
            ("http://127.0.0.1:9401/keyed", Plain::Loopback, Ok(())),
            ("http://[::1]/keyed", Plain::Loopback, Ok(())),
            ("http://localhost:1", Plain::Loopback, Ok(())),
            ("http://127.0.0.1:9401/keyed", Plain::Nowhere, Err(NoHttps)),
            ("http://127.0.0.1.example.com", Plain::Loopback, Err(NoHttps)),
            ("http://example.com", Plain::Loopback, Err(NoHttps)),
            ("ftp://example.com", Plain::Loopback, Err(NoHttps)),
            ("example.com", Plain::Loopback, Err(NoHttps)),
            ("", Plain::Loopback, Err(NoHttps)),
            ("https://", Plain::Nowhere, Err(NoHost)),
            ("https:///path", Plain::Nowhere, Err(NoHost)),
            ("https://a:b", Plain::Nowhere, Err(NoHost)),
            ("https://a:0", Plain::Nowhere, Err(NoHost)),
            ("https://a:99999", Plain::Nowhere, Err(NoHost)),
            ("https://[::1", Plain::Nowhere, Err(NoHost)),
            ("https://[::1]x", Plain::Nowhere, Err(NoHost)),
            ("https://user:secret@example.com", Plain::Nowhere, Err(UserInfo)),
            ("http://localhost@example.com", Plain::Loopback, Err(UserInfo)),
            ("https://example.com/#x", Plain::Nowhere, Err(Strange)),
            ("https://exa mple.com", Plain::Nowhere, Err(Strange)),
            ("https://éxample.com", Plain::Nowhere, Err(Strange)),
            ("https://example.com\n", Plain::Nowhere, Err(Strange)),
        ];
        for (url, plain, expected) in rows {
            assert_eq!(check(url, plain), expected, "{url}");
        }
    }

    #[test]
    fn an_endpoint_is_on_the_public_internet() {
        use AddressError::{NoHost, NoHttps, NotPublic, Numeric};
        let rows = [
            ("https://shop.example", Plain::Nowhere, Ok(())),
            ("https://shop.example./hooks", Plain::Nowhere, Ok(())),
            ("https://8.8.8.8:8443/hooks", Plain::Nowhere, Ok(())),
            ("https://[2606:4700::1111]/hooks", Plain::Nowhere, Ok(())),
            ("https://0x7f.example", Plain::Nowhere, Ok(())),
            ("https://local.example", Plain::Nowhere, Ok(())),
            ("https://thelocal.notinternal", Plain::Nowhere, Ok(())),
            ("https://1.2.3.4.example", Plain::Nowhere, Ok(())),
            ("http://localhost:3000/hook", Plain::Loopback, Ok(())),
            ("https://localhost/hook", Plain::Loopback, Ok(())),
            ("http://127.0.0.1:3000", Plain::Loopback, Ok(())),
            ("http://[::1]:3000", Plain::Loopback, Ok(())),
            ("https://shop.example", Plain::Loopback, Ok(())),
            ("http://shop.example", Plain::Loopback, Err(NoHttps)),
            ("http://127.0.0.1:3000", Plain::Nowhere, Err(NoHttps)),
            ("https://127.0.0.1", Plain::Nowhere, Err(NotPublic)),
            ("https://localhost", Plain::Nowhere, Err(NotPublic)),
            ("https://10.0.0.1", Plain::Loopback, Err(NotPublic)),
            ("https://intranet", Plain::Loopback, Err(NotPublic)),
            ("https://internal", Plain::Nowhere, Err(NotPublic)),
            ("https://LocalHost.", Plain::Nowhere, Err(NotPublic)),
            ("https://a.localhost.", Plain::Nowhere, Err(NotPublic)),
            ("https://printer.local", Plain::Nowhere, Err(NotPublic)),
            ("https://Metadata.Google.Internal", Plain::Nowhere, Err(NotPublic)),
            ("https://nas.home.arpa", Plain::Nowhere, Err(NotPublic)),
            ("https://[::1]", Plain::Nowhere, Err(NotPublic)),
            ("https://[::ffff:127.0.0.1]", Plain::Nowhere, Err(NotPublic)),
            ("http://127.1", Plain::Loopback, Err(NoHttps)),
            ("https://127.1", Plain::Loopback, Err(Numeric)),
            ("https://2130706433", Plain::Nowhere, Err(Numeric)),
            ("https://0x7f000001", Plain::Nowhere, Err(Numeric)),
            ("https://0x7f.1", Plain::Nowhere, Err(Numeric)),
            ("https://1.0x", Plain::Nowhere, Err(Numeric)),
            ("https://0177.0.0.1", Plain::Nowhere, Err(Numeric)),
            ("https://8.8.8.8.", Plain::Nowhere, Err(Numeric)),
            ("https://1.2.3.4.5", Plain::Nowhere, Err(Numeric)),
            ("https://256.256.256.256", Plain::Nowhere, Err(Numeric)),
            ("https://shop.0x7F", Plain::Nowhere, Err(Numeric)),
            ("https://shop..example", Plain::Nowhere, Err(NoHost)),
            ("https://.example", Plain::Nowhere, Err(NoHost)),
            ("https://.", Plain::Nowhere, Err(NoHost)),
            ("https://shop.example..", Plain::Nowhere, Err(NoHost)),
        ];
        for (url, plain, expected) in rows {
            assert_eq!(check_endpoint(url, plain), expected, "{url}");
        }
    }

    #[test]
    fn a_connection_is_opened_to_scheme_and_host() {
        let rows = [
            ("https://api.example.com/v2/x", "https://api.example.com"),
            ("https://api.example.com?x", "https://api.example.com"),
            ("https://api.example.com", "https://api.example.com"),
            ("http://127.0.0.1:9401/keyed", "http://127.0.0.1:9401"),
        ];
        for (url, expected) in rows {
            assert_eq!(origin(url), expected);
        }
    }
}
