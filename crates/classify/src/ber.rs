//! The basic encoding rules of ASN.1 (ITU-T X.690), as far as SNMP, LDAP, Kerberos and their kind begin with them.

use crate::bytes::Reader;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTETS: u8 = 0x04;
pub(crate) const SEQUENCE: u8 = 0x30;

/// An element: its tag and as much of its value as is there.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) value: &'a [u8],
    /// What it says of its length, in bytes.
    pub(crate) len: usize,
}

/// The next element. Its value may be cut short by the end of the bytes.
pub(crate) fn next<'a>(reader: &mut Reader<'a>) -> Option<Element<'a>> {
    let tag = reader.u8()?;
    let len = match reader.u8()? {
        short @ 0..=0x7f => usize::from(short),
        0x81 => usize::from(reader.u8()?),
        0x82 => usize::from(reader.u16()?),
        0x83 => reader.u24()? as usize,
        0x84 => reader.u32()? as usize,
        _ => return None,
    };
    Some(Element { tag, value: reader.take_up_to(len), len })
}

/// The fields of a sequence that the bytes begin with.
pub(crate) fn sequence(bytes: &[u8]) -> Option<Reader<'_>> {
    tagged(bytes, SEQUENCE)
}

/// What is within an element of this tag that the bytes begin with.
pub(crate) fn tagged(bytes: &[u8], tag: u8) -> Option<Reader<'_>> {
    let element = next(&mut Reader(bytes)).filter(|it| it.tag == tag && it.len > 0)?;
    Some(Reader(element.value))
}
