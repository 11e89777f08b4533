//! The heads of a Parquet file in, what they claim out: its columns by the footer, and how much each page is to hold.
//!
//! They are Thrift's compact protocol. The package that reads the file goes by a field's number whatever kind it says it is; here
//! a field of another kind than the format gives it is damage, so that both see the same. No list is taken but the columns'.

use parquet::basic::{Repetition, Type};

/// How deep what is passed over may lie.
const MAX_DEPTH: u32 = 16;
/// How many columns a file may have.
const MAX_COLUMNS: u64 = 256;

/// The kinds of fields that are known.
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// A column of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Type,
    pub(super) repetition: Repetition,
    /// Of values that are all of one length, that.
    pub(super) len: i32,
}

/// What the head of a page says of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) head_len: u64,
    pub(super) is_dictionary: bool,
    /// Its length packed and unpacked, in bytes.
    pub(super) packed: u64,
    pub(super) unpacked: u64,
    pub(super) n_values: u64,
    /// The number of its encoding in Parquet's `Encoding`.
    pub(super) encoding: u64,
}

/// Why a head is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("its head ends early")]
    Cut,
    #[error("its head contradicts itself")]
    Damaged,
    #[error("it has columns below columns")]
    Nested,
    #[error("it has more than {MAX_COLUMNS} columns")]
    Wide,
}

/// The columns by a footer, which begins with the version and them.
pub(super) fn columns(footer: &[u8]) -> Result<Vec<Column>, Error> {
    let mut input = Input(footer);
    let mut columns = None;
    let version = input.field(0)?;
    if version != Some((1, I32)) {
        return Err(Error::Damaged);
    }
    input.i32()?;
    if input.field(1)? == Some((2, LIST)) {
        columns = Some(input.columns()?);
    }
    columns.ok_or(Error::Damaged)
}

/// The page whose head begins here.
pub(super) fn page(bytes: &[u8]) -> Result<Page, Error> {
    let mut input = Input(bytes);
    let mut page = Page::default();
    let mut known = [false; 4];
    let mut before = 0;
    while let Some((id, kind)) = input.field(before)? {
        before = id;
        match id {
            1..=4 => {
                let number = input.number(kind)?;
                match id {
                    1 => page.is_dictionary = number == 2,
                    2 => page.unpacked = size(number)?,
                    3 => page.packed = size(number)?,
                    _ => {}
                }
                if let Some(it) = usize::try_from(id - 1).ok().and_then(|it| known.get_mut(it)) {
                    *it = true;
                }
            }
            5 | 7 | 8 if kind == STRUCT => input.page_kind(id, &mut page)?,
            5 | 7 | 8 => return Err(Error::Damaged),
            _ => input.skip(kind, 0)?,
        }
    }
    page.head_len = (bytes.len() - input.0.len()) as u64;
    if known.starts_with(&[true; 3]) { Ok(page) } else { Err(Error::Damaged) }
}

fn size(number: i32) -> Result<u64, Error> {
    u64::try_from(number).map_err(|_error| Error::Damaged)
}

