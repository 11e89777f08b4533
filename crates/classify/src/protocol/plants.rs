//! What controllers, meters and gauges of plants, buildings and homes say, told by fixed bytes at fixed places: one row each,
//! tests below.

use super::{Facts, Form, Protocol, dcerpc, machines, row};
use crate::{
    ber,
    bytes::{Reader, be16, le16, le32},
    look::{
        all_datagrams, all_streams, any_stream, begins, datagrams, ends_at_be16, ends_at_be32,
        has_at, has_port, seen_if,
    },
    needs::{ANY, any_datagram, either, tcp, udp},
};

// Controllers.

pub(super) const S7COMM_PLUS: Protocol = row(
    "s7comm-plus",
    "system",
    "Siemens S7 communication, newer form",
    "seen on the wire, behind TPKT (RFC 1006)",
    |heads| {
        // Behind TPKT and COTP data, or right behind the connection being asked for: a mark, then version 1 to 3, or a sign of
        // life.
        let is_data =
            |it: &[u8]| matches!(it, [3, 0, _, _, 2, 0xf0, 0x80, 0x72, 1..=3 | 0xfd..=0xff, ..]);
        let is_connected = |it: &[u8]| {
            let next = be16(it, 2).and_then(|len| it.get(usize::from(len)..));
            matches!(it, [3, 0, 0, _, _, 0xe0 | 0xd0, ..]) && next.is_some_and(is_data)
        };
        seen_if(
            any_stream(heads, |it| is_data(it) || is_connected(it)),
            "a newer Siemens controller (S7comm-plus)",
        )
    },
)
.over(tcp(b"\x03"));

pub(super) const ADS: Protocol = row(
    "beckhoff-ads",
    "system",
    "Beckhoff Automation Device Specification",
    "Beckhoff Information System, ADS/AMS Specification",
    |heads| {
        // Over TCP two zeros and a length, then who asks whom, a command, request or answer, and a length again; over UDP, where
        // routes are found, a mark and four bytes of number.
        let is_message = |it: &[u8]| {
            let len = le32(it, 26);
            has_at(it, 0, &[0, 0])
                && matches!(le16(it, 22), Some(0..=9))
                && matches!(le16(it, 24), Some(4 | 5))
                && len.is_some_and(|len| len < 1 << 24 && le32(it, 2) == Some(len + 32))
        };
        let is_found = |it: &[u8]| it.starts_with(b"\x03\x66\x14\x71") && it.len() >= 20;
        let is_seen = all_streams(heads, is_message) || all_datagrams(heads, is_found);
        seen_if(is_seen, "a Beckhoff controller (ADS)")
    },
)
.over(tcp(b"\0").or(udp(b"\x03")));

pub(super) const UMAS: Form = Form {
    label: "umas",
    group: "system",
    title: "Schneider Electric UMAS",
    source: "Kaspersky ICS CERT, The secrets of Schneider Electric's UMAS protocol",
};

/// Modbus with a function of Schneider's own.
pub(super) const MODBUS_WITH_UMAS: Protocol = Protocol {
    needs: tcp(ANY),
    recognise: |heads| {
        let is_message = |it: &[u8]| {
            let len = be16(it, 4).map(usize::from).unwrap_or_default();
            has_at(it, 2, &[0, 0])
                && (4..=2048).contains(&len)
                && len + 6 <= it.len()
                && it.get(7) == Some(&0x5a)
        };
        let is_answer = |it: &[u8]| it.is_empty() || matches!(it.get(9), Some(0xfd | 0xfe));
        let is_seen = has_port(heads, &[502]) && all_streams(heads, is_message);
        let seen =
            seen_if(is_seen && is_answer(heads.server.bytes()), "a Schneider controller (UMAS)")?;
        Some(Facts { service: Some(UMAS.label), ..seen })
    },
    ..machines::MODBUS
};

pub(super) const PROFINET_CM: Form = Form {
    label: "profinet-cm",
    group: "system",
    title: "PROFINET context management",
    source: "IEC 61158-6-10",
};

