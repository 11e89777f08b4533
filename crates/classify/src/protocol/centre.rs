//! What programs in data centres, telephone networks and power stations say, told by fixed bytes at fixed places: one row
//! each, tests below.

use super::{Protocol, row};
use crate::{
    bytes::{be16, be32, le32},
    look::{
        all_datagrams, all_streams, any_first, any_stream, begins, contains, ends_at_be16, has_at,
        has_port, seen_if,
    },
    needs::{either, tcp, udp, udp_in},
};

// Who may come in.

pub(super) const TACACS: Protocol =
    row("tacacs", "system", "TACACS+, who may log in to network devices", "RFC 8907", |heads| {
        // RFC 8907: version 12.0 or 12.1, one of three types, a sequence number, flags, session, length of what follows.
        let is_message = |it: &[u8]| {
            matches!(it, [0xc0 | 0xc1, 1..=3, 1..=255, 0 | 1 | 4 | 5, ..])
                && be32(it, 8)
                    .is_some_and(|len| (5..1 << 16).contains(&len) && it.len() >= 12 + len as usize)
        };
        seen_if(all_streams(heads, is_message), "a TACACS+ message")
    })
    .over(tcp(b"\xc0\xc1"));

pub(super) const PROXY: Protocol = row(
    "proxy-protocol",
    "tunnel",
    "PROXY protocol, who is behind a proxy",
    "HAProxy, The PROXY protocol",
    |heads| {
        let is_line = |it: &[u8]| begins(it, &[b"PROXY TCP4 ", b"PROXY TCP6 ", b"PROXY UNKNOWN"]);
        let is_binary = |it: &[u8]| {
            it.starts_with(b"\r\n\r\n\0\r\nQUIT\n") && matches!(it.get(12), Some(0x20 | 0x21))
        };
        let is_seen = any_stream(heads, |it| is_line(it) || is_binary(it));
        seen_if(is_seen, "who is behind a proxy (PROXY protocol)")
    },
)
.over(tcp(b"\rP"));

// Storage, queues, calls of procedures.

pub(super) const ISCSI: Protocol =
    row("iscsi", "files", "Internet Small Computer Systems Interface", "RFC 7143", |heads| {
        // RFC 7143: a request to log in or its answer, its text naming who asks.
        let is_login = |it: &[u8]| {
            let text = it.get(48..).unwrap_or_default();
            matches!(it.first(), Some(0x43 | 0x03 | 0x23))
                && begins(
                    text,
                    &[
                        b"InitiatorName=",
                        b"TargetName=",
                        b"TargetPortalGroupTag=",
                        b"AuthMethod=",
                        b"HeaderDigest=",
                        b"SessionType=",
                    ],
                )
        };
        seen_if(any_stream(heads, is_login), "a login to an iSCSI target")
    })
    .over(tcp(b"\x03\x23\x43"));

pub(super) const GIOP: Protocol =
    row("giop", "system", "General Inter-ORB Protocol (CORBA)", "OMG, CORBA, part 2", |heads| {
        // Mark, version 1.0 to 1.3, flags, one of eight kinds.
        let is_message = |it: &[u8]| {
            it.starts_with(b"GIOP\x01")
                && matches!(it.get(5), Some(0..=3))
                && matches!(it.get(7), Some(0..=7))
        };
        seen_if(all_streams(heads, is_message), "a CORBA message (GIOP)")
    })
    .over(tcp(b"G"));

pub(super) const THRIFT: Protocol = row(
    "thrift",
    "system",
    "Apache Thrift",
    "Apache Thrift, Thrift Binary protocol encoding",
    |heads| {
        // The strict binary form, perhaps framed: version, a kind of call, a name behind its length.
        let is_message = |it: &[u8]| {
            let is_kind = matches!(it, [0x80, 1, 0, 1..=4, ..]);
            let name = be32(it, 4).and_then(|len| it.get(8..8 + (len as usize).min(256)));
            is_kind
                && name.is_some_and(|it| {
                    !it.is_empty()
                        && it.iter().all(|it| it.is_ascii_alphanumeric() || b"_.:".contains(it))
                })
        };
        let is_framed = |it: &[u8]| {
            be32(it, 0).is_some_and(|len| (8..1 << 24).contains(&len))
                && it.get(4..).is_some_and(is_message)
        };
        seen_if(all_streams(heads, |it| is_message(it) || is_framed(it)), "a call by Thrift")
    },
)
.over(tcp(b"\0\x80"));

