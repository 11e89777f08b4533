//! A table that says which flow has which label, by five-tuple and time: CSV as data sets come with.
//!
//! Columns are found by their names, whatever their case, spaces and dashes. Both directions of a row are the same flow.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use flow::{Endpoint, Flow, Transport};
use learn::Csv;

/// Where each column may be called so, as [`key`] has it.
const LABEL: &[&str] =
    &["label", "class", "application", "app", "attack", "category", "traffictype"];
const SOURCE_IP: &[&str] =
    &["srcip", "sourceip", "clientip", "saddr", "srcaddr", "ipsrc", "idorigh", "source"];
const DESTINATION_IP: &[&str] =
    &["dstip", "destinationip", "serverip", "daddr", "dstaddr", "ipdst", "idresph", "destination"];
const SOURCE_PORT: &[&str] =
    &["srcport", "sourceport", "clientport", "sport", "idorigp", "tcpsrcport", "udpsrcport"];
const DESTINATION_PORT: &[&str] =
    &["dstport", "destinationport", "serverport", "dport", "idrespp", "tcpdstport", "udpdstport"];
const PROTOCOL: &[&str] = &["protocol", "proto", "transport", "ipprotocol", "ipproto"];
const START: &[&str] = &[
    "timestamp",
    "start",
    "starttime",
    "timestart",
    "timestartns",
    "flowstart",
    "flowstarttime",
    "firstseen",
    "bidirectionalfirstseenms",
    "ts",
    "time",
];
const END: &[&str] = &[
    "end",
    "endtime",
    "timeend",
    "timeendns",
    "flowend",
    "flowendtime",
    "lastseen",
    "bidirectionallastseenms",
];
/// In microseconds, as CICFlowMeter has it.
const DURATION: &[&str] = &["flowduration"];
const CAPTURE: &[&str] = &["capture", "file", "filename", "pcap", "name"];

const SECOND: i128 = 1_000_000_000;

/// Labels of flows, by their ends and times.
#[derive(Clone, Debug, Default)]
pub struct LabelTable {
    labels: Vec<String>,
    has_ports: bool,
    /// What is added to its times to get those of captures, in nanoseconds.
    offset_ns: i128,
    rows: BTreeMap<(Endpoint, Endpoint), Vec<Row>>,
    n_unread: u64,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    /// What carries the flow; `None` where it is not said.
    transport: Option<Transport>,
    /// From when to when, in nanoseconds; `None` where no time is said, and then always.
    times: Option<(i128, i128)>,
    /// Its place among the labels.
    label: u32,
}

/// Why a text is no table of labels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelTableError {
    /// A column is missing.
    #[error("the table of labels has no column for {what}; it has {found}")]
    NoColumn {
        /// What it would say.
        what: &'static str,
        /// The columns there are.
        found: String,
    },
    /// No row can be used.
    #[error("no row of the table of labels has addresses, ports and a time that can be read")]
    NoRows,
}

/// What a table says of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named<'a> {
    /// This label.
    Label(&'a str),
    /// Nothing.
    Nothing,
    /// Several labels.
    Contradicting,
}

/// A name without case, spaces, dashes and the like.
fn key(name: &str) -> String {
    name.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The columns of a table by what they say.
struct Columns(Vec<String>);

impl Columns {
    fn of(cells: &[impl AsRef<str>]) -> Self {
        Self(cells.iter().map(|it| key(it.as_ref())).collect())
    }

    /// The place of the first column that is called so; the first names are the most telling.
    fn place(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.0.iter().position(|it| it == name))
    }

    fn needed(&self, names: &[&str], what: &'static str) -> Result<usize, LabelTableError> {
        let found = || self.0.join(", ");
        self.place(names).ok_or_else(|| LabelTableError::NoColumn { what, found: found() })
    }
}

/// Labels of captures by their names, of a table with a column for either and none for addresses; else `None`.
pub fn labels_of_captures(text: &str) -> Option<BTreeMap<String, String>> {
    let mut csv = Csv::new(text);
    let columns = Columns::of(csv.next_record()?);
    let (capture, label) = (columns.place(CAPTURE)?, columns.place(LABEL)?);
    if columns.place(SOURCE_IP).is_some() {
        return None;
    }
    let mut labels = BTreeMap::new();
    while let Some(cells) = csv.next_record() {
        if let (Some(capture), Some(label)) = (cells.get(capture), cells.get(label)) {
            labels.insert(capture.to_string(), label.to_string());
        }
    }
    Some(labels)
}