pub(super) const DCERPC_WITH_PROFINET: Protocol = Protocol {
    needs: any_datagram(b"\x04"),
    recognise: |heads| {
        // Calls by DCE/RPC version 4 of four interfaces, whose identifiers (IEC 61158-6-10) differ in one digit.
        let is_call = |it: &[u8]| {
            let is_known =
                matches!(it.get(24..28), Some([1..=4, 0, 0xa0, 0xde] | [0xde, 0xa0, 0, 1..=4]));
            it.first() == Some(&4) && is_known && has_at(it, 32, b"\x82\x71\0\xa0\x24\x42\xdf\x7d")
        };
        let seen = seen_if(datagrams(heads).any(is_call), "a PROFINET device being set up")?;
        Some(Facts { service: Some(PROFINET_CM.label), ..seen })
    },
    ..dcerpc::PROTOCOL
};

pub(super) const CIP_IO: Protocol = row(
    "cip-io",
    "system",
    "Common Industrial Protocol, inputs and outputs",
    "ODVA, The CIP Networks Library, volume 2",
    |heads| {
        // Two items: the connection's address of eight bytes, then its data up to the end.
        let is_data = |it: &[u8]| {
            has_at(it, 0, b"\x02\0\x02\x80\x08\0")
                && has_at(it, 14, b"\xb1\0")
                && le16(it, 16).is_some_and(|len| usize::from(len) + 18 == it.len())
        };
        seen_if(all_datagrams(heads, is_data), "inputs and outputs of a controller (CIP)")
    },
)
.over(udp(b"\x02"));

pub(super) const EGD: Protocol =
    row("egd", "system", "Ethernet Global Data of GE controllers", "seen on the wire", |heads| {
        // Kind 13, version 1, numbers, a time in seconds and nanoseconds, states, and a reserve.
        let is_data = |it: &[u8]| {
            it.starts_with(&[0x0d, 1])
                && it.len() >= 32
                && le32(it, 16).is_some_and(|it| it < 1_000_000_000)
                && has_at(it, 28, &[0; 4])
        };
        seen_if(all_datagrams(heads, is_data), "data of GE controllers (EGD)")
    })
    .over(udp(b"\x0d"));

pub(super) const ETHER_S_BUS: Protocol =
    row("ether-s-bus", "system", "Saia Ether-S-Bus", "seen on the wire", |heads| {
        // The whole length, version 1, kind 0, a number, then request, answer or acknowledgement.
        let is_telegram = |it: &[u8]| {
            ends_at_be32(it, 0, 0)
                && has_at(it, 4, &[1, 0])
                && matches!(it.get(8), Some(0..=2))
                && (11..2048).contains(&it.len())
        };
        seen_if(all_datagrams(heads, is_telegram), "a Saia controller (Ether-S-Bus)")
    })
    .over(udp(b"\0"));

pub(super) const ETHER_S_IO: Protocol =
    row("ether-s-io", "system", "Saia Ether-S-IO", "seen on the wire", |heads| {
        let is_telegram = |it: &[u8]| it.starts_with(b"ESIO\0") && it.len() >= 12;
        seen_if(
            all_datagrams(heads, is_telegram),
            "inputs and outputs of Saia devices (Ether-S-IO)",
        )
    })
    .over(udp(b"E"));

pub(super) const SLMP: Protocol = row(
    "slmp",
    "system",
    "Seamless Message Protocol of Mitsubishi controllers",
    "Mitsubishi Electric, SLMP Reference Manual",
    |heads| {
        // A request or its answer, of binary form 3E or 4E: the own network, station 255, its processor; then a length.
        let is_message = |it: &[u8]| {
            let rest = match it {
                [0x50 | 0xd0, 0, rest @ ..] => rest,
                [0x54 | 0xd4, 0, _, _, 0, 0, rest @ ..] => rest,
                _ => return false,
            };
            rest.starts_with(b"\0\xff\xff\x03\0") && le16(rest, 5).is_some_and(|len| len >= 2)
        };
        let is_seen = all_streams(heads, is_message) || all_datagrams(heads, is_message);
        seen_if(is_seen, "a Mitsubishi controller (SLMP)")
    },
)
.over(either(b"\x50\x54\xd0\xd4"));

