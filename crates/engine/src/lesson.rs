//! Flows in, rows to learn from out: which label each flow has, and who says so.

use std::{borrow::Cow, sync::Arc};

use features::{Rows, Sample, Schema};
use learn::{Data, Row};
use v1::page::TrainingLabels;

use crate::{
    Analysis, Filter,
    label_table::{LabelTable, LabelTableError, Named},
    page::sessions,
};

/// What a comment of a capture begins with that says its label.
const COMMENT: &str = "label:";

/// What is learned of the flows of a capture, and which label each has.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// Only flows that pass.
    pub filter: Filter,
    /// Who says the labels.
    pub teacher: Teacher,
}

/// Who says the label of a flow.
#[derive(Clone, Debug)]
pub enum Teacher {
    /// All have this one.
    Given(String),
    /// A comment `label: X` of the capture; none where there are several that differ.
    Comment,
    /// The flow itself, by its payload and names.
    Payload,
    /// The flow itself, by the group of its label.
    Groups,
    /// A table.
    Table(Arc<LabelTable>),
}

impl Teacher {
    /// Who says the labels, as a host was told.
    ///
    /// # Errors
    /// Where a table cannot be read.
    pub fn of(labels: &TrainingLabels) -> Result<Self, LabelTableError> {
        Ok(match labels {
            TrainingLabels::Given(label) => Self::Given(label.clone()),
            TrainingLabels::Comment => Self::Comment,
            TrainingLabels::Payload => Self::Payload,
            TrainingLabels::Groups => Self::Groups,
            TrainingLabels::Table { text, offset_seconds } => {
                Self::Table(Arc::new(LabelTable::read(text)?.with_offset(*offset_seconds)))
            }
        })
    }
}

/// What became of the flows of a capture, or of its sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taught {
    /// The flow of each row that was added; of a session its first one.
    pub flows: Vec<u32>,
    /// How many flows have no label.
    pub unlabelled: u64,
    /// How many the filter left out.
    pub filtered: u64,
    /// How many a table gives several labels.
    pub contradicting: u64,
}

impl Analysis {
    /// Adds the flows, cut as the data are, as rows; of a schema of sessions the sessions. Of data without a schema there is
    /// nothing to add.
    pub fn teach(&self, data: &mut Data, capture: &str, lesson: &Lesson) -> Taught {
        let mut taught = Taught::default();
        let Some(schema) = data.schema else { return taught };
        let number = data.capture(capture);
        let start = self.time_start_ns();
        let of_capture = match &lesson.teacher {
            Teacher::Given(label) => Some(label.clone()),
            Teacher::Comment => self.label_of_comments(),
            _ => None,
        };
        if schema.rows == Rows::Sessions {
            self.teach_sessions(data, schema, number, (lesson, of_capture.as_deref()), &mut taught);
            return taught;
        }
        let cut = schema.cut(data.timeout_micros);
        for (flow, row) in self.flows.iter().zip(self.each()) {
            if !lesson.filter.matches(&row, start) {
                taught.filtered += 1;
                continue;
            }
            let mut rows = 0u64;
            let mut is_contradicting = false;
            for piece in features::pieces(flow, cut) {
                let (from, to) = match piece.number {
                    None => (flow.first.0, flow.last.0),
                    Some(_) => crate::rows::span(&piece, cut),
                };
                let label = match (&lesson.teacher, &of_capture) {
                    (Teacher::Given(_) | Teacher::Comment, label) => {
                        label.as_deref().map(Cow::from)
                    }
                    (Teacher::Payload, _) => self.own_label(row.flow_id).map(|it| it.0.into()),
                    (Teacher::Groups, _) => self.own_label(row.flow_id).map(|it| it.1.into()),
                    (Teacher::Table(table), _) => match table.label(flow, from, to) {
                        Named::Label(label) => Some(label.into()),
                        Named::Nothing => None,
                        Named::Contradicting => {
                            is_contradicting = true;
                            None
                        }
                    },
                };
                let Some(label) = label else { continue };
                let origin =
                    Row { class: 0, capture: number, time_ns: from, port: row.server.port };
                data.push(numbers(schema, &piece.sample(schema)), &label, origin);
                taught.flows.push(row.flow_id);
                rows += 1;
            }
            taught.contradicting += u64::from(is_contradicting);
            taught.unlabelled += u64::from(rows == 0 && !is_contradicting);
        }
        taught
    }

