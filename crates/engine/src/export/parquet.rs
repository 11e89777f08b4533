//! Apache Parquet (parquet-format 2.10): typed columns, row groups written as they fill, so that memory stays flat.
//!
//! What is needed of the format is small: flat columns of three physical types, pages of its first version, plain values or,
//! for texts that repeat, a dictionary, all packed by Snappy. A package that writes all of it takes more of the page's worker
//! than all protocols together.

mod compact;

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use self::compact::{Struct, varint};
use super::columns::{Cell, CellKind, Cells};

/// Rows of a row group; what is not written yet is in memory.
const GROUP_LEN: usize = 1 << 16;
/// A page ends with the value that brings it to so many bytes; a longer dictionary is not made.
const PAGE_LEN: usize = 1 << 20;
/// The first and the last bytes of a file.
const MAGIC: &[u8] = b"PAR1";

// The numbers of parquet.thrift.
const INT64: i32 = 2;
const DOUBLE: i32 = 5;
const BYTE_ARRAY: i32 = 6;
const REQUIRED: i32 = 0;
const OPTIONAL: i32 = 1;
const UTF8: i32 = 0;
const PLAIN: i32 = 0;
const RLE: i32 = 3;
const RLE_DICTIONARY: i32 = 8;
const SNAPPY: i32 = 1;
const DATA_PAGE: i32 = 0;
const DICTIONARY_PAGE: i32 = 2;

/// A file being written.
pub(super) struct Parquet {
    columns: Vec<Column>,
    /// Rows of the group that is being gathered.
    n_rows: usize,
    /// What the file's end says of the groups before.
    groups: Vec<Struct>,
    n_written: u64,
    /// Bytes of the file until now.
    offset: u64,
}

impl Parquet {
    pub(super) fn new(columns: impl Iterator<Item = Cells>) -> Self {
        let columns = columns.map(Column::new).collect();
        Self { columns, n_rows: 0, groups: Vec::new(), n_written: 0, offset: 0 }
    }

    /// Takes a row: a cell of each column.
    pub(super) fn push<'a>(
        &mut self,
        cells: impl Iterator<Item = Cell<'a>>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.push(cell);
        }
        self.n_rows += 1;
        if self.n_rows < GROUP_LEN { Ok(()) } else { self.write_group(out) }
    }

    /// Writes what is left, and the file's end.
    pub(super) fn finish(mut self, out: &mut impl Write) -> io::Result<()> {
        self.write_group(out)?;
        let root = Struct::default().text(4, "flows").i32(5, self.columns.len() as i32);
        let mut schema = vec![root];
        schema.extend(self.columns.iter().map(Column::schema));
        // Lengths and times are ordered as their type is: so the least and greatest of a group can be relied on.
        let order = || Struct::default().nested(1, Struct::default());
        let orders = self.columns.iter().map(|_| order()).collect();
        let about = Struct::default()
            .i32(1, 1)
            .structs(2, schema)
            .i64(3, self.n_written as i64)
            .structs(4, self.groups)
            .text(6, "TrActor")
            .structs(7, orders)
            .end();
        out.write_all(&about)?;
        out.write_all(&(about.len() as u32).to_le_bytes())?;
        out.write_all(MAGIC)
    }

    fn write_group(&mut self, out: &mut impl Write) -> io::Result<()> {
        if self.offset == 0 {
            out.write_all(MAGIC)?;
            self.offset = MAGIC.len() as u64;
        }
        if self.n_rows == 0 {
            return Ok(());
        }
        let mut chunks = Vec::new();
        let mut n_bytes = 0;
        for column in &mut self.columns {
            let chunk = column.take(self.n_rows)?;
            n_bytes += chunk.raw_len;
            chunks.push(Struct::default().i64(2, 0).nested(3, column.about(&chunk, self.offset)));
            out.write_all(&chunk.bytes)?;
            self.offset += chunk.bytes.len() as u64;
        }
        let group =
            Struct::default().structs(1, chunks).i64(2, n_bytes as i64).i64(3, self.n_rows as i64);
        self.groups.push(group);
        self.n_written += self.n_rows as u64;
        self.n_rows = 0;
        Ok(())
    }
}

/// The cells of a row group.
struct Column {
    cells: Cells,
    /// Of each cell, whether it is there.
    is_there: Vec<bool>,
    /// Those that are, as the plain encoding has them: eight bytes, or a length in four and the text.
    plain: Vec<u8>,
    /// Where each page ends: in cells, and in bytes.
    ends: Vec<(usize, usize)>,
    /// The least and the greatest whole number or time.
    range: Option<(i64, i64)>,
}

impl Column {
    fn new(cells: Cells) -> Self {
        let (is_there, plain, ends) = Default::default();
        Self { cells, is_there, plain, ends, range: None }
    }