pub(super) const GVCP: Protocol =
    row("gvcp", "system", "GigE Vision Control Protocol", "AIA, GigE Vision", |heads| {
        // GigE Vision: a mark and flags or a state of zero, a command, the length behind the header, a number.
        let is_message = |it: &[u8]| {
            let is_asked = it.first() == Some(&0x42)
                && matches!(
                    be16(it, 2),
                    Some(2 | 4 | 0x40 | 0x80 | 0x82 | 0x84 | 0x86 | 0xc0 | 0xc2)
                );
            let is_answered = be16(it, 0) == Some(0)
                && matches!(
                    be16(it, 2),
                    Some(3 | 5 | 0x81 | 0x83 | 0x85 | 0x87 | 0x89 | 0xc1 | 0xc3)
                );
            (is_asked || is_answered) && ends_at_be16(it, 4, 8)
        };
        seen_if(
            has_port(heads, &[3956]) && all_datagrams(heads, is_message),
            "a camera (GigE Vision)",
        )
    })
    .over(udp(b"\0\x42"));

pub(super) const MAVLINK: Protocol = row(
    "mavlink",
    "system",
    "MAVLink, drones and who steers them",
    "MAVLink Developer Guide, Packet Serialization",
    |heads| {
        // Frames that fill the datagram: a mark and a length; version 2 has two bytes of flags, the first of which may say that
        // a signature follows.
        let is_datagram = |it: &[u8]| {
            let mut rest = it;
            while !rest.is_empty() {
                let len = match *rest {
                    [0xfe, len, ..] => usize::from(len) + 8,
                    [0xfd, len, signed @ (0 | 1), 0, ..] => {
                        usize::from(len) + 12 + 13 * usize::from(signed)
                    }
                    _ => return false,
                };
                let Some(next) = rest.get(len..) else { return false };
                rest = next;
            }
            !it.is_empty()
        };
        let is_seen = has_port(heads, &[14540, 14550, 14551, 14555, 14556])
            && all_datagrams(heads, is_datagram);
        seen_if(is_seen, "an aircraft without a pilot (MAVLink)")
    },
)
.over(udp(b"\xfd\xfe"));

// Meters, buildings, homes.

pub(super) const FOX: Protocol =
    row("niagara-fox", "system", "Tridium Niagara Fox", "seen on the wire", |heads| {
        let is_hello = |it: &[u8]| begins(it, &[b"fox a 0 -1 fox hello", b"fox a 1 -1 fox hello"]);
        seen_if(any_stream(heads, is_hello), "a building's devices (Niagara Fox)")
    })
    .over(tcp(b"f"));

pub(super) const C1222: Protocol =
    row("c1222", "system", "ANSI C12.22, meters being read", "ANSI C12.22", |heads| {
        // ANSI C12.22, section 5.3: an ACSE message whose parts fill it; the last is the user's, and external.
        let is_message = |it: &[u8]| {
            let mut outer = Reader(it);
            let message = ber::next(&mut outer)?;
            let mut parts = Reader(message.value);
            let is_whole = message.tag == 0x60 && message.len == message.value.len();
            let mut last = message;
            while !parts.is_empty() {
                last = ber::next(&mut parts)?;
                let is_known = matches!(last.tag, 0xa1..=0xa4 | 0xa6..=0xa8 | 0x8b | 0xac | 0xbe);
                if !is_known || last.len != last.value.len() {
                    return None;
                }
            }
            let is_ended = last.tag == 0xbe && last.value.first() == Some(&0x28);
            (is_whole && outer.is_empty() && is_ended).then_some(())
        };
        let is_seen = has_port(heads, &[1153])
            && (all_datagrams(heads, |it| is_message(it).is_some())
                || any_stream(heads, |it| is_message(it).is_some()));
        seen_if(is_seen, "a meter being read (ANSI C12.22)")
    })
    .over(either(b"\x60"));

