//! Structs of Thrift's compact protocol, in which a Parquet file describes itself.

/// A struct being written; its fields come in ascending order of their numbers.
#[derive(Default)]
pub(super) struct Struct {
    bytes: Vec<u8>,
    last: u8,
}

// The numbers of thrift-compact-protocol.md.
const TRUE: u8 = 1;
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

impl Struct {
    /// Begins a field. All numbers are so close that their difference fits into its four bits.
    fn field(mut self, number: u8, kind: u8) -> Self {
        debug_assert!(number > self.last && number - self.last < 16);
        self.bytes.push((number - self.last) << 4 | kind);
        self.last = number;
        self
    }

    pub(super) fn i32(self, number: u8, value: i32) -> Self {
        let mut it = self.field(number, I32);
        varint(&mut it.bytes, zigzag(value.into()));
        it
    }

    pub(super) fn i64(self, number: u8, value: i64) -> Self {
        let mut it = self.field(number, I64);
        varint(&mut it.bytes, zigzag(value));
        it
    }

    /// A switch that is on.
    pub(super) fn yes(self, number: u8) -> Self {
        self.field(number, TRUE)
    }

    pub(super) fn bytes(self, number: u8, value: &[u8]) -> Self {
        let mut it = self.field(number, BINARY);
        binary(&mut it.bytes, value);
        it
    }

    pub(super) fn text(self, number: u8, value: &str) -> Self {
        self.bytes(number, value.as_bytes())
    }

    pub(super) fn nested(self, number: u8, value: Self) -> Self {
        let mut it = self.field(number, STRUCT);
        it.bytes.extend(value.end());
        it
    }

    pub(super) fn i32s(self, number: u8, values: &[i32]) -> Self {
        let mut it = self.list(number, I32, values.len());
        values.iter().for_each(|value| varint(&mut it.bytes, zigzag((*value).into())));
        it
    }

    pub(super) fn texts(self, number: u8, values: &[&str]) -> Self {
        let mut it = self.list(number, BINARY, values.len());
        values.iter().for_each(|value| binary(&mut it.bytes, value.as_bytes()));
        it
    }

    pub(super) fn structs(self, number: u8, values: Vec<Self>) -> Self {
        let mut it = self.list(number, STRUCT, values.len());
        values.into_iter().for_each(|value| it.bytes.extend(value.end()));
        it
    }

    fn list(self, number: u8, kind: u8, len: usize) -> Self {
        let mut it = self.field(number, LIST);
        match u8::try_from(len) {
            Ok(len) if len < 15 => it.bytes.push(len << 4 | kind),
            _ => {
                it.bytes.push(0xf0 | kind);
                varint(&mut it.bytes, len as u64);
            }
        }
        it
    }

    /// Its bytes, with the mark of its end.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

fn binary(bytes: &mut Vec<u8>, value: &[u8]) {
    varint(bytes, value.len() as u64);
    bytes.extend_from_slice(value);
}

/// Small numbers of either sign as small numbers.
fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// Seven bits a byte, the least first.
pub(super) fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_struct_is_written_as_the_protocol_says() {
        let inner = Struct::default().yes(1);
        let bytes = Struct::default()
            .i32(1, -1)
            .text(4, "ab")
            .i64(5, 150)
            .structs(7, vec![inner])
            .i32s(8, &[3; 15])
            .end();
        let mut expected = vec![0x15, 1, 0x38, 2, b'a', b'b', 0x16, 0xac, 2, 0x29, 0x1c, 0x11, 0];
        expected.extend([0x19, 0xf5, 15]);
        expected.extend([6; 15]);
        expected.push(0);
        assert_eq!(bytes, expected);
    }
}
