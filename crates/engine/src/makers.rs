//! Makers of network interfaces by the first bits of Ethernet addresses, by a list of the user's own: the IEEE's registries
//! (`oui.csv`, `mam.csv`, `oui36.csv`), its `oui.txt`, or a list of prefixes and names with tabs between. None comes with
//! the program, and no maker is made up.

use std::ops::Range;

/// How many bits the IEEE assigns, the most first (MA-S, MA-M, MA-L).
const LENGTHS: [u32; 3] = [36, 28, 24];
/// The longest name that is kept, in bytes.
const MAX_NAME: usize = 200;

/// A list that was read.
#[derive(Debug)]
pub struct Makers {
    /// Each prefix, from the left of 48 bits, with its length, and where its name stands; in order.
    rows: Vec<((u64, u32), Range<u32>)>,
    names: String,
}

/// The text is no such list.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no line names a maker: it is none of the IEEE's lists (oui.csv, mam.csv, oui36.csv, oui.txt) and no list of \
     prefixes and names with tabs between"
)]
pub struct MakersError;

impl Makers {
    /// Reads a list; lines that name no maker are passed over, and of two lines with one prefix the last counts.
    ///
    /// # Errors
    /// Where no line names a maker.
    pub fn read(text: &str) -> Result<Self, MakersError> {
        let (mut rows, mut names) = (Vec::new(), String::new());
        let ways = [of_registry, of_text, of_tabs];
        for line in text.lines() {
            let Some((prefix, name)) = ways.iter().find_map(|way| way(line)) else { continue };
            let start = names.len() as u32;
            names.push_str(&shown(name));
            rows.push((prefix, start..names.len() as u32));
        }
        // Stable, so that the last of equal ones stays the last.
        rows.sort_by_key(|it| std::cmp::Reverse(it.0));
        rows.reverse();
        rows.dedup_by_key(|it| it.0);
        if rows.is_empty() { Err(MakersError) } else { Ok(Self { rows, names }) }
    }

    /// How many prefixes have a name.
    pub fn n_prefixes(&self) -> usize {
        self.rows.len()
    }

    /// Who made the interface with this address: whom the longest prefix is assigned to. None of an address somebody chose.
    pub fn of(&self, mac: [u8; 6]) -> Option<&str> {
        if mac[0] & 2 != 0 {
            return None;
        }
        let [a, b, c, d, e, f] = mac;
        let bits = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
        let found = LENGTHS.iter().find_map(|length| {
            let key = (bits >> (48 - length) << (48 - length), *length);
            self.rows.binary_search_by_key(&key, |it| it.0).ok()
        })?;
        let Range { start, end } = self.rows.get(found)?.1;
        self.names.get(start as usize..end as usize)
    }
}

/// A prefix and its length, of so many digits as it is written with.
type Prefix = (u64, u32);

/// `MA-L,0050C2,"A maker, Ltd.",Its address`.
fn of_registry(line: &str) -> Option<(Prefix, &str)> {
    let (_, rest) = line.split_once(',').filter(|it| it.0.starts_with("MA-"))?;
    let (digits, rest) = rest.split_once(',')?;
    let name = match rest.strip_prefix('"') {
        // A quotation mark inside is written twice, which no more than shortens the name.
        Some(quoted) => quoted.split_once('"')?.0,
        None => rest.split_once(',').map_or(rest, |it| it.0),
    };
    Some((prefix(digits, None)?, name))
}

/// `00-50-C2   (hex)    A maker`.
fn of_text(line: &str) -> Option<(Prefix, &str)> {
    let (digits, name) = line.split_once("(hex)")?;
    Some((prefix(digits, None)?, name))
}

/// `00:50:C2  AMaker  A maker, Ltd.`, or `00:50:C2:00:00:00/36  AMaker`.
fn of_tabs(line: &str) -> Option<(Prefix, &str)> {
    let (written, names) = line.split_once('\t')?;
    let (digits, length) = match written.trim().split_once('/') {
        Some((digits, length)) => (digits, Some(length.parse().ok()?)),
        None => (written, None),
    };
    let name = names.rsplit('\t').map(str::trim).find(|it| !it.is_empty())?;
    Some((prefix(digits, length)?, name))
}

