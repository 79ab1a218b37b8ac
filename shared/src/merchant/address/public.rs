//! Which addresses are anybody's: where a request may be sent on behalf of somebody whom we do not trust.
//!
//! Everything else is special: ourselves, our neighbours, the cloud's metadata, or nobody. The sources are IANA's
//! registries of special-purpose addresses for [IPv4] and [IPv6] and its list of the IPv6 address space. Of what they
//! call special, a few relays and anycast services are reachable from everywhere; none of them is a merchant, and where
//! they lie in a range that is left out, so are they.
//!
//! [IPv4]: https://www.iana.org/assignments/iana-ipv4-special-registry
//! [IPv6]: https://www.iana.org/assignments/iana-ipv6-special-registry

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What of IPv4 is nobody's merchant: the first address, and how many bits of it count.
const SPECIAL_V4: [([u8; 4], u32); 15] = [
    // "This network": on Linux 0.0.0.0 is the machine itself (RFC 791).
    ([0, 0, 0, 0], 8),
    // Private (RFC 1918).
    ([10, 0, 0, 0], 8),
    // Shared between a provider and its customers (RFC 6598); clouds use it inside.
    ([100, 64, 0, 0], 10),
    // Loopback (RFC 1122).
    ([127, 0, 0, 0], 8),
    // Link-local (RFC 3927); 169.254.169.254 is the metadata of a cloud's machine, 169.254.170.2 of its containers.
    ([169, 254, 0, 0], 16),
    // Private (RFC 1918).
    ([172, 16, 0, 0], 12),
    // IETF protocol assignments (RFC 6890).
    ([192, 0, 0, 0], 24),
    // Documentation (RFC 5737).
    ([192, 0, 2, 0], 24),
    // Once relays from 6to4 (RFC 7526).
    ([192, 88, 99, 0], 24),
    // Private (RFC 1918).
    ([192, 168, 0, 0], 16),
    // Benchmarks of networks (RFC 2544).
    ([198, 18, 0, 0], 15),
    // Documentation (RFC 5737).
    ([198, 51, 100, 0], 24),
    // Documentation (RFC 5737).
    ([203, 0, 113, 0], 24),
    // Multicast (RFC 5771).
    ([224, 0, 0, 0], 4),
    // Reserved (RFC 1112), and broadcast (RFC 919).
    ([240, 0, 0, 0], 4),
];

/// What of IPv6 has been given out to be reached from everywhere (RFC 4291). Outside of it lie:
/// `::` and `::1`, ourselves; IPv4 written as `::a.b.c.d` (RFC 4291) and translated, `64:ff9b:1::/48` (RFC 8215);
/// what is thrown away, `100::/64` (RFC 6666); segment routing, `5f00::/16` (RFC 9602); private, `fc00::/7` (RFC 4193),
/// where `fd00:ec2::254` is the metadata of a cloud's machine; link-local, `fe80::/10`; site-local once, `fec0::/10`
/// (RFC 3879); multicast, `ff00::/8`; and what nobody has.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// What is special within [`GLOBAL_V6`].
const SPECIAL_V6: [(Ipv6Addr, u32); 3] = [
    // IETF protocol assignments (RFC 2928): Teredo, benchmarks, ORCHID and more.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation (RFC 3849).
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    // Documentation (RFC 9637).
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether this is an address on the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => embedded(address).map_or_else(|| is_public_v6(address), is_public_v4),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let is_in =
        |&(first, bits): &([u8; 4], u32)| u32::from_be_bytes(first) >> (32 - bits) == u32::from(address) >> (32 - bits);
    !SPECIAL_V4.iter().any(is_in)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let is_in =
        |&(first, bits): &(Ipv6Addr, u32)| u128::from(first) >> (128 - bits) == u128::from(address) >> (128 - bits);
    is_in(&GLOBAL_V6) && !SPECIAL_V6.iter().any(is_in)
}

/// The IPv4 address that an IPv6 address leads to, where it is only a way to write one: mapped `::ffff:0:0/96`
/// (RFC 4291), NAT64 `64:ff9b::/96` (RFC 6052), 6to4 `2002::/16` (RFC 3056).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            of(high, low)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of each range its first and its last address.
    #[test]
    fn special_addresses_are_not_public() {
        let special = "0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.1 127.255.255.255 \
            169.254.0.0 169.254.169.254 169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.255 192.0.2.0 \
            192.0.2.255 192.88.99.0 192.88.99.255 192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255 198.51.100.0 \
            198.51.100.255 203.0.113.0 203.0.113.255 224.0.0.0 239.255.255.255 240.0.0.0 255.255.255.255 :: ::1 \
            ::7f00:1 ::808:808 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0:8.8.8.8 \
            64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b:1:: 64:ff9b:1::8.8.8.8 64:ff9b:1:ffff:ffff:ffff:ffff:ffff \
            64:ff9b:2:: 100:: 100::1 100:0:0:1:: 2001:: 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:1::1 2001:2:: \
            2001:10:: 2001:20:: 2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8:: \
            2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 2002:7f00:1:: 2002:a00:1::1 2002:a9fe:a9fe:: 2002:c0a8:101:: \
            3fff:: 3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff 4000:: 5f00:: 5f00:ffff::1 fc00:: fd00:ec2::254 \
            fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff fe80:: fe80::1 febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff fec0:: \
            feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ff00:: ff02::1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff \
            1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        for address in special.split(' ') {
            assert!(!is_public(address.parse().expect("an address")), "{address}");
        }
    }

    /// The neighbours of each range.
    #[test]
    fn all_others_are_public() {
        let public = "1.0.0.0 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 169.253.255.255 \
            169.255.0.0 172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0 \
            192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 \
            203.0.114.0 223.255.255.255 8.8.8.8 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1 2000:: 2001:200:: \
            2001:db7:ffff:ffff:ffff:ffff:ffff:ffff 2001:db9:: 2003:: 2606:4700::1111 2a00:1450::1 \
            3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff 3fff:1000:: 3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        for address in public.split(' ') {
            assert!(is_public(address.parse().expect("an address")), "{address}");
        }
    }
}
