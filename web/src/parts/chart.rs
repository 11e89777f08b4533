//! Amounts over time, stacked by series, with a range of time to be chosen on it.

use leptos::{ev, html, prelude::*};

use crate::{format, parts::small::Mark};

/// One layer of the stack.
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The class of its colour.
    pub class: &'static str,
    /// Its letter.
    pub letter: &'static str,
    /// Its name.
    pub name: String,
    /// Its amounts, one a bar.
    pub values: Vec<u64>,
    /// How much lighter it is than its colour, in steps: for several of one colour.
    pub shade: usize,
}

/// How amounts are read off.
#[derive(Clone, Copy)]
pub struct Scale {
    /// What an amount is multiplied by to be a number of the axis.
    pub factor: f64,
    /// A number of the axis as text.
    pub axis: fn(f64) -> String,
    /// An amount as text.
    pub amount: fn(u64) -> String,
}

/// The part of a bar's place that stays free.
const GAP: f64 = 0.14;
/// Series shown beside the pointer.
const MAX_SHOWN: usize = 6;

/// The sums of all series, one a bar.
pub fn sums(series: &[Series]) -> Vec<u64> {
    let n = series.iter().map(|it| it.values.len()).max().unwrap_or(0);
    let of = |at| series.iter().filter_map(|it| it.values.get(at)).sum();
    (0..n).map(of).collect()
}

/// A path for each series, in a drawing as wide as there are bars and 100 high; `top` is the amount that fills it.
pub fn paths(series: &[Series], top: f64) -> Vec<String> {
    let n = series.iter().map(|it| it.values.len()).max().unwrap_or(0);
    let mut floor = vec![100.0_f64; n];
    let of_one = |one: &Series| {
        let mut path = String::new();
        for (at, (value, floor)) in one.values.iter().zip(&mut floor).enumerate() {
            let height = *value as f64 / top * 100.0;
            if height > 0.0 {
                *floor -= height;
                let (x, width) = (at as f64 + GAP / 2.0, 1.0 - GAP);
                path.push_str(&format!(
                    "M{x:.2} {:.2}h{width:.2}v{height:.2}h-{width:.2}z",
                    *floor
                ));
            }
        }
        path
    };
    series.iter().map(of_one).collect()
}

/// The bars a range of time touches: the first and the last.
pub fn bars_of((start, end): (u64, u64), bin_ns: u64, n: usize) -> (usize, usize) {
    let last = n.saturating_sub(1);
    let first = (start / bin_ns.max(1)) as usize;
    let until = (end.saturating_sub(1) / bin_ns.max(1)) as usize;
    (first.min(last), until.clamp(first.min(last), last))
}

