//! IEEE 802.11, and what radios write before its frames.

use super::{Header, Next, Step, has, past, u8_at, u16_at, u16_le_at, u32_at, u32_le_at};
use crate::Undecoded;

/// LLC and SNAP of an EtherType, as data begins that is not encrypted.
const PLAIN: &[u8] = &[0xaa, 0xaa, 0x03, 0x00, 0x00];

/// Version, length and words that say which fields follow; of the fields only the flags matter here.
pub(super) fn radiotap(bytes: &[u8], at: usize) -> Step {
    const HAS_TIME: u32 = 1;
    const HAS_FLAGS: u32 = 2;
    const ANOTHER_WORD: u32 = 1 << 31;
    const IS_PADDED: u8 = 0x20;
    let (version, len) = (u8_at(bytes, at)?, u16_le_at(bytes, at + 2)?);
    if version != 0 || len < 8 {
        return Err(Undecoded::Malformed("radiotap"));
    }
    let end = past(bytes, at, len.into())?;
    let present = u32_le_at(bytes, at + 4)?;
    let (mut word, mut fields) = (present, at + 8);
    while word & ANOTHER_WORD != 0 {
        if fields + 4 > end {
            return Err(Undecoded::Malformed("radiotap"));
        }
        word = u32_le_at(bytes, fields)?;
        fields += 4;
    }
    if present & HAS_TIME != 0 {
        // Fields are aligned to their size from the start of the header.
        fields = at + (fields - at).next_multiple_of(8) + 8;
    }
    let has_flags = present & HAS_FLAGS != 0 && fields < end;
    let flags = if has_flags { u8_at(bytes, fields)? } else { 0 };
    Ok((Header::Wlan { is_padded: flags & IS_PADDED != 0 }, end))
}

/// A code and a length in the order of whoever captured, then items; or AVS under the same number.
pub(super) fn prism(bytes: &[u8], at: usize) -> Step {
    if u32_at(bytes, at)? >> 12 == 0x80211 {
        return Ok((Header::Avs, at));
    }
    let is_little = u32_le_at(bytes, at)? <= 0xffff;
    let len = if is_little { u32_le_at(bytes, at + 4)? } else { u32_at(bytes, at + 4)? };
    if len < 8 {
        return Err(Undecoded::Malformed("prism"));
    }
    Ok((Header::Wlan { is_padded: false }, past(bytes, at, len)?))
}

/// A version and a length, big-endian, then fields.
pub(super) fn avs(bytes: &[u8], at: usize) -> Step {
    let len = u32_at(bytes, at + 4)?;
    if len < 8 {
        return Err(Undecoded::Malformed("avs"));
    }
    Ok((Header::Wlan { is_padded: false }, past(bytes, at, len)?))
}

/// Control, duration, three or four addresses, a sequence; of QoS data its control and perhaps that of HT; then data.
pub(super) fn frame(is_padded: bool, bytes: &[u8], at: usize) -> Step {
    const QOS: u8 = 0x80;
    const NO_DATA: u8 = 0x40;
    const TO_AND_FROM: u8 = 0x03;
    const PROTECTED: u8 = 0x40;
    const ORDER: u8 = 0x80;
    const AGGREGATED: u8 = 0x80;
    let (control, flags) = (u8_at(bytes, at)?, u8_at(bytes, at + 1)?);
    match control >> 2 & 3 {
        0 => return Err(Undecoded::Protocol("802.11 management")),
        1 => return Err(Undecoded::Protocol("802.11 control")),
        3 => return Err(Undecoded::Protocol("802.11 extension")),
        _ if control & NO_DATA != 0 => return Err(Undecoded::Protocol("802.11 null data")),
        _ => {}
    }
    let has_four_addresses = flags & TO_AND_FROM == TO_AND_FROM;
    let mut end = at + if has_four_addresses { 30 } else { 24 };
    let (mut is_aggregated, mut is_mesh) = (false, false);
    if control & QOS != 0 {
        is_aggregated = u8_at(bytes, end)? & AGGREGATED != 0;
        is_mesh = has_four_addresses && u8_at(bytes, end + 1)? & 1 != 0;
        end += if flags & ORDER != 0 { 6 } else { 2 };
    }
    if is_padded {
        end = at + (end - at).next_multiple_of(4);
    }
    if u16_le_at(bytes, at + 22)? & 0x0f != 0 {
        return Err(Undecoded::Protocol("802.11 fragment"));
    }
    if flags & PROTECTED != 0 {
        // A frame decrypted by whoever captured keeps its mark, and perhaps its initialisation vector.
        let header = if is_aggregated { 14 } else { 0 };
        let vector = [0, 4, 8].into_iter().find(|len| has(bytes, end + len + header, PLAIN));
        end += vector.ok_or(Undecoded::Encrypted("802.11"))?;
    }
    if is_aggregated {
        return Ok((Header::Amsdu, end));
    }
    if is_mesh {
        // Flags, which count further addresses, a time to live and a sequence.
        end += 6 + 6 * usize::from(u8_at(bytes, end)? & 3);
    }
    Ok((Header::Llc { pad: 0 }, end))
}

