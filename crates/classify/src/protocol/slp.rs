//! The Service Location Protocol, versions 1 and 2 (RFC 2165, RFC 2608), by its header and length.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    bytes::{Reader, be16},
    look,
    needs::udp,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "slp",
    group: "system",
    title: "Service Location Protocol",
    source: "RFC 2165, RFC 2608",
    needs: udp(b"\x01\x02"),
    recognise,
};

fn recognise(heads: &Heads) -> Option<Facts> {
    look::seen_if(look::all_datagrams(heads, is_message), "services being looked for by SLP")
}

fn is_message(bytes: &[u8]) -> bool {
    match bytes {
        [1, 1..=10, ..] => version_1(bytes),
        [2, 1..=11, ..] => version_2(bytes).is_some(),
        _ => false,
    }
}

/// Length, flags, a dialect of zero and the language's two letters.
fn version_1(bytes: &[u8]) -> bool {
    let is_language = bytes.get(6..8).is_some_and(|it| it.iter().all(u8::is_ascii_lowercase));
    let is_len = be16(bytes, 2).map(usize::from) == Some(bytes.len());
    is_len && is_language && bytes.get(5) == Some(&0)
}

/// Length, flags, an offset of extensions, a number, then the language as text.
fn version_2(bytes: &[u8]) -> Option<()> {
    let mut reader = Reader(bytes);
    reader.skip(2)?;
    let len = reader.u24()? as usize;
    let flags = reader.u16()?;
    reader.skip(3 + 2)?;
    let language = reader.vec16()?;
    let is_language = matches!(language.len(), 2..=16) && language.iter().all(u8::is_ascii_graphic);
    (len == bytes.len() && flags & 0x1fff == 0 && is_language).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_in_english() {
        let request = b"\x02\x01\0\0\x12\0\0\0\0\0\0\x01\0\x02en\0\0";
        assert!(recognise(&Heads::udp(&[request], &[])).is_some());
        assert!(recognise(&Heads::udp(&[&request[..17]], &[])).is_none());
    }
}
