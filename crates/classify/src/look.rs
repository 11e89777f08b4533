//! What most protocols ask of the heads of a flow: does each side begin so, does each datagram look so.
//!
//! Sides are treated alike, since a capture may hold one of them or begin in the middle.

use flow::{Head, Heads, Transport};

use crate::{
    Facts,
    bytes::{be16, be32},
};

/// How many datagrams of each side are looked at where all of them have to fit.
const FEW: usize = 4;

/// Both sides of a TCP flow, the client's first; nothing of another transport or a silent side.
pub(crate) fn streams(heads: &Heads) -> impl Iterator<Item = &[u8]> {
    let is_tcp = heads.transport == Transport::TCP;
    let sides = [heads.client.bytes(), heads.server.bytes()];
    sides.into_iter().filter(move |it| is_tcp && !it.is_empty())
}

/// The datagrams of both sides of a UDP flow, the client's first; nothing of another transport.
pub(crate) fn datagrams(heads: &Heads) -> impl Iterator<Item = &[u8]> {
    let is_udp = heads.transport == Transport::UDP;
    heads.client.datagrams().chain(heads.server.datagrams()).filter(move |_| is_udp)
}

/// The first datagram of each side of a UDP flow.
pub(crate) fn firsts(heads: &Heads) -> impl Iterator<Item = &[u8]> {
    let is_udp = heads.transport == Transport::UDP;
    let sides = [heads.client.datagrams().next(), heads.server.datagrams().next()];
    sides.into_iter().flatten().filter(move |_| is_udp)
}

/// Whether a side of a TCP flow begins so.
pub(crate) fn any_stream(heads: &Heads, test: impl Fn(&[u8]) -> bool) -> bool {
    streams(heads).any(test)
}

/// Whether each side of a TCP flow that spoke begins so.
pub(crate) fn all_streams(heads: &Heads, test: impl Fn(&[u8]) -> bool) -> bool {
    streams(heads).next().is_some() && streams(heads).all(test)
}

/// Whether the first datagram of a side of a UDP flow looks so.
pub(crate) fn any_first(heads: &Heads, test: impl Fn(&[u8]) -> bool) -> bool {
    firsts(heads).any(test)
}

/// Whether the first datagrams of a UDP flow all look so, a few of each side that spoke.
pub(crate) fn all_datagrams(heads: &Heads, test: impl Fn(&[u8]) -> bool) -> bool {
    if heads.transport != Transport::UDP {
        return false;
    }
    let mut sides = [&heads.client, &heads.server].into_iter();
    firsts(heads).next().is_some() && sides.all(|side| whole_datagrams(side).all(&test))
}

/// The first datagrams of a side, without one that was cut because the side said more than is kept.
fn whole_datagrams(side: &Head) -> impl Iterator<Item = &[u8]> {
    let count = side.datagrams().count();
    let is_full = count > 1 && side.bytes().len() >= Heads::LIMIT;
    side.datagrams().take(FEW.min(count - usize::from(is_full)))
}

/// Whether a port of the flow is one of these. It may support what the payload says, never replace it.
pub(crate) fn has_port(heads: &Heads, ports: &[u16]) -> bool {
    ports.iter().any(|it| heads.has_port(*it))
}

/// Whether one stands somewhere in the other.
pub(crate) fn contains(bytes: &[u8], part: &[u8]) -> bool {
    find(bytes, part).is_some()
}

/// Where one stands in the other first; nothing stands nowhere.
pub(crate) fn find(bytes: &[u8], part: &[u8]) -> Option<usize> {
    let (first, rest) = part.split_first()?;
    memchr::memchr_iter(*first, bytes).find(|at| has_at(bytes, at + 1, rest))
}

/// Whether the bytes begin with one of these.
pub(crate) fn begins(bytes: &[u8], starts: &[&[u8]]) -> bool {
    starts.iter().any(|it| bytes.starts_with(it))
}

/// Whether these bytes stand at an offset.
pub(crate) fn has_at(bytes: &[u8], at: usize, part: &[u8]) -> bool {
    bytes.get(at..).is_some_and(|it| it.starts_with(part))
}

/// Whether a big-endian length of two bytes at an offset, counted from another, ends with the bytes.
pub(crate) fn ends_at_be16(bytes: &[u8], at: usize, counted_from: usize) -> bool {
    be16(bytes, at).is_some_and(|it| usize::from(it) + counted_from == bytes.len())
}

/// The same of a length of four bytes.
pub(crate) fn ends_at_be32(bytes: &[u8], at: usize, counted_from: usize) -> bool {
    be32(bytes, at).is_some_and(|it| u64::from(it) + counted_from as u64 == bytes.len() as u64)
}

/// Whether every byte is printable ASCII, a tab or a line end.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|it| matches!(it, b' '..=b'~' | b'\t' | b'\r' | b'\n'))
}

/// The facts of a protocol that shows nothing but itself, where it was seen.
pub(crate) fn seen_if(is_seen: bool, what: &'static str) -> Option<Facts> {
    is_seen.then(|| Facts::seen(what))
}