pub(super) const GEARMAN: Protocol =
    row("gearman", "system", "Gearman job queue", "Gearman, PROTOCOL", |heads| {
        let is_message = |it: &[u8]| {
            begins(it, &[b"\0REQ", b"\0RES"])
                && be32(it, 4).is_some_and(|kind| (1..=42).contains(&kind))
        };
        seen_if(all_streams(heads, is_message), "a message of Gearman")
    })
    .over(tcp(b"\0"));

pub(super) const STOMP: Protocol = row(
    "stomp",
    "system",
    "Simple Text Oriented Messaging Protocol",
    "STOMP Protocol Specification 1.2",
    |heads| {
        let is_frame = |it: &[u8]| {
            begins(
                it,
                &[
                    b"CONNECT\n",
                    b"STOMP\n",
                    b"CONNECTED\n",
                    b"CONNECT\r\n",
                    b"STOMP\r\n",
                    b"CONNECTED\r\n",
                ],
            ) && [&b"version:"[..], b"login:", b"session:", b"heart-beat:", b"host:"]
                .iter()
                .any(|part| contains(it.get(..256).unwrap_or(it), part))
        };
        seen_if(any_stream(heads, is_frame), "a STOMP connection")
    },
)
.over(tcp(b"CS"));

pub(super) const OPENWIRE: Protocol = row(
    "openwire",
    "system",
    "Apache ActiveMQ OpenWire",
    "Apache ActiveMQ, OpenWire Version 2 Specification",
    |heads| {
        let is_info = |it: &[u8]| {
            has_at(it, 4, b"\x01ActiveMQ") && be32(it, 0).is_some_and(|len| len < 1 << 16)
        };
        seen_if(any_stream(heads, is_info), "a greeting of ActiveMQ (OpenWire)")
    },
)
.over(tcp(b"\0"));

pub(super) const JRMI: Protocol = row(
    "java-rmi",
    "system",
    "Java Remote Method Invocation",
    "Oracle, Java RMI Specification, RMI Wire Protocol",
    |heads| {
        let is_greeting =
            |it: &[u8]| matches!(it, [b'J', b'R', b'M', b'I', 0, 1 | 2, 0x4b..=0x4d, ..]);
        seen_if(any_stream(heads, is_greeting), "a call of a Java method (RMI)")
    },
)
.over(tcp(b"J"));

pub(super) const JDWP: Protocol = row(
    "jdwp",
    "system",
    "Java Debug Wire Protocol",
    "Oracle, Java Debug Wire Protocol",
    |heads| seen_if(any_stream(heads, |it| it.starts_with(b"JDWP-Handshake")), "a Java debugger"),
)
.over(tcp(b"J"));

pub(super) const DICOM: Protocol = row(
    "dicom",
    "system",
    "Digital Imaging and Communications in Medicine",
    "DICOM PS3.8",
    |heads| {
        // A request to associate, its length, version 1, two names of 16 bytes; the application context names the standard.
        let is_request = |it: &[u8]| {
            matches!(it, [1 | 2, 0, ..])
                && be32(it, 2).is_some_and(|len| (68..1 << 20).contains(&len))
                && be16(it, 6).is_some_and(|version| version & 1 == 1)
                && contains(it.get(..256).unwrap_or(it), b"1.2.840.10008.3.1.1.1")
        };
        seen_if(any_stream(heads, is_request), "an association for medical images (DICOM)")
    },
)
.over(tcp(b"\x01\x02"));

// Telephone networks.

pub(super) const PFCP: Protocol =
    row("pfcp", "system", "Packet Forwarding Control Protocol", "3GPP TS 29.244", |heads| {
        // 3GPP TS 29.244: version 1, with or without a session, a kind, the length of what follows the first four bytes.
        let is_message = |it: &[u8]| {
            let kind = matches!(
                (it.first(), it.get(1)),
                (Some(0x20), Some(1..=15)) | (Some(0x21..=0x23), Some(50..=57))
            );
            kind && ends_at_be16(it, 2, 4)
        };
        seen_if(
            has_port(heads, &[8805]) && all_datagrams(heads, is_message),
            "a message between a mobile network's planes (PFCP)",
        )
    })
    .over(udp_in(0x20..=0x23));

