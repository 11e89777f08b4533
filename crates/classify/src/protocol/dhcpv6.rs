//! DHCP for IPv6 (RFC 8415): a message at its ports whose options fill it to the last byte.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    bytes::{Reader, text},
    fact::Fact,
    look,
    needs::udp_in,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "dhcpv6",
    group: "system",
    title: "Dynamic Host Configuration Protocol for IPv6",
    source: "RFC 8415",
    needs: udp_in(1..=23),
    recognise,
};

const PORTS: &[u16] = &[546, 547];
/// The client's full name (RFC 4704): a byte of flags, then labels with their lengths.
const CLIENT_FULL_NAME: u16 = 39;

fn recognise(heads: &Heads) -> Option<Facts> {
    if !look::has_port(heads, PORTS) || !look::all_datagrams(heads, |it| options(it).is_some()) {
        return None;
    }
    let kind = match look::firsts(heads).next()?.first()? {
        1 => "a DHCPv6 search for a server",
        2 => "a DHCPv6 offer",
        3 => "a DHCPv6 request",
        7 => "a DHCPv6 answer",
        11 => "a DHCPv6 question about the network",
        _ => "a DHCPv6 message",
    };
    let name = look::datagrams(heads).take(8).filter_map(options).flatten().find_map(full_name);
    let seen = match &name {
        Some(name) => format!("{kind} from host {name}"),
        None => kind.to_owned(),
    };
    Some(Facts::seen(seen).telling(Fact::OwnName, name))
}

/// The options of a message, where they end with it.
fn options(bytes: &[u8]) -> Option<Vec<(u16, &[u8])>> {
    let mut reader = Reader(bytes);
    match reader.u8()? {
        // Relays add a hop count and two addresses, others three bytes of transaction.
        12 | 13 => reader.skip(33)?,
        1..=23 => reader.skip(3)?,
        _ => return None,
    }
    let mut options = Vec::new();
    while !reader.is_empty() {
        options.push((reader.u16()?, reader.vec16()?));
    }
    (!options.is_empty()).then_some(options)
}

fn full_name((kind, value): (u16, &[u8])) -> Option<String> {
    let mut reader = Reader(value.get(1..).filter(|_| kind == CLIENT_FULL_NAME)?);
    let mut labels = Vec::new();
    while let Some(label) = reader.vec8().filter(|it| !it.is_empty()) {
        labels.push(text(label, 63));
    }
    Some(labels.join(".")).filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEARCH: &[u8] = b"\x01abc\x00\x01\x00\x04duid\x00\x27\x00\x08\x00\x06laptop";

    #[test]
    fn a_search_names_its_host() {
        let facts = recognise(&Heads::udp(&[SEARCH], &[]).with_ports(546, 547)).unwrap();
        assert_eq!(facts.told.get(Fact::OwnName), Some("laptop"));
    }

    #[test]
    fn neither_port_nor_shape_alone_is_dhcpv6() {
        assert_eq!(recognise(&Heads::udp(&[SEARCH], &[])), None);
        assert_eq!(recognise(&Heads::udp(&[b"\x01abc\x00\x01"], &[]).with_ports(546, 547)), None);
    }
}
