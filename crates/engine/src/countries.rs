//! Countries of addresses, by a MaxMind DB file of the user's own (MaxMind DB File Format 2.0): MaxMind's layout and the flat
//! one of DB-IP. No database comes with the program, and no country is made up.
//!
//! Whatever the file holds, reading it ends: a walk through the tree has at most 128 steps, data nest 16 deep at most, and
//! a map is looked through up to 1,000 keys.

use std::net::IpAddr;

use v1::page::CountrySource;

/// What stands before the metadata.
const MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";
/// How far from the end the metadata may begin, in bytes.
const MAX_METADATA: usize = 128 * 1024;
/// Zeros between tree and data, in bytes.
const SEPARATOR: usize = 16;
/// How deep data may nest, and how many keys of a map are looked at.
const MAX_DEPTH: usize = 16;
const MAX_KEYS: usize = 1_000;
/// Where a country's code stands, by the keys on the way; the first that is there counts.
const PATHS: &[&[&str]] = &[
    &["country", "iso_code"],
    &["country_code"],
    &["registered_country", "iso_code"],
    &["country"],
];

/// A file that was opened.
#[derive(Debug)]
pub struct Countries {
    bytes: Vec<u8>,
    n_nodes: usize,
    /// How long a record of the tree is, in bits: 24, 28 or 32.
    record_bits: usize,
    is_v6: bool,
    /// Where the data begin, in bytes.
    data: usize,
    source: CountrySource,
}

/// Why a file is no database of countries.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CountriesError {
    /// There is no metadata.
    #[error("the file is no MaxMind DB: it has no metadata")]
    NotADatabase,
    /// The metadata says what cannot be.
    #[error("the metadata of the database cannot be read: {what} is missing or wrong")]
    Metadata {
        /// What of it.
        what: &'static str,
    },
    /// The file ends too early.
    #[error("the database is cut short: its tree needs {needed} bytes, the file has {len}")]
    CutShort {
        /// How long the tree is.
        needed: u64,
        /// How long the file is.
        len: u64,
    },
    /// It knows other things than countries.
    #[error("the database `{kind}` has no countries where they are known to stand")]
    NoCountries {
        /// What it calls itself.
        kind: String,
    },
}

/// A piece of data: what it is, and where what belongs to it begins.
#[derive(Clone, Copy, Debug)]
enum Value<'a> {
    Text(&'a [u8]),
    Number(u64),
    /// So many pairs from here on.
    Map(usize, usize),
    /// So many values from here on.
    Array(usize, usize),
    Other,
}

/// Data that point into themselves.
#[derive(Clone, Copy)]
struct Data<'a>(&'a [u8]);

impl<'a> Data<'a> {
    /// The value at a place, and where the next one begins.
    fn value(self, at: usize) -> Option<(Value<'a>, usize)> {
        self.value_within(at, true)
    }

    fn value_within(self, at: usize, may_point: bool) -> Option<(Value<'a>, usize)> {
        let control = usize::from(*self.0.get(at)?);
        let mut at = at + 1;
        let mut kind = control >> 5;
        if kind == 1 {
            let extra = (control >> 3) & 3;
            let mut target = if extra == 3 { 0 } else { control & 7 };
            for byte in self.0.get(at..at + extra + 1)? {
                target = target << 8 | usize::from(*byte);
            }
            target += [0, 2_048, 526_336, 0].get(extra)?;
            // A pointer leads to a value, never to another pointer.
            let (value, _) = may_point.then(|| self.value_within(target, false)).flatten()?;
            return Some((value, at + extra + 1));
        }
        if kind == 0 {
            kind = usize::from(*self.0.get(at)?) + 7;
            at += 1;
        }
        let mut len = control & 31;
        if len > 28 {
            let extra = len - 28;
            let mut more = 0;
            for byte in self.0.get(at..at + extra)? {
                more = more << 8 | usize::from(*byte);
            }
            at += extra;
            len = more + [29, 285, 65_821].get(extra - 1)?;
        }
        Some(match kind {
            7 => (Value::Map(len, at), at),
            11 => (Value::Array(len, at), at),
            // A truth has its value for a length.
            14 => (Value::Other, at),
            _ => {
                let bytes = self.0.get(at..at.checked_add(len)?)?;
                let value = match kind {
                    2 => Value::Text(bytes),
                    5 | 6 | 9 if len <= 8 => {
                        Value::Number(bytes.iter().fold(0, |it, byte| it << 8 | u64::from(*byte)))
                    }
                    _ => Value::Other,
                };
                (value, at + len)
            }
        })
    }

