//! Where in the page one is: a view, a filter, an order and what is opened. Written in the address after `#`.

use v1::page::FlowSort;

use crate::{clock::Mode, columns};

/// The views. All but [`View::Train`] are of an opened capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// The first look.
    #[default]
    Overview,
    /// The flow table.
    Flows,
    /// The host table, or one host.
    Hosts,
    /// The session table, or one session.
    Sessions,
    /// The labels found and all there can be.
    Labels,
    /// Flows as files.
    Export,
    /// Learning from captures; works without an opened one.
    Train,
    /// Who talks to whom.
    Talks,
    /// Another capture beside the opened one.
    Compare,
}

/// Every view, in the order of their words.
pub const VIEWS: [View; 9] = [
    View::Overview,
    View::Flows,
    View::Hosts,
    View::Sessions,
    View::Labels,
    View::Export,
    View::Train,
    View::Talks,
    View::Compare,
];

/// Every view, in the order of the rail and of the number keys.
pub const RAIL: [View; 9] = [
    View::Overview,
    View::Flows,
    View::Hosts,
    View::Sessions,
    View::Talks,
    View::Labels,
    View::Compare,
    View::Export,
    View::Train,
];

impl View {
    /// Its word in the address.
    pub fn key(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Flows => "flows",
            Self::Hosts => "hosts",
            Self::Sessions => "sessions",
            Self::Labels => "labels",
            Self::Export => "export",
            Self::Train => "train",
            Self::Talks => "talks",
            Self::Compare => "compare",
        }
    }
}

/// A place in the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The view.
    pub view: View,
    /// The filter of the flow table, as typed.
    pub filter: String,
    /// The order of the flow table.
    pub sort: FlowSort,
    /// Greatest first.
    pub is_descending: bool,
    /// The columns of the flow table, as [`columns::chosen`] reads them; empty for the usual ones.
    pub columns: String,
    /// Which time tables show.
    pub time: Mode,
    /// By what the flow table cuts flows, as the command line has it; empty for not at all.
    pub timeout: String,
    /// The mark of the capture the address is about; empty where none is.
    pub file: String,
    /// What is opened in the view: a flow's number, a host's address, a session's number. Empty for nothing.
    pub id: String,
}

impl Place {
    /// The flows that pass a filter, in order of their first packet.
    pub fn flows(filter: impl Into<String>) -> Self {
        Self { view: View::Flows, filter: filter.into(), ..Self::default() }
    }

    /// One host.
    pub fn host(ip: &str) -> Self {
        Self { view: View::Hosts, id: ip.to_owned(), ..Self::default() }
    }

    /// One session.
    pub fn session(number: u32) -> Self {
        Self { view: View::Sessions, id: number.to_string(), ..Self::default() }
    }

    /// One flow beside the table of all.
    pub fn flow(number: u32) -> Self {
        Self { id: number.to_string(), ..Self::flows("") }
    }

    /// Another view with nothing opened; filter and order stay.
    pub fn in_view(&self, view: View) -> Self {
        Self { view, id: String::new(), ..self.clone() }
    }

    /// The same with this opened, or nothing by an empty one.
    pub fn with_id(&self, id: impl Into<String>) -> Self {
        Self { id: id.into(), ..self.clone() }
    }

    /// The same with the columns and times of another place, where this one has the usual ones.
    pub fn looking_as(mut self, other: &Self) -> Self {
        if self.columns.is_empty() {
            self.columns.clone_from(&other.columns);
        }
        if self.time == Mode::Utc {
            self.time = other.time;
        }
        // Whatever leads there, it is of the same capture.
        if self.file.is_empty() {
            self.file.clone_from(&other.file);
        }
        self
    }

    /// By what flows are cut, `none` for not at all.
    pub fn cut(&self) -> String {
        if self.timeout.is_empty() { "none".to_owned() } else { self.timeout.clone() }
    }