/// What is left of a head.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> Result<u8, Error> {
        let (byte, rest) = self.0.split_first().ok_or(Error::Cut)?;
        self.0 = rest;
        Ok(*byte)
    }

    fn bytes(&mut self, len: u64) -> Result<&'a [u8], Error> {
        let len = usize::try_from(len).map_err(|_error| Error::Cut)?;
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(Error::Cut)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn varint(&mut self) -> Result<u64, Error> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        // The tenth byte has room for one bit.
        match self.byte()? {
            it @ 0..=1 => Ok(number | u64::from(it) << 63),
            _ => Err(Error::Damaged),
        }
    }

    fn i32(&mut self) -> Result<i32, Error> {
        let number = self.varint()?;
        let value = (number >> 1) as i64 ^ -((number & 1) as i64);
        i32::try_from(value).map_err(|_error| Error::Damaged)
    }

    /// The number of a field that must be one.
    fn number(&mut self, kind: u8) -> Result<i32, Error> {
        if kind == I32 { self.i32() } else { Err(Error::Damaged) }
    }

    /// The number and kind of the next field, if there is one. Their numbers grow.
    fn field(&mut self, before: i16) -> Result<Option<(i16, u8)>, Error> {
        let byte = self.byte()?;
        let (delta, kind) = (i16::from(byte >> 4), byte & 0x0f);
        if kind == 0 {
            return if delta == 0 { Ok(None) } else { Err(Error::Damaged) };
        }
        let id = match delta {
            0 => i16::try_from(self.i32()?).map_err(|_error| Error::Damaged)?,
            _ => before.checked_add(delta).ok_or(Error::Damaged)?,
        };
        if id > before { Ok(Some((id, kind))) } else { Err(Error::Damaged) }
    }

    /// Passes over the value of a field.
    fn skip(&mut self, kind: u8, depth: u32) -> Result<(), Error> {
        match kind {
            TRUE | FALSE => {}
            BYTE => drop(self.byte()?),
            I16 | I32 | I64 => drop(self.varint()?),
            DOUBLE => drop(self.bytes(8)?),
            BINARY => {
                let len = self.varint()?;
                self.bytes(len)?;
            }
            STRUCT if depth < MAX_DEPTH => {
                let mut before = 0;
                while let Some((id, kind)) = self.field(before)? {
                    before = id;
                    self.skip(kind, depth + 1)?;
                }
            }
            _ => return Err(Error::Damaged),
        }
        Ok(())
    }

    /// What Parquet calls `DataPageHeader`, `DictionaryPageHeader` or `DataPageHeaderV2`.
    fn page_kind(&mut self, of: i16, page: &mut Page) -> Result<(), Error> {
        let mut before = 0;
        while let Some((id, kind)) = self.field(before)? {
            before = id;
            match (of, id) {
                (5, 1..=4) | (7, 1..=2) | (8, 1..=6) => {
                    let number = size(self.number(kind)?)?;
                    match (of, id) {
                        (_, 1) => page.n_values = number,
                        (5 | 7, 2) | (8, 4) => page.encoding = number,
                        _ => {}
                    }
                }
                (7, 3) | (8, 7) if !matches!(kind, TRUE | FALSE) => return Err(Error::Damaged),
                _ => self.skip(kind, 0)?,
            }
        }
        Ok(())
    }

    fn columns(&mut self) -> Result<Vec<Column>, Error> {
        let byte = self.byte()?;
        if byte & 0x0f != STRUCT {
            return Err(Error::Damaged);
        }
        let n = match byte >> 4 {
            15 => self.varint()?,
            n => u64::from(n),
        };
        // The first stands for the row.
        if n > MAX_COLUMNS + 1 {
            return Err(Error::Wide);
        }
        let mut columns = Vec::new();
        for nth in 0..n {
            let (column, n_below) = self.column()?;
            match (nth, n_below) {
                (0, below) if size(below)? + 1 != n => return Err(Error::Nested),
                (0, _) => {}
                (_, 0) => columns.push(column.ok_or(Error::Damaged)?),
                _ => return Err(Error::Nested),
            }
        }
        Ok(columns)
    }

    /// What Parquet calls a `SchemaElement`, and how many are below it; no column where it has no kind.
    fn column(&mut self) -> Result<(Option<Column>, i32), Error> {
        let (mut kind_of, mut repetition, mut name) = (None, Repetition::REQUIRED, "");
        let (mut len, mut n_below, mut before) = (-1, 0, 0);
        while let Some((id, kind)) = self.field(before)? {
            before = id;
            match id {
                4 if kind == BINARY => {
                    let len = self.varint()?;
                    let bytes = self.bytes(len)?;
                    name = str::from_utf8(bytes).map_err(|_error| Error::Damaged)?;
                }
                1 => kind_of = Some(type_of(self.number(kind)?)?),
                2 => len = self.number(kind)?,
                3 => {
                    repetition = match self.number(kind)? {
                        0 => Repetition::REQUIRED,
                        1 => Repetition::OPTIONAL,
                        2 => Repetition::REPEATED,
                        _ => return Err(Error::Damaged),
                    }
                }
                5 => n_below = self.number(kind)?,
                4 => return Err(Error::Damaged),
                _ => self.skip(kind, 0)?,
            }
        }
        let column = |kind| Column { name: name.to_owned(), kind, repetition, len };
        Ok((kind_of.map(column), n_below))
    }
}

