//! Fragments of IP packets in any order and overlap, as a capture of raw IP.
#![no_main]

use arbitrary::Arbitrary;
use tests::file::{Order, Record, Unit, link, pcap};

#[derive(Arbitrary, Debug)]
struct Fragment {
    /// How long after the fragment before it, in milliseconds.
    wait_millis: u16,
    is_v6: bool,
    /// Of few, so that fragments meet.
    identification: u8,
    /// In units of eight bytes.
    offset: u8,
    /// Added to the offset where it is to be far off.
    is_far: bool,
    is_followed: bool,
    protocol: Protocol,
    /// How many bytes the header lies about its length.
    lie: i8,
    body: Vec<u8>,
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Protocol {
    Tcp = 6,
    Udp = 17,
    Icmp = 1,
    InIp = 4,
    Gre = 47,
    Fragment = 44,
}

impl Fragment {
    fn offset(&self) -> u16 {
        u16::from(self.offset) + if self.is_far { 7_900 } else { 0 }
    }

    fn packet(&self) -> Vec<u8> {
        let len = self.body.len().min(2_000);
        let told = |len: usize| (len as u16).wrapping_add_signed(self.lie.into()).to_be_bytes();
        let (offset, followed) = (self.offset() & 0x1fff, u16::from(self.is_followed));
        let id = self.identification & 3;
        let mut packet = Vec::new();
        if self.is_v6 {
            packet.extend([0x60, 0, 0, 0]);
            packet.extend(told(8 + len));
            packet.extend([44, 64]);
            packet.extend([[0xfd; 16], [0xfe; 16]].concat());
            packet.extend([self.protocol as u8, 0]);
            packet.extend((offset << 3 | followed).to_be_bytes());
            packet.extend([0, 0, 0, id]);
        } else {
            packet.extend([0x45, 0]);
            packet.extend(told(20 + len));
            packet.extend([0, id]);
            packet.extend((offset | followed << 13).to_be_bytes());
            packet.extend([64, self.protocol as u8, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        }
        packet.extend(&self.body[..len]);
        packet
    }
}

libfuzzer_sys::fuzz_target!(|fragments: Vec<Fragment>| {
    let mut nanos = 1_700_000_000_000_000_000;
    let mut records = Vec::new();
    for it in fragments.iter().take(200) {
        nanos += u64::from(it.wait_millis) * 1_000_000;
        records.push(Record::whole(nanos, it.packet()));
    }
    let capture = pcap(Order::Little, Unit::Nanos, link::RAW, &records);
    fuzz::check_outcome(&capture);
});