pub(super) const CNP_IP: Protocol = row(
    "cnp-ip",
    "system",
    "Control Network Protocol over IP (LonWorks)",
    "ISO/IEC 14908-4",
    |heads| {
        // ISO/IEC 14908-4: the whole length, version 1, a kind, no longer header, the protocol; maker, session, number, time.
        let is_packet = |it: &[u8]| {
            let is_kind = matches!(it.get(3), Some(1..=0x7f));
            ends_at_be16(it, 0, 0)
                && it.get(2) == Some(&1)
                && is_kind
                && it.get(4) == Some(&0)
                && matches!(it.get(5), Some(0 | 1 | 0x20 | 0x21))
                && it.len() >= 20
        };
        seen_if(all_datagrams(heads, is_packet), "a building's devices (CNP/IP)")
    },
)
.over(udp(ANY));

pub(super) const ECOWITT: Protocol = row(
    "ecowitt",
    "system",
    "Ecowitt weather stations",
    "Ambient Weather, Telnet protocol",
    |heads| {
        // A mark, a command, a size from there on in one byte or two, and the sum of all behind the mark.
        let is_message = |it: &[u8], is_whole: bool| {
            let ends = [it.get(3).map(|it| u16::from(*it)), be16(it, 3)];
            it.starts_with(b"\xff\xff")
                && matches!(it.get(2), Some(0x10..=0x5f))
                && ends.into_iter().flatten().any(|size| {
                    let body = it.get(2..2 + usize::from(size)).and_then(<[u8]>::split_last);
                    let is_end = !is_whole || usize::from(size) + 2 == it.len();
                    is_end
                        && body.is_some_and(|(sum, body)| {
                            body.len() >= 2
                                && *sum == body.iter().fold(0, |sum: u8, it| sum.wrapping_add(*it))
                        })
                })
        };
        let is_seen = all_datagrams(heads, |it| is_message(it, true))
            || has_port(heads, &[45000]) && all_streams(heads, |it| is_message(it, false));
        seen_if(is_seen, "a weather station (Ecowitt)")
    },
)
.over(either(b"\xff"));

#[cfg(test)]
mod tests {
    use crate::near::{check, check_form, tcp, udp};

    #[test]
    fn controllers_behind_tcp() {
        let connecting =
            b"\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc1\x02\x06\0\xc2\x02\x06\0\xc0\x01\x0a";
        let data = b"\x03\0\0\x1d\x02\xf0\x80\x72\x01\0\x10\x31\0\0\x04\xca";
        check("s7comm-plus", &tcp(data), &tcp(b"\x03\0\0\x1d\x02\xf0\x80\x72\x09\0\x10\x31"));
        check("s7comm-plus", &tcp(&[&connecting[..], data].concat()), &tcp(connecting));
        let ads = |len: u8| {
            let mut message = vec![0, 0, len, 0, 0, 0];
            message.extend(b"\x05\x01\x02\x03\x01\x01\x53\x03\xc0\xa8\0\x01\x01\x01\x01\x80");
            message.extend(b"\x04\0\x04\0\0\0\0\0\0\0\0\0\x01\0\0\0");
            message
        };
        check("beckhoff-ads", &tcp(&ads(32)), &tcp(&ads(33)));
        let umas = b"\0\x01\0\0\0\x05\0\x5a\0\x02\0";
        let at = |bytes: &[u8]| tcp(bytes).with_ports(50_000, 502);
        check_form("modbus", "umas", &at(umas), &at(b"\0\x01\0\0\0\x05\0\x5b\0\x02\0"));
    }