/// Two addresses and a length, then LLC; the next begins at a multiple of four bytes.
pub(super) fn subframe(bytes: &[u8], at: usize, next: &mut Option<Next>) -> Step {
    let len = 14 + u32::from(u16_at(bytes, at + 12)?);
    let after = past(bytes, at, len.next_multiple_of(4)).ok();
    let after = after.filter(|it| it + 14 <= bytes.len());
    *next = after.map(|at| Next { header: Header::Amsdu, at });
    Ok((Header::Llc { pad: 0 }, at + 14))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::{
        network, next_network,
        tests::{V4, V6, check},
    };

    const SNAP: &[u8] = &[0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00];

    /// A header of 24 bytes that begins with such control bytes.
    fn header(control: u8, flags: u8) -> Vec<u8> {
        [&[control, flags][..], &[0; 22]].concat()
    }

    #[test]
    fn data_carries_llc() {
        check(105, &[&header(0x08, 0x01), SNAP, V4], Ok(32));
        check(105, &[&header(0x08, 0x03), &[0; 6], SNAP, V4], Ok(38));
        check(105, &[&header(0x88, 0x01), &[0; 2], SNAP, V4], Ok(34));
        check(105, &[&header(0x88, 0x81), &[0; 6], SNAP, V4], Ok(38));
        check(105, &[&header(0x88, 0x03), &[0; 6], &[0, 1], &[1; 12], SNAP, V4], Ok(52));
    }

    #[test]
    fn other_frames_are_counted_by_their_kind() {
        check(105, &[&header(0x80, 0)], Err(Undecoded::Protocol("802.11 management")));
        check(105, &[&header(0xd4, 0)], Err(Undecoded::Protocol("802.11 control")));
        check(105, &[&header(0x48, 1)], Err(Undecoded::Protocol("802.11 null data")));
        let mut piece = header(0x08, 1);
        piece[22] = 1;
        check(105, &[&piece, SNAP, V4], Err(Undecoded::Protocol("802.11 fragment")));
    }

    #[test]
    fn a_protected_frame_is_read_once_decrypted() {
        let encrypted = Undecoded::Encrypted("802.11");
        check(105, &[&header(0x08, 0x41), &[9; 40]], Err(encrypted));
        check(105, &[&header(0x08, 0x41), SNAP, V4], Ok(32));
        check(105, &[&header(0x08, 0x41), &[9, 9, 0, 0x20, 0, 0, 0, 0], SNAP, V4], Ok(40));
    }

    #[test]
    fn radiotap_is_skipped() {
        check(127, &[&[0, 0, 8, 0, 0, 0, 0, 0], &header(0x08, 1), SNAP, V4], Ok(40));
        let three_words = [0, 0, 16, 0, 0, 0, 0, 0x80, 0, 0, 0, 0x80, 0, 0, 0, 0];
        check(127, &[&three_words, &header(0x08, 1), SNAP, V4], Ok(48));
    }

    #[test]
    fn radiotap_says_whether_the_header_is_padded() {
        let qos = [&header(0x88, 1)[..], &[0; 4]].concat();
        check(127, &[&[0, 0, 9, 0, 2, 0, 0, 0, 0x20], &qos, SNAP, V4], Ok(45));
        let with_time = [&[0, 0, 17, 0, 3, 0, 0, 0], &[0xff; 8][..], &[0x20]].concat();
        check(127, &[&with_time, &qos, SNAP, V4], Ok(53));
        let second_word = [0, 0, 13, 0, 2, 0, 0, 0x80, 0, 0, 0, 0, 0x20];
        check(127, &[&second_word, &qos, SNAP, V4], Ok(49));
    }

    #[test]
    fn lengths_of_radios_that_lie_are_told() {
        let malformed = Undecoded::Malformed("radiotap");
        check(127, &[&[0, 0, 7, 0, 0, 0, 0, 0], &header(0x08, 1)], Err(malformed));
        check(127, &[&[0, 0, 8, 0, 0, 0, 0, 0x80], &header(0x08, 1)], Err(malformed));
        let endless = [&[0, 0, 0xf0, 0xff], &[0xff; 65_516][..]].concat();
        check(127, &[&endless], Err(malformed));
        check(127, &[&[0, 0, 0xff, 0xff, 0, 0, 0, 0]], Err(Undecoded::Truncated));
        check(119, &[&[0x44, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]], Err(Undecoded::Truncated));
        check(119, &[&[0x44, 0, 0, 0, 0, 0, 0, 0]], Err(Undecoded::Malformed("prism")));
        check(163, &[&[0x80, 0x21, 0x10, 1, 0xff, 0xff, 0xff, 0xff]], Err(Undecoded::Truncated));
    }

    #[test]
    fn prism_and_avs_are_skipped() {
        let data = [&header(0x08, 1)[..], SNAP, V4].concat();
        check(119, &[&[0x44, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0], &data], Ok(44));
        check(119, &[&[0, 0, 0, 0x44, 0, 0, 0, 12, 0, 0, 0, 0], &data], Ok(44));
        check(119, &[&[0x80, 0x21, 0x10, 1, 0, 0, 0, 8], &data], Ok(40));
        check(163, &[&[0x80, 0x21, 0x10, 1, 0, 0, 0, 8], &data], Ok(40));
    }

    /// An A-MSDU's header.
    fn aggregate() -> Vec<u8> {
        [&header(0x88, 1)[..], &[0x80, 0]].concat()
    }

    /// A subframe that claims such a length and carries such an EtherType.
    fn part(len: u8, ether_type: [u8; 2], ip: &[u8]) -> Vec<u8> {
        [&[2; 12], &[0, len][..], &SNAP[..6], &ether_type, ip].concat()
    }

    #[test]
    fn every_part_of_an_aggregate_is_found() {
        let padded = [&part(9, [0x08, 0x00], V4)[..], &[0]].concat();
        let bytes = [aggregate(), padded.clone(), padded, part(9, [0x86, 0xdd], V6)].concat();
        let first = network(105, &bytes).unwrap();
        let second = next_network(&bytes, first.next.unwrap()).unwrap();
        let third = next_network(&bytes, second.next.unwrap()).unwrap();
        assert_eq!([first.at, second.at, third.at], [48, 72, 96]);
        assert_eq!(third.next, None);
    }

    #[test]
    fn a_part_that_is_not_ip_hides_no_other() {
        let arp = [&part(9, [0x08, 0x06], &[0])[..], &[0]].concat();
        let bytes = [aggregate(), arp.clone(), part(9, [0x08, 0x00], V4)].concat();
        check(105, &[&bytes], Ok(72));
        check(105, &[&aggregate(), &arp, &arp], Err(Undecoded::Protocol("arp")));
    }

    #[test]
    fn lengths_of_parts_that_lie_end_the_aggregate() {
        let long = network(105, &[aggregate(), part(255, [0x08, 0x00], V4)].concat()).unwrap();
        assert_eq!((long.at, long.next), (48, None));
        let empty = [aggregate(), part(0, [0x08, 0x00], V4), vec![0; 30_000]].concat();
        assert!(network(105, &empty).unwrap().next.is_some());
        // Thousands of empty parts are walked once.
        let zeros = [aggregate(), vec![0; 200_000]].concat();
        check(105, &[&zeros], Err(Undecoded::Protocol("llc null")));
    }
}
