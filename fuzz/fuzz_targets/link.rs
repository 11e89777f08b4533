//! One frame of any link type, which the first two bytes choose.
#![no_main]

use capture::{Dissector, Frame, Packet, Timestamp};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((link_type, bytes)) = input.split_first_chunk() else { return };
    let link_type = u16::from_be_bytes(*link_type);
    // A longer frame that was cut, or one that was kept whole.
    let cut_len = u32::from(bytes.last().copied().unwrap_or(0) & 1) * 1_000;
    let wire_len = bytes.len() as u32 + cut_len;
    let frame = Frame {
        time: Timestamp(0),
        offset: 0,
        link_type,
        wire_len,
        bytes,
        comment: None,
        origin: None,
    };
    let mut n_packets = 0;
    let mut check = |packet: &Packet<'_>| {
        n_packets += 1;
        assert!(packet.payload.len() <= bytes.len(), "a payload longer than its frame");
        assert!(packet.frame_len <= wire_len, "a packet longer than its frame");
        assert_eq!(packet.source.is_ipv4(), packet.destination.is_ipv4());
    };
    let mut dissector = Dissector::new(0);
    let decoded = dissector.push(&frame, &mut check);
    dissector.finish(&mut check);
    assert_eq!(decoded.is_ok(), n_packets > 0, "a packet, or a reason: {decoded:?}");
});
