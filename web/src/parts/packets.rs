//! Packets of one flow over time: the client's above a line, the server's below; a stretch of it can be looked at closer.

use leptos::{ev, html, prelude::*};

use crate::{format, i18n::Lang, parts::small::Switch};

/// The drawing's size in its own units; it is stretched to its place.
const WIDTH: f64 = 400.0;
const HALF: f64 = 60.0;
const BAR: f64 = 1.4;
/// Room that the highest bar leaves.
const ROOM: f64 = 4.0;
/// The closest look shows so much of the whole.
const CLOSEST: f64 = 1e-6;
/// By what a step of the wheel or a key zooms.
const FACTOR: f64 = 1.5;

/// A packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// Since the flow's first, in nanoseconds; negative where the capture is out of order.
    pub offset_ns: i64,
    /// The client sent it.
    pub is_client: bool,
    /// Its frame's length.
    pub bytes: u32,
    /// What of it is payload.
    pub payload_bytes: u32,
    /// The TCP flags.
    pub flags: u8,
}

/// By what packets are put side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// Their times.
    Time,
    /// Their numbers.
    Order,
}

/// What is seen of the axis: from where to where, of 1.
pub type View = (f64, f64);

/// All of it.
pub const WHOLE: View = (0.0, 1.0);

/// The first and the last time, in nanoseconds since the flow's first packet.
fn times(packets: &[Packet]) -> (i64, i64) {
    let times = packets.iter().map(|it| it.offset_ns);
    (times.clone().min().unwrap_or(0), times.max().unwrap_or(0))
}

/// Where each packet is on the axis, of 1.
pub fn places(packets: &[Packet], axis: Axis) -> Vec<f64> {
    let (first, last) = times(packets);
    let length = last.saturating_sub(first).max(1) as f64;
    let steps = packets.len().max(2) - 1;
    let place = |(at, it): (usize, &Packet)| match axis {
        Axis::Time => it.offset_ns.saturating_sub(first) as f64 / length,
        Axis::Order => at as f64 / steps as f64,
    };
    packets.iter().enumerate().map(place).collect()
}

/// Looks closer (above 1) or from farther away, while this place stays where it is.
pub fn zoomed((from, to): View, factor: f64, around: f64) -> View {
    let length = ((to - from) / factor).clamp(CLOSEST, 1.0);
    let part = ((around - from) / (to - from)).clamp(0.0, 1.0);
    let from = (around - part * length).clamp(0.0, 1.0 - length);
    (from, from + length)
}

/// Moves on by so much of what is seen.
pub fn moved((from, to): View, by: f64) -> View {
    let length = to - from;
    let from = (from + by * length).clamp(0.0, 1.0 - length);
    (from, from + length)
}

/// The two sides' paths, as far as they are seen.
pub fn paths(packets: &[Packet], places: &[f64], view: View) -> [String; 2] {
    let most = f64::from(packets.iter().map(|it| it.bytes).max().unwrap_or(1).max(1));
    let mut paths = [String::new(), String::new()];
    for (packet, place) in packets.iter().zip(places) {
        let Some(x) = seen(*place, view) else { continue };
        let x = x * (WIDTH - BAR);
        let height = (f64::from(packet.bytes) / most * (HALF - ROOM)).max(1.5);
        let y = if packet.is_client { HALF - height } else { HALF };
        let path = &mut paths[usize::from(!packet.is_client)];
        path.push_str(&format!("M{x:.1} {y:.1}h{BAR}v{height:.1}h-{BAR}z"));
    }
    paths
}

/// Where in the view a place of the axis is, of 1; nothing outside.
fn seen(place: f64, (from, to): View) -> Option<f64> {
    let x = (place - from) / (to - from);
    (-1e-9..=1.0 + 1e-9).contains(&x).then_some(x)
}

/// Lines at the packets with these numbers, where pieces begin. Packets past those that are drawn have none.
pub fn cut_path(places: &[f64], cuts: &[usize], view: View, axis: Axis) -> String {
    let x = |at: &usize| {
        let place = *places.get(*at)?;
        let before = at.checked_sub(1).and_then(|it| places.get(it)).unwrap_or(&place);
        // In order, between the two packets.
        let place = if axis == Axis::Order { (place + before) / 2.0 } else { place };
        seen(place, view).map(|it| it * (WIDTH - BAR))
    };
    cuts.iter().filter_map(x).map(|x| format!("M{x:.1} 0V{}", HALF * 2.0)).collect()
}