    fn push(&mut self, cell: Cell<'_>) {
        let is_there = match (self.cells.kind, cell) {
            (CellKind::Integer, Cell::Integer(Some(it))) | (CellKind::Time, Cell::Time(it)) => {
                // Numbers of flows, sizes and times until 2262 are below.
                let number = i64::try_from(it).unwrap_or(i64::MAX);
                self.plain.extend(number.to_le_bytes());
                let (least, greatest) = self.range.unwrap_or((number, number));
                self.range = Some((least.min(number), greatest.max(number)));
                true
            }
            (CellKind::Number, Cell::Number(Some(it))) => {
                self.plain.extend(it.to_le_bytes());
                true
            }
            (CellKind::Text, Cell::Text(Some(it))) => {
                self.plain.extend((it.len() as u32).to_le_bytes());
                self.plain.extend(it.as_bytes());
                true
            }
            _ => false,
        };
        self.is_there.push(is_there);
        let start = self.ends.last().map_or(0, |it| it.1);
        if self.plain.len() - start >= PAGE_LEN {
            self.ends.push((self.is_there.len(), self.plain.len()));
        }
    }

    /// What the schema says of it.
    fn schema(&self) -> Struct {
        let repetition = if self.cells.is_optional { OPTIONAL } else { REQUIRED };
        let field =
            Struct::default().i32(1, self.physical()).i32(3, repetition).text(4, &self.cells.name);
        let nothing = Struct::default;
        match self.cells.kind {
            CellKind::Integer | CellKind::Number => field,
            CellKind::Text => field.i32(6, UTF8).nested(10, nothing().nested(1, nothing())),
            CellKind::Time => {
                // In UTC, in nanoseconds.
                let time = nothing().yes(1).nested(2, nothing().nested(3, nothing()));
                field.nested(10, nothing().nested(8, time))
            }
        }
    }

    fn physical(&self) -> i32 {
        match self.cells.kind {
            CellKind::Integer | CellKind::Time => INT64,
            CellKind::Number => DOUBLE,
            CellKind::Text => BYTE_ARRAY,
        }
    }

    /// What the file's end says of a chunk that begins at this byte.
    fn about(&mut self, chunk: &Chunk, offset: u64) -> Struct {
        let encodings: &[i32] =
            if chunk.has_dictionary() { &[PLAIN, RLE, RLE_DICTIONARY] } else { &[PLAIN, RLE] };
        let about = Struct::default()
            .i32(1, self.physical())
            .i32s(2, encodings)
            .texts(3, &[&self.cells.name])
            .i32(4, SNAPPY)
            .i64(5, chunk.n_cells as i64)
            .i64(6, chunk.raw_len as i64)
            .i64(7, chunk.bytes.len() as i64)
            .i64(9, (offset + chunk.dictionary_len) as i64);
        let about = if chunk.has_dictionary() { about.i64(11, offset as i64) } else { about };
        let mut statistics = Struct::default().i64(3, chunk.n_missing as i64);
        if let Some((least, greatest)) = self.range.take() {
            statistics =
                statistics.bytes(5, &greatest.to_le_bytes()).bytes(6, &least.to_le_bytes());
        }
        about.nested(12, statistics)
    }

    /// The cells as pages, which are gone from here then.
    fn take(&mut self, n_cells: usize) -> io::Result<Chunk> {
        let (is_there, plain) =
            (std::mem::take(&mut self.is_there), std::mem::take(&mut self.plain));
        let mut ends = std::mem::take(&mut self.ends);
        if ends.last().is_none_or(|it| it.0 < n_cells) {
            ends.push((n_cells, plain.len()));
        }
        let n_missing = is_there.iter().filter(|it| !**it).count();
        let mut chunk = Chunk { n_cells, n_missing, ..Chunk::default() };
        let levels =
            |cells: &[bool]| if self.cells.is_optional { levels(cells) } else { Vec::new() };
        let dictionary = if self.cells.kind == CellKind::Text { dictionary(&plain) } else { None };
        if let Some((texts, n_texts, numbers)) = dictionary {
            chunk.page(DICTIONARY_PAGE, n_texts, PLAIN, &texts)?;
            chunk.dictionary_len = chunk.bytes.len() as u64;
            let mut page = levels(&is_there);
            page.extend(packed(&numbers, n_texts));
            chunk.page(DATA_PAGE, n_cells, RLE_DICTIONARY, &page)?;
            return Ok(chunk);
        }
        let (mut cell, mut byte) = (0, 0);
        for (cells_end, bytes_end) in ends {
            let mut page = levels(is_there.get(cell..cells_end).unwrap_or_default());
            page.extend_from_slice(plain.get(byte..bytes_end).unwrap_or_default());
            chunk.page(DATA_PAGE, cells_end - cell, PLAIN, &page)?;
            (cell, byte) = (cells_end, bytes_end);
        }
        Ok(chunk)
    }
}

