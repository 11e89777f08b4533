//! Two columns of ends and the bands between them: where each end and each band stands.

/// The least height of an end in pixels: a line of text.
const LEAST: f64 = 24.0;
/// The room between ends.
const GAP: f64 = 4.0;
/// What all ends of a side share besides, by their amounts.
const SHARED: f64 = 420.0;

/// Where an end stands, in pixels from above.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// Its upper edge.
    pub top: f64,
    /// Its height.
    pub height: f64,
}

/// The places of a side's ends, and how high the side is.
pub fn places(amounts: &[u64]) -> (Vec<Place>, f64) {
    let sum = amounts.iter().sum::<u64>().max(1) as f64;
    let mut top = 0.0;
    let places = amounts.iter().map(|it| {
        let place = Place { top, height: LEAST + *it as f64 / sum * SHARED };
        top += place.height + GAP;
        place
    });
    let places = places.collect();
    (places, (top - GAP).max(0.0))
}

/// A band between two ends: their places in both columns and what passed.
pub type Band = (usize, usize, u64);

/// The bands' paths, in a drawing 100 wide; in the order of the bands. At each end they stand by the place of the other one,
/// so that they cross little.
pub fn paths(bands: &[Band], left: &[Place], right: &[Place]) -> Vec<String> {
    let starts = stack(bands, left, |it| (it.0, it.1));
    let ends = stack(bands, right, |it| (it.1, it.0));
    let path = |((y0, h0), (y1, h1)): (&(f64, f64), &(f64, f64))| {
        format!(
            "M0 {:.1}C50 {:.1} 50 {:.1} 100 {:.1}V{:.1}C50 {:.1} 50 {:.1} 0 {:.1}z",
            y0,
            y0,
            y1,
            y1,
            y1 + h1,
            y1 + h1,
            y0 + h0,
            y0 + h0
        )
    };
    starts.iter().zip(&ends).map(path).collect()
}

/// Where each band touches its side: from above, and how high.
fn stack(
    bands: &[Band],
    places: &[Place],
    ends: impl Fn(&Band) -> (usize, usize),
) -> Vec<(f64, f64)> {
    let mut order: Vec<usize> = (0..bands.len()).collect();
    order.sort_by_key(|at| bands.get(*at).map(&ends));
    let mut sums = vec![0_u64; places.len()];
    for band in bands {
        if let Some(sum) = sums.get_mut(ends(band).0) {
            *sum += band.2;
        }
    }
    let mut used = vec![0.0; places.len()];
    let mut stacked = vec![(0.0, 0.0); bands.len()];
    for at in order {
        let Some(band) = bands.get(at) else { continue };
        let end = ends(band).0;
        let (Some(place), Some(used), Some(sum)) =
            (places.get(end), used.get_mut(end), sums.get(end))
        else {
            continue;
        };
        let height = band.2 as f64 / (*sum).max(1) as f64 * place.height;
        if let Some(slot) = stacked.get_mut(at) {
            *slot = (place.top + *used, height);
        }
        *used += height;
    }
    stacked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_stand_below_each_other() {
        let (places, height) = places(&[3, 1]);
        assert_eq!(places[0], Place { top: 0.0, height: 24.0 + 315.0 });
        assert_eq!(places[1], Place { top: 343.0, height: 24.0 + 105.0 });
        assert_eq!(height, 472.0);
        assert_eq!(super::places(&[]), (Vec::new(), 0.0));
    }

    #[test]
    fn bands_fill_their_ends() {
        let (left, _) = places(&[4]);
        let (right, _) = places(&[3, 1]);
        let bands = [(0, 0, 3), (0, 1, 1)];
        let starts = stack(&bands, &left, |it| (it.0, it.1));
        assert_eq!(starts, [(0.0, 333.0), (333.0, 111.0)]);
        let ends = stack(&bands, &right, |it| (it.1, it.0));
        assert_eq!(ends, [(0.0, 339.0), (343.0, 129.0)]);
        assert!(
            paths(&bands, &left, &right)[1].starts_with("M0 333.0C50 333.0 50 343.0 100 343.0")
        );
    }
}