    #[test]
    fn controllers_behind_udp() {
        let found = [&b"\x03\x66\x14\x71\0\0\0\0\x01\0\0\0"[..], &[0; 12]].concat();
        check("beckhoff-ads", &udp(&found), &udp(&found[1..]));
        let call = |kind: u8| {
            let mut call = vec![4, 0, 0x20, 0, 0x10, 0, 0, 0];
            call.resize(24, 0);
            call.extend([kind, 0, 0xa0, 0xde]);
            call.extend(b"\x97\x6c\xd1\x11\x82\x71\0\xa0\x24\x42\xdf\x7d");
            call.resize(80, 0);
            call
        };
        check_form("dcerpc", "profinet-cm", &udp(&call(1)), &udp(&call(9)));
        let data = b"\x02\0\x02\x80\x08\0\x01\0\x02\0\x05\0\0\0\xb1\0\x04\0\x01\0\x02\x03";
        check("cip-io", &udp(data), &udp(&data[..21]));
        let egd = |reserve: u8| {
            let mut data = b"\x0d\x01\x07\0\xc0\0\x02\x01\x01\0\0\0".to_vec();
            data.extend(b"\x5f\x30\x12\x65\0\x10\x20\x03\0\0\0\0\x01\0\0\0");
            data.extend([reserve, 0, 0, 0, 1, 2, 3, 4]);
            data
        };
        check("egd", &udp(&egd(0)), &udp(&egd(1)));
        let telegram = b"\0\0\0\x0d\x01\0\0\x01\0\x0a\x20\x12\x34";
        check("ether-s-bus", &udp(telegram), &udp(&telegram[..12]));
        let io = b"ESIO\0\x01\0\x18\0\0\0\x01\0\0\0\x02";
        check("ether-s-io", &udp(io), &udp(b"ESIOLISTE 1234567"));
    }

    #[test]
    fn machines_of_a_hall() {
        let read = b"\x50\0\0\xff\xff\x03\0\x0c\0\x10\0\x01\x04\0\0\x64\0\0\xa8\x0a\0";
        check("slmp", &tcp(read), &tcp(&read[1..]));
        let numbered = [&b"\x54\0\x12\x34\0\0"[..], &read[2..]].concat();
        check("slmp", &udp(&numbered), &udp(&numbered[..8]));
        let at = |bytes: &[u8]| udp(bytes).with_ports(50_000, 3956);
        let found = b"\x42\x11\0\x02\0\0\xff\xff";
        check("gvcp", &at(found), &at(&found[..7]));
        let at = |bytes: &[u8]| udp(bytes).with_ports(50_000, 14550);
        let alive = b"\xfd\x09\0\0\x2a\x01\x01\0\0\0\0\0\0\0\x02\x03\x51\x03\x03\x12\x34";
        check("mavlink", &at(alive), &at(&alive[..20]));
    }

    #[test]
    fn meters_buildings_and_homes() {
        check(
            "niagara-fox",
            &tcp(b"fox a 1 -1 fox hello\n{\nfox.version=s:1.0\n"),
            &tcp(b"fox and hounds"),
        );
        let at = |bytes: &[u8]| udp(bytes).with_ports(50_000, 1153);
        let meter =
            b"\x60\x12\xa2\x04\x06\x02\x60\x7c\xa8\x03\x02\x01\x01\xbe\x05\x28\x03\x81\x01\x40";
        check("c1222", &at(meter), &at(&meter[..19]));
        check("c1222", &at(meter), &udp(meter));
        let packet = b"\0\x14\x01\x60\0\0\0\0\0\0\0\x01\0\0\0\x02\0\0\0\x03";
        check("cnp-ip", &udp(packet), &udp(&packet[..19]));
        check("ecowitt", &udp(b"\xff\xff\x12\0\x04\x16"), &udp(b"\xff\xff\x12\0\x04\x17"));
        let at = |bytes: &[u8]| tcp(bytes).with_ports(50_000, 45000);
        check("ecowitt", &at(b"\xff\xff\x27\x03\x2a"), &at(b"\xff\xff\x27\x03\x2b"));
    }
}
