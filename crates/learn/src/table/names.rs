//! What columns are by their names, however those are spelt.

/// A name without case, spaces and punctuation.
pub(super) fn key(name: &str) -> String {
    name.chars().filter(|it| it.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Words of CICFlowMeter's many headers, and what they mean: versions 3 and 4, CICIDS2017, CSE-CIC-IDS2018, the Python one.
const WORDS: &[(&str, &str)] = &[
    ("average", "avg"),
    ("b", "bulk"),
    ("backward", "bwd"),
    ("blk", "bulk"),
    ("byte", "bytes"),
    ("byts", "bytes"),
    ("cnt", "count"),
    // As CICIDS2017 spells it.
    ("cwe", "cwr"),
    ("forward", "fwd"),
    ("len", "length"),
    ("packet", "packets"),
    ("pkt", "packets"),
    ("pkts", "packets"),
    ("segment", "seg"),
    ("tot", "total"),
    ("totlen", "total length"),
    ("var", "variance"),
];

/// A name of CICFlowMeter as the words it is made of, whatever their order: `Min Packet Length` is `Packet Length Min`.
pub(super) fn words_key(name: &str) -> String {
    let mut spaced = String::new();
    let mut was_lower = false;
    for it in name.chars() {
        if was_lower && it.is_uppercase() {
            spaced.push(' ');
        }
        was_lower = it.is_lowercase();
        spaced.extend(it.to_lowercase());
    }
    let mut words = Vec::new();
    for word in
        spaced.split(|it: char| !it.is_alphanumeric()).filter(|it| !matches!(*it, "" | "of"))
    {
        let plain = WORDS.iter().find(|it| it.0 == word).map_or(word, |it| it.1);
        words.extend(plain.split(' '));
    }
    words.sort_unstable();
    words.join(" ")
}

/// What a column that is no feature says of its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// The server's port.
    Port,
    /// When it began.
    Time,
    /// The capture or file it is from.
    Capture,
    /// Which flow it is, in another way.
    Identity,
}

/// Names of columns that say which flow a row is of, as [`key`] has them.
const SAYS: &[(Says, &[&str])] = &[
    (Says::Port, &["destinationport", "dport", "dstport", "idrespp", "serverport"]),
    (
        Says::Time,
        &[
            "bidirectionalfirstseenms",
            "firstseen",
            "flowstart",
            "flowstarttime",
            "starttime",
            "timefirst",
            "timestamp",
            "timestart",
            "ts",
        ],
    ),
    (
        Says::Capture,
        &[
            "capture",
            "capturefile",
            "capturename",
            "file",
            "filename",
            "pcap",
            "pcapfile",
            "pcapname",
            "source",
            "sourcefile",
        ],
    ),
    (
        Says::Identity,
        &[
            "",
            "bidirectionallastseenms",
            "clientip",
            "clientport",
            "destinationip",
            "destinationmac",
            "dst2srcfirstseenms",
            "dst2srclastseenms",
            "dstaddr",
            "dstip",
            "dstmac",
            "dstoui",
            "endtime",
            "expirationid",
            "flowend",
            "flowendtime",
            "flowid",
            "flowkey",
            "id",
            "idorigh",
            "idorigp",
            "idresph",
            "index",
            "ipdst",
            "ipsrc",
            "ipversion",
            "lastseen",
            "saddr",
            "daddr",
            "serverip",
            "sessionid",
            "sourceip",
            "sourcemac",
            "sourceport",
            "sport",
            "src2dstfirstseenms",
            "src2dstlastseenms",
            "srcaddr",
            "srcip",
            "srcmac",
            "srcoui",
            "srcport",
            "timeend",
            "tunnelid",
            "uid",
            "unnamed0",
            "vlanid",
        ],
    ),
];

/// What a column says of its row by its name's key; `None` of any other.
pub(super) fn says(key: &str) -> Option<Says> {
    SAYS.iter().find(|it| it.1.contains(&key)).map(|it| it.0)
}

/// Names of columns that are labels, as [`key`] has them, the surest first.
pub(super) const LABELS: &[&str] = &[
    "label",
    "class1",
    "class",
    "label1",
    "target",
    "category",
    "traffictype",
    "trafficcategory",
    "trafficclass",
    "applicationname",
    "application",
    "app",
    "attackcat",
    "attack",
    "service",
    "type",
    "y",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[track_caller]
    fn check(ours: &str, theirs: &[&str]) {
        theirs.iter().for_each(|it| assert_eq!(words_key(it), words_key(ours), "{it}"));
    }

    #[test]
    fn a_column_of_cicflowmeter_is_known_in_every_spelling() {
        check("Total Fwd Packet", &["Total Fwd Packets", "Tot Fwd Pkts", "tot_fwd_pkts"]);
        check("Total Bwd packets", &["Total Backward Packets", "tot_bwd_pkts"]);
        check("Total Length of Fwd Packet", &["TotLen Fwd Pkts", "totlen_fwd_pkts"]);
        check("Packet Length Variance", &["Pkt Len Var", "pkt_len_var"]);
        check("FWD Init Win Bytes", &["Init_Win_bytes_forward", "Init Fwd Win Byts"]);
        check("Fwd Bytes/Bulk Avg", &["Fwd Avg Bytes/Bulk", "Fwd Byts/b Avg", "fwd_byts_b_avg"]);
        check("Fwd Seg Size Min", &["min_seg_size_forward", "fwd_seg_size_min"]);
        check("Fwd Segment Size Avg", &["Avg Fwd Segment Size", "Fwd Seg Size Avg"]);
        check("Average Packet Size", &["Pkt Size Avg"]);
        check("CWR Flag Count", &["CWE Flag Count", "CWE Flag Cnt"]);
    }

    #[test]
    fn no_two_columns_of_cicflowmeter_are_taken_for_each_other() {
        let mut names = BTreeMap::new();
        for column in features::CIC.columns {
            let before = names.insert(words_key(column.name), column.name);
            assert_eq!(before, None, "{}", column.name);
        }
    }
}
