//! Addresses that merchants give: of gateways, and of their own endpoints.
//!
//! Whoever sets up an address makes us send requests there. So it names one host over TLS and nothing else: no
//! credentials that would rest in plain sight, no fragment. Plain HTTP is for development, to the same machine.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Why an address will not do, after "must".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    NoHttps,
    NoHost,
    UserInfo,
    Strange,
}

impl fmt::Display for AddressError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::NoHttps => "must begin with https://",
            Self::NoHost => "must name a host, and perhaps a port",
            Self::UserInfo => "must not hold a user or password",
            Self::Strange => "must be printable ASCII without spaces, quotes and a fragment",
        })
    }
}

/// What plain HTTP is allowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    Nowhere,
    /// Where gateways may listen on the same machine. Never in a Lambda function: its platform listens there too.
    Loopback,
}

/// Whether requests may be sent there.
pub fn check(url: &str, plain: Plain) -> Result<(), AddressError> {
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
        false => Ok(()),
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

fn is_loopback(host: &str) -> bool {
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
