//! What a capture says of itself beside its frames: who wrote it, where, and how much got lost.

use std::net::IpAddr;

/// How long a text may be, in bytes; the rest of it is dropped.
const MAX_TEXT_LEN: usize = 1_024;
/// How many comments are kept.
const MAX_COMMENTS: usize = 100;
/// How many interfaces are told.
const MAX_INTERFACES: usize = 256;
/// How many names of addresses are kept.
const MAX_NAMES: usize = 10_000;
/// The longest name of an address, in bytes (RFC 1035, section 2.3.4).
const MAX_NAME_LEN: usize = 255;

/// What a pcapng capture says of itself; all is empty for a pcap, which can say nothing.
///
/// Every text is what the writer of the file put there: at most 1,024 bytes of it, and never to be trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// The machine it was captured with, as the first section says that does.
    pub hardware: Option<String>,
    /// The operating system it was captured with.
    pub system: Option<String>,
    /// The program that wrote the file.
    pub application: Option<String>,
    /// Comments about sections and interfaces, in the order of the file: the first hundred.
    pub comments: Vec<String>,
    /// What it was captured from, in the order of the file: the first 256.
    pub interfaces: Vec<Interface>,
    /// Sections, which are captures of their own in one file.
    pub sections: u64,
    /// Frames with a comment of their own: [`crate::Frame::comment`].
    pub commented_frames: u64,
    /// Frames that passed the interfaces by their own statistics, those that were dropped included.
    pub received: u64,
    /// Frames that the capturing program did not get in time: by the statistics of interfaces and systems.
    pub dropped: u64,
    /// Blocks with secrets to decrypt by. They are counted, not kept and not used.
    pub secrets: u64,
    /// Blocks of somebody's own kind, skipped.
    pub custom_blocks: u64,
    /// Blocks of a kind that is not known, skipped.
    pub unknown_blocks: u64,
    /// Addresses and what the capture calls them, in the order of the file.
    pub(crate) names: Vec<(IpAddr, String)>,
}

/// Where frames were captured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interface {
    /// What the system calls it: `eth0`.
    pub name: Option<String>,
    /// What it is for people.
    pub description: Option<String>,
    /// What its frames begin with (the LINKTYPE of tcpdump.org's registry).
    pub link_type: u16,
    /// Frames are cut to so many bytes; 0 for no limit.
    pub snap_len: u32,
}

impl Notes {
    /// Adds what the next file of the same capture says; what the first one says of its writer stays.
    pub fn append(&mut self, next: Self) {
        let Self { hardware, system, application, .. } = next;
        self.hardware = self.hardware.take().or(hardware);
        self.system = self.system.take().or(system);
        self.application = self.application.take().or(application);
        self.comments.extend(next.comments);
        self.comments.truncate(MAX_COMMENTS);
        for interface in next.interfaces {
            // A recorder names the same ones in each of its files.
            if !self.interfaces.contains(&interface) {
                self.add_interface(interface);
            }
        }
        self.names.extend(next.names);
        self.names.truncate(MAX_NAMES);
        self.sections += next.sections;
        self.commented_frames += next.commented_frames;
        self.received += next.received;
        self.dropped += next.dropped;
        self.secrets += next.secrets;
        self.custom_blocks += next.custom_blocks;
        self.unknown_blocks += next.unknown_blocks;
    }

    /// The names the capture gives to addresses, in file order: the first ten thousand.
    pub fn names(&self) -> &[(IpAddr, String)] {
        &self.names
    }

    pub(crate) fn add_comment(&mut self, value: &[u8]) {
        if let Some(it) = text(value).filter(|_| self.comments.len() < MAX_COMMENTS) {
            self.comments.push(it.to_owned());
        }
    }

    pub(crate) fn add_interface(&mut self, interface: Interface) {
        if self.interfaces.len() < MAX_INTERFACES {
            self.interfaces.push(interface);
        }
    }

    pub(crate) fn add_name(&mut self, address: IpAddr, name: &[u8]) {
        let is_name = (1..=MAX_NAME_LEN).contains(&name.len()) && self.names.len() < MAX_NAMES;
        if let Some(it) = text(name).filter(|_| is_name) {
            self.names.push((address, it.to_owned()));
        }
    }
}

/// Whether a character does something to whoever looks at it: commands to a terminal, and marks that turn the direction
/// of what follows, end a line or cannot be seen. The joiners of scripts and emoji stay.
pub fn is_treacherous(it: char) -> bool {
    let is_invisible = matches!(
        it,
        '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}'
    );
    it.is_control() || is_invisible
}

/// A text of anybody's without what would do something to its reader.
pub fn plain(text: &str) -> String {
    if text.bytes().all(|it| matches!(it, b' '..=b'~')) {
        return text.to_owned();
    }
    text.replace(is_treacherous, "\u{fffd}")
}

/// The text in an option's value, as far as it is UTF-8 and not too long; `None` where there is none.
pub(crate) fn text(value: &[u8]) -> Option<&str> {
    let value = value.split(|it| *it == 0).next().unwrap_or_default();
    let valid = match std::str::from_utf8(value) {
        Ok(all) => all,
        Err(error) => std::str::from_utf8(value.get(..error.valid_up_to())?).ok()?,
    };
    let cut = valid.get(..valid.floor_char_boundary(MAX_TEXT_LEN))?;
    (!cut.is_empty()).then_some(cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(value: &[u8], expected: Option<&str>) {
        assert_eq!(text(value), expected);
    }

    #[test]
    fn a_text_ends_where_it_stops_being_one() {
        check("комментарий".as_bytes(), Some("комментарий"));
        check(b"padded\0\0", Some("padded"));
        check(b"good\xffbad", Some("good"));
        check(b"\xff", None);
        check(b"", None);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let long = "я".repeat(1_000);
        check(long.as_bytes(), long.get(..1_024));
        let odd = format!("x{long}");
        check(odd.as_bytes(), odd.get(..1_023));
    }

    #[test]
    fn what_steers_or_hides_is_treacherous() {
        for it in ['\0', '\u{1b}', '\u{9b}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{2028}'] {
            assert!(is_treacherous(it), "{it:?}");
        }
        assert!(!"Ünïcode Привет \u{200d}👩 שלום".contains(is_treacherous));
    }
}
