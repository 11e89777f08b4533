//! Shares of classes: from scores, and which is the greatest.

/// Scores as shares that sum to 1.
pub(crate) fn softmax(scores: Vec<f64>) -> Vec<f32> {
    let greatest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares: Vec<f64> = scores.into_iter().map(|it| libm::exp(it - greatest)).collect();
    let sum: f64 = shares.iter().sum();
    shares.into_iter().map(|it| (it / sum) as f32).collect()
}

/// The class with the greatest share, and its share; of equal ones the first. Of none it is the first with 0.
pub(crate) fn greatest(shares: &[f32]) -> (usize, f32) {
    let mut best = (0, 0.0);
    for (class, share) in shares.iter().enumerate() {
        if *share > best.1 {
            best = (class, *share);
        }
    }
    best
}