/// The pages of a column in a row group.
#[derive(Default)]
struct Chunk {
    bytes: Vec<u8>,
    /// How long they would be without Snappy.
    raw_len: u64,
    n_cells: usize,
    /// Cells that are not there.
    n_missing: usize,
    /// How long the dictionary's page is, which comes first; 0 where there is none.
    dictionary_len: u64,
}

impl Chunk {
    fn has_dictionary(&self) -> bool {
        self.dictionary_len > 0
    }

    /// Adds a page of so many values.
    fn page(&mut self, kind: i32, n: usize, encoding: i32, raw: &[u8]) -> io::Result<()> {
        let packed = snap::raw::Encoder::new().compress_vec(raw).map_err(io::Error::other)?;
        let values = Struct::default().i32(1, n as i32).i32(2, encoding);
        let header =
            Struct::default().i32(1, kind).i32(2, raw.len() as i32).i32(3, packed.len() as i32);
        let header = match kind {
            DICTIONARY_PAGE => header.nested(7, values),
            _ => header.nested(5, values.i32(3, RLE).i32(4, RLE)),
        };
        let header = header.end();
        self.raw_len += (header.len() + raw.len()) as u64;
        self.bytes.extend(header);
        self.bytes.extend(packed);
        Ok(())
    }
}

/// Whether cells are there, as definition levels: their length in four bytes, then a bit each.
fn levels(is_there: &[bool]) -> Vec<u8> {
    let bits: Vec<u32> = is_there.iter().map(|it| u32::from(*it)).collect();
    let bits = bit_packed(&bits, 1);
    let mut levels = (bits.len() as u32).to_le_bytes().to_vec();
    levels.extend(bits);
    levels
}

/// Numbers of a dictionary of so many values: how many bits each takes, then these.
fn packed(numbers: &[u32], n: usize) -> Vec<u8> {
    let width = u32::BITS - (n.saturating_sub(1) as u32).leading_zeros();
    // Some readers know no numbers without a bit.
    let width = width.max(1);
    let mut packed = vec![width as u8];
    packed.extend(bit_packed(numbers, width));
    packed
}

/// Numbers of so many bits one after another, the least bit first, as one run of the hybrid encoding.
fn bit_packed(numbers: &[u32], width: u32) -> Vec<u8> {
    let n_eights = numbers.len().div_ceil(8);
    let mut packed = Vec::new();
    varint(&mut packed, (n_eights as u64) << 1 | 1);
    let end = packed.len() + n_eights * width as usize;
    let (mut bits, mut n_bits) = (0_u64, 0);
    for number in numbers {
        bits |= u64::from(*number) << n_bits;
        n_bits += width;
        while n_bits >= 8 {
            packed.push(bits as u8);
            bits >>= 8;
            n_bits -= 8;
        }
    }
    packed.push(bits as u8);
    packed.resize(end, 0);
    packed
}

/// The different texts in plain encoding, how many they are, and the number of each text there is; nothing where the texts
/// do not repeat enough for it.
fn dictionary(plain: &[u8]) -> Option<(Vec<u8>, usize, Vec<u32>)> {
    let mut known: BTreeMap<&[u8], u32> = BTreeMap::new();
    let (mut texts, mut numbers) = (Vec::new(), Vec::new());
    let mut rest = plain;
    while let Some((len, after)) = rest.split_first_chunk::<4>() {
        let len = u32::from_le_bytes(*len) as usize;
        let (text, next) = after.split_at_checked(len)?;
        let new = known.len() as u32;
        let number = *known.entry(text).or_insert(new);
        if number == new {
            texts.extend_from_slice(rest.get(..4 + len)?);
        }
        numbers.push(number);
        rest = next;
    }
    let pays = texts.len() < PAGE_LEN && texts.len() * 2 < plain.len();
    pays.then_some((texts, known.len(), numbers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_packed_from_the_least_bit() {
        // The example of the format's own description: 0 to 7 in three bits each.
        let numbers: Vec<u32> = (0..8).collect();
        assert_eq!(bit_packed(&numbers, 3), [3, 0b1000_1000, 0b1100_0110, 0b1111_1010]);
        assert_eq!(bit_packed(&[], 1), [1]);
        assert_eq!(bit_packed(&[1, 0, 1], 1), [3, 0b101]);
    }

    #[test]
    fn texts_that_repeat_become_numbers() {
        let plain = |texts: &[&str]| {
            let of = |it: &&str| [&(it.len() as u32).to_le_bytes()[..], it.as_bytes()].concat();
            texts.iter().flat_map(of).collect::<Vec<u8>>()
        };
        let often = ["tls", "dns", "tls", "tls", "dns", "tls"];
        assert_eq!(
            dictionary(&plain(&often)),
            Some((plain(&["tls", "dns"]), 2, vec![0, 1, 0, 0, 1, 0]))
        );
        assert_eq!(dictionary(&plain(&["one", "two", "three"])), None);
        assert_eq!(dictionary(b""), None);
    }
}