    /// The address's part from `#` on. What is as always is left out.
    pub fn hash(&self) -> String {
        let mut out = format!("#v={}", self.view.key());
        if !self.filter.is_empty() {
            out += &format!("&q={}", encode(&self.filter));
        }
        if (self.sort, self.is_descending) != (FlowSort::Start, false) {
            let name = columns::sort_key(self.sort);
            out += &format!("&s={}{name}", if self.is_descending { "-" } else { "" });
        }
        if !self.columns.is_empty() {
            out += &format!("&c={}", encode(&self.columns));
        }
        if self.time != Mode::Utc {
            out += &format!("&tm={}", self.time.key());
        }
        if !self.timeout.is_empty() {
            out += &format!("&t={}", encode(&self.timeout));
        }
        if !self.id.is_empty() {
            out += &format!("&id={}", encode(&self.id));
        }
        if !self.file.is_empty() {
            out += &format!("&f={}", self.file);
        }
        out
    }

    /// Reads such a part. What cannot be understood is as always.
    pub fn parse(hash: &str) -> Self {
        let mut place = Self::default();
        for (key, value) in pairs(hash) {
            match key {
                "v" => {
                    let found = VIEWS.into_iter().find(|it| it.key() == value);
                    place.view = found.unwrap_or_default();
                }
                "q" => place.filter = value,
                "s" => {
                    let name = value.strip_prefix('-');
                    place.is_descending = name.is_some();
                    let name = name.unwrap_or(&value);
                    let found = columns::named(name).and_then(|it| it.sort);
                    place.sort = found.unwrap_or_default();
                }
                "c" => place.columns = columns::understood(&value),
                "tm" => place.time = Mode::named(&value),
                "t" => place.timeout = value,
                "id" => place.id = value,
                "f" if is_mark(&value) => place.file = value,
                _ => {}
            }
        }
        place
    }
}

/// Whether a text can be a capture's mark.
fn is_mark(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|it| it.is_ascii_hexdigit())
}

/// The `key=value` pairs of an address's part from `#` on.
pub fn pairs(hash: &str) -> impl Iterator<Item = (&str, String)> {
    let pairs = hash.trim_start_matches('#').split('&');
    pairs.filter_map(|it| it.split_once('=')).map(|(key, value)| (key, decode(value)))
}

/// Percent-encodes what would end a value or be changed in an address (RFC 3986, 3.5).
pub fn encode(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-._~!$'()*,;:@/?=[]".contains(&byte);
        if is_plain {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    out
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let hex = after.split_at_checked(2).filter(|_| *byte == b'%').and_then(|(hex, after)| {
            let hex = std::str::from_utf8(hex).ok()?;
            Some((u8::from_str_radix(hex, 16).ok()?, after))
        });
        let (byte, after) = hex.unwrap_or((*byte, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(place: Place, hash: &str) {
        assert_eq!(place.hash(), hash);
        assert_eq!(Place::parse(hash), place);
    }

    #[test]
    fn a_place_is_written_and_read() {
        check(Place::default(), "#v=overview");
        check(Place::flows("label:vk bytes>1MB"), "#v=flows&q=label:vk%20bytes%3E1MB");
        check(Place::host("2001:db8::1"), "#v=hosts&id=2001:db8::1");
        check(
            Place { sort: FlowSort::Bytes, is_descending: true, ..Place::flow(12) },
            "#v=flows&s=-bytes&id=12",
        );
        check(Place { timeout: "idle:60".into(), ..Place::flows("") }, "#v=flows&t=idle:60");
        check(
            Place { file: "0123456789abcdef".into(), ..Place::flows("") },
            "#v=flows&f=0123456789abcdef",
        );
        check(
            Place {
                columns: "label:300,ja4".into(),
                time: Mode::Local,
                sort: FlowSort::RoundTrip,
                ..Place::flows("")
            },
            "#v=flows&s=round_trip&c=label:300,ja4&tm=local",
        );
        check(Place::flows("имя & 100% #1"), &Place::flows("имя & 100% #1").hash());
    }

    #[test]
    fn what_cannot_be_understood_is_as_always() {
        assert_eq!(Place::parse(""), Place::default());
        assert_eq!(
            Place::parse("#v=nowhere&s=-weight&x=1&%"),
            Place { is_descending: true, ..Place::default() }
        );
        assert_eq!(Place::parse("#q=100%&v=flows").filter, "100%");
    }
}
