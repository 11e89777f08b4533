//! DHCP (RFC 2131, options of RFC 2132), by its magic cookie.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    bytes::{Reader, text},
    fact::Fact,
    look,
    needs::any_datagram,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "dhcp",
    group: "system",
    title: "Dynamic Host Configuration Protocol",
    source: "RFC 2131, RFC 2132",
    needs: any_datagram(b"\x01\x02"),
    recognise,
};

const COOKIE: &[u8] = b"\x63\x82\x53\x63";
/// BOOTP's fixed fields, which come before the cookie, in bytes.
const FIXED_LEN: usize = 236;
const HOST_NAME: u8 = 12;
const MESSAGE_TYPE: u8 = 53;
const PARAMETERS: u8 = 55;
const VENDOR_CLASS: u8 = 60;
const CLIENT_FULL_NAME: u8 = 81;

fn recognise(heads: &Heads) -> Option<Facts> {
    let messages: Vec<&[u8]> = look::datagrams(heads).take(8).filter_map(options).collect();
    let kind = messages.iter().find_map(|it| option(it, MESSAGE_TYPE)?.first().copied());
    let own_name = messages.iter().find_map(|it| {
        let full = || option(it, CLIENT_FULL_NAME).and_then(|it| it.get(3..));
        let name = text(option(it, HOST_NAME).or_else(full)?, 253);
        Some(name).filter(|it| !it.is_empty() && !it.contains('\u{fffd}'))
    });
    messages.first()?;
    let kind = match kind {
        Some(1) => "a DHCP search for a server",
        Some(2) => "a DHCP offer",
        Some(3) => "a DHCP request",
        Some(4) => "a DHCP refusal of an address",
        Some(5 | 6) => "a DHCP answer",
        Some(7) => "a DHCP release of an address",
        Some(8) => "a DHCP question about the network",
        Some(_) => "a DHCP message",
        None => "a BOOTP message",
    };
    let seen = match &own_name {
        Some(name) => format!("{kind} from host {name}"),
        None => kind.to_owned(),
    };
    let of_any = |number| messages.iter().find_map(|it| option(it, number));
    let class = of_any(VENDOR_CLASS).map(|it| text(it, 100));
    let asked: Option<Vec<String>> =
        of_any(PARAMETERS).map(|it| it.iter().map(u8::to_string).collect());
    let facts = Facts::seen(seen)
        .telling(Fact::OwnName, own_name)
        .telling(Fact::VendorClass, class)
        .telling(Fact::DhcpOptions, asked.map(|it| it.join(",")));
    Some(facts)
}

/// The options of a message.
fn options(bytes: &[u8]) -> Option<&[u8]> {
    let &[1 | 2, _, 0..=16, ..] = bytes else { return None };
    bytes.get(FIXED_LEN..)?.strip_prefix(COOKIE)
}

fn option(options: &[u8], wanted: u8) -> Option<&[u8]> {
    let mut reader = Reader(options);
    loop {
        match reader.u8()? {
            0 => {}
            255 => return None,
            number => {
                let value = reader.vec8()?;
                if number == wanted {
                    return Some(value);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(cookie: &[u8]) -> Vec<u8> {
        let mut bytes = vec![1, 1, 6, 0];
        bytes.resize(FIXED_LEN, 0);
        bytes.extend(cookie);
        bytes.extend(b"\x35\x01\x03\x0c\x06laptop\xff");
        bytes
    }

    #[test]
    fn a_request_names_its_host() {
        let facts = recognise(&Heads::udp(&[&message(COOKIE)], &[])).unwrap();
        assert_eq!(facts.seen, "a DHCP request from host laptop");
        assert_eq!(facts.told.get(Fact::OwnName), Some("laptop"));
    }

    #[test]
    fn without_the_cookie_it_is_not_dhcp() {
        assert_eq!(recognise(&Heads::udp(&[&message(b"\0\0\0\0")], &[])), None);
    }
}
