//! What flows look like that tell nothing: guesses, kept as facts. No label rests on them.

use flow::{Flow, Transport};

use crate::UNKNOWN;

/// What a flow looks like whose payload showed this protocol, or none.
pub(crate) fn guess(flow: &Flow, protocol: &str) -> Option<&'static str> {
    match flow.transport {
        Transport::TCP if protocol == UNKNOWN => {
            let sides = [flow.heads.client.bytes(), flow.heads.server.bytes()];
            sides.iter().all(|it| is_random(it)).then_some("encrypted from the first byte")
        }
        Transport::ICMP | Transport::ICMPV6 => is_uneven(flow).then_some("a tunnel in ICMP echoes"),
        _ => None,
    }
}

/// Whether bytes have no form at all, as Shadowsocks, VMess and obfs4 send them. The bounds are those that were seen to be
/// blocked in China (Wu et al., USENIX Security 2023, section 4): about four bits of a byte are set, few bytes are text.
fn is_random(bytes: &[u8]) -> bool {
    const MIN_LEN: usize = 64;
    const LOOKED_AT: usize = 256;
    let bytes = bytes.get(..LOOKED_AT).unwrap_or(bytes);
    let is_text = |it: &u8| matches!(it, b' '..=b'~');
    let bits: u32 = bytes.iter().map(|it| it.count_ones()).sum();
    let mean = f64::from(bits) / bytes.len().max(1) as f64;
    let n_text = bytes.iter().filter(|it| is_text(it)).count();
    let longest = bytes.split(|it| !is_text(it)).map(<[u8]>::len).max().unwrap_or(0);
    bytes.len() >= MIN_LEN
        && (3.4..4.6).contains(&mean)
        && !bytes.iter().take(6).all(is_text)
        && 2 * n_text <= bytes.len()
        && longest <= 20
}

/// Whether answers to echoes are of other sizes than the echoes, which they should repeat (RFC 792).
fn is_uneven(flow: &Flow) -> bool {
    const MIN_PACKETS: u64 = 4;
    const MIN_DIFFERENCE: u64 = 16;
    let sides = [&flow.from_client, &flow.from_server];
    let [asked, answered] = sides.map(|it| it.ip_bytes / it.packets.max(1));
    sides.iter().all(|it| it.packets >= MIN_PACKETS)
        && asked.abs_diff(answered) >= MIN_DIFFERENCE
        && flow.errors().is_none_or(|it| it.about.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_no_form_is_random() {
        // Numbers that look random (xorshift).
        let mut state = 0x5eed_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u8
        })
        .take(400)
        .collect();
        assert!(is_random(&noise));
        assert!(!is_random(&noise[..40]));
        assert!(!is_random(&[b"GET /a ", &noise[..]].concat()));
        assert!(!is_random(&[0; 200]));
        assert!(!is_random(&b"lines of text, as people write them\r\n".repeat(4)));
    }
}
