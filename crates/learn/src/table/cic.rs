//! What tables of CICFlowMeter's columns have otherwise than our own (see [`features::CIC`]), put right.
//!
//! CICFlowMeter writes 0, or −1 for a window, where there is nothing to compute from and ours are missing; versions of its
//! likeness in Python count seconds. A model that learned from either would be asked with what it never saw.

use features::{Schema, Unit};

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

/// Makes microseconds of seconds, where the packet rates tell that times are those; whether they do.
pub(super) fn make_micros(data: &mut Data, schema: &Schema) -> bool {
    let place = |name: &str| schema.features().position(|it| words_key(it.name) == words_key(name));
    let names = ["Flow Duration", "Flow Packets/s", "Total Fwd Packet", "Total Bwd packets"];
    let [Some(duration), Some(rate), Some(forward), Some(backward)] = names.map(place) else {
        return false;
    };
    let (mut n_rates, mut n_of_seconds) = (0, 0);
    for at in 0..data.len() {
        let of = |place: usize| data.values(at).get(place).copied().unwrap_or(f32::NAN);
        let (counted, told) = (of(forward) + of(backward), of(duration) * of(rate));
        if counted > 0.0 && told > 0.0 {
            n_rates += 1;
            n_of_seconds += usize::from((told / counted - 1.0).abs() < 0.01);
        }
    }
    let is_in_seconds = n_of_seconds * 2 > n_rates;
    if is_in_seconds {
        for at in 0..data.len() {
            let times = schema.features().zip(data.values_mut(at));
            let times = times.filter(|it| it.0.unit == Unit::Micros);
            times.for_each(|(_, it)| {
                *it = Some(*it * 1e6).filter(|it| it.is_finite()).unwrap_or(f32::NAN)
            });
        }
    }
    is_in_seconds
}

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
    fn seconds_are_told_by_the_rate() {
        let named = |duration: f32| {
            [
                ("Flow Duration", duration),
                ("Flow Packets/s", 4.0),
                ("Total Fwd Packet", 1.0),
                ("Total Bwd packets", 1.0),
            ]
        };
        let mut seconds = values(&CIC, &named(0.5));
        assert!(make_micros(&mut seconds, &CIC));
        let values_of = |data: &Data, name: &str| {
            data.values(0)[CIC.features().position(|it| it.name == name).unwrap()]
        };
        assert_eq!(values_of(&seconds, "Flow Duration"), 5e5);
        assert_eq!(values_of(&seconds, "Bwd IAT Max"), 7e6);
        assert_eq!(values_of(&seconds, "Bwd Packet Length Max"), 7.0);
        assert!(!make_micros(&mut values(&CIC, &named(5e5)), &CIC));
    }

    #[test]
    fn a_table_of_our_own_stays_as_it_is() {
        check(&CIC, &[("Total Bwd packets", 1.0)], None);
    }
}