/// The chart.
#[component]
pub fn Chart(
    /// The layers, the lowest first.
    series: Vec<Series>,
    /// How they are read off.
    scale: Scale,
    /// When the first bar begins, in nanoseconds since 1970 UTC.
    start_ns: u64,
    /// How long a bar is, in nanoseconds.
    bin_ns: u64,
    /// The range chosen, in nanoseconds since the first bar began.
    chosen: Signal<Option<(u64, u64)>>,
    /// Another range was chosen.
    on_choose: Callback<Option<(u64, u64)>>,
    /// The range's content is wanted.
    on_open: Callback<()>,
    /// What the chart shows.
    label: String,
    /// How it is used.
    help: String,
) -> impl IntoView {
    let sums = sums(&series);
    let n = sums.len().max(1);
    let most = sums.iter().copied().max().unwrap_or(0) as f64 * scale.factor;
    let top = format::nice_top(most);
    let layers = paths(&series, top / scale.factor);
    let layers = layers.into_iter().zip(&series).map(|(path, one)| {
        view! { <path class=format!("layer {} shade-{}", one.class, one.shade) d=path /> }
    });
    let layers = layers.collect_view();
    let lines = [1.0, 0.5].map(|part| {
        let text = (scale.axis)(top * part);
        view! { <div class="grid" style:top=format!("{}%", (1.0 - part) * 100.0)><span>{text}</span></div> }
    });
    let length = bin_ns * n as u64;
    let step = format::time_step(length, 7);
    let first_tick = start_ns.next_multiple_of(step.max(1));
    let ticks = (0..64).map(|it| first_tick + it * step).take_while(|it| *it <= start_ns + length);
    let ticks = ticks.map(|at| {
        let left = (at - start_ns) as f64 / length.max(1) as f64 * 100.0;
        // At the very edges a text would stand out of the chart.
        let text = (2.0..98.0).contains(&left).then(|| format::tick(at, step));
        view! { <div class="tick" style:left=format!("{left:.2}%")>{text}</div> }
    });
    let ticks = ticks.collect_view();

    // While the pointer is down: from which bar to which. With the keyboard: the same.
    let drawn = RwSignal::new(None::<(usize, usize)>);
    let hovered = RwSignal::new(None::<usize>);
    let shown = move || {
        let chosen = chosen.get().map(|it| bars_of(it, bin_ns, n));
        drawn.get().map(|(a, b)| (a.min(b), a.max(b))).or(chosen)
    };
    let range =
        move |(first, last): (usize, usize)| (first as u64 * bin_ns, (last as u64 + 1) * bin_ns);
    let frame = NodeRef::<html::Div>::new();
    let bar_at = move |event: &ev::PointerEvent| {
        let rect = frame.get_untracked()?.get_bounding_client_rect();
        let part = (f64::from(event.client_x()) - rect.left()) / rect.width().max(1.0);
        Some(((part * n as f64).max(0.0) as usize).min(n - 1))
    };
    let on_down = move |event: ev::PointerEvent| {
        if event.button() != 0 {
            return;
        }
        if let (Some(at), Some(element)) = (bar_at(&event), frame.get_untracked()) {
            // Without the capture a drag that leaves the chart ends there, which does no harm.
            let _ = element.set_pointer_capture(event.pointer_id());
            drawn.set(Some((at, at)));
        }
    };
    let on_move = move |event: ev::PointerEvent| {
        let at = bar_at(&event);
        hovered.set(at);
        if let (Some((from, _)), Some(at)) = (drawn.get_untracked(), at)
            && event.buttons() & 1 == 1
        {
            drawn.set(Some((from, at)));
        }
    };
    let on_up = move |_: ev::PointerEvent| {
        if let Some((a, b)) = drawn.get_untracked() {
            drawn.set(None);
            on_choose.run(Some(range((a.min(b), a.max(b)))));
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        let (first, last) = untrack(shown).unwrap_or((0, 0));
        let is_new = untrack(shown).is_none();
        let choose = |first: usize, last: usize| on_choose.run(Some(range((first, last))));
        match (event.key().as_str(), event.shift_key()) {
            ("ArrowRight", _) if is_new => choose(0, 0),
            ("ArrowLeft", _) if is_new => choose(n - 1, n - 1),
            ("ArrowRight", false) if last + 1 < n => choose(first + 1, last + 1),
            ("ArrowLeft", false) if first > 0 => choose(first - 1, last - 1),
            ("ArrowRight", true) => choose(first, (last + 1).min(n - 1)),
            ("ArrowLeft", true) => choose(first, last.saturating_sub(1).max(first)),
            ("Escape", _) if !is_new => on_choose.run(None),
            ("Enter", _) if !is_new => on_open.run(()),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let series = StoredValue::new(series);
    let hint = move || {
        let at = hovered.get()?;
        let left = (at as f64 + 0.5) / n as f64 * 100.0;
        let from = start_ns + at as u64 * bin_ns;
        let when = format!(
            "{} – {}",
            format::tick(from, step.min(bin_ns)),
            format::tick(from + bin_ns, step.min(bin_ns))
        );
        let total = (scale.amount)(sums.get(at).copied().unwrap_or(0));
        let mut parts = series.with_value(|series| {
            let of = |it: &Series| {
                (it.values.get(at).copied().unwrap_or(0), it.class, it.letter, it.name.clone())
            };
            series.iter().map(of).filter(|it| it.0 > 0).collect::<Vec<_>>()
        });
        parts.sort_by_key(|it| std::cmp::Reverse(it.0));
        let parts = parts.into_iter().take(MAX_SHOWN).map(|(value, class, letter, name)| {
            view! { <div><Mark class letter />{name}<span class="num">{(scale.amount)(value)}</span></div> }
        });
        let class = if left > 60.0 { "hint is-left" } else { "hint" };
        Some(view! {
            <div class=class style:left=format!("{left:.2}%")>
                <b>{when}<span class="num">{total}</span></b>
                {parts.collect_view()}
            </div>
        })
    };
    view! {
        <div class="chart">
            <div
                class="plot"
                node_ref=frame
                tabindex="0"
                role="group"
                aria-label=format!("{label}. {help}")
                on:pointerdown=on_down
                on:pointermove=on_move
                on:pointerup=on_up
                on:pointercancel=move |_| drawn.set(None)
                on:pointerleave=move |_| hovered.set(None)
                on:keydown=on_key
            >
                {lines.collect_view()}
                <svg viewBox=format!("0 0 {n} 100") preserveAspectRatio="none" aria-hidden="true">{layers}</svg>
                {move || shown().map(|(first, last)| {
                    let left = first as f64 / n as f64 * 100.0;
                    let width = (last - first + 1) as f64 / n as f64 * 100.0;
                    view! {
                        <div class="brush" style:left=format!("{left:.3}%") style:width=format!("{width:.3}%")>
                            <i></i>
                            <i></i>
                        </div>
                    }
                })}
                {hint}
            </div>
            <div class="ticks" aria-hidden="true">{ticks}</div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[u64]) -> Series {
        Series { values: values.to_vec(), ..Series::default() }
    }

    #[test]
    fn layers_stand_on_each_other() {
        let stack = [series(&[1, 0]), series(&[1, 2])];
        assert_eq!(sums(&stack), [2, 2]);
        let paths = paths(&stack, 2.0);
        assert_eq!(paths[0], "M0.07 50.00h0.86v50.00h-0.86z");
        assert_eq!(paths[1], "M0.07 0.00h0.86v50.00h-0.86zM1.07 0.00h0.86v100.00h-0.86z");
    }

    #[test]
    fn a_range_touches_its_bars() {
        assert_eq!(bars_of((0, 10), 10, 5), (0, 0));
        assert_eq!(bars_of((10, 31), 10, 5), (1, 3));
        assert_eq!(bars_of((90, 99), 10, 5), (4, 4));
        assert_eq!(bars_of((3, 3), 10, 5), (0, 0));
    }
}
