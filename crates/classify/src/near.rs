//! How the tests of rows ask: with bytes that are a protocol, and with bytes that nearly are.

use flow::Heads;

use crate::protocol::recognise;

/// One flow that is the protocol, and one that nearly is.
#[track_caller]
pub(crate) fn check(name: &str, is: &Heads, is_not: &Heads) {
    assert_eq!(recognise(is).map(|it| it.0.name), Some(name));
    assert_ne!(recognise(is_not).map(|it| it.0.name), Some(name), "a near miss");
}

/// The same of bytes that its port supports: without it they are nothing.
#[track_caller]
pub(crate) fn check_at(name: &str, port: u16, is: &Heads, is_not: &Heads) {
    check(name, &is.clone().with_ports(50_000, port), is);
    let is_not = recognise(&is_not.clone().with_ports(50_000, port));
    assert_ne!(is_not.map(|it| it.0.name), Some(name), "a near miss at the port");
}

/// One flow in which this protocol has this form, and one in which it nearly has.
#[track_caller]
pub(crate) fn check_form(name: &str, form: &str, is: &Heads, is_not: &Heads) {
    let found = |heads| recognise(heads).map(|it| (it.0.name, it.1.service));
    assert_eq!(found(is), Some((name, Some(form))));
    assert_ne!(found(is_not).and_then(|it| it.1), Some(form), "a near miss");
}

pub(crate) fn tcp(client: &[u8]) -> Heads {
    Heads::tcp(client, b"")
}

pub(crate) fn udp(client: &[u8]) -> Heads {
    Heads::udp(&[client], &[])
}

/// Some bytes, then so many of the same.
pub(crate) fn padded(start: &[u8], byte: u8, len: usize) -> Vec<u8> {
    let mut bytes = start.to_vec();
    bytes.resize(len, byte);
    bytes
}