impl LabelTable {
    /// Reads a table: with columns for both addresses and the label, and where it has them for ports, the protocol and when
    /// the flow began and ended. Its times are UTC.
    ///
    /// # Errors
    /// Where a column is missing or no row can be used.
    pub fn read(text: &str) -> Result<Self, LabelTableError> {
        let mut csv = Csv::new(text);
        let header: Vec<String> =
            csv.next_record().unwrap_or_default().iter().map(ToString::to_string).collect();
        let columns = Columns::of(&header);
        let label = columns.needed(LABEL, "the label")?;
        let ips = [
            columns.needed(SOURCE_IP, "the source's address")?,
            columns.needed(DESTINATION_IP, "the destination's address")?,
        ];
        let ports = columns.place(SOURCE_PORT).zip(columns.place(DESTINATION_PORT));
        let [protocol, start, end, duration] =
            [PROTOCOL, START, END, DURATION].map(|it| columns.place(it));
        let mut table = Self { has_ports: ports.is_some(), ..Self::default() };
        let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
        while let Some(cells) = csv.next_record() {
            let cell = |at: usize| cells.get(at).map_or("", |it| it.trim());
            let read = || -> Option<(Endpoint, Endpoint, Row)> {
                let port = |at: usize| cell(at).parse::<f64>().ok().map(|it| it as u16);
                let [source, destination] = ips.map(|it| cell(it).parse::<IpAddr>().ok());
                let (from, to) = match ports {
                    Some((from, to)) => (port(from)?, port(to)?),
                    None => (0, 0),
                };
                let times = match start {
                    Some(start) => {
                        let (first, precision) = time(cell(start))?;
                        let last = end.and_then(|it| time(cell(it))).map(|it| it.0 + it.1);
                        let lasted = duration.and_then(|it| cell(it).parse::<f64>().ok());
                        let lasted = (lasted.unwrap_or(0.0).max(0.0) * 1e3) as i128;
                        let last =
                            last.unwrap_or(first.saturating_add(lasted).saturating_add(precision));
                        Some((first, last.max(first)))
                    }
                    None => None,
                };
                let transport = protocol.and_then(|it| transport(cell(it)));
                let row = Row { transport, times, label: 0 };
                Some((
                    Endpoint { ip: source?, port: from },
                    Endpoint { ip: destination?, port: to },
                    row,
                ))
            };
            let name = cell(label);
            let Some((a, b, row)) = read().filter(|_| !name.is_empty()) else {
                table.n_unread += 1;
                continue;
            };
            let number = match numbers.get(name) {
                Some(known) => *known,
                None => {
                    let number = table.labels.len() as u32;
                    table.labels.push(name.to_owned());
                    numbers.insert(name.to_owned(), number);
                    number
                }
            };
            let rows = table.rows.entry((a.min(b), a.max(b))).or_default();
            rows.push(Row { label: number, ..row });
        }
        if table.rows.is_empty() { Err(LabelTableError::NoRows) } else { Ok(table) }
    }

    /// The same where its clock is so many seconds behind that of the captures.
    pub fn with_offset(self, seconds: i64) -> Self {
        Self { offset_ns: i128::from(seconds) * SECOND, ..self }
    }

    /// How many rows could not be read.
    pub fn n_unread(&self) -> u64 {
        self.n_unread
    }

    /// What it says of a flow, or of a piece of it, that lasted from one time to another (ns).
    pub(crate) fn label(&self, flow: &Flow, from: u64, to: u64) -> Named<'_> {
        self.label_of((flow.transport, flow.client, flow.server), from, to)
    }

    fn label_of(&self, ends: (Transport, Endpoint, Endpoint), from: u64, to: u64) -> Named<'_> {
        let mut labels = BTreeSet::new();
        self.add_labels(ends, (from, to), &mut labels);
        self.named(&labels)
    }

    /// What it says of all of these.
    pub(crate) fn label_of_all<'f>(
        &self,
        flows: impl Iterator<Item = (&'f Flow, u64, u64)>,
    ) -> Named<'_> {
        let mut labels = BTreeSet::new();
        for (flow, from, to) in flows {
            self.add_labels((flow.transport, flow.client, flow.server), (from, to), &mut labels);
        }
        self.named(&labels)
    }

    fn named(&self, labels: &BTreeSet<u32>) -> Named<'_> {
        match labels.first() {
            None => Named::Nothing,
            Some(label) if labels.len() == 1 => {
                Named::Label(self.labels.get(*label as usize).map_or("", String::as_str))
            }
            Some(_) => Named::Contradicting,
        }
    }

    /// Adds the labels of the rows whose times and those of the flow have something in common.
    fn add_labels(
        &self,
        (transport, client, server): (Transport, Endpoint, Endpoint),
        (from, to): (u64, u64),
        labels: &mut BTreeSet<u32>,
    ) {
        let end =
            |it: Endpoint| Endpoint { ip: it.ip, port: if self.has_ports { it.port } else { 0 } };
        let (a, b) = (end(client), end(server));
        let (from, to) = (i128::from(from) - self.offset_ns, i128::from(to) - self.offset_ns);
        let holds = |it: &&Row| {
            it.transport.is_none_or(|it| it == transport)
                && it.times.is_none_or(|(start, end)| start <= to && from <= end)
        };
        let rows = self.rows.get(&(a.min(b), a.max(b))).map(Vec::as_slice).unwrap_or_default();
        labels.extend(rows.iter().filter(holds).map(|it| it.label));
    }
}