    fn teach_sessions(
        &self,
        data: &mut Data,
        schema: &'static Schema,
        capture: u32,
        (lesson, of_capture): (&Lesson, Option<&str>),
        taught: &mut Taught,
    ) {
        let start = self.time_start_ns();
        let sessions = self.sessions();
        for number in 0..sessions.len() as u32 {
            let Some(session) = sessions.get(number) else { continue };
            let members = session.members;
            let passes =
                |it: &u32| self.row(*it).is_some_and(|it| lesson.filter.matches(&it, start));
            if !members.iter().any(passes) {
                taught.filtered += 1;
                continue;
            }
            let Some((identity, sample)) = self.session_features(number, schema) else { continue };
            let own = sessions::label_by(self, session, |it, _| {
                self.own_label(it).unwrap_or((classify::UNKNOWN, ""))
            });
            let own = own.filter(|it| it.0 != classify::UNKNOWN);
            let first = members.first().copied().unwrap_or(0);
            let label: Option<Cow<'_, str>> = match &lesson.teacher {
                Teacher::Given(_) | Teacher::Comment => of_capture.map(Cow::from),
                Teacher::Payload => own.map(|it| it.0.into()),
                Teacher::Groups => own.map(|it| it.1.into()),
                Teacher::Table(table) => {
                    let flows = members.iter().filter_map(|it| self.flows.get(*it as usize));
                    match table.label_of_all(flows.map(|it| (it, it.first.0, it.last.0))) {
                        Named::Label(label) => Some(label.into()),
                        Named::Nothing => None,
                        Named::Contradicting => {
                            taught.contradicting += 1;
                            continue;
                        }
                    }
                }
            };
            let Some(label) = label else {
                taught.unlabelled += 1;
                continue;
            };
            let port = self.flows.get(first as usize).map_or(0, |it| it.server.port);
            let origin = Row { class: 0, capture, time_ns: identity.first.0, port };
            data.push(numbers(schema, &sample), &label, origin);
            taught.flows.push(first);
        }
    }

    /// What a flow says of itself, label and group, whatever a model says; `None` where it says nothing.
    pub(crate) fn own_label(&self, flow: u32) -> Option<(&str, &'static str)> {
        if let Some(before) = self.guesses.before(flow) {
            return Some((&before.label, before.group));
        }
        let verdict = self.verdicts.get(flow as usize)?;
        let is_guess = matches!(verdict.reason, classify::Reason::Model(_));
        (verdict.label != classify::UNKNOWN && !is_guess)
            .then_some((&*verdict.label, verdict.group))
    }

    /// The label that comments of the capture say.
    pub fn label_of_comments(&self) -> Option<String> {
        let comments = self.reading.origin.comments.iter();
        let mut labels = comments.filter_map(|it| label_of_comment(it));
        let first = labels.next()?;
        labels.all(|it| it == first).then(|| first.to_owned())
    }
}

/// The label a comment says: what follows `label:` to the end of the line.
fn label_of_comment(comment: &str) -> Option<&str> {
    // A line break is among what is not shown as it is.
    let mut lines = comment.split(['\n', '\r', '\u{fffd}']).map(str::trim);
    let label = lines.find_map(|it| {
        let (key, rest) = it.split_at_checked(COMMENT.len())?;
        key.eq_ignore_ascii_case(COMMENT).then_some(rest.trim())
    });
    label.filter(|it| !it.is_empty())
}

/// The features of a row as they are learned from; what is missing is no number.
pub(crate) fn numbers(schema: &Schema, sample: &Sample) -> impl Iterator<Item = f32> + use<> {
    features::vector(schema, sample).into_iter().map(|it| it.map_or(f32::NAN, |it| it as f32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(comment: &str, expected: Option<&str>) {
        assert_eq!(label_of_comment(comment), expected);
    }

    #[test]
    fn a_comment_says_a_label_in_a_line_of_its_own() {
        check("label: skype", Some("skype"));
        check("recorded by me\u{fffd}Label:vk video \u{fffd}so", Some("vk video"));
        check("label:", None);
        check("the label: skype", None);
        check("", None);
    }
}
