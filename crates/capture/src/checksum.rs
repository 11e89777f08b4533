//! Checksums of a packet: whether its receiver would have thrown it away (RFC 1071, 791, 9293, 768, 4443).

use std::net::IpAddr;

use etherparse::checksum::Sum16BitWords;

use crate::{ByteOrder::Big, Undecoded, ip::Ip, packet};

/// Checks the packet whose IP header begins `bytes`: the header of IPv4, then TCP, UDP or ICMP.
///
/// What was not captured whole cannot be checked and passes, as do fragments, and datagrams over IPv4 without a checksum.
///
/// # Errors
/// Which checksum is wrong.
pub(crate) fn check(bytes: &[u8], ip: &Ip<'_>) -> Result<(), Undecoded> {
    let is_v4 = ip.source.is_ipv4();
    if is_v4 {
        let len = bytes.first().map_or(0, |it| usize::from(it & 0xf) * 4);
        let header = bytes.get(..len).unwrap_or_default();
        if Sum16BitWords::new().add_slice(header).ones_complement() != 0 {
            return Err(Undecoded::BadChecksum("ipv4"));
        }
    }
    let (name, len) = match ip.protocol {
        packet::TCP => ("tcp", ip.body_len),
        packet::UDP => match (Big.u16(ip.body, 4), Big.u16(ip.body, 6)) {
            // None was computed.
            (_, Some(0)) if is_v4 => return Ok(()),
            // The length is left to the IP header (RFC 2675).
            (Some(0), _) => ("udp", ip.body_len),
            (Some(len), _) => ("udp", u32::from(len)),
            (None, _) => return Ok(()),
        },
        packet::ICMP if is_v4 => ("icmp", ip.body_len),
        packet::ICMPV6 if !is_v4 => ("icmpv6", ip.body_len),
        _ => return Ok(()),
    };
    let whole = ip.body.get(..len as usize).filter(|_| ip.is_len_sound && ip.fragment.is_none());
    let Some(body) = whole.filter(|it| !it.is_empty()) else { return Ok(()) };
    let mut sum = Sum16BitWords::new().add_slice(body);
    if ip.protocol != packet::ICMP {
        sum = match (ip.source, ip.destination) {
            (IpAddr::V4(from), IpAddr::V4(to)) => {
                sum.add_4bytes(from.octets()).add_4bytes(to.octets())
            }
            (IpAddr::V6(from), IpAddr::V6(to)) => {
                sum.add_16bytes(from.octets()).add_16bytes(to.octets())
            }
            _ => return Ok(()),
        };
        sum = sum.add_4bytes(len.to_be_bytes()).add_2bytes([0, ip.protocol]);
    }
    if sum.ones_complement() == 0 { Ok(()) } else { Err(Undecoded::BadChecksum(name)) }
}
