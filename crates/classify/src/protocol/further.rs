//! What further tunnels, ways into other machines, stores and networks say, told by fixed bytes at fixed places: one row each,
//! tests below.

use flow::Heads;

use super::{Protocol, row};
use crate::{
    ber,
    bytes::{be16, be32},
    look::{
        all_datagrams, any_first, any_stream, begins, contains, datagrams, find, has_at, has_port,
        is_text, seen_if,
    },
    needs::{ANY, any_datagram, tcp, udp},
};

// Tunnels.

pub(super) const TAILSCALE: Protocol = row(
    "tailscale",
    "tunnel",
    "Tailscale path discovery (DISCO)",
    "Tailscale, disco (source)",
    |heads| {
        // Its search for paths stands among WireGuard and STUN: a mark, the sender's key, a number used once, a sealed box.
        let is_search =
            |it: &[u8]| it.starts_with(b"TS\xf0\x9f\x92\xac") && it.len() >= 6 + 32 + 24 + 16;
        seen_if(datagrams(heads).any(is_search), "Tailscale looking for a path (DISCO)")
    },
)
.over(any_datagram(b"T"));

pub(super) const SSTP: Protocol =
    row("sstp", "tunnel", "Secure Socket Tunneling Protocol", "MS-SSTP", |heads| {
        // [MS-SSTP], section 3.2.4.1: a method of HTTP of its own; in clear where TLS ends before the server.
        let is_seen = any_stream(heads, |it| it.starts_with(b"SSTP_DUPLEX_POST "));
        seen_if(is_seen, "PPP in HTTPS (SSTP)")
    })
    .over(tcp(b"S"));

pub(super) const SOFTETHER: Protocol = row(
    "softether",
    "tunnel",
    "SoftEther VPN finding its way through a NAT",
    "SoftEther VPN (source)",
    |heads| {
        // A machine that helps through NATs tells the own address as text, or in a list of named values.
        let is_text = |it: &[u8]| it.starts_with(b"IP=") && contains(it, b",PORT=");
        let is_list = |it: &[u8]| {
            be32(it, 0).is_some_and(|it| (1..=64).contains(&it))
                && contains(it, b"\0\0\0\x08tran_id")
        };
        seen_if(
            datagrams(heads).any(|it| is_text(it) || is_list(it)),
            "SoftEther finding its way through a NAT",
        )
    },
)
.over(any_datagram(b"\0I"));

// Ways into other machines.

pub(super) const REMOTE_SHELL: Protocol =
    row("rsh", "other", "BSD remote shell", "4.2BSD, rshd(8)", |heads| {
        let is_seen = has_port(heads, &[514]) && is_remote_command(heads);
        seen_if(is_seen, "a command for another machine (rsh)")
    })
    .over(tcp(b"0123456789\0"));

pub(super) const REXEC: Protocol =
    row("rexec", "other", "BSD remote execution", "4.2BSD, rexecd(8)", |heads| {
        let is_seen = has_port(heads, &[512]) && is_remote_command(heads);
        seen_if(is_seen, "a command for another machine (rexec)")
    })
    .over(tcp(b"0123456789\0"));

/// Whether a client says where errors shall go, then a name and a name or a password, and what shall be run; each ends with a
/// zero. A zero answers, or a one and an excuse.
fn is_remote_command(heads: &Heads) -> bool {
    let client = heads.client.bytes();
    let parts: Vec<&[u8]> = client.splitn(5, |it| *it == 0).collect();
    let &[port, name, further, command, _] = parts.as_slice() else { return false };
    let is_word = |it: &[u8]| !it.is_empty() && it.iter().all(u8::is_ascii_graphic);
    let is_port = port.len() <= 5 && port.iter().all(u8::is_ascii_digit);
    let is_command = !command.is_empty() && is_text(command);
    let is_answer = matches!(heads.server.bytes().first(), None | Some(0 | 1));
    let is_asked = is_port && is_word(name) && is_word(further) && is_command;
    is_asked && is_answer && any_stream(heads, |_| true)
}

// Files and catalogues.

pub(super) const CEPH: Protocol = row(
    "ceph",
    "files",
    "Ceph storage",
    "Ceph documentation, Network Protocol and msgr2",
    |heads| {
        let is_banner = |it: &[u8]| begins(it, &[b"ceph v0", b"ceph v2\n"]);
        seen_if(any_stream(heads, is_banner), "a Ceph node's greeting")
    },
)
.over(tcp(b"c"));

