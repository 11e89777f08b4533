//! A few lines and points in a square of shares, with a table that says the same in numbers.

use leptos::prelude::*;

/// A line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// The class of its look.
    pub class: &'static str,
    /// Its name.
    pub name: String,
    /// Its points, each of 0 to 1, from left to right.
    pub points: Vec<(f64, f64)>,
}

/// A mark at an axis: where, of 0 to 1, and what it says.
pub type Tick = (f64, String);

/// The path through the points, in a drawing 100 by 100 whose zero is below.
pub fn path(points: &[(f64, f64)]) -> String {
    let point = |(at, (x, y)): (usize, &(f64, f64))| {
        let command = if at == 0 { 'M' } else { 'L' };
        format!("{command}{:.2} {:.2}", x * 100.0, (1.0 - y) * 100.0)
    };
    points.iter().enumerate().map(point).collect()
}

/// The picture, and below it its numbers.
#[component]
pub fn Graph(
    /// What it shows.
    label: String,
    /// The lines.
    lines: Vec<Line>,
    /// Bars from below, of 0 to 1 each and as wide as they are many.
    #[prop(optional)]
    bars: Vec<f64>,
    /// Whether to draw the diagonal, where both shares are the same.
    #[prop(optional)]
    has_diagonal: bool,
    /// The marks below.
    across: Vec<Tick>,
    /// The marks at the left.
    up: Vec<Tick>,
    /// What the axes are: across, up.
    axes: [String; 2],
) -> impl IntoView {
    let n_bars = bars.len().max(1) as f64;
    let bars = bars.into_iter().enumerate().filter(|it| it.1 > 0.0).map(|(at, height)| {
        let (x, width) = (at as f64 / n_bars * 100.0 + 0.4, 100.0 / n_bars - 0.8);
        let height = (height * 100.0).max(0.6);
        view! { <rect class="column" x=format!("{x:.2}") y=format!("{:.2}", 100.0 - height) width=format!("{width:.2}") height=format!("{height:.2}") /> }
    });
    let bars = bars.collect_view();
    let diagonal = has_diagonal.then(|| view! { <path class="ideal" d="M0 100L100 0" /> });
    let grid = up.iter().map(|(at, _)| {
        let y = format!("{:.2}", (1.0 - at) * 100.0);
        view! { <path class="rule" d=format!("M0 {y}H100") /> }
    });
    let grid = grid.collect_view();
    // Points are places in the frame, not parts of the drawing: they stay round whatever its proportions.
    let points = lines.iter().flat_map(|line| {
        let class = format!("point {}", line.class);
        line.points.iter().map(move |(x, y)| {
            let (left, top) = (format!("{:.2}%", x * 100.0), format!("{:.2}%", (1.0 - y) * 100.0));
            view! { <i class=class.clone() style:left=left style:top=top></i> }
        })
    });
    let points = points.collect_view();
    let paths = lines
        .iter()
        .map(|line| view! { <path class=format!("line {}", line.class) d=path(&line.points) /> });
    let paths = paths.collect_view();
    let legend = (lines.len() > 1).then(|| {
        let items = lines.iter().map(|it| {
            view! { <li><i class=format!("point {}", it.class)></i>{it.name.clone()}</li> }
        });
        view! { <ul class="keys">{items.collect_view()}</ul> }
    });
    let across = across
        .into_iter()
        .map(|(at, text)| view! { <span style:left=format!("{:.2}%", at * 100.0)>{text}</span> });
    let up = up.into_iter().map(
        |(at, text)| view! { <span style:top=format!("{:.2}%", (1.0 - at) * 100.0)>{text}</span> },
    );
    let [below, beside] = axes;
    view! {
        <figure class="graph" role="img" aria-label=label>
            <p class="axis">{beside}</p>
            <div class="frame-of">
                <div class="up" aria-hidden="true">{up.collect_view()}</div>
                <div class="inner">
                    <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
                        {grid} {bars} {diagonal} {paths}
                    </svg>
                    {points}
                </div>
                <div class="across" aria-hidden="true">{across.collect_view()}</div>
            </div>
            <p class="axis below">{below}</p>
            {legend}
        </figure>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_goes_up_where_shares_grow() {
        assert_eq!(path(&[(0.0, 0.0), (0.5, 1.0)]), "M0.00 100.00L50.00 0.00");
        assert_eq!(path(&[]), "");
    }
}
