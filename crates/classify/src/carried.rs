//! Verdicts on their way from one machine to another: names of the tables travel as texts and are found again there.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use flow::Many;
use serde::{Deserialize, Serialize};

use crate::{
    Answer, Expected, Facts, Finding, GROUPS, Guess, Kin, Matched, OwnRules, PROTOCOLS, Reason,
    SERVICES, Shown, Tie, Told, UNKNOWN, Verdict, every_label,
};

/// The verdicts of flows, by their numbers, in a form that can be carried.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Carried {
    findings: Vec<CarriedFinding>,
    /// What was seen, each text once.
    seen: Vec<String>,
    /// The place of each verdict's finding, and its facts.
    verdicts: Vec<(u32, Option<CarriedFacts>)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct CarriedFinding {
    protocol: String,
    label: String,
    group: String,
    reason: CarriedReason,
    shown: Option<Shown>,
}

#[derive(Debug, Serialize, Deserialize)]
enum CarriedReason {
    Own([u16; 4]),
    Payload,
    Transport,
    Name,
    Asked,
    Agent,
    Address { network: String },
    Answered,
    Carries,
    Announced { flow: u32, port: u16 },
    Kin { flow: u32, how: Kin },
    Model(CarriedGuess),
    Unknown,
    Unguessed(CarriedGuess),
}

#[derive(Debug, Serialize, Deserialize)]
struct CarriedGuess {
    model: String,
    confidence: f32,
    is_unlike: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct CarriedFacts {
    /// Its place among the texts.
    seen: u32,
    server_name: Option<String>,
    service: Option<String>,
    told: String,
    shown: Option<[bool; 2]>,
    ties: Vec<Tie>,
    answers: Vec<Answer>,
    expected: Vec<Expected>,
}

impl Carried {
    /// Verdicts as they travel.
    pub fn of(verdicts: Many<Verdict>) -> Self {
        let mut carried = Self::default();
        let mut findings: BTreeMap<usize, u32> = BTreeMap::new();
        // Each must stay where it is until all are numbered.
        let mut kept: Vec<Arc<Finding>> = Vec::new();
        let mut seen: BTreeMap<Cow<'static, str>, u32> = BTreeMap::new();
        for Verdict { finding, facts } in verdicts {
            let number = *findings.entry(Arc::as_ptr(&finding).addr()).or_insert_with(|| {
                carried.findings.push(CarriedFinding::of(&finding));
                kept.push(finding);
                carried.findings.len() as u32 - 1
            });
            let facts = facts.map(|facts| {
                let next = seen.len() as u32;
                let seen = *seen.entry(facts.seen.clone()).or_insert_with_key(|text| {
                    carried.seen.push(text.to_string());
                    next
                });
                CarriedFacts::of(*facts, seen)
            });
            carried.verdicts.push((number, facts));
        }
        carried
    }

    /// The verdicts, under the same rules of the user's; nothing where these are none.
    pub fn verdicts(self, own: &OwnRules) -> Option<Many<Verdict>> {
        let findings = self.findings.into_iter().map(|it| it.finding(own).map(Arc::new));
        let findings = findings.collect::<Option<Vec<_>>>()?;
        let verdicts = self.verdicts.into_iter().map(|(finding, facts)| {
            let finding = Arc::clone(findings.get(finding as usize)?);
            let facts = match facts {
                Some(facts) => Some(Box::new(facts.facts(&self.seen)?)),
                None => None,
            };
            Some(Verdict { finding, facts })
        });
        verdicts.collect()
    }
}

impl CarriedFinding {
    fn of(finding: &Finding) -> Self {
        let Finding { protocol, label, group, reason, shown } = finding;
        Self {
            protocol: (*protocol).to_owned(),
            label: label.to_string(),
            group: (*group).to_owned(),
            reason: CarriedReason::of(reason),
            shown: *shown,
        }
    }

    fn finding(self, own: &OwnRules) -> Option<Finding> {
        Some(Finding {
            protocol: in_table(&self.protocol)?,
            label: in_table(&self.label).map_or(Cow::Owned(self.label), Cow::Borrowed),
            group: in_table(&self.group)?,
            reason: self.reason.reason(own)?,
            shown: self.shown,
        })
    }
}

impl CarriedReason {
    fn of(reason: &Reason) -> Self {
        match reason {
            Reason::Own(rule) => Self::Own(rule.parts()),
            Reason::Payload => Self::Payload,
            Reason::Transport => Self::Transport,
            Reason::Name => Self::Name,
            Reason::Asked => Self::Asked,
            Reason::Agent => Self::Agent,
            Reason::Address { network } => Self::Address { network: (*network).to_owned() },
            Reason::Answered => Self::Answered,
            Reason::Carries => Self::Carries,
            Reason::Announced { flow, port } => Self::Announced { flow: *flow, port: *port },
            Reason::Kin { flow, how } => Self::Kin { flow: *flow, how: *how },
            Reason::Model(guess) => Self::Model(CarriedGuess::of(guess)),
            Reason::Unknown => Self::Unknown,
            Reason::Unguessed(guess) => Self::Unguessed(CarriedGuess::of(guess)),
        }
    }

