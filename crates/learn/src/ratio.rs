//! Ratios of time features: what a tree, which asks of one number at a time, cannot see of two.
//!
//! The published features have no sizes, but bytes over packets is one; nor the number of packets, but their rate times the
//! duration is. A model computes these columns from its own, so that its rows need not have them.

use features::{ISCX_B, Schema};

/// What the ratios are of; times in microseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    duration: f32,
    packets_per_second: f32,
    bytes_per_second: f32,
    /// Least, greatest and mean gap between packets of the client, of the server, of both.
    client: [f32; 3],
    server: [f32; 3],
    both: [f32; 3],
    both_std: f32,
    active_mean: f32,
    idle_mean: f32,
    idle_max: f32,
}

/// A number of [`Times`].
type Of = fn(&mut Times) -> &mut f32;

/// The columns ratios need, by their names where each is what its name says.
const NAMES: [(&str, Of); 16] = [
    ("duration", |it| &mut it.duration),
    ("flowPktsPerSecond", |it| &mut it.packets_per_second),
    ("flowBytesPerSecond", |it| &mut it.bytes_per_second),
    ("min_fiat", |it| &mut it.client[0]),
    ("max_fiat", |it| &mut it.client[1]),
    ("mean_fiat", |it| &mut it.client[2]),
    ("min_biat", |it| &mut it.server[0]),
    ("max_biat", |it| &mut it.server[1]),
    ("mean_biat", |it| &mut it.server[2]),
    ("min_flowiat", |it| &mut it.both[0]),
    ("max_flowiat", |it| &mut it.both[1]),
    ("mean_flowiat", |it| &mut it.both[2]),
    ("std_flowiat", |it| &mut it.both_std),
    ("mean_active", |it| &mut it.active_mean),
    ("mean_idle", |it| &mut it.idle_mean),
    ("max_idle", |it| &mut it.idle_max),
];

/// The names of the published files A1 and B that hold another statistic than they say, and which.
const SHIFTED: [(&str, &str); 6] = [
    ("min_fiat", "total_fiat"),
    ("max_fiat", "min_fiat"),
    ("mean_fiat", "max_fiat"),
    ("min_biat", "total_biat"),
    ("max_biat", "min_biat"),
    ("mean_biat", "max_biat"),
];

/// Every ratio; `NaN` or infinite where there is nothing to divide by.
const RATIOS: [fn(&Times) -> f32; 19] = [
    // Bytes a packet, packets, bytes.
    |it| it.bytes_per_second / it.packets_per_second,
    |it| (it.packets_per_second * it.duration / 1e6).round(),
    |it| (it.bytes_per_second * it.duration / 1e6).round(),
    // How much of the flow is one gap.
    |it| it.both[1] / it.duration,
    |it| it.client[1] / it.duration,
    |it| it.server[1] / it.duration,
    |it| it.idle_max / it.duration,
    |it| it.active_mean / it.duration,
    // About how many packets each side sent, and which more.
    |it| it.duration / it.client[2],
    |it| it.duration / it.server[2],
    |it| it.client[2] / it.server[2],
    |it| it.client[2] / it.both[2],
    |it| it.server[2] / it.both[2],
    // How even gaps are.
    |it| it.both_std / it.both[2],
    |it| it.client[1] / it.server[1],
    |it| it.client[0] / it.client[2],
    |it| it.server[0] / it.server[2],
    |it| it.both[0] / it.both[2],
    |it| it.idle_mean / it.active_mean,
];

/// Where the columns lie that ratios are of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ratios(Vec<usize>);

impl Ratios {
    /// Those of these columns; `None` where one is missing.
    pub(crate) fn new(schema: Option<&'static Schema>, columns: &[String]) -> Option<Self> {
        let is_shifted = schema == Some(&ISCX_B);
        let place = |(name, _): &(&'static str, Of)| {
            let shifted = SHIFTED.iter().find(|it| is_shifted && it.0 == *name);
            let name = shifted.map_or(*name, |it| it.1);
            columns.iter().position(|it| it == name)
        };
        NAMES.iter().map(place).collect::<Option<_>>().map(Self)
    }

    /// How many there are.
    pub(crate) const N: usize = RATIOS.len();

    /// A row and its ratios.
    pub(crate) fn extend(&self, row: &[f32]) -> Vec<f32> {
        let mut times = Times::default();
        for (place, (_, of)) in self.0.iter().zip(NAMES) {
            *of(&mut times) = row.get(*place).copied().unwrap_or(f32::NAN);
        }
        let finite = |it: f32| if it.is_finite() { it } else { f32::NAN };
        row.iter().copied().chain(RATIOS.iter().map(|it| finite(it(&times)))).collect()
    }
}

#[cfg(test)]
mod tests {
    use features::{ISCX_A2, TRACTOR};

    use super::*;
    use crate::Data;

    /// Ten packets of 100 bytes in two seconds.
    fn row(schema: &'static Schema, mean_fiat: &str) -> Vec<f32> {
        let columns = Data::of_schema(schema, None).columns;
        let value = |it: &String| match it.as_str() {
            "duration" => 2e6,
            "flowPktsPerSecond" => 5.0,
            "flowBytesPerSecond" => 500.0,
            "max_flowiat" => 1e6,
            "mean_biat" | "max_biat" => 4.0,
            it if it == mean_fiat => 2.0,
            _ => f32::NAN,
        };
        let row: Vec<f32> = columns.iter().map(value).collect();
        Ratios::new(Some(schema), &columns).unwrap().extend(&row)
    }

    #[test]
    fn sizes_are_found_in_rates() {
        for schema in [&TRACTOR, &ISCX_A2] {
            let row = row(schema, "mean_fiat");
            let ratios = &row[schema.n_features()..];
            assert_eq!(ratios[..4], [100.0, 10.0, 1_000.0, 0.5], "{}", schema.name);
            assert_eq!(ratios[10], 0.5, "{}", schema.name);
            assert!(ratios[6].is_nan());
        }
    }

    #[test]
    fn of_shifted_names_the_content_counts() {
        assert_eq!(row(&ISCX_B, "max_fiat")[ISCX_B.n_features() + 10], 0.5);
    }

    #[test]
    fn other_columns_have_none() {
        assert_eq!(Ratios::new(None, &["duration".to_owned()]), None);
    }
}