pub(super) const DLEP: Protocol =
    row("dlep", "system", "Dynamic Link Exchange Protocol", "RFC 8175", |heads| {
        let is_signal = |it: &[u8]| it.starts_with(b"DLEP") && ends_at_be16(it, 6, 8);
        seen_if(any_first(heads, is_signal), "a radio looking for its router (DLEP)")
    })
    .over(udp(b"D"));

// Industry.

pub(super) const MMS: Protocol =
    row("mms", "system", "Manufacturing Message Specification", "ISO 9506, RFC 1006", |heads| {
        // ISO 9506 over RFC 1006: a packet of TPKT with data, and the abstract syntax 1.0.9506.2.
        let is_data = |it: &[u8]| it.starts_with(b"\x03\0");
        let names_it = |it: &[u8]| contains(it.get(..512).unwrap_or(it), b"\x28\xca\x22\x02");
        let is_seen = all_streams(heads, is_data) && any_stream(heads, names_it);
        seen_if(is_seen, "an association with a machine (MMS)")
    })
    .over(tcp(b"\x03"));

pub(super) const SYNCHROPHASOR: Protocol =
    row("synchrophasor", "system", "Synchrophasors of power grids", "IEEE C37.118", |heads| {
        // IEEE C37.118: a mark, kind and version, the length of the frame; a sum over it at its end.
        let is_frame = |it: &[u8]| {
            let len = be16(it, 2).map_or(0, usize::from);
            let Some((body, sum)) =
                it.get(..len).and_then(|it| it.split_at_checked(len.checked_sub(2)?))
            else {
                return false;
            };
            let is_mark =
                matches!(it, [0xaa, kind, ..] if kind >> 4 <= 5 && matches!(kind & 15, 1..=3));
            is_mark && len >= 16 && sum == crc_ccitt(body).to_be_bytes()
        };
        seen_if(
            all_datagrams(heads, is_frame) || all_streams(heads, is_frame),
            "measurements of a power grid (C37.118)",
        )
    })
    .over(either(b"\xaa"));

/// The cyclic redundancy check by x¹⁶ + x¹² + x⁵ + 1, beginning with ones.
fn crc_ccitt(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |crc: u16, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
        })
    })
}

pub(super) const DLMS: Protocol =
    row("dlms", "system", "DLMS/COSEM, meters being read", "IEC 62056-47", |heads| {
        // IEC 62056-47: version 1, two ports, the length of what follows; then a request or answer of the meter.
        let is_message = |it: &[u8]| {
            be16(it, 0) == Some(1)
                && ends_at_be16(it, 6, 8)
                && matches!(it.get(8), Some(0x60..=0x63 | 0xc0..=0xc8 | 0xd8))
        };
        let is_seen = all_streams(heads, is_message) || all_datagrams(heads, is_message);
        seen_if(is_seen, "a meter being read (DLMS)")
    })
    .over(either(b"\0"));

// Time.

