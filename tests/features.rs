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
        ..Step::default()
    };
    packets.iter().map(step).collect()
}

#[test]
fn every_column_is_what_a_slow_and_plain_computation_gives() {
    for seed in 0..2_000 {
        let packets = naive::packets(seed);
        let ordered = naive::in_order(&packets);
        let mut sample = Sample::new(timeline(&packets).steps(), &CIC, Direction::Forward);
        let first = |is_forward| ordered.iter().find(|it| it.is_forward == is_forward);
        sample.forward.first_window = first(true).and_then(|it| it.window);
        sample.backward.first_window = first(false).and_then(|it| it.window);
        for column in CIC.features() {
            let (value, expected) = (column.number(&sample), naive::cic(column.name, &ordered));
            assert!(
                naive::is_same(value, expected),
                "{}, seed {seed}: {value:?}, not {expected:?}",
                column.name
            );
        }
    }
}