    fn reason(self, own: &OwnRules) -> Option<Reason> {
        Some(match self {
            Self::Own(parts) => Reason::Own(Matched::of_parts(parts, own)?),
            Self::Payload => Reason::Payload,
            Self::Transport => Reason::Transport,
            Self::Name => Reason::Name,
            Self::Asked => Reason::Asked,
            Self::Agent => Reason::Agent,
            Self::Address { network } => Reason::Address { network: in_table(&network)? },
            Self::Answered => Reason::Answered,
            Self::Carries => Reason::Carries,
            Self::Announced { flow, port } => Reason::Announced { flow, port },
            Self::Kin { flow, how } => Reason::Kin { flow, how },
            Self::Model(guess) => Reason::Model(guess.guess()),
            Self::Unknown => Reason::Unknown,
            Self::Unguessed(guess) => Reason::Unguessed(guess.guess()),
        })
    }
}

impl CarriedGuess {
    fn of(Guess { model, confidence, is_unlike }: &Guess) -> Self {
        let (confidence, is_unlike) = (*confidence, *is_unlike);
        Self { model: model.to_string(), confidence, is_unlike }
    }

    fn guess(self) -> Guess {
        let Self { model, confidence, is_unlike } = self;
        Guess { model: model.into(), confidence, is_unlike }
    }
}

impl CarriedFacts {
    fn of(facts: Facts, seen: u32) -> Self {
        let Facts { server_name, service, told, shown, ties, answers, expected, .. } = facts;
        let (service, told) = (service.map(str::to_owned), told.into_text());
        Self { seen, server_name, service, told, shown, ties, answers, expected }
    }

    fn facts(self, seen: &[String]) -> Option<Facts> {
        let Self { server_name, shown, ties, answers, expected, .. } = self;
        let seen = Cow::Owned(seen.get(self.seen as usize)?.clone());
        let service = match self.service {
            Some(it) => Some(in_table(&it)?),
            None => None,
        };
        let (told, further_names) = (Told::of_text(self.told)?, Vec::new());
        Some(Facts {
            seen,
            server_name,
            further_names,
            service,
            told,
            shown,
            ties,
            answers,
            expected,
        })
    }
}

/// The text of a table that is the same.
fn in_table(text: &str) -> Option<&'static str> {
    static TEXTS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
        let labels = every_label().flat_map(|(group, label)| [group, label]);
        let protocols = PROTOCOLS.iter().map(|it| it.name);
        let networks = SERVICES.iter().flat_map(|it| it.networks).copied();
        let others = GROUPS.iter().chain(&[UNKNOWN]).copied();
        labels.chain(protocols).chain(networks).chain(others).collect()
    });
    TEXTS.get(text).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_comes_as_it_went() {
        let own = OwnRules::read("[[rule]]\nlabel = \"mine\"\nports = [7]\n").unwrap();
        let rule = Matched::of_parts([0, 1, 2, 3], &own).unwrap();
        let guess = || Guess { model: "a model".into(), confidence: 0.5, is_unlike: true };
        let network = SERVICES.iter().find_map(|it| it.networks.first()).unwrap();
        let reasons = [
            Reason::Own(rule),
            Reason::Payload,
            Reason::Transport,
            Reason::Name,
            Reason::Asked,
            Reason::Agent,
            Reason::Address { network },
            Reason::Answered,
            Reason::Carries,
            Reason::Announced { flow: 7, port: 9 },
            Reason::Kin { flow: 7, how: Kin::Twin },
            Reason::Model(guess()),
            Reason::Unknown,
            Reason::Unguessed(guess()),
        ];
        let verdicts = reasons.into_iter().map(|reason| {
            let mut verdict = Verdict::unknown();
            (verdict.label, verdict.reason) = (Cow::Borrowed("mine"), reason);
            verdict.set_server_name("a.example");
            verdict
        });
        let verdicts: Many<Verdict> = verdicts.chain([Verdict::unknown()]).collect();
        let came = Carried::of(verdicts.clone()).verdicts(&own).unwrap();
        assert!(came.iter().eq(&verdicts), "{came:#?}");
        // Under other rules none of it is to be believed.
        assert!(Carried::of(verdicts).verdicts(&OwnRules::default()).is_none());
    }

    #[test]
    fn every_text_of_a_table_is_found() {
        for (group, label) in every_label() {
            assert_eq!((in_table(group), in_table(label)), (Some(group), Some(label)));
        }
        assert!(PROTOCOLS.iter().all(|it| in_table(it.name).is_some()));
        assert_eq!(in_table("mine"), None);
    }
}