/// A transport by its number or name; `None` where it is not said. Data sets write 0 for what they do not know.
fn transport(text: &str) -> Option<Transport> {
    match text.parse::<f64>() {
        Ok(number) => Some(Transport(number as u8)).filter(|it| it.0 != 0),
        Err(_) => Transport::named(&text.to_lowercase()),
    }
}

/// A time in nanoseconds, and how much later it may be by what is not written of it.
fn time(text: &str) -> Option<(i128, i128)> {
    let nanos = i128::from(learn::time_of(text)?);
    let clock = text.split_once([' ', 'T']).map(|it| it.1);
    let unwritten = match clock {
        Some(clock) if clock.contains('.') => SECOND / 1_000,
        Some(clock) => match clock.matches(':').count() {
            0 => 24 * 3_600 * SECOND,
            1 => 60 * SECOND,
            _ => SECOND,
        },
        // A number: of seconds, or of parts of them.
        None if text.contains(['-', '/']) => 24 * 3_600 * SECOND,
        None => match nanos % SECOND {
            0 => SECOND,
            it if it % 1_000_000 == 0 => SECOND / 1_000,
            _ => 0,
        },
    };
    Some((nanos, unwritten))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn end(last: u8, port: u16) -> Endpoint {
        Endpoint { ip: IpAddr::V4(Ipv4Addr::new(10, 0, 0, last)), port }
    }

    /// A TCP flow of 10.0.0.1:40000 and 10.0.0.2:443 that lasts from one second to another.
    #[track_caller]
    fn check(table: &LabelTable, from: u64, to: u64, expected: Named<'_>) {
        let ends = (Transport::TCP, end(1, 40_000), end(2, 443));
        let nanos = |it: u64| it * 1_000_000_000;
        assert_eq!(table.label_of(ends, nanos(from), nanos(to)), expected);
        let turned = (Transport::TCP, end(2, 443), end(1, 40_000));
        assert_eq!(table.label_of(turned, nanos(from), nanos(to)), expected);
    }

    #[test]
    fn a_table_of_the_data_sets_names_flows() {
        let text = "Flow ID, Src IP,Src Port, Dst IP, Dst Port,Protocol,Timestamp,Flow Duration,Label\n\
            x,10.0.0.2,443,10.0.0.1,40000,6,05/07/2017 08:42,3000000,VPN\n\
            x,10.0.0.2,443,10.0.0.1,40000,17,05/07/2017 08:42,3,Other\n\
            x,nowhere,443,10.0.0.1,40000,17,05/07/2017 08:42,3,Other\n";
        let table = LabelTable::read(text).unwrap();
        assert_eq!(table.n_unread(), 1);
        // 5 July 2017, 08:42 UTC; seconds are not written, so it may have begun until 08:43.
        let start = 1_499_244_120;
        check(&table, start + 59, start + 70, Named::Label("VPN"));
        check(&table, start + 61, start + 70, Named::Label("VPN"));
        check(&table, start + 70, start + 80, Named::Nothing);
        check(&table, start - 20, start - 10, Named::Nothing);
        let table = table.with_offset(-3_600);
        check(&table, start - 3_600, start - 3_600, Named::Label("VPN"));
        check(&table, start, start, Named::Nothing);
    }

    #[test]
    fn start_and_end_may_be_said_as_numbers() {
        let text = "src_ip;src_port;dst_ip;dst_port;proto;start;end;app\n\
            10.0.0.1;40000;10.0.0.2;443;tcp;1499244120.5;1499244130.5;a\n\
            10.0.0.1;40000;10.0.0.2;443;TCP;1499244140500;1499244150500;b\n";
        let table = LabelTable::read(text).unwrap();
        check(&table, 1_499_244_121, 1_499_244_122, Named::Label("a"));
        check(&table, 1_499_244_145, 1_499_244_146, Named::Label("b"));
        check(&table, 1_499_244_121, 1_499_244_145, Named::Contradicting);
        check(&table, 1_499_244_133, 1_499_244_135, Named::Nothing);
    }

    #[test]
    fn addresses_alone_will_do() {
        let table = LabelTable::read("Source IP,Destination IP,Label\n10.0.0.1,10.0.0.2,x\n");
        check(&table.unwrap(), 5, 6, Named::Label("x"));
    }

    #[test]
    fn what_is_missing_is_told() {
        let error = LabelTable::read("src ip,label\n").unwrap_err().to_string();
        assert_eq!(
            error,
            "the table of labels has no column for the destination's address; it has srcip, label"
        );
        assert_eq!(LabelTable::read("src ip,dst ip,label\n").unwrap_err(), LabelTableError::NoRows);
    }

    #[test]
    fn captures_are_labelled_by_a_list() {
        let labels = labels_of_captures("Capture,Label\na.pcap,skype\n\"b, c.pcap\",vk\n").unwrap();
        assert_eq!(labels.get("b, c.pcap").map(String::as_str), Some("vk"));
        assert!(labels_of_captures("capture,src ip,label\n").is_none());
        assert!(labels_of_captures("a,b\n").is_none());
    }
}