/// The bits that so many hexadecimal digits give, with colons, hyphens or nothing between them.
fn prefix(written: &str, length: Option<u32>) -> Option<Prefix> {
    let digits: Option<Vec<u32>> = written
        .trim()
        .chars()
        .filter(|it| !matches!(it, ':' | '-' | '.'))
        .map(|it| it.to_digit(16))
        .collect();
    let digits = digits.filter(|it| it.len() <= 12)?;
    let length = length.unwrap_or(digits.len() as u32 * 4);
    if !LENGTHS.contains(&length) || (digits.len() as u32) * 4 < length {
        return None;
    }
    let bits = digits.iter().fold(0, |bits, digit| bits << 4 | u64::from(*digit));
    let bits = bits << (48 - digits.len() as u32 * 4);
    Some(((bits >> (48 - length) << (48 - length)), length))
}

/// A name without what cannot be seen.
fn shown(name: &str) -> String {
    let mut shown: String = name.trim().chars().filter(|it| !it.is_control()).collect();
    shown.truncate(shown.floor_char_boundary(MAX_NAME));
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(list: &str, mac: [u8; 6], expected: Option<&str>) {
        let makers = Makers::read(list).unwrap();
        assert_eq!(makers.of(mac), expected);
    }

    #[test]
    fn each_way_to_write_a_list_is_read() {
        let mac = [0x00, 0x50, 0xc2, 0x01, 0x23, 0x45];
        let registry = "Registry,Assignment,Organization Name,Organization Address\r\nMA-L,0050C2,\"A maker, Ltd.\",\"Here, 1\"\r\n";
        check(registry, mac, Some("A maker, Ltd."));
        check("MA-L,0050C2,A maker,Here\n", mac, Some("A maker"));
        check(
            "00-50-C2   (hex)\t\tA maker\n0050C2     (base 16)\t\tA maker\n",
            mac,
            Some("A maker"),
        );
        check("# a comment\n00:50:C2\tAMaker\tA maker, Ltd.\n", mac, Some("A maker, Ltd."));
        check("00:50:C2\tAMaker\n", mac, Some("AMaker"));
    }

    #[test]
    fn the_longest_prefix_counts() {
        let list = "MA-L,0050C2,All,\nMA-S,0050C2012,Some,\nMA-M,0050C23,Others,\n";
        check(list, [0x00, 0x50, 0xc2, 0x01, 0x23, 0x45], Some("Some"));
        check(list, [0x00, 0x50, 0xc2, 0x31, 0x23, 0x45], Some("Others"));
        check(list, [0x00, 0x50, 0xc2, 0x71, 0x23, 0x45], Some("All"));
        check(list, [0x00, 0x50, 0xc3, 0x71, 0x23, 0x45], None);
        check("00:50:C2:01:20:00/36\tSome\n", [0x00, 0x50, 0xc2, 0x01, 0x2f, 0x45], Some("Some"));
    }

    #[test]
    fn an_address_somebody_chose_has_no_maker() {
        check("MA-L,0250C2,A maker,\n", [0x02, 0x50, 0xc2, 0, 0, 1], None);
    }

    #[test]
    fn of_two_lines_the_last_counts() {
        check("00:50:C2\tOld\n00:50:C2\tNew\n", [0x00, 0x50, 0xc2, 0, 0, 1], Some("New"));
    }

    #[test]
    fn what_names_no_maker_is_refused() {
        for text in
            ["", "a,b,c\n", "MA-L,00ZZC2,A maker,\n", "0050C2012345678\tLong\n", "/24\tNone\n"]
        {
            assert_eq!(Makers::read(text).unwrap_err(), MakersError, "{text}");
        }
    }

    #[test]
    fn a_name_brings_nothing_unseen() {
        check("00:50:C2\tA\u{1b}[31m maker\n", [0, 0x50, 0xc2, 0, 0, 1], Some("A[31m maker"));
    }
}