/// The packet nearest to a place in the view, that of the given side where two are as near; of those that are seen.
pub fn nearest(
    packets: &[Packet],
    places: &[f64],
    view: View,
    x: f64,
    is_client: bool,
) -> Option<usize> {
    let far = |at: usize| {
        let distance = (seen(*places.get(at)?, view)? - x).abs();
        // A pixel or two are not worth the other side.
        let penalty = if packets.get(at)?.is_client == is_client { 0.0 } else { 0.008 };
        Some((distance + penalty, at))
    };
    let found = (0..packets.len()).filter_map(far).min_by(|a, b| a.0.total_cmp(&b.0));
    found.map(|it| it.1)
}

/// How many packets are seen: the numbers of the first and the last, and how many.
pub fn shown(places: &[f64], view: View) -> Option<(usize, usize, usize)> {
    let seen: Vec<usize> =
        (0..places.len()).filter(|it| seen(places[*it], view).is_some()).collect();
    Some((*seen.first()?, *seen.last()?, seen.len()))
}

/// A time since the flow's first packet, with as many digits as steps of this length need, in nanoseconds.
pub fn offset(nanos: i64, step_ns: u64, lang: Lang) -> String {
    let [ns, us, ms, s] = match lang {
        Lang::En => ["ns", "µs", "ms", "s"],
        Lang::Ru => ["нс", "мкс", "мс", "с"],
    };
    let (unit, length) = match nanos.unsigned_abs().max(step_ns) {
        0..1_000 => (ns, 1_u64),
        1_000..1_000_000 => (us, 1_000),
        1_000_000..1_000_000_000 => (ms, 1_000_000),
        _ => (s, 1_000_000_000),
    };
    let mut digits = 0;
    let mut part = length;
    while part > 1 && !step_ns.is_multiple_of(part) {
        (part, digits) = (part / 10, digits + 1);
    }
    format!("{}\u{a0}{unit}", format::decimal(nanos as f64 / length as f64, digits, lang))
}

/// Ticks of time: where in the view, and what they say.
fn ticks_of_time((first, last): (i64, i64), view: View, lang: Lang) -> Vec<(f64, String)> {
    let length = last.saturating_sub(first).max(1) as f64;
    let (from, to) = (first as f64 + view.0 * length, first as f64 + view.1 * length);
    let step = format::time_step((to - from) as u64, 4).max(1);
    let begin = (from / step as f64).ceil() as i64;
    let at = (begin..begin.saturating_add(12)).map(|it| it.saturating_mul(step as i64));
    let tick = |at: i64| {
        let x = (at as f64 - from) / (to - from);
        (x <= 1.0).then(|| (x, offset(at, step, lang)))
    };
    at.filter_map(tick).collect()
}

/// Ticks of numbers, from 1.
fn ticks_of_order(n_packets: usize, view: View, lang: Lang) -> Vec<(f64, String)> {
    let steps = (n_packets.max(2) - 1) as f64;
    let (from, to) = (view.0 * steps + 1.0, view.1 * steps + 1.0);
    let least = ((to - from) / 5.0).max(1.0);
    let power = 10_f64.powi(least.log10().floor() as i32);
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|it| it * power).find(|it| *it >= least);
    let step = step.unwrap_or(power * 10.0);
    let begin = (from / step).ceil();
    let ticks = (0..12).map(|it| (begin + f64::from(it)) * step).take_while(|it| *it <= to);
    ticks
        .filter(|it| *it >= 1.0)
        .map(|it| ((it - from) / (to - from).max(1e-12), format::count(it as u64, lang)))
        .collect()
}

