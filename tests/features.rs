//! Features against a second, independent computation of them.

use capture::Timestamp;
use features::{CIC, Sample};
use flow::{Direction, Step, Timeline};
use tests::naive::{self, Plain};

fn timeline(packets: &[Plain]) -> Timeline {
    let step = |it: &Plain| Step {
        time: Timestamp(it.micros as u64 * 1_000),
        direction: if it.is_forward { Direction::Forward } else { Direction::Backward },
        frame_len: (it.payload + it.header) as u32 + 14,
        ip_len: (it.payload + it.header) as u32,
        payload_len: it.payload as u32,
        flags: it.flags,
        is_carrier: false,
    };
    packets.iter().map(step).collect()
}

#[test]
fn every_column_is_what_a_slow_and_plain_computation_gives() {
    for seed in 0..2_000 {
        let packets = naive::packets(seed);
        let sample = Sample::new(&timeline(&packets), &CIC, Direction::Forward);
        for column in CIC.features() {
            let (value, expected) = (column.number(&sample), naive::cic(column.name, &packets));
            assert!(
                naive::is_same(value, expected),
                "{}, seed {seed}: {value:?}, not {expected:?}",
                column.name
            );
        }
    }
}