pub(super) const Z3950: Protocol =
    row("z3950", "system", "Z39.50 library search", "ISO 23950", |heads| {
        // ISO 23950, section 4.1: a request to begin or its answer; perhaps a reference, then version, options, two sizes.
        let is_beginning = |it: &[u8]| {
            let mut fields = ber::tagged(it, 0xb4).or_else(|| ber::tagged(it, 0xb5))?;
            let mut field = ber::next(&mut fields)?;
            if field.tag == 0x82 {
                field = ber::next(&mut fields)?;
            }
            let is_version = field.tag == 0x83 && matches!(field.len, 2..=3);
            let options = ber::next(&mut fields)?;
            let is_options = options.tag == 0x84 && matches!(options.len, 2..=6);
            let is_size = |it: ber::Element| matches!(it.len, 1..=5);
            let (usual, largest) = (ber::next(&mut fields)?, ber::next(&mut fields)?);
            let are_sizes =
                usual.tag == 0x85 && largest.tag == 0x86 && is_size(usual) && is_size(largest);
            (is_version && is_options && are_sizes).then_some(())
        };
        let is_seen = any_stream(heads, |it| is_beginning(it).is_some());
        seen_if(is_seen, "a library's catalogue being asked (Z39.50)")
    })
    .over(tcp(b"\xb4\xb5"));

pub(super) const SAP_NI: Protocol =
    row("sap-ni", "system", "SAP Network Interface", "seen on the wire", |heads| {
        // Behind a length of four bytes: a word of the router; what a terminal says first, or later, packed.
        let is_len = |it: &[u8]| be32(it, 0).is_some_and(|len| (8..1 << 20).contains(&len));
        let words: &[&[u8]] = &[b"NI_ROUTE\0", b"NI_RTERR\0", b"NI_PING\0", b"NI_PONG\0"];
        let is_routed = |it: &[u8]| it.get(4..).is_some_and(|it| begins(it, words));
        let is_first = |it: &[u8]| {
            has_at(it, 4, b"\xff\xff\xff\xff\x0a\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff")
        };
        let is_packed = |it: &[u8]| {
            it.get(11) == Some(&1)
                && matches!(it.get(16), Some(0x11 | 0x12))
                && has_at(it, 17, b"\x1f\x9d")
        };
        let is_seen =
            any_stream(heads, |it| is_len(it) && (is_routed(it) || is_first(it) || is_packed(it)));
        seen_if(is_seen, "an SAP terminal or router")
    })
    .over(tcp(b"\0"));

// Printers, networks and their care.

pub(super) const IPP: Protocol = row(
    "ipp",
    "system",
    "Internet Printing Protocol and CUPS browsing",
    "RFC 8010; CUPS, CUPS Browse Protocol",
    |heads| {
        // CUPS announces a printer in a line: kind and state in hexadecimal, then where it is. Jobs go over HTTP.
        let is_line = |it: &[u8]| {
            let Some(at) = find(it.get(..24).unwrap_or(it), b" ipp://") else { return false };
            let numbers = it.get(..at).unwrap_or_default();
            numbers.contains(&b' ')
                && numbers.iter().all(|it| it.is_ascii_hexdigit() || *it == b' ')
        };
        seen_if(any_first(heads, is_line), "a printer being announced (CUPS)")
    },
)
.over(udp(b"0123456789ABCDEFabcdef "));

pub(super) const PGM: Protocol =
    row("pgm", "system", "Pragmatic General Multicast", "RFC 3208", |heads| {
        // RFC 3208, section 8: ports, kind, options, a sum over all, who sends, how much data; here in UDP.
        let is_message = |it: &[u8]| {
            let data_len = be16(it, 14).map(usize::from);
            let is_len = match it.get(4) {
                Some(0..=2 | 8..=0x0a | 0x0c) => data_len == Some(0),
                Some(4 | 5) => data_len.is_some_and(|len| {
                    let has_options = it.get(5).is_some_and(|it| it & 1 == 1);
                    24 + len == it.len() || has_options && 24 + len < it.len()
                }),
                _ => false,
            };
            let is_options = it.get(5).is_some_and(|it| it & 0x3c == 0);
            is_len && is_options && be16(it, 6) != Some(0) && ones_sum(it) == 0xffff
        };
        seen_if(all_datagrams(heads, is_message), "data for many that asks again (PGM)")
    })
    .over(udp(ANY));

/// The sum of the words in ones' complement (RFC 1071); it is all ones where the sum within fits.
fn ones_sum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|it| match *it {
        [high, low] => u16::from_be_bytes([high, low]),
        [high] => u16::from_be_bytes([high, 0]),
        _ => 0,
    });
    words.fold(0, |sum, word| {
        let (sum, carry) = u16::overflowing_add(sum, word);
        sum + u16::from(carry)
    })
}

pub(super) const KISMET: Protocol =
    row("kismet", "system", "Kismet server of wireless observations", "Kismet (source)", |heads| {
        seen_if(any_stream(heads, |it| it.starts_with(b"*KISMET: ")), "a Kismet server's greeting")
    })
    .over(tcp(b"*"));