/// What is said of a packet: number, side, time, size, flags.
pub fn told(packets: &[Packet], at: usize, lang: Lang) -> String {
    let Some(packet) = packets.get(at) else { return String::new() };
    let t = lang.texts();
    let (arrow, who) = if packet.is_client { ("↑", t.client) } else { ("↓", t.server) };
    let count = |it: u32| format::count(it.into(), lang);
    let number = (t.packets_view.packet_n)(&format::count(at as u64 + 1, lang));
    let time = offset(packet.offset_ns, 1_000, lang);
    let size = (t.packets_view.packet_size)(&count(packet.bytes), &count(packet.payload_bytes));
    let flags = format::tcp_flags(packet.flags);
    let parts = [number, format!("{arrow} {}", who.to_lowercase()), time, size, flags];
    parts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// The chart.
#[component]
pub fn Packets(
    /// The packets.
    packets: Vec<Packet>,
    /// How many packets the flow has: there may be more than are shown.
    n_packets: u64,
    /// The first packets of pieces that a timeout makes, by place.
    cuts: Vec<usize>,
    /// The class of the server's colour.
    class: &'static str,
    /// The packet chosen, in the chart or elsewhere.
    chosen: RwSignal<Option<usize>>,
    /// In which language.
    lang: Lang,
) -> impl IntoView {
    let t = lang.texts();
    let axis_at = RwSignal::new(0);
    let view = RwSignal::new(WHOLE);
    let hovered = RwSignal::new(None::<usize>);
    let axis = move || if axis_at.get() == 1 { Axis::Order } else { Axis::Time };
    let most = packets.iter().map(|it| it.bytes).max().unwrap_or(0);
    let (n, span) = (packets.len(), times(&packets));
    let packets = StoredValue::new(packets);
    let places = Memo::new(move |_| packets.with_value(|it| places(it, axis())));
    let sides = Memo::new(move |_| {
        packets.with_value(|it| places.with(|places| paths(it, places, view.get())))
    });
    let lines = Memo::new(move |_| places.with(|it| cut_path(it, &cuts, view.get(), axis())));
    // Another axis shows all of it again; what was chosen stays.
    Effect::new(move |before: Option<usize>| {
        let now = axis_at.get();
        if before.is_some_and(|it| it != now) {
            view.set(WHOLE);
        }
        now
    });
    let place_of = move |at: usize| places.with(|it| it.get(at).copied());
    // A packet chosen elsewhere comes into view.
    Effect::new(move |_| {
        let Some(place) = chosen.get().and_then(place_of) else { return };
        let (from, to) = view.get_untracked();
        if seen(place, (from, to)).is_none() {
            view.set(moved((from, to), (place - (from + to) / 2.0) / (to - from)));
        }
    });
    let frame = NodeRef::<html::Div>::new();
    // Where the pointer is: across, of 1, and whether in the upper half.
    let pointed = move |x: i32, y: i32| {
        let rect = frame.get_untracked()?.get_bounding_client_rect();
        let across = (f64::from(x) - rect.left()) / rect.width().max(1.0);
        Some((across.clamp(0.0, 1.0), f64::from(y) < rect.top() + rect.height() / 2.0))
    };
    let near = move |(x, is_client): (f64, bool)| {
        packets.with_value(|packets| {
            places.with_untracked(|it| nearest(packets, it, view.get_untracked(), x, is_client))
        })
    };
    let zoom = move |factor: f64, x: f64| {
        view.update(|it| *it = zoomed(*it, factor, it.0 + x * (it.1 - it.0)));
    };
    // The keyboard and the buttons zoom around the chosen packet, where it is seen.
    let zoom_here = move |factor: f64| {
        let place = chosen.get_untracked().and_then(&place_of);
        let x = place.and_then(|it| seen(it, view.get_untracked()));
        zoom(factor, x.unwrap_or(0.5));
    };
    let shift = move |by: f64| view.update(|it| *it = moved(*it, by));
    // While the pointer is down: where it went down, and what was seen then.
    let held = StoredValue::new(None::<(f64, View, bool)>);
    let on_down = move |event: ev::PointerEvent| {
        if event.button() != 0 {
            return;
        }
        if let (Some((x, _)), Some(element)) =
            (pointed(event.client_x(), event.client_y()), frame.get_untracked())
        {
            // Without the capture a drag that leaves the chart ends there, which does no harm.
            let _ = element.set_pointer_capture(event.pointer_id());
            held.set_value(Some((x, view.get_untracked(), false)));
        }
    };
    let on_move = move |event: ev::PointerEvent| {
        let Some((x, side)) = pointed(event.client_x(), event.client_y()) else { return };
        match held.get_value().filter(|_| event.buttons() & 1 == 1) {
            Some((from, before, was_moved)) => {
                let is_moved = was_moved || (x - from).abs() > 0.01;
                held.set_value(Some((from, before, is_moved)));
                if is_moved {
                    view.set(moved(before, from - x));
                }
            }
            None => hovered.set(near((x, side))),
        }
    };
    let on_up = move |event: ev::PointerEvent| {
        let was_moved = held.get_value().is_some_and(|it| it.2);
        held.set_value(None);
        if !was_moved && let Some(at) = pointed(event.client_x(), event.client_y()).and_then(near) {
            chosen.set(Some(at));
        }
    };
    let on_wheel = move |event: ev::WheelEvent| {
        let factor = if event.delta_y() < 0.0 { FACTOR } else { 1.0 / FACTOR };
        // Seen whole, the page scrolls on.
        if factor < 1.0 && view.get_untracked() == WHOLE || event.delta_y() == 0.0 {
            return;
        }
        event.prevent_default();
        if let Some((x, _)) = pointed(event.client_x(), event.client_y()) {
            zoom(factor, x);
        }
    };
    let on_key = move |event: ev::KeyboardEvent| {
        if event.ctrl_key() || event.meta_key() || event.alt_key() || n == 0 {
            return;
        }
        let at = chosen.get_untracked();
        match (event.key().as_str(), event.shift_key()) {
            ("+" | "=", _) => zoom_here(FACTOR),
            ("-" | "_", _) => zoom_here(1.0 / FACTOR),
            ("0", _) => view.set(WHOLE),
            ("ArrowRight", true) => shift(0.25),
            ("ArrowLeft", true) => shift(-0.25),
            ("ArrowRight", false) => chosen.set(Some(at.map_or(0, |it| (it + 1).min(n - 1)))),
            ("ArrowLeft", false) => chosen.set(Some(at.map_or(n - 1, |it| it.saturating_sub(1)))),
            ("Home", _) => chosen.set(Some(0)),
            ("End", _) => chosen.set(Some(n - 1)),
            ("Escape", _) if at.is_some() => chosen.set(None),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let ticks = move || {
        let view = view.get();
        let ticks = match axis() {
            Axis::Time => ticks_of_time(span, view, lang),
            Axis::Order => ticks_of_order(n, view, lang),
        };
        let ticks = ticks.into_iter().map(|(x, text)| {
            // At the very edges a text would stand out of the chart.
            let text = (0.04..0.96).contains(&x).then_some(text);
            view! { <div class="tick" style:left=format!("{:.2}%", x * 100.0)>{text}</div> }
        });
        ticks.collect_view()
    };
    let levels = [(most, 1.0), (most / 2, 0.5)].map(|(bytes, part)| {
        let text = format::bytes(bytes.into(), lang);
        let reach = (HALF - ROOM) * part / (HALF * 2.0) * 100.0;
        let below = text.clone();
        view! {
            <div class="grid" style:top=format!("{:.2}%", 50.0 - reach)><span>{text}</span></div>
            <div class="grid" style:top=format!("{:.2}%", 50.0 + reach)><span>{below}</span></div>
        }
    });
    let mark = move |at: Option<usize>, class: &'static str| {
        let x = seen(place_of(at?)?, view.get())?;
        // The middle of its bar.
        let left = (x * (WIDTH - BAR) + BAR / 2.0) / WIDTH * 100.0;
        Some(view! { <i class=class style:left=format!("{left:.3}%")></i> })
    };
    let range = move || {
        let view = view.get();
        let length = span.1.saturating_sub(span.0).max(1) as f64;
        let step = format::time_step(((view.1 - view.0) * length) as u64, 20).max(1);
        let count = |it: usize| format::count(it as u64 + 1, lang);
        let Some((first, last, seen)) = places.with(|it| shown(it, view)) else {
            return t.packets_view.none_seen.to_owned();
        };
        let (from, to) = packets.with_value(|it| {
            let seen = it.get(first..=last).unwrap_or_default();
            let (from, to) = times(seen);
            match axis() {
                Axis::Order => (from, to),
                // What is between packets counts too.
                Axis::Time => (
                    span.0.saturating_add((view.0 * length) as i64),
                    span.0.saturating_add((view.1 * length) as i64),
                ),
            }
        });
        let all = t.n_packets.with(n_packets, lang);
        if n_packets == 1 {
            return all;
        }
        let n_seen = format::count(seen as u64, lang);
        let numbers = format!("{}–{}", count(first), count(last));
        let times = format!("{} – {}", offset(from, step, lang), offset(to, step, lang));
        let kept = packets.with_value(Vec::len);
        if seen == kept {
            let n_kept = format::count(kept as u64, lang);
            let shown = if (kept as u64) < n_packets { (t.first_of)(&n_kept, &all) } else { all };
            return format!("{shown}: {numbers}, {times}");
        }
        (t.packets_view.range)(&n_seen, &all, &numbers, &times)
    };
    let readout = move || {
        let at = hovered.get().or(chosen.get());
        at.map_or_else(
            || t.packets_view.readout_hint.to_owned(),
            |at| packets.with_value(|it| told(it, at, lang)),
        )
    };
    let is_whole = move || view.get() == WHOLE;
    let button = move |sign: &'static str, name: &'static str, act: fn(RwSignal<View>)| {
        view! {
            <button
                type="button"
                class="btn icon"
                aria-label=name
                title=name
                on:click=move |_| act(view)
            >
                {sign}
            </button>
        }
    };
    let label = format!("{}. {}", t.packet_chart, t.packets_view.chart_help);
    view! {
        <figure class=format!("packets {class}")>
            <div class="edge tools">
                <Switch
                    label=t.packets_view.axis.to_owned()
                    options=vec![t.time.to_owned(), t.packets.to_owned()]
                    chosen=axis_at
                />
                <div class="zoom" role="group" aria-label=t.packets_view.zoom>
                    {button("‹", t.packets_view.earlier, |it| it.update(|it| *it = moved(*it, -0.5)))}
                    <button type="button" class="btn icon" aria-label=t.packets_view.zoom_out title=t.packets_view.zoom_out disabled=is_whole on:click=move |_| zoom_here(1.0 / FACTOR)>"−"</button>
                    <button type="button" class="btn icon" aria-label=t.packets_view.zoom_in title=t.packets_view.zoom_in on:click=move |_| zoom_here(FACTOR)>"+"</button>
                    {button("›", t.packets_view.later, |it| it.update(|it| *it = moved(*it, 0.5)))}
                    <button type="button" class="btn" title=t.packets_view.whole_hint disabled=is_whole on:click=move |_| view.set(WHOLE)>{t.packets_view.whole}</button>
                </div>
            </div>
            <div class="edge"><span>{t.client_up}</span></div>
            <div
                class="plot small"
                class:is-moving=move || !is_whole()
                node_ref=frame
                tabindex="0"
                role="group"
                aria-label=label
                on:pointerdown=on_down
                on:pointermove=on_move
                on:pointerup=on_up
                on:pointercancel=move |_| held.set_value(None)
                on:pointerleave=move |_| hovered.set(None)
                on:wheel=on_wheel
                on:keydown=on_key
            >
                {levels.collect_view()}
                <svg viewBox="0 0 400 120" preserveAspectRatio="none" aria-hidden="true">
                    <line class="axis" x1="0" x2="400" y1="60" y2="60" />
                    <path class="cuts" d=move || lines.get() />
                    <path class="mine" d=move || sides.get()[0].clone() />
                    <path class="theirs" d=move || sides.get()[1].clone() />
                </svg>
                {move || mark(chosen.get(), "at is-chosen")}
                {move || mark(hovered.get(), "at")}
            </div>
            <div class="ticks" aria-hidden="true">{ticks}</div>
            <div class="edge"><span>{t.server_down}</span></div>
            <p class="dim range">{range}</p>
            <p class="readout" role="status">{readout}</p>
        </figure>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(offset_ns: i64, is_client: bool, bytes: u32) -> Packet {
        Packet { offset_ns, is_client, bytes, ..Packet::default() }
    }

    #[test]
    fn a_cut_is_a_line_where_a_piece_begins() {
        let packets = [0, 10, 40, 50].map(|it| packet(it, true, 1));
        let check = |axis, cuts: &[usize], expected: &str| {
            assert_eq!(cut_path(&places(&packets, axis), cuts, WHOLE, axis), expected);
        };
        check(Axis::Time, &[2, 9], "M318.9 0V120");
        check(Axis::Order, &[2], "M199.3 0V120");
        check(Axis::Order, &[], "");
    }

    #[test]
    fn each_side_has_its_path_as_far_as_it_is_seen() {
        let packets = [packet(0, true, 100), packet(1_000, false, 1_500)];
        let places = places(&packets, Axis::Time);
        let [client, server] = paths(&packets, &places, WHOLE);
        assert!(client.starts_with("M0.0 "));
        assert!(server.starts_with("M398.6 60.0"));
        let [client, server] = paths(&packets, &places, (0.5, 1.0));
        assert!(client.is_empty() && server.starts_with("M398.6 60.0"));
        assert_eq!(paths(&[], &[], WHOLE), [String::new(), String::new()]);
    }

    #[test]
    fn a_look_stays_within_the_whole() {
        assert_eq!(zoomed(WHOLE, 2.0, 0.5), (0.25, 0.75));
        assert_eq!(zoomed(WHOLE, 2.0, 0.0), (0.0, 0.5));
        assert_eq!(zoomed((0.25, 0.75), 0.5, 0.3), WHOLE);
        assert_eq!(zoomed((0.0, 0.5), 0.1, 0.5), WHOLE);
        assert_eq!(moved((0.25, 0.75), 1.0), (0.5, 1.0));
        assert_eq!(moved((0.25, 0.75), -9.0), (0.0, 0.5));
        assert_eq!(moved(WHOLE, 0.5), WHOLE);
        let closest = (0..200).fold(WHOLE, |it, _| zoomed(it, 2.0, 0.7));
        assert!(closest.1 > closest.0 && closest.0 <= 0.7 && closest.1 >= 0.7);
    }

    #[test]
    fn the_nearest_packet_is_one_that_is_seen() {
        let packets = [packet(0, true, 1), packet(50, false, 1), packet(50, true, 1)];
        let places = places(&packets, Axis::Time);
        let near = |x, is_client| nearest(&packets, &places, WHOLE, x, is_client);
        assert_eq!(near(0.9, false), Some(1));
        assert_eq!(near(0.9, true), Some(2));
        assert_eq!(near(0.1, false), Some(0));
        assert_eq!(nearest(&packets, &places, (0.2, 0.4), 0.5, true), None);
        assert_eq!(shown(&places, (0.5, 1.0)), Some((1, 2, 2)));
        assert_eq!(shown(&places, (0.2, 0.4)), None);
    }

    #[test]
    fn a_time_has_the_digits_that_its_steps_need() {
        let check = |nanos, step, expected: &str| {
            assert_eq!(offset(nanos, step, Lang::En).replace('\u{a0}', " "), expected);
        };
        check(0, 500_000_000, "0 ms");
        check(1_500_000_000, 500_000_000, "1.5 s");
        check(1_234_567_000, 1_000, "1.234567 s");
        check(250_000, 50_000, "250 µs");
        check(-20_000_000, 10_000_000, "\u{2212}20 ms");
    }

    #[test]
    fn ticks_are_round_and_few() {
        for view in [WHOLE, (0.3, 0.31), (0.5, 0.500_01)] {
            for ticks in [
                ticks_of_time((-5, 7_000_000_000), view, Lang::En),
                ticks_of_order(2_000, view, Lang::En),
            ] {
                assert!(ticks.len() <= 8, "{ticks:?}");
                assert!(ticks.iter().all(|it| (0.0..=1.0).contains(&it.0)), "{ticks:?}");
            }
        }
        let whole = ticks_of_order(11, WHOLE, Lang::En);
        assert_eq!(whole.iter().map(|it| &*it.1).collect::<Vec<_>>(), ["2", "4", "6", "8", "10"]);
    }
}
