//! What CICFlowMeter writes where there is nothing to compute from: 0, or −1 for a window.
//!
//! Our own numbers are missing there (see [`features::CIC`]). They must be where a model learns, too, or it would be asked
//! with what it never saw.

use features::Schema;

use super::names::words_key;
use crate::Data;

/// Features that tell of nothing where another one is less than a number; by the words of their names.
const NOTHING: &[(&str, f32, &[&str])] = &[
    (
        "Total Bwd packets",
        1.0,
        &[
            "Bwd Packet Length Max",
            "Bwd Packet Length Min",
            "Bwd Packet Length Mean",
            "Bwd Packet Length Std",
            "Bwd Segment Size Avg",
        ],
    ),
    ("Total Fwd Packet", 2.0, &["Fwd IAT Mean", "Fwd IAT Std", "Fwd IAT Max", "Fwd IAT Min"]),
    ("Total Bwd packets", 2.0, &["Bwd IAT Mean", "Bwd IAT Std", "Bwd IAT Max", "Bwd IAT Min"]),
    ("Flow Duration", 1.0, &["Flow Bytes/s", "Flow Packets/s", "Fwd Packets/s", "Bwd Packets/s"]),
    ("Idle Max", 1.0, &["Idle Mean", "Idle Std", "Idle Min", "Idle Max"]),
    (
        "Fwd Bytes/Bulk Avg",
        1.0,
        &["Fwd Packet/Bulk Avg", "Fwd Bulk Rate Avg", "Fwd Bytes/Bulk Avg"],
    ),
    (
        "Bwd Bytes/Bulk Avg",
        1.0,
        &["Bwd Packet/Bulk Avg", "Bwd Bulk Rate Avg", "Bwd Bytes/Bulk Avg"],
    ),
    ("FWD Init Win Bytes", 1.0, &["FWD Init Win Bytes"]),
    ("Bwd Init Win Bytes", 1.0, &["Bwd Init Win Bytes"]),
];
/// What no flow of ours has none of: without a bulk there is no mean, and with one it is more than 0.
const BULKS: [&str; 2] = ["Fwd Bytes/Bulk Avg", "Bwd Bytes/Bulk Avg"];

/// Takes away the numbers that stand for nothing, where CICFlowMeter wrote the table; how many those are.
pub(super) fn take_away(data: &mut Data, schema: &Schema) -> Option<u64> {
    let keys: Vec<String> = schema.features().map(|it| words_key(it.name)).collect();
    let place = |name: &str| keys.iter().position(|it| *it == words_key(name));
    let of = |row: &[f32], place: Option<usize>| place.and_then(|it| row.get(it)).copied();
    let bulks = BULKS.map(place);
    let is_theirs = |row: usize| bulks.iter().any(|it| of(data.values(row), *it) == Some(0.0));
    if !(0..data.len()).any(is_theirs) {
        return None;
    }
    let rules: Vec<_> = NOTHING
        .iter()
        .map(|(name, least, of_it)| {
            let of_it: Vec<usize> = of_it.iter().filter_map(|it| place(it)).collect();
            (place(name), *least, of_it)
        })
        .collect();
    let mut n_taken = 0;
    for at in 0..data.len() {
        let row = data.values_mut(at);
        for (place, least, of_it) in &rules {
            if of(row, *place).is_none_or(|it| it.is_nan() || it >= *least) {
                continue;
            }
            for it in of_it {
                if let Some(value) = row.get_mut(*it).filter(|it| !it.is_nan()) {
                    *value = f32::NAN;
                    n_taken += 1;
                }
            }
        }
    }
    Some(n_taken)
}

#[cfg(test)]
mod tests {
    use features::{CIC, CIC_2017};

    use super::*;
    use crate::Row;

    fn values(schema: &'static Schema, named: &[(&str, f32)]) -> Data {
        let mut data = Data::of_schema(schema, None);
        let value = |name: &str| named.iter().find(|it| it.0 == name).map_or(7.0, |it| it.1);
        let row: Vec<f32> = schema.features().map(|it| value(it.name)).collect();
        data.push(row, "x", Row::default());
        data
    }

    #[track_caller]
    fn check(schema: &'static Schema, named: &[(&str, f32)], expected: Option<&[&str]>) {
        let mut data = values(schema, named);
        let n_taken = take_away(&mut data, schema);
        let missing: Vec<&str> = schema
            .features()
            .zip(data.values(0))
            .filter(|it| it.1.is_nan())
            .map(|it| it.0.name)
            .collect();
        assert_eq!(n_taken, expected.map(|it| it.len() as u64));
        assert_eq!(missing, expected.unwrap_or_default());
    }

    #[test]
    fn a_zero_that_stands_for_nothing_is_missing() {
        let bulks = ["Fwd Bytes/Bulk Avg", "Fwd Packet/Bulk Avg", "Fwd Bulk Rate Avg"];
        check(&CIC, &[(bulks[0], 0.0)], Some(&bulks));
        let one_back = [("Total Bwd packets", 1.0), ("Fwd Bytes/Bulk Avg", 0.0)];
        let gaps = ["Bwd IAT Mean", "Bwd IAT Std", "Bwd IAT Max", "Bwd IAT Min"];
        check(&CIC, &one_back, Some(&[&gaps[..], &bulks].concat()));
        let window = [("Init_Win_bytes_forward", -1.0), ("Bwd Avg Bytes/Bulk", 0.0)];
        let expected =
            ["Bwd Avg Bytes/Bulk", "Bwd Avg Packets/Bulk", "Bwd Avg Bulk Rate", window[0].0];
        check(&CIC_2017, &window, Some(&expected));
    }

    #[test]
    fn a_table_of_our_own_stays_as_it_is() {
        check(&CIC, &[("Total Bwd packets", 1.0)], None);
    }
}
