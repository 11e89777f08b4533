//! The columns of CICFlowMeter as the data set CICIDS2017 heads them.

use crate::{CIC, Column, Rows, Schema, Semantics, column::words, measure::label};

/// CICIDS2017's 85 columns: those of [`CIC`] under the names of CICFlowMeter 3, `Fwd Header Length` twice.
pub const CIC_2017: Schema = Schema {
    name: "cic-2017",
    what: words(
        "the same under the 85 names of CICIDS2017, `Fwd Header Length` twice",
        "то же под 85 именами CICIDS2017, `Fwd Header Length` дважды",
    ),
    rows: Rows::Flows,
    semantics: Semantics::Correct,
    idle_micros: CIC.idle_micros,
    columns: &COLUMNS,
};

const COLUMNS: [Column; NAMES.len()] = renamed();

/// A name of CICIDS2017, and the column of [`CIC`] it heads.
const NAMES: &[(&str, &str)] = &[
    ("Flow ID", "Flow ID"),
    ("Source IP", "Src IP"),
    ("Source Port", "Src Port"),
    ("Destination IP", "Dst IP"),
    ("Destination Port", "Dst Port"),
    ("Protocol", "Protocol"),
    ("Timestamp", "Timestamp"),
    ("Flow Duration", "Flow Duration"),
    ("Total Fwd Packets", "Total Fwd Packet"),
    ("Total Backward Packets", "Total Bwd packets"),
    ("Total Length of Fwd Packets", "Total Length of Fwd Packet"),
    ("Total Length of Bwd Packets", "Total Length of Bwd Packet"),
    ("Fwd Packet Length Max", "Fwd Packet Length Max"),
    ("Fwd Packet Length Min", "Fwd Packet Length Min"),
    ("Fwd Packet Length Mean", "Fwd Packet Length Mean"),
    ("Fwd Packet Length Std", "Fwd Packet Length Std"),
    ("Bwd Packet Length Max", "Bwd Packet Length Max"),
    ("Bwd Packet Length Min", "Bwd Packet Length Min"),
    ("Bwd Packet Length Mean", "Bwd Packet Length Mean"),
    ("Bwd Packet Length Std", "Bwd Packet Length Std"),
    ("Flow Bytes/s", "Flow Bytes/s"),
    ("Flow Packets/s", "Flow Packets/s"),
    ("Flow IAT Mean", "Flow IAT Mean"),
    ("Flow IAT Std", "Flow IAT Std"),
    ("Flow IAT Max", "Flow IAT Max"),
    ("Flow IAT Min", "Flow IAT Min"),
    ("Fwd IAT Total", "Fwd IAT Total"),
    ("Fwd IAT Mean", "Fwd IAT Mean"),
    ("Fwd IAT Std", "Fwd IAT Std"),
    ("Fwd IAT Max", "Fwd IAT Max"),
    ("Fwd IAT Min", "Fwd IAT Min"),
    ("Bwd IAT Total", "Bwd IAT Total"),
    ("Bwd IAT Mean", "Bwd IAT Mean"),
    ("Bwd IAT Std", "Bwd IAT Std"),
    ("Bwd IAT Max", "Bwd IAT Max"),
    ("Bwd IAT Min", "Bwd IAT Min"),
    ("Fwd PSH Flags", "Fwd PSH Flags"),
    ("Bwd PSH Flags", "Bwd PSH Flags"),
    ("Fwd URG Flags", "Fwd URG Flags"),
    ("Bwd URG Flags", "Bwd URG Flags"),
    ("Fwd Header Length", "Fwd Header Length"),
    ("Bwd Header Length", "Bwd Header Length"),
    ("Fwd Packets/s", "Fwd Packets/s"),
    ("Bwd Packets/s", "Bwd Packets/s"),
    ("Min Packet Length", "Packet Length Min"),
    ("Max Packet Length", "Packet Length Max"),
    ("Packet Length Mean", "Packet Length Mean"),
    ("Packet Length Std", "Packet Length Std"),
    ("Packet Length Variance", "Packet Length Variance"),
    ("FIN Flag Count", "FIN Flag Count"),
    ("SYN Flag Count", "SYN Flag Count"),
    ("RST Flag Count", "RST Flag Count"),
    ("PSH Flag Count", "PSH Flag Count"),
    ("ACK Flag Count", "ACK Flag Count"),
    ("URG Flag Count", "URG Flag Count"),
    // As the data set spells it.
    ("CWE Flag Count", "CWR Flag Count"),
    ("ECE Flag Count", "ECE Flag Count"),
    ("Down/Up Ratio", "Down/Up Ratio"),
    ("Average Packet Size", "Average Packet Size"),
    ("Avg Fwd Segment Size", "Fwd Segment Size Avg"),
    ("Avg Bwd Segment Size", "Bwd Segment Size Avg"),
    ("Fwd Header Length", "Fwd Header Length"),
    ("Fwd Avg Bytes/Bulk", "Fwd Bytes/Bulk Avg"),
    ("Fwd Avg Packets/Bulk", "Fwd Packet/Bulk Avg"),
    ("Fwd Avg Bulk Rate", "Fwd Bulk Rate Avg"),
    ("Bwd Avg Bytes/Bulk", "Bwd Bytes/Bulk Avg"),
    ("Bwd Avg Packets/Bulk", "Bwd Packet/Bulk Avg"),
    ("Bwd Avg Bulk Rate", "Bwd Bulk Rate Avg"),
    ("Subflow Fwd Packets", "Subflow Fwd Packets"),
    ("Subflow Fwd Bytes", "Subflow Fwd Bytes"),
    ("Subflow Bwd Packets", "Subflow Bwd Packets"),
    ("Subflow Bwd Bytes", "Subflow Bwd Bytes"),
    ("Init_Win_bytes_forward", "FWD Init Win Bytes"),
    ("Init_Win_bytes_backward", "Bwd Init Win Bytes"),
    ("act_data_pkt_fwd", "Fwd Act Data Pkts"),
    ("min_seg_size_forward", "Fwd Seg Size Min"),
    ("Active Mean", "Active Mean"),
    ("Active Std", "Active Std"),
    ("Active Max", "Active Max"),
    ("Active Min", "Active Min"),
    ("Idle Mean", "Idle Mean"),
    ("Idle Std", "Idle Std"),
    ("Idle Max", "Idle Max"),
    ("Idle Min", "Idle Min"),
    ("Label", "Label"),
];

/// The columns in the order of [`NAMES`]. That every one is there is checked when this is compiled.
const fn renamed() -> [Column; NAMES.len()] {
    let mut columns = [label(""); NAMES.len()];
    let mut at = 0;
    while at < NAMES.len() {
        let (name, of) = NAMES[at];
        columns[at] = column(of).named(name);
        at += 1;
    }
    columns
}

const fn column(name: &str) -> Column {
    let mut at = 0;
    while !is_same(CIC.columns[at].name.as_bytes(), name.as_bytes()) {
        at += 1;
    }
    CIC.columns[at]
}

const fn is_same(a: &[u8], b: &[u8]) -> bool {
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}
