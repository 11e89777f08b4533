//! What TCP tells of the network and of the capture: one direction only, segments sent again, bytes that were not captured.

use flow::Transport;
use v1::{Notable, Parameter};

use super::{bounds, number, percent, within};
use crate::Analysis;

/// What these flows tell; the filters are for those within another one.
pub(super) fn find(
    analysis: &Analysis,
    flows: impl Iterator<Item = u32>,
    outer: &str,
) -> Vec<Notable> {
    let (mut with_data, mut one_sided) = (0, 0);
    let (mut packets, mut resent, mut flows_resent) = (0_u64, 0_u64, 0);
    let (mut bytes, mut lost, mut flows_lost) = (0_u64, 0_u64, 0);
    for number in flows {
        let Some((flow, _)) = analysis.labelled(number) else { continue };
        if flow.transport != Transport::TCP {
            continue;
        }
        let sides = [flow.from_client, flow.from_server];
        if sides.iter().any(|it| it.frame_bytes >= bounds::DATA_BYTES) {
            with_data += 1;
            one_sided += usize::from(sides.iter().any(|it| it.packets == 0));
        }
        let Some(health) = flow.health() else { continue };
        let of_flow = [health.client, health.server];
        packets += flow.packets();
        bytes += flow.bytes();
        let again: u64 = of_flow.iter().map(|it| u64::from(it.retransmissions)).sum();
        let missing: u64 = of_flow.iter().map(|it| it.lost_bytes).sum();
        resent += again;
        if missing <= flow.bytes().saturating_mul(bounds::LOST_RATIO) {
            lost = lost.saturating_add(missing);
        }
        flows_resent += usize::from(again > 0);
        flows_lost += usize::from(missing > 0);
    }
    let mut rows = Vec::new();
    let mut tell = |code: &str, parameters: Vec<Parameter>, filter: &str, flows: usize| {
        rows.push(Notable {
            code: code.to_owned(),
            parameters,
            filter: within(outer, filter),
            flows: flows as u64,
            ..Notable::default()
        });
    };
    let is_many = one_sided >= bounds::ONE_SIDED;
    if is_many && percent(one_sided, with_data) >= bounds::ONE_SIDED_PERCENT {
        let least = bounds::DATA_BYTES;
        let filter = format!(
            "transport:tcp server_packets:0 bytes>={least} or transport:tcp client_packets:0 bytes>={least}"
        );
        tell("I-ONE-SIDED", vec![number(one_sided), number(with_data)], &filter, one_sided);
    }
    let is_measured = packets >= bounds::PACKETS;
    if is_measured && resent * 100 >= packets * bounds::RESENT_PERCENT {
        let parameters = vec![resent.into(), packets.into(), number(flows_resent)];
        tell("I-RESENT", parameters, "retransmissions>0", flows_resent);
    }
    if is_measured && lost.saturating_mul(100) >= bytes * bounds::LOST_PERCENT && lost > 0 {
        let parameters = vec![lost.into(), bytes.into(), number(flows_lost)];
        tell("I-NOT-CAPTURED", parameters, "lost_bytes>0", flows_lost);
    }
    rows
}