fn type_of(number: i32) -> Result<Type, Error> {
    Ok(match number {
        0 => Type::BOOLEAN,
        1 => Type::INT32,
        2 => Type::INT64,
        3 => Type::INT96,
        4 => Type::FLOAT,
        5 => Type::DOUBLE,
        6 => Type::BYTE_ARRAY,
        7 => Type::FIXED_LEN_BYTE_ARRAY,
        _ => return Err(Error::Damaged),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(footer: &[u8], expected: Result<&[&str], Error>) {
        let columns = columns(footer);
        let names = columns.map(|it| it.into_iter().map(|it| it.name).collect::<Vec<_>>());
        assert_eq!(names, expected.map(|it| it.iter().map(|&it| it.to_owned()).collect()));
    }

    /// A footer's begin, and so many elements.
    fn head(n: u8) -> Vec<u8> {
        vec![0x15, 2, 0x19, n << 4 | STRUCT]
    }

    const ROOT_OF_ONE: [u8; 5] = [0x48, 0, 0x15, 2, 0];
    const COLUMN: [u8; 8] = [0x15, 12, 0x25, 2, 0x18, 1, b'a', 0];

    #[test]
    fn columns_are_those_below_the_row() {
        check(&[&head(2)[..], &ROOT_OF_ONE, &COLUMN].concat(), Ok(&["a"]));
        check(&[&head(2)[..], &ROOT_OF_ONE, &COLUMN[..7]].concat(), Err(Error::Cut));
        // Not the kind a name has.
        check(&[&head(2)[..], &ROOT_OF_ONE, &[0x45, 0, 0]].concat(), Err(Error::Damaged));
        check(&[&head(2)[..], &ROOT_OF_ONE, &[0x48, 0, 0]].concat(), Err(Error::Damaged));
        check(&[], Err(Error::Cut));
    }

    #[test]
    fn columns_below_columns_are_not_taken() {
        let group = [0x35, 0, 0x18, 0, 0x15, 2, 0];
        check(&[&head(3)[..], &ROOT_OF_ONE, &group, &COLUMN].concat(), Err(Error::Nested));
        // It claims to have 2,147,483,647 columns.
        let claims = [0x48, 0, 0x15, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0];
        check(&[&head(2)[..], &claims, &COLUMN].concat(), Err(Error::Nested));
        let many = [0x15, 2, 0x19, 0xfc, 0x80, 0x10];
        check(&many, Err(Error::Wide));
    }

    #[test]
    fn a_page_says_how_much_it_holds() {
        let of = [0x15, 0, 0x15, 200, 1, 0x15, 20, 0x2c, 0x15, 6, 0x15, 16, 0x15, 6, 0x15, 6, 0, 0];
        let expected = Page {
            head_len: of.len() as u64,
            is_dictionary: false,
            packed: 10,
            unpacked: 100,
            n_values: 3,
            encoding: 8,
        };
        assert_eq!(page(&of), Ok(expected));
        assert_eq!(page(&of[..9]), Err(Error::Cut));
        // The second length again, less than none, and none.
        assert_eq!(page(&[0x15, 0, 0x15, 8, 0x05, 4, 2, 0x15, 8, 0]), Err(Error::Damaged));
        assert_eq!(page(&[0x15, 0, 0x15, 1, 0x15, 2, 0]), Err(Error::Damaged));
        assert_eq!(page(&[0x15, 0, 0x15, 2, 0]), Err(Error::Damaged));
    }
}