    /// Where the value at a place ends, with all that is in it.
    fn skip(self, at: usize, depth: usize) -> Option<usize> {
        let is_pointer = *self.0.get(at)? >> 5 == 1;
        let (value, next) = self.value(at)?;
        let (n, mut at) = match value {
            // What a pointer leads to is elsewhere.
            Value::Map(n, inside) if !is_pointer => (n.checked_mul(2)?, inside),
            Value::Array(n, inside) if !is_pointer => (n, inside),
            _ => return Some(next),
        };
        if depth == MAX_DEPTH || n > 2 * MAX_KEYS {
            return None;
        }
        for _ in 0..n {
            at = self.skip(at, depth + 1)?;
        }
        Some(at)
    }

    /// The value of a key of the map at a place: where it begins.
    fn find(self, map: usize, key: &str) -> Option<usize> {
        let (Value::Map(n, mut at), _) = self.value(map)? else { return None };
        for _ in 0..n.min(MAX_KEYS) {
            let (name, value) = self.value(at)?;
            if matches!(name, Value::Text(it) if it == key.as_bytes()) {
                return Some(value);
            }
            at = self.skip(value, 0)?;
        }
        None
    }

    fn text(self, at: usize) -> Option<&'a str> {
        match self.value(at)?.0 {
            Value::Text(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    fn number(self, at: usize) -> Option<u64> {
        match self.value(at)?.0 {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }
}

impl Countries {
    /// Opens a file that was read whole.
    ///
    /// # Errors
    /// Where it is no database, or none of countries.
    pub fn read(bytes: Vec<u8>) -> Result<Self, CountriesError> {
        let start = bytes.len().saturating_sub(MAX_METADATA);
        let tail = bytes.get(start..).unwrap_or_default();
        let found = tail.windows(MARKER.len()).rposition(|it| it == MARKER);
        let Some(metadata) = found.and_then(|at| tail.get(at + MARKER.len()..)) else {
            return Err(CountriesError::NotADatabase);
        };
        let metadata = Data(metadata);
        let number = |key: &'static str| {
            let found = metadata.find(0, key).and_then(|at| metadata.number(at));
            found.ok_or(CountriesError::Metadata { what: key })
        };
        let n_nodes = number("node_count")?;
        let record_bits = number("record_size")?;
        if ![24, 28, 32].contains(&record_bits) {
            return Err(CountriesError::Metadata { what: "record_size" });
        }
        let is_v6 = number("ip_version")? == 6;
        let tree = n_nodes.saturating_mul(record_bits / 4);
        let len = bytes.len() as u64;
        if n_nodes == 0 || tree.saturating_add(SEPARATOR as u64) > len {
            return Err(CountriesError::CutShort { needed: tree, len });
        }
        let kind = metadata.find(0, "database_type").and_then(|at| metadata.text(at));
        let kind = capture::plain(kind.unwrap_or_default());
        let source = CountrySource { kind, built: number("build_epoch").unwrap_or(0) };
        let countries = Self {
            bytes,
            n_nodes: n_nodes as usize,
            record_bits: record_bits as usize,
            is_v6,
            data: tree as usize + SEPARATOR,
            source,
        };
        if !countries.has_countries() {
            return Err(CountriesError::NoCountries { kind: countries.source.kind });
        }
        Ok(countries)
    }

    /// What the file says of itself.
    pub fn source(&self) -> &CountrySource {
        &self.source
    }

    /// The country of an address by its two letters (ISO 3166-1), in capitals; `None` where the file has none.
    pub fn of(&self, ip: IpAddr) -> Option<&str> {
        let bits = match (ip, self.is_v6) {
            (IpAddr::V4(it), false) => (u128::from(it.to_bits()) << 96, 32),
            // IPv4 is the network ::/96 of such a tree.
            (IpAddr::V4(it), true) => (u128::from(it.to_bits()), 128),
            (IpAddr::V6(it), true) => (it.to_bits(), 128),
            (IpAddr::V6(_), false) => return None,
        };
        let mut node = 0;
        for depth in 0..bits.1 {
            node = self.record(node, (bits.0 >> (127 - depth)) & 1 == 1)?;
            if node >= self.n_nodes {
                break;
            }
        }
        // What is `n_nodes` itself says that nothing is known.
        let at = node.checked_sub(self.n_nodes + SEPARATOR)?;
        self.code(at)
    }

    /// One of the two records of a node.
    fn record(&self, node: usize, is_right: bool) -> Option<usize> {
        let len = self.record_bits / 4;
        let bytes = self.bytes.get(node * len..(node + 1) * len)?;
        let number =
            |bytes: &[u8]| bytes.iter().fold(0_usize, |it, byte| it << 8 | usize::from(*byte));
        Some(match (self.record_bits, is_right) {
            (28, false) => usize::from(*bytes.get(3)? >> 4) << 24 | number(bytes.get(..3)?),
            (28, true) => usize::from(*bytes.get(3)? & 15) << 24 | number(bytes.get(4..)?),
            (_, false) => number(bytes.get(..len / 2)?),
            (_, true) => number(bytes.get(len / 2..)?),
        })
    }

    fn code(&self, at: usize) -> Option<&str> {
        let data = Data(self.bytes.get(self.data..)?);
        let found = PATHS.iter().find_map(|path| {
            let end = path.iter().try_fold(at, |at, key| data.find(at, key))?;
            data.text(end)
        });
        let is_code = |it: &&str| it.len() == 2 && it.bytes().all(|it| it.is_ascii_uppercase());
        found.filter(is_code)
    }

    /// Whether some record of the first nodes leads to a country.
    fn has_countries(&self) -> bool {
        const LOOKED_AT: usize = 10_000;
        let sides = |node| [self.record(node, false), self.record(node, true)];
        let mut records = (0..self.n_nodes.min(LOOKED_AT)).flat_map(sides).flatten();
        records.any(|it| {
            it.checked_sub(self.n_nodes + SEPARATOR).is_some_and(|at| self.code(at).is_some())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(it: &str) -> Vec<u8> {
        [&[0x40 | it.len() as u8], it.as_bytes()].concat()
    }

    fn map(pairs: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let mut out = vec![0xe0 | pairs.len() as u8];
        pairs.iter().for_each(|(key, value)| out.extend([text(key), value.clone()].concat()));
        out
    }

    fn number(it: u32) -> Vec<u8> {
        [&[0xc4][..], &it.to_be_bytes()].concat()
    }

    /// A tree of one node over IPv4: the lower half of all addresses is known, the upper half is not.
    fn database(record: &[u8], bits: u32) -> Vec<u8> {
        let known = 1 + SEPARATOR as u8;
        let tree: &[u8] = match bits {
            24 => &[0, 0, known, 0, 0, 1],
            28 => &[0, 0, known, 0, 0, 0, 1],
            _ => &[0, 0, 0, known, 0, 0, 0, 1],
        };
        let metadata = map(&[
            ("node_count", number(1)),
            ("record_size", number(bits)),
            ("ip_version", number(4)),
            ("database_type", text("Test-Country")),
            ("build_epoch", number(1_700_000_000)),
        ]);
        [tree, &[0; SEPARATOR], record, MARKER, &metadata].concat()
    }

    fn nested() -> Vec<u8> {
        map(&[
            ("names", map(&[("en", text("Norway"))])),
            ("country", map(&[("iso_code", text("NO"))])),
        ])
    }

    #[test]
    fn both_layouts_and_all_record_lengths_are_read() {
        let flat = map(&[("country_code", text("NO"))]);
        for record in [nested(), flat] {
            for bits in [24, 28, 32] {
                let countries = Countries::read(database(&record, bits)).unwrap();
                assert_eq!(countries.of("8.8.8.8".parse().unwrap()), Some("NO"));
                assert_eq!(countries.of("200.0.0.1".parse().unwrap()), None);
                assert_eq!(countries.of("2001:db8::1".parse().unwrap()), None);
                assert_eq!(countries.source().kind, "Test-Country");
                assert_eq!(countries.source().built, 1_700_000_000);
            }
        }
    }

    #[test]
    fn what_is_no_database_of_countries_is_refused() {
        assert_eq!(Countries::read(b"hello".to_vec()).unwrap_err(), CountriesError::NotADatabase);
        let other = map(&[("autonomous_system_number", number(7))]);
        let error = Countries::read(database(&other, 24)).unwrap_err();
        assert_eq!(error, CountriesError::NoCountries { kind: "Test-Country".to_owned() });
    }

    #[test]
    fn a_damaged_file_never_makes_trouble() {
        let whole = database(&nested(), 24);
        for at in 0..whole.len() {
            for bits in [1, 0x20, 0x80, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] ^= bits;
                if let Ok(countries) = Countries::read(damaged) {
                    let code = countries.of("8.8.8.8".parse().unwrap());
                    assert!(code.is_none_or(|it| it.len() == 2));
                }
            }
            let _ = Countries::read(whole[..at].to_vec());
        }
    }
}