pub(super) const GLBP: Protocol =
    row("glbp", "system", "Gateway Load Balancing Protocol", "seen on the wire", |heads| {
        // Version 1, a group, who owns it; then types and lengths that count themselves, up to the end.
        let is_message = |it: &[u8]| {
            let mut rest = it.get(12..).unwrap_or_default();
            let mut n = 0;
            while let Some((kind, len)) = rest.first().zip(rest.get(1)) {
                let is_kind = matches!(kind, 1..=4) && *len >= 2;
                let Some(next) = rest.get(usize::from(*len)..).filter(|_| is_kind) else {
                    return false;
                };
                (rest, n) = (next, n + 1);
            }
            it.first() == Some(&1) && n > 0 && rest.is_empty()
        };
        let is_seen = has_port(heads, &[3222]) && all_datagrams(heads, is_message);
        seen_if(is_seen, "gateways sharing their load (GLBP)")
    })
    .over(udp(b"\x01"));

pub(super) const CPHA: Protocol =
    row("cpha", "system", "Check Point High Availability", "seen on the wire", |heads| {
        // A mark, a version, the cluster, what is said.
        let is_message = |it: &[u8]| {
            it.starts_with(b"\x1a\x90") && matches!(be16(it, 6), Some(1..=32)) && it.len() >= 24
        };
        let is_seen = has_port(heads, &[8116]) && all_datagrams(heads, is_message);
        seen_if(is_seen, "firewalls of a cluster watching each other (Check Point)")
    })
    .over(udp(b"\x1a"));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::near::{check, check_at, padded, tcp, udp};

    #[test]
    fn tunnels() {
        let search = padded(b"TS\xf0\x9f\x92\xac", 0x5a, 124);
        check("tailscale", &udp(&search), &udp(&search[..40]));
        // It comes among WireGuard's messages.
        let guard = padded(b"\x01\0\0\0", 0x33, 148);
        check("tailscale", &Heads::udp(&[&guard, &search], &[]), &udp(&guard));
        check(
            "sstp",
            &tcp(b"SSTP_DUPLEX_POST /sra_{BA195980-CD49-458b-9E23-C84EE0ADCD75}/ HTTP/1.1\r\n"),
            &tcp(b"SSTP_POST /sra_/ HTTP/1.1\r\n"),
        );
        check(
            "softether",
            &Heads::udp(&[b"B"], &[b"IP=192.0.2.7,PORT=50123#"]),
            &Heads::udp(&[b"B"], &[b"IP=192.0.2.7"]),
        );
        let list = b"\0\0\0\x02\0\0\0\x07opcode\0\0\0\x02\0\0\0\x01\0\0\0\0\0\0\0\x08tran_id";
        check("softether", &udp(list), &udp(&list[..20]));
    }

    #[test]
    fn ways_in_files_and_catalogues() {
        let command = b"1022\0alice\0bob\0ls -l\0";
        check_at("rsh", 514, &Heads::tcp(command, b"\0total"), &Heads::tcp(command, b"no"));
        check_at("rexec", 512, &tcp(command), &tcp(b"1022\0alice\0bob\0ls"));
        check("ceph", &tcp(b"ceph v027\0\0"), &tcp(b"ceph vs. gluster"));
        let beginning = b"\xb4\x11\x83\x02\x05\xe0\x84\x02\x06\xc0\x85\x02\x10\0\x86\x03\x01\0\0";
        check("z3950", &tcp(beginning), &tcp(&beginning[..12]));
        check("sap-ni", &tcp(b"\0\0\0\x40NI_ROUTE\0\x02\x27"), &tcp(b"\0\0\0\x40NI_ROUTES"));
        let packed = b"\0\0\x01\0\0\0\0\0\x01\0\0\x01\x20\x03\0\0\x12\x1f\x9d\x02";
        check("sap-ni", &tcp(packed), &tcp(&packed[..18]));
    }

    #[test]
    fn networks_and_their_care() {
        check(
            "ipp",
            &udp(b"2 3 ipp://192.0.2.1:631/printers/laser \"Office\""),
            &udp(b"see ipp://192.0.2.1:631/printers/laser"),
        );
        let mut path = b"\x0f\xa0\x0f\xa1\0\0\0\0\x0a\0\0\x01\0\x01\0\0".to_vec();
        path.extend(b"\0\0\0\x01\0\0\0\0\0\0\0\0\0\x01\0\0\xc0\0\x02\x01");
        let sum = !ones_sum(&path);
        path[6..8].copy_from_slice(&sum.to_be_bytes());
        let mut broken = path.clone();
        broken[35] = 2;
        check("pgm", &udp(&path), &udp(&broken));
        check("kismet", &tcp(b"*KISMET: 0.0.0 1234567890 \x01Kismet\x01"), &tcp(b"*KISMET*"));
        let hello = b"\x01\0\0\x01\0\0\0\x07\xb4\0\x01\x01\x01\x08\0\x20\x64\x64\0\x01";
        check_at("glbp", 3222, &udp(hello), &udp(&hello[..19]));
        let state = padded(b"\x1a\x90\x0b\xe0\0\x05\0\x01", 0, 40);
        check_at("cpha", 8116, &udp(&state), &udp(&state[..20]));
    }
}
