//! TFTP (RFC 1350, options of RFC 2347): a request with a mode, or blocks counted from one and acknowledged.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    bytes::{be16, text},
    fact::Fact,
    look,
    needs::udp,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "tftp",
    group: "files",
    title: "Trivial File Transfer Protocol",
    source: "RFC 1350, RFC 2347",
    needs: udp(b"\0"),
    recognise,
};

fn recognise(heads: &Heads) -> Option<Facts> {
    if let Some((verb, file)) = look::firsts(heads).find_map(request) {
        let seen = format!("a TFTP request to {verb} {file}");
        return Some(Facts::seen(seen).telling(Fact::File, Some(file)));
    }
    if look::any_first(heads, are_options) {
        return Some(Facts::seen("the options of a TFTP transfer"));
    }
    look::seen_if(is_transfer(heads), "the blocks of a TFTP transfer")
}

fn request(bytes: &[u8]) -> Option<(&'static str, String)> {
    let verb = match be16(bytes, 0)? {
        1 => "read",
        2 => "write",
        _ => return None,
    };
    let mut parts = bytes.get(2..)?.split(|it| *it == 0);
    let (file, mode) = (parts.next()?, parts.next()?.to_ascii_lowercase());
    let is_mode = matches!(&*mode, b"octet" | b"netascii" | b"mail");
    (is_mode && !file.is_empty() && look::is_text(file)).then(|| (verb, text(file, 100)))
}

/// The server grants options by their names.
fn are_options(bytes: &[u8]) -> bool {
    let names =
        [&b"\0\x06blksize\0"[..], b"\0\x06tsize\0", b"\0\x06timeout\0", b"\0\x06windowsize\0"];
    look::begins(bytes, &names) && bytes.ends_with(&[0])
}

/// A sender of blocks 1, 2, 3 and a receiver that acknowledges them; the sender may repeat one.
fn is_transfer(heads: &Heads) -> bool {
    let numbers = |head: &flow::Head, kinds: &[u16]| {
        let numbers = head.datagrams().take(6).map(|it| {
            let is_kind = be16(it, 0).is_some_and(|it| kinds.contains(&it));
            be16(it, 2).filter(|_| is_kind)
        });
        numbers.collect::<Option<Vec<u16>>>().filter(|it| !it.is_empty())
    };
    let counts = |numbers: &[u16]| {
        numbers.first().is_some_and(|it| *it <= 1)
            && numbers
                .windows(2)
                .all(|it| matches!(it, [a, b] if b == a || *b == a.wrapping_add(1)))
    };
    let is_short = |head: &flow::Head| head.datagrams().all(|it| it.len() == 4);
    let pairs = [(&heads.client, &heads.server), (&heads.server, &heads.client)];
    look::firsts(heads).count() == 2
        && pairs.iter().any(|(sender, receiver)| {
            // Data, or an acknowledgement of options; then acknowledgements of four bytes.
            let data = numbers(sender, &[3, 6]);
            let acknowledged = numbers(receiver, &[4]).filter(|_| is_short(receiver));
            let first_len = sender.datagrams().next().map_or(0, <[u8]>::len);
            let is_counted = matches!((&data, &acknowledged), (Some(data), Some(acknowledged))
                if (counts(data) || data.len() == 1) && counts(acknowledged));
            is_counted && first_len > 4
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_its_file() {
        let facts = recognise(&Heads::udp(&[b"\0\x01boot.bin\0octet\0"], &[])).unwrap();
        assert_eq!(facts.seen, "a TFTP request to read boot.bin");
    }

    #[test]
    fn blocks_are_acknowledged() {
        let block = [b"\0\x03\0\x01".as_slice(), &[7; 512]].concat();
        assert!(recognise(&Heads::udp(&[&block], &[b"\0\x04\0\x01"])).is_some());
    }

    #[test]
    fn neither_a_block_nor_a_foreign_mode_is_enough() {
        assert!(recognise(&Heads::udp(&[b"\0\x03\0\x01data"], &[])).is_none());
        assert!(recognise(&Heads::udp(&[b"\0\x01boot.bin\0else\0"], &[])).is_none());
    }
}
