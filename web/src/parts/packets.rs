//! Packets of one flow over time: the client's above a line, the server's below.

use leptos::prelude::*;

use crate::parts::small::Switch;

/// The drawing's size in its own units; it is stretched to its place.
const WIDTH: f64 = 400.0;
const HALF: f64 = 60.0;
const BAR: f64 = 1.4;

/// A packet: nanoseconds since the first, whether it is the client's, its bytes.
pub type Packet = (i64, bool, u32);

/// The two sides' paths. `is_in_order` puts packets side by side instead of at their times.
pub fn paths(packets: &[Packet], is_in_order: bool) -> [String; 2] {
    let first = packets.iter().map(|it| it.0).min().unwrap_or(0);
    let last = packets.iter().map(|it| it.0).max().unwrap_or(0);
    let length = (last - first).max(1) as f64;
    let most = f64::from(packets.iter().map(|it| it.2).max().unwrap_or(1).max(1));
    let mut paths = [String::new(), String::new()];
    for (at, (offset, is_client, bytes)) in packets.iter().enumerate() {
        let part = if is_in_order {
            at as f64 / (packets.len().max(2) - 1) as f64
        } else {
            (offset - first) as f64 / length
        };
        let x = part * (WIDTH - BAR);
        let height = (f64::from(*bytes) / most * (HALF - 4.0)).max(1.5);
        let y = if *is_client { HALF - height } else { HALF };
        let path = &mut paths[usize::from(!is_client)];
        path.push_str(&format!("M{x:.1} {y:.1}h{BAR}v{height:.1}h-{BAR}z"));
    }
    paths
}

/// Lines at the packets with these places, where pieces begin. Packets past those that are drawn have none.
pub fn cut_path(packets: &[Packet], cuts: &[usize], is_in_order: bool) -> String {
    let first = packets.iter().map(|it| it.0).min().unwrap_or(0);
    let last = packets.iter().map(|it| it.0).max().unwrap_or(0);
    let length = (last - first).max(1) as f64;
    let x = |at: usize| {
        let part = if is_in_order {
            (at as f64 - 0.5) / (packets.len().max(2) - 1) as f64
        } else {
            (packets.get(at)?.0 - first) as f64 / length
        };
        Some(part * (WIDTH - BAR))
    };
    let lines = cuts.iter().filter(|it| **it < packets.len()).filter_map(|it| x(*it));
    lines.map(|x| format!("M{x:.1} 0V{}", HALF * 2.0)).collect()
}

/// The chart.
#[component]
pub fn Packets(
    /// The packets.
    packets: Vec<Packet>,
    /// The first packets of pieces that a timeout makes, by place.
    cuts: Vec<usize>,
    /// What the chart shows, for those who do not see it.
    label: String,
    /// The words at the upper and lower edge.
    edges: [String; 2],
    /// The texts at the time axis's ends.
    ends: [String; 2],
    /// The choices: by time, in order.
    choices: [String; 2],
    /// The class of the server's colour.
    class: &'static str,
) -> impl IntoView {
    let chosen = RwSignal::new(0);
    let packets = StoredValue::new(packets);
    let sides = Memo::new(move |_| packets.with_value(|it| paths(it, chosen.get() == 1)));
    let lines = Memo::new(move |_| packets.with_value(|it| cut_path(it, &cuts, chosen.get() == 1)));
    let [above, below] = edges;
    let [from, to] = ends;
    view! {
        <figure class=format!("packets {class}")>
            <div class="edge"><span>{above}</span><Switch label=label.clone() options=choices.to_vec() chosen /></div>
            <svg viewBox="0 0 400 120" preserveAspectRatio="none" role="img" aria-label=label>
                <line class="axis" x1="0" x2="400" y1="60" y2="60" />
                <path class="cuts" d=move || lines.get() />
                <path class="mine" d=move || sides.get()[0].clone() />
                <path class="theirs" d=move || sides.get()[1].clone() />
            </svg>
            <div class="edge"><span>{below}</span><span class="ends">{from}" – "{to}</span></div>
        </figure>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_a_line_where_a_piece_begins() {
        let packets = [(0, true, 1), (10, true, 1), (40, false, 1), (50, true, 1)];
        assert_eq!(cut_path(&packets, &[2, 9], false), "M318.9 0V120");
        assert_eq!(cut_path(&packets, &[2], true), "M199.3 0V120");
        assert_eq!(cut_path(&packets, &[], true), "");
    }

    #[test]
    fn each_side_has_its_path() {
        let [client, server] = paths(&[(0, true, 100), (1_000, false, 1_500)], false);
        assert!(client.starts_with("M0.0 "));
        assert!(server.starts_with("M398.6 60.0"));
        assert_eq!(paths(&[], false), [String::new(), String::new()]);
    }
}