pub(super) const ROUGHTIME: Protocol = row(
    "roughtime",
    "system",
    "Roughtime, rough but proven time",
    "draft-ietf-ntp-roughtime",
    |heads| {
        let is_framed = |it: &[u8]| {
            it.starts_with(b"ROUGHTIM")
                && le32(it, 8).is_some_and(|len| len as usize + 12 == it.len())
        };
        seen_if(any_first(heads, is_framed), "a question for the time (Roughtime)")
    },
)
.over(udp(b"R"));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::near::{check, tcp, udp};

    #[test]
    fn who_may_come_in() {
        let ask = b"\xc0\x01\x01\0\x12\x34\x56\x78\0\0\0\x08abcdefgh";
        check("tacacs", &tcp(ask), &tcp(&ask[..19]));
        check(
            "proxy-protocol",
            &tcp(b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n"),
            &tcp(b"PROXY TCP5 "),
        );
        check(
            "proxy-protocol",
            &tcp(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c"),
            &tcp(b"\r\n\r\n\0\r\nQUIT\n\x31"),
        );
    }

    #[test]
    fn storage_queues_and_calls() {
        let login = |text: &[u8]| [&[0x43, 0x87][..], &[0; 46], text].concat();
        check(
            "iscsi",
            &tcp(&login(b"InitiatorName=iqn.2001-04.example")),
            &tcp(&login(b"Initiator=iqn")),
        );
        check("giop", &tcp(b"GIOP\x01\x02\0\0\0\0\0\x10"), &tcp(b"GIOP\x02\x02\0\0\0\0\0\x10"));
        check(
            "thrift",
            &tcp(b"\x80\x01\0\x01\0\0\0\x04ping\0\0\0\0\0"),
            &tcp(b"\x80\x01\0\x05\0\0\0\x04ping"),
        );
        check(
            "thrift",
            &tcp(b"\0\0\0\x11\x80\x01\0\x01\0\0\0\x04ping\0\0\0\0\0"),
            &tcp(b"\0\0\0\x11\x80\x02\0\x01"),
        );
        check("gearman", &tcp(b"\0REQ\0\0\0\x07\0\0\0\0"), &tcp(b"\0REQ\0\0\0\x77\0\0\0\0"));
        check("stomp", &tcp(b"CONNECT\naccept-version:1.2\nhost:a\n\n\0"), &tcp(b"CONNECT\nto me"));
        check(
            "openwire",
            &tcp(b"\0\0\0\xf0\x01ActiveMQ\0\0\0\x0c"),
            &tcp(b"\0\0\0\xf0\x02ActiveMQ"),
        );
        check("java-rmi", &tcp(b"JRMI\0\x02K"), &tcp(b"JRMI\0\x03K"));
        check("jdwp", &tcp(b"JDWP-Handshake"), &tcp(b"JDWP-Hand"));
        let associate = |context: &[u8]| {
            [b"\x01\0\0\0\0\xcd\0\x01\0\0".as_slice(), &[b' '; 64], b"\x10\0\0\x15", context]
                .concat()
        };
        check(
            "dicom",
            &tcp(&associate(b"1.2.840.10008.3.1.1.1")),
            &tcp(&associate(b"1.2.840.99999.3.1.1.1")),
        );
    }

    #[test]
    fn telephone_networks_industry_and_time() {
        let beat = b"\x20\x01\0\x0c\0\0\x01\0\0\x60\0\x04\xe0\x12\x34\x56";
        let at = |bytes: &[u8]| udp(bytes).with_ports(8805, 8805);
        check("pfcp", &at(beat), &at(&beat[..15]));
        check("dlep", &udp(b"DLEP\0\x01\0\0"), &udp(b"DLEP\0\x01\0\x01"));
        let mms = |syntax: &[u8]| {
            [b"\x03\0\0\x20\x02\xf0\x80\x0d\xbc".as_slice(), &[1; 8], b"\x06\x05", syntax, b"\x01"]
                .concat()
        };
        check("mms", &tcp(&mms(b"\x28\xca\x22\x02")), &tcp(&mms(b"\x28\xca\x22\x03")));
        let mut frame = b"\xaa\x41\0\x12\0\x07\x12\x34\x56\x78\0\0\0\0\0\x02".to_vec();
        let sum = crc_ccitt(&frame).to_be_bytes();
        frame.extend(sum);
        let mut broken = frame.clone();
        broken[15] = 3;
        check("synchrophasor", &udp(&frame), &udp(&broken));
        // The published check of the sum.
        assert_eq!(crc_ccitt(b"123456789"), 0x29b1);
        let meter = b"\0\x01\0\x01\0\x10\0\x04\xc0\x01\xc1\0";
        check("dlms", &tcp(meter), &tcp(b"\0\x01\0\x01\0\x10\0\x05\xc0\x01\xc1\0"));
        let time = [b"ROUGHTIM".as_slice(), &16_u32.to_le_bytes(), &[7; 16]].concat();
        check("roughtime", &udp(&time), &udp(&time[..27]));
    }
}
