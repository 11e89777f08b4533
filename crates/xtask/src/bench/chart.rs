//! What was measured, as a picture: bars of megabytes a CPU second over the largest capture, and of seconds in Chromium
//! over the smallest.

use super::{Measured, figures::number};

/// The picture's width, where bars begin, how far they may reach, and how high a row is.
const WIDTH: f64 = 900.0;
const LEFT: f64 = 230.0;
const RIGHT: f64 = 820.0;
const ROW: f64 = 24.0;

/// Inks and accent of the page (`web/assets/page.css`): ours have the accent, in both themes.
const STYLE: &str = "\
text{fill:#1a1d21} .head{font-weight:600} .theirs{fill:#62676f} .ours{fill:#0a6661}
@media (prefers-color-scheme: dark){text{fill:#e9ebee} .theirs{fill:#949ca5} .ours{fill:#57c7ba}}";

/// A bar: its name, its value, and whether it is of ours.
type Bar = (String, f64, bool);

/// The picture.
pub(crate) fn draw(all: &[Measured]) -> String {
    let mut top = 0.0;
    let mut drawn = String::new();
    if let Some(largest) = all.last() {
        let title = format!("Megabytes a CPU second, {}: more is better", largest.capture);
        drawn += &panel(&title, &speeds(largest), &mut top);
    }
    if let Some(smallest) = all.first().filter(|it| !it.browser.is_empty()) {
        let title = format!("Seconds in Chromium, {}: less is better", smallest.capture);
        drawn += &panel(&title, &seconds(smallest), &mut top);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {top}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\" role=\"img\">\n\
         <title>Megabytes a CPU second, and seconds in Chromium</title>\n<style>\n{STYLE}\n</style>\n{drawn}</svg>\n"
    )
}

/// Megabytes a CPU second, the most first.
fn speeds(measured: &Measured) -> Vec<Bar> {
    let bar = |runs: &super::Runs| {
        let cpu = runs.spread(|it| it.cpu)?.median;
        Some((runs.name.clone(), measured.megabytes() / cpu, runs.name.starts_with("tractor")))
    };
    let mut bars: Vec<Bar> = measured.programs.iter().filter_map(bar).collect();
    bars.sort_by(|a, b| b.1.total_cmp(&a.1));
    bars
}

/// Seconds in the browser, the least first.
fn seconds(measured: &Measured) -> Vec<Bar> {
    let bar = |runs: &super::Runs| {
        let wall = runs.spread(|it| it.wall)?.median;
        Some((runs.name.clone(), wall, runs.name == super::report::WORKER))
    };
    let mut bars: Vec<Bar> = measured.browser.iter().filter_map(bar).collect();
    bars.sort_by(|a, b| a.1.total_cmp(&b.1));
    bars
}

/// Bars under a title, below what is there.
fn panel(title: &str, bars: &[Bar], top: &mut f64) -> String {
    let most = bars.iter().map(|it| it.1).fold(f64::MIN_POSITIVE, f64::max);
    let mut drawn =
        format!("<text class=\"head\" x=\"{LEFT}\" y=\"{:.0}\">{title}</text>\n", *top + 20.0);
    *top += 30.0;
    for (name, value, is_ours) in bars {
        let class = if *is_ours { "ours" } else { "theirs" };
        let width = ((RIGHT - LEFT) * value / most).max(1.0);
        let baseline = *top + 16.0;
        drawn += &format!(
            "<text x=\"{:.0}\" y=\"{baseline:.0}\" text-anchor=\"end\">{name}</text>\
             <rect class=\"{class}\" x=\"{LEFT}\" y=\"{:.0}\" width=\"{width:.1}\" height=\"16\" rx=\"2\"/>\
             <text x=\"{:.1}\" y=\"{baseline:.0}\">{}</text>\n",
            LEFT - 8.0,
            *top + 4.0,
            LEFT + width + 6.0,
            number(*value)
        );
        *top += ROW;
    }
    *top += 8.0;
    drawn
}
