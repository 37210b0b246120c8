//! Which addresses are public unicast: the special ranges of the IANA registries, and a few that clouds answer on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is no public unicast address of IPv4: address, length of the prefix.
const SPECIAL_V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),        // this network
    ([10, 0, 0, 0], 8),       // private
    ([100, 64, 0, 0], 10),    // shared by carriers; 100.100.100.200 is a metadata service
    ([127, 0, 0, 0], 8),      // loopback
    ([168, 63, 129, 16], 32), // a cloud's own services, inside of a public range
    ([169, 254, 0, 0], 16),   // link-local; 169.254.169.254 is the metadata service of most clouds
    ([172, 16, 0, 0], 12),    // private
    ([192, 0, 0, 0], 24),     // protocol assignments; 192.0.0.192 is a metadata service
    ([192, 0, 2, 0], 24),     // documentation
    ([192, 31, 196, 0], 24),  // AS112
    ([192, 52, 193, 0], 24),  // AMT relays
    ([192, 88, 99, 0], 24),   // 6to4 relays
    ([192, 168, 0, 0], 16),   // private
    ([192, 175, 48, 0], 24),  // AS112
    ([198, 18, 0, 0], 15),    // benchmarks
    ([198, 51, 100, 0], 24),  // documentation
    ([203, 0, 113, 0], 24),   // documentation
    ([224, 0, 0, 0], 4),      // multicast
    ([240, 0, 0, 0], 4),      // reserved, and broadcast
];

/// What has been given out as global unicast of IPv6. Everything outside is something else: loopback, mapped and compatible IPv4
/// addresses, NAT64, unique local, link-local, multicast, and what nobody has been given yet.
const GLOBAL_V6: (u128, u32) = (0x2000 << 112, 3);

/// What is no public unicast address inside of that.
const SPECIAL_V6: &[(u128, u32)] = &[
    (0x2001 << 112, 23),                                   // protocol assignments: Teredo, ORCHID, benchmarks
    ((0x2001 << 112) | (0x0db8 << 96), 32),                // documentation
    (0x2002 << 112, 16),                                   // 6to4: an IPv4 address in disguise
    ((0x2620 << 112) | (0x4f << 96) | (0x8000 << 80), 48), // AS112
    (0x3fff << 112, 20),                                   // documentation
];

/// Whether an address belongs to one host on the public internet.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let bits = u32::from(address);
    !SPECIAL_V4.iter().any(|(range, length)| (bits ^ u32::from_be_bytes(*range)) >> (32 - length) == 0)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let bits = u128::from(address);
    let is_in = |(range, length): &(u128, u32)| (bits ^ range) >> (128 - length) == 0;
    is_in(&GLOBAL_V6) && !SPECIAL_V6.iter().any(is_in)
}
