//! Rules of the user's own: a file in, labels by names, agents, networks, ports and bytes out.
//!
//! A file is a list of rules in TOML, or in JSON where it begins with `{`. The conditions of a rule must all hold, of the
//! list of a condition one; of bytes all. The first rule that holds decides, before everything built in. One of ports and
//! transport alone is a guess: it labels what nothing else tells.

use std::{borrow::Cow, collections::BTreeMap, fmt, ops::RangeInclusive, sync::Arc};

use flow::{Endpoint, Heads, Transport};
use serde_json::{Map, Value};

use crate::{Fact, Facts, GROUPS, UNKNOWN, known, service};

/// The most rules of a file.
const MAX_RULES: usize = 1_000;
/// The most names, agents, networks, ports and bytes of a file, together.
const MAX_ENTRIES: usize = 10_000;
/// The longest label, in characters.
const MAX_LABEL_LEN: usize = 40;
/// The longest name (RFC 1035, section 2.3.4), in bytes.
const MAX_NAME_LEN: usize = 253;
/// The most bytes that are compared at one place.
const MAX_PATTERN_LEN: usize = 64;
/// How much of what somebody wrote stands in an error, in characters.
const MAX_SHOWN: usize = 60;

/// The keys of a rule, and of what it says of bytes.
const KEYS: &[&str] =
    &["label", "group", "names", "agents", "networks", "transport", "ports", "bytes"];
const BYTES_KEYS: &[&str] = &["side", "at", "hex"];

/// Why a file of rules is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OwnRulesError {
    /// The file is too long.
    #[error("the file is longer than {} bytes; rules may take no more", OwnRules::MAX_LEN)]
    TooLong,
    /// The file is no TOML.
    #[error("line {line}, column {column} cannot be read as TOML: {problem}")]
    Toml {
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// The file is no JSON.
    #[error("line {line}, column {column} cannot be read as JSON: {problem}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        problem: String,
    },
    /// Something else than rules is in the file.
    #[error(
        "the file has the unknown key `{key}` outside its rules; only `rule` and `guesses` may stand there"
    )]
    UnknownFileKey {
        /// The key.
        key: String,
    },
    /// `rule` is no list of rules.
    #[error("`rule` is no list; each rule begins with a line `[[rule]]`")]
    NoList,
    /// `guesses` is neither `true` nor `false`.
    #[error("`guesses` is neither true nor false")]
    NoSwitch,
    /// There is no rule.
    #[error("the file has no rule; each begins with a line `[[rule]]`")]
    NoRule,
    /// There are too many rules.
    #[error("the file has {n} rules; at most {MAX_RULES} are taken")]
    TooManyRules {
        /// How many.
        n: usize,
    },
    /// The lists of all rules are too long.
    #[error("the lists of all rules have {n} entries; at most {MAX_ENTRIES} are taken")]
    TooManyEntries {
        /// How many.
        n: usize,
    },
    /// A rule has a key that means nothing.
    #[error("{rule} has the unknown key `{key}`; known are {}", known_keys(key))]
    UnknownKey {
        /// The rule.
        rule: RulePlace,
        /// The key.
        key: String,
    },
    /// A value is of another kind than it should be.
    #[error("{rule}: `{key}` is not {expected}")]
    WrongKind {
        /// The rule.
        rule: RulePlace,
        /// The key.
        key: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A list has nothing in it.
    #[error("{rule}: the list `{key}` is empty")]
    EmptyList {
        /// The rule.
        rule: RulePlace,
        /// The key.
        key: &'static str,
    },
    /// A rule has no label.
    #[error("{rule} has no `label`")]
    NoLabel {
        /// The rule.
        rule: RulePlace,
    },
    /// A label is too long or has other letters.
    #[error(
        "{rule}: `label` must be 1 to {MAX_LABEL_LEN} lower case letters, digits, spaces, dots, hyphens or underscores"
    )]
    BadLabel {
        /// The rule.
        rule: RulePlace,
    },
    /// A label says that there is none.
    #[error("{rule}: `label` must not be `{UNKNOWN}`, which flows without a label are called")]
    NoLabelAtAll {
        /// The rule.
        rule: RulePlace,
    },
    /// There is no such group.
    #[error("{rule}: there is no `group` called `{group}`; there are {}", groups().collect::<Vec<_>>().join(", "))]
    UnknownGroup {
        /// The rule.
        rule: RulePlace,
        /// The group.
        group: String,
    },
    /// The label is in another group already.
    #[error("{rule}: its label is in the `group` `{known}` already")]
    OtherGroup {
        /// The rule.
        rule: RulePlace,
        /// The group the label is in.
        known: &'static str,
    },
    /// A rule would hold for every flow.
    #[error(
        "{rule} has no condition; at least one of names, agents, networks, transport, ports and bytes is needed"
    )]
    NoCondition {
        /// The rule.
        rule: RulePlace,
    },
    /// A name is no domain name.
    #[error(
        "{rule}: `{name}` in `names` is no domain name such as example.org or *.example.org, written as it is sent"
    )]
    BadName {
        /// The rule.
        rule: RulePlace,
        /// The name.
        name: String,
    },
    /// An agent is empty.
    #[error("{rule}: a text in `agents` is empty")]
    BadAgent {
        /// The rule.
        rule: RulePlace,
    },
    /// A network is none.
    #[error(
        "{rule}: `{network}` in `networks` is no network such as 192.0.2.0/24 or 2001:db8::/32"
    )]
    BadNetwork {
        /// The rule.
        rule: RulePlace,
        /// The network.
        network: String,
    },
    /// A transport is none of those two.
    #[error("{rule}: `transport` is `{transport}`; it must be tcp or udp")]
    BadTransport {
        /// The rule.
        rule: RulePlace,
        /// The transport.
        transport: String,
    },
    /// A port is none.
    #[error(
        "{rule}: `{port}` in `ports` is no number from 1 to 65535 and no range such as \"8000-8010\""
    )]
    BadPort {
        /// The rule.
        rule: RulePlace,
        /// The port.
        port: String,
    },
    /// A side is none of those two.
    #[error("{rule}: `side` in `bytes` is `{side}`; it must be client, server or either")]
    BadSide {
        /// The rule.
        rule: RulePlace,
        /// The side.
        side: String,
    },
    /// Bytes are not written as bytes.
    #[error(
        "{rule}: `{hex}` in `bytes` is no list of bytes such as \"16 03 ?? 01\": two hexadecimal digits each, ? for any, not ? alone"
    )]
    BadHex {
        /// The rule.
        rule: RulePlace,
        /// The bytes.
        hex: String,
    },
    /// There are too many bytes at one place.
    #[error(
        "{rule}: `hex` in `bytes` has {n} bytes; at most {MAX_PATTERN_LEN} are compared at one place"
    )]
    TooManyBytes {
        /// The rule.
        rule: RulePlace,
        /// How many.
        n: usize,
    },
    /// The bytes lie behind those that are kept.
    #[error(
        "{rule}: `at` in `bytes` is {at}; only the first {} bytes of a side are compared",
        Heads::LIMIT
    )]
    TooFar {
        /// The rule.
        rule: RulePlace,
        /// Where the bytes begin.
        at: u64,
    },
}

/// Which rule of a file an error is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulePlace {
    /// Its number, from 1.
    pub number: usize,
    /// Its label, where it has one.
    pub label: Option<String>,
}

impl fmt::Display for RulePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.label {
            Some(label) => write!(f, "rule {} (`{label}`)", self.number),
            None => write!(f, "rule {}", self.number),
        }
    }
}

fn known_keys(key: &str) -> String {
    let keys = if key.starts_with("bytes.") { BYTES_KEYS } else { KEYS };
    keys.join(", ")
}

/// The groups a rule may name.
fn groups() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().copied().filter(|it| *it != UNKNOWN)
}

/// The rules of a file, in its order; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnRules {
    rules: Vec<Arc<OwnRule>>,
    /// Rules by the names they have: the rule, and which of its names, both from 0.
    by_name: BTreeMap<String, Vec<(u16, u16)>>,
    /// Nothing is labelled by what only makes it likely: its server's address, its ports, what it looks like.
    has_no_guesses: bool,
}

/// A rule: its label, and the conditions that must all hold. An empty list is no condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnRule {
    /// Its place in the file, from 0.
    number: u16,
    label: Cow<'static, str>,
    group: &'static str,
    /// In lower case, without `*.`.
    names: Vec<String>,
    agents: Vec<String>,
    /// In order, none inside another.
    networks: Vec<Network>,
    transport: Option<Transport>,
    /// In order, apart from each other.
    ports: Vec<RangeInclusive<u16>>,
    bytes: Vec<Pattern>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Network {
    /// As the user wrote it.
    written: String,
    first: u128,
    last: u128,
}

/// Bytes at a place of what a side said first, datagrams one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    side: Side,
    at: usize,
    /// The bits of each byte, and which of them count.
    bytes: Vec<(u8, u8)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Client,
    Server,
    Either,
}

/// A rule that holds for a flow, and what of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    rule: Arc<OwnRule>,
    /// Which of its names; counts where it has some.
    name: u16,
    /// Which of its networks; counts where it has some.
    network: u16,
    /// The server's port.
    port: u16,
}

/// What rules look at.
pub(crate) struct Seen<'a> {
    pub(crate) transport: Transport,
    pub(crate) server: Endpoint,
    pub(crate) heads: &'a Heads,
    /// The names the flow tells.
    pub(crate) names: &'a [&'a str],
    /// Whether all these names must be a rule's, and not one of them: those that a resolver was asked for.
    pub(crate) is_lookup: bool,
    pub(crate) agent: Option<&'a str>,
}

impl OwnRules {
    /// The longest file, in bytes.
    pub const MAX_LEN: usize = 1 << 20;

    /// Reads a file of rules: TOML, or JSON where it begins with `{`.
    ///
    /// # Errors
    /// Where the file is neither, or a rule in it makes no sense.
    pub fn read(text: &str) -> Result<Self, OwnRulesError> {
        if text.len() > Self::MAX_LEN {
            return Err(OwnRulesError::TooLong);
        }
        // Some editors begin a file so.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let file = if text.trim_start().starts_with('{') { json(text)? } else { toml(text)? };
        if let Some(key) = file.keys().find(|it| !["rule", "guesses"].contains(&it.as_str())) {
            return Err(OwnRulesError::UnknownFileKey { key: shown(key) });
        }
        let has_no_guesses = match file.get("guesses") {
            None | Some(Value::Bool(true)) => false,
            Some(Value::Bool(false)) => true,
            Some(_) => return Err(OwnRulesError::NoSwitch),
        };
        let listed = match file.get("rule") {
            None if has_no_guesses => return Ok(Self::default().without_guesses()),
            None => return Err(OwnRulesError::NoRule),
            Some(Value::Array(listed)) if listed.is_empty() => return Err(OwnRulesError::NoRule),
            Some(Value::Array(listed)) => listed,
            Some(_) => return Err(OwnRulesError::NoList),
        };
        if listed.len() > MAX_RULES {
            return Err(OwnRulesError::TooManyRules { n: listed.len() });
        }
        let list = |rule: &Value, key| rule.get(key).and_then(Value::as_array).map_or(0, Vec::len);
        let lists = ["names", "agents", "networks", "ports", "bytes"];
        let n = listed.iter().flat_map(|rule| lists.map(|key| list(rule, key))).sum();
        if n > MAX_ENTRIES {
            return Err(OwnRulesError::TooManyEntries { n });
        }
        let mut found = Self { has_no_guesses, ..Self::default() };
        for (number, rule) in (0..).zip(listed) {
            let rule = found.rule(number, rule)?;
            for (at, name) in (0..).zip(&rule.names) {
                found.by_name.entry(name.clone()).or_default().push((number, at));
            }
            found.rules.push(Arc::new(rule));
        }
        Ok(found)
    }

    /// The same, and nothing is guessed.
    #[must_use]
    pub fn without_guesses(self) -> Self {
        Self { has_no_guesses: true, ..self }
    }

    /// Whether a guess may make a label.
    pub fn has_guesses(&self) -> bool {
        !self.has_no_guesses
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The groups and labels of the rules, in their order.
    pub(crate) fn labels(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.rules.iter().map(|it| (it.group, &*it.label))
    }

    /// How much of a head must be kept for a rule that may hold later, once DNS tells a flow's name, in bytes.
    pub fn reach(&self) -> usize {
        let late = self.rules.iter().filter(|it| !it.names.is_empty());
        late.flat_map(|it| &it.bytes).map(|it| it.at + it.bytes.len()).max().unwrap_or(0)
    }

    /// The first rule that holds and is no guess.
    pub(crate) fn decide(&self, seen: &Seen<'_>) -> Option<Matched> {
        let named = self.named(seen);
        self.rules.iter().filter(|it| !it.is_guess()).find_map(|it| it.matched(seen, &named))
    }

    /// The first guess that holds.
    pub(crate) fn guess(&self, seen: &Seen<'_>) -> Option<Matched> {
        self.rules.iter().filter(|it| it.is_guess()).find_map(|it| it.matched(seen, &[]))
    }

    /// The rules that have a name of the flow, in order, and which of theirs.
    fn named(&self, seen: &Seen<'_>) -> Vec<(u16, u16)> {
        let mut found: Vec<(u16, u16)> = Vec::new();
        if self.by_name.is_empty() {
            return found;
        }
        for (at, name) in seen.names.iter().enumerate() {
            let owners = self.owners(name);
            if seen.is_lookup && at > 0 {
                found.retain(|it| owners.iter().any(|owner| owner.0 == it.0));
            } else {
                found.extend(owners);
            }
        }
        // Of each rule the first name of the flow, and the longest of its own.
        found.sort_by_key(|it| it.0);
        found.dedup_by_key(|it| it.0);
        found
    }

    /// The rules that have a name, the longest of theirs first.
    fn owners(&self, name: &str) -> Vec<(u16, u16)> {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let mut found = Vec::new();
        let mut rest = &*name;
        loop {
            found.extend(self.by_name.get(rest).into_iter().flatten());
            match rest.split_once('.') {
                Some((_, after)) => rest = after,
                None => return found,
            }
        }
    }

    /// The group of a label that has one already: built in, or by an earlier rule.
    fn group_of(&self, label: &str) -> Option<&'static str> {
        let own = self.labels().find(|it| it.1 == label).map(|it| it.0);
        own.or_else(|| known(label).map(|it| it.0))
    }

    /// Reads a rule; those before it are read.
    fn rule(&self, number: u16, value: &Value) -> Result<OwnRule, OwnRulesError> {
        let label = value.get("label").and_then(Value::as_str).map(str::trim).map(shown);
        let rule = RulePlace { number: usize::from(number) + 1, label };
        let Value::Object(table) = value else {
            return Err(OwnRulesError::NoList);
        };
        let written = Written { rule, table };
        written.has_only(KEYS, "")?;
        let label = written.label()?;
        let group = written.group()?;
        let known_group = self.group_of(&label);
        if let (Some(known), Some(group)) = (known_group, group)
            && known != group
        {
            return Err(OwnRulesError::OtherGroup { rule: written.rule, known });
        }
        let rule = OwnRule {
            number,
            group: group.or(known_group).unwrap_or("other"),
            label: known(&label).map_or(Cow::Owned(label), |it| Cow::Borrowed(it.1)),
            names: written.names()?,
            agents: written.agents()?,
            networks: written.networks()?,
            transport: written.transport()?,
            ports: written.ports()?,
            bytes: written.bytes()?,
        };
        let is_open = rule.is_guess() && rule.ports.is_empty() && rule.transport.is_none();
        if is_open {
            return Err(OwnRulesError::NoCondition { rule: written.rule });
        }
        Ok(rule)
    }
}

impl OwnRule {
    /// Whether ports and transport are all it looks at.
    fn is_guess(&self) -> bool {
        let lists = [self.names.is_empty(), self.agents.is_empty(), self.networks.is_empty()];
        lists == [true; 3] && self.bytes.is_empty()
    }

    /// What of it holds, where all of it does. Known are the rules that have a name of the flow.
    fn matched(self: &Arc<Self>, seen: &Seen<'_>, named: &[(u16, u16)]) -> Option<Matched> {
        let port = seen.server.port;
        if self.transport.is_some_and(|it| it != seen.transport) {
            return None;
        }
        if !self.ports.is_empty() {
            let after = self.ports.partition_point(|it| *it.start() <= port);
            self.ports.get(after.checked_sub(1)?).filter(|it| it.contains(&port))?;
        }
        let (mut name, mut network) = (0, 0);
        if !self.names.is_empty() {
            let at = named.binary_search_by_key(&self.number, |it| it.0).ok()?;
            name = named.get(at)?.1;
        }
        if !self.networks.is_empty() {
            let ip = service::number(seen.server.ip);
            let at = self.networks.partition_point(|it| it.first <= ip).checked_sub(1)?;
            self.networks.get(at).filter(|it| ip <= it.last)?;
            network = at as u16;
        }
        if !self.agents.is_empty() && self.agent_in(seen.agent?).is_none() {
            return None;
        }
        let is_met = self.bytes.iter().all(|it| it.is_in(seen.heads));
        is_met.then(|| Matched { rule: Arc::clone(self), name, network, port })
    }

    /// The first of its agents that is a part of this one.
    fn agent_in(&self, agent: &str) -> Option<&str> {
        self.agents.iter().map(String::as_str).find(|it| agent.contains(it))
    }
}

impl Pattern {
    fn is_in(&self, heads: &Heads) -> bool {
        let is_of = |bytes: &[u8]| {
            let there = bytes.get(self.at..).and_then(|it| it.get(..self.bytes.len()));
            there.is_some_and(|it| {
                it.iter().zip(&self.bytes).all(|(it, (bits, mask))| it & mask == *bits)
            })
        };
        let (client, server) = (heads.client.bytes(), heads.server.bytes());
        match self.side {
            Side::Client => is_of(client),
            Side::Server => is_of(server),
            Side::Either => is_of(client) || is_of(server),
        }
    }
}

impl Matched {
    /// The rule by its place in the file, and what of it holds: name, network and port.
    pub(crate) fn parts(&self) -> [u16; 4] {
        [self.rule.number, self.name, self.network, self.port]
    }

    /// What had these parts under the same rules.
    pub(crate) fn of_parts([rule, name, network, port]: [u16; 4], own: &OwnRules) -> Option<Self> {
        let rule = own.rules.iter().find(|it| it.number == rule)?;
        Some(Self { rule: Arc::clone(rule), name, network, port })
    }

    pub(crate) fn label(&self) -> Cow<'static, str> {
        self.rule.label.clone()
    }

    pub(crate) fn group(&self) -> &'static str {
        self.rule.group
    }

    /// Whether only ports and transport tell.
    pub fn is_guess(&self) -> bool {
        self.rule.is_guess()
    }

    /// Whether a name or an agent tells it, among others: so it is a service.
    pub fn is_named(&self) -> bool {
        !self.rule.names.is_empty() || !self.rule.agents.is_empty()
    }

    /// Whether a name is the one of the rule's that holds, or below it.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        let is_below = |it: &[u8]| it.last().is_none_or(|it| *it == b'.');
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let suffix = self.rule.names.get(usize::from(self.name));
        suffix.is_some_and(|it| name.as_bytes().strip_suffix(it.as_bytes()).is_some_and(is_below))
    }

    /// Whether its rule comes before another one's.
    pub(crate) fn is_before(&self, other: &Self) -> bool {
        self.rule.number < other.rule.number
    }

    /// What of the rule holds, in a sentence without a full stop.
    pub(crate) fn sentence(&self, facts: &Facts) -> String {
        let rule = &*self.rule;
        let mut held = Vec::new();
        if let Some(suffix) = rule.names.get(usize::from(self.name)) {
            let name = facts.server_name.as_deref().unwrap_or_default();
            held.push(match self.has_name(name) {
                true => format!("the name {name} ends in {suffix}"),
                false => format!("a further name ends in {suffix}"),
            });
        }
        let agent = facts.told.get(Fact::UserAgent).and_then(|it| rule.agent_in(it));
        held.extend(agent.map(|it| format!("{it} is in the user agent")));
        if let Some(Network { written, .. }) = rule.networks.get(usize::from(self.network)) {
            held.push(format!("the server's address is in {written}"));
        }
        for Pattern { side, at, .. } in &rule.bytes {
            let side = match side {
                Side::Client => "the client",
                Side::Server => "the server",
                Side::Either => "a side",
            };
            held.push(format!("the bytes at {at} of {side} match"));
        }
        held.extend(rule.transport.map(|it| format!("the transport is {it}")));
        if !rule.ports.is_empty() {
            held.push(format!("the server's port is {}", self.port));
        }
        let mut sentence = format!("your rule for {} says so: {}", rule.label, held.join("; "));
        if rule.is_guess() {
            sentence += " (a guess)";
        }
        sentence
    }
}

fn json(text: &str) -> Result<Map<String, Value>, OwnRulesError> {
    serde_json::from_str(text).map_err(|error| {
        let said = error.to_string();
        let problem = said.rsplit_once(" at line ").map_or(&*said, |it| it.0).to_owned();
        OwnRulesError::Json { line: error.line(), column: error.column(), problem }
    })
}

fn toml(text: &str) -> Result<Map<String, Value>, OwnRulesError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |it| it.start);
        let before = text.get(..start).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let problem = error.message().lines().collect::<Vec<_>>().join(", ");
        OwnRulesError::Toml { line, column, problem }
    })
}

/// As much of a text as an error shows.
fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN).collect()
}

/// A rule as it was written.
struct Written<'a> {
    rule: RulePlace,
    table: &'a Map<String, Value>,
}

impl<'a> Written<'a> {
    fn rule(&self) -> RulePlace {
        self.rule.clone()
    }

    /// Whether there are no other keys.
    fn has_only(&self, keys: &[&str], within: &str) -> Result<(), OwnRulesError> {
        match self.table.keys().find(|it| !keys.contains(&it.as_str())) {
            Some(key) => {
                let key = format!("{within}{}", shown(key));
                Err(OwnRulesError::UnknownKey { rule: self.rule(), key })
            }
            None => Ok(()),
        }
    }

    fn wrong_kind(&self, key: &'static str, expected: &'static str) -> OwnRulesError {
        OwnRulesError::WrongKind { rule: self.rule(), key, expected }
    }

    fn text(&self, key: &'static str) -> Result<Option<&'a str>, OwnRulesError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong_kind(key, "a text in quotes")),
        }
    }

    /// The entries of a list; none where it is missing.
    fn list(
        &self,
        key: &'static str,
        expected: &'static str,
    ) -> Result<&'a [Value], OwnRulesError> {
        match self.table.get(key) {
            None => Ok(&[]),
            Some(Value::Array(list)) if list.is_empty() => {
                Err(OwnRulesError::EmptyList { rule: self.rule(), key })
            }
            Some(Value::Array(list)) => Ok(list),
            Some(_) => Err(self.wrong_kind(key, expected)),
        }
    }

    fn texts(&self, key: &'static str) -> Result<Vec<&'a str>, OwnRulesError> {
        let expected = "a list of texts in quotes";
        let list = self.list(key, expected)?.iter();
        list.map(|it| it.as_str().ok_or_else(|| self.wrong_kind(key, expected))).collect()
    }

    fn label(&self) -> Result<String, OwnRulesError> {
        let Some(label) = self.text("label")? else {
            return Err(OwnRulesError::NoLabel { rule: self.rule() });
        };
        let label = label.trim();
        let is_fine = |it: char| {
            it.is_alphabetic() && it.is_lowercase() || it.is_ascii_digit() || " .-_".contains(it)
        };
        if !(1..=MAX_LABEL_LEN).contains(&label.chars().count()) || !label.chars().all(is_fine) {
            return Err(OwnRulesError::BadLabel { rule: self.rule() });
        }
        if label == UNKNOWN {
            return Err(OwnRulesError::NoLabelAtAll { rule: self.rule() });
        }
        Ok(label.to_owned())
    }

    fn group(&self) -> Result<Option<&'static str>, OwnRulesError> {
        let Some(group) = self.text("group")? else { return Ok(None) };
        match groups().find(|it| *it == group) {
            Some(group) => Ok(Some(group)),
            None => Err(OwnRulesError::UnknownGroup { rule: self.rule(), group: shown(group) }),
        }
    }

    fn names(&self) -> Result<Vec<String>, OwnRulesError> {
        let mut names = Vec::new();
        for written in self.texts("names")? {
            let name = written.trim();
            let name = name.strip_prefix("*.").unwrap_or(name).trim_end_matches('.');
            let name = name.to_ascii_lowercase();
            let is_fine = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
            let is_label = |it: &str| !it.is_empty() && it.chars().all(is_fine);
            if name.len() > MAX_NAME_LEN || !name.split('.').all(is_label) {
                let name = shown(written);
                return Err(OwnRulesError::BadName { rule: self.rule(), name });
            }
            names.push(name);
        }
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn agents(&self) -> Result<Vec<String>, OwnRulesError> {
        let agents = self.texts("agents")?;
        if agents.iter().any(|it| it.trim().is_empty()) {
            return Err(OwnRulesError::BadAgent { rule: self.rule() });
        }
        Ok(agents.into_iter().map(str::to_owned).collect())
    }

    fn networks(&self) -> Result<Vec<Network>, OwnRulesError> {
        let mut networks = Vec::new();
        for written in self.texts("networks")? {
            let trimmed = written.trim();
            // An address is a network of one.
            let whole = match trimmed.contains('/') {
                true => trimmed.to_owned(),
                false => format!("{trimmed}/{}", if trimmed.contains(':') { 128 } else { 32 }),
            };
            let Some((first, len)) = service::parse(&whole) else {
                let network = shown(written);
                return Err(OwnRulesError::BadNetwork { rule: self.rule(), network });
            };
            let last = first | !service::mask(len);
            networks.push(Network { written: trimmed.to_owned(), first, last });
        }
        // Networks lie in each other or apart; the outer one holds for those in it.
        networks.sort_by_key(|it| (it.first, std::cmp::Reverse(it.last)));
        networks.dedup_by(|inner, outer| inner.last <= outer.last);
        Ok(networks)
    }

    fn transport(&self) -> Result<Option<Transport>, OwnRulesError> {
        match self.text("transport")? {
            None => Ok(None),
            Some("tcp") => Ok(Some(Transport::TCP)),
            Some("udp") => Ok(Some(Transport::UDP)),
            Some(other) => {
                let transport = shown(other);
                Err(OwnRulesError::BadTransport { rule: self.rule(), transport })
            }
        }
    }

    fn ports(&self) -> Result<Vec<RangeInclusive<u16>>, OwnRulesError> {
        let mut ranges = Vec::new();
        for value in self.list("ports", "a list of numbers and ranges")? {
            let Some(range) = ports_of(value) else {
                let port = value.as_str().map_or_else(|| shown(&value.to_string()), shown);
                return Err(OwnRulesError::BadPort { rule: self.rule(), port });
            };
            ranges.push(range);
        }
        ranges.sort_by_key(|it| *it.start());
        let mut apart: Vec<RangeInclusive<u16>> = Vec::new();
        for range in ranges {
            match apart.last_mut().filter(|it| range.start() <= it.end()) {
                Some(last) => *last = *last.start()..=*last.end().max(range.end()),
                None => apart.push(range),
            }
        }
        Ok(apart)
    }

    fn bytes(&self) -> Result<Vec<Pattern>, OwnRulesError> {
        let expected = "a list of tables such as { side = \"client\", at = 0, hex = \"16 03\" }";
        let mut patterns = Vec::new();
        for value in self.list("bytes", expected)? {
            let Value::Object(table) = value else {
                return Err(self.wrong_kind("bytes", expected));
            };
            let written = Written { rule: self.rule(), table };
            written.has_only(BYTES_KEYS, "bytes.")?;
            patterns.push(written.pattern()?);
        }
        Ok(patterns)
    }

    /// Reads bytes at a place, where the table is one of those.
    fn pattern(&self) -> Result<Pattern, OwnRulesError> {
        let side = match self.text("side")? {
            None | Some("either") => Side::Either,
            Some("client") => Side::Client,
            Some("server") => Side::Server,
            Some(other) => {
                return Err(OwnRulesError::BadSide { rule: self.rule(), side: shown(other) });
            }
        };
        let at = match self.table.get("at") {
            None => 0,
            Some(at) => at.as_u64().ok_or_else(|| self.wrong_kind("at", "a number from 0 on"))?,
        };
        let Some(hex) = self.text("hex")? else {
            return Err(self.wrong_kind("hex", "a text in quotes"));
        };
        let Some(bytes) = bytes_of(hex) else {
            return Err(OwnRulesError::BadHex { rule: self.rule(), hex: shown(hex) });
        };
        if bytes.len() > MAX_PATTERN_LEN {
            return Err(OwnRulesError::TooManyBytes { rule: self.rule(), n: bytes.len() });
        }
        if at > (Heads::LIMIT - bytes.len()) as u64 {
            return Err(OwnRulesError::TooFar { rule: self.rule(), at });
        }
        Ok(Pattern { side, at: at as usize, bytes })
    }
}

/// A port, or a range of them.
fn ports_of(value: &Value) -> Option<RangeInclusive<u16>> {
    let (first, last): (u16, u16) = match value {
        Value::String(text) => {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            (first.trim().parse().ok()?, last.trim().parse().ok()?)
        }
        value => {
            let port = value.as_u64()?.try_into().ok()?;
            (port, port)
        }
    };
    (1 <= first && first <= last).then_some(first..=last)
}

/// Bytes as they are written: the bits of each, and which of them count. At least one counts.
fn bytes_of(hex: &str) -> Option<Vec<(u8, u8)>> {
    let nibble = |it: char| match it {
        '?' => Some((0, 0)),
        it => Some((it.to_digit(16)? as u8, 0xf)),
    };
    let mut bytes = Vec::new();
    for word in hex.split_whitespace() {
        let mut nibbles = word.chars();
        while let Some(high) = nibbles.next() {
            let ((high, high_mask), (low, low_mask)) = (nibble(high)?, nibble(nibbles.next()?)?);
            bytes.push((high << 4 | low, high_mask << 4 | low_mask));
        }
    }
    bytes.iter().any(|it| it.1 != 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIMPLE: &str = "[[rule]]\nlabel = \"intranet\"\nnames = [\"corp.example\"]\n";

    #[track_caller]
    fn refused(text: &str, expected: &str) -> OwnRulesError {
        let error = OwnRules::read(text).expect_err("it is refused");
        assert_eq!(error.to_string(), expected);
        error
    }

    /// A rule of this line besides its label is refused.
    #[track_caller]
    fn refused_rule(line: &str, expected: &str) {
        refused(&format!("[[rule]]\nlabel = \"a\"\n{line}\n"), expected);
    }

    /// A flow that rules look at.
    struct Look {
        transport: Transport,
        server: Endpoint,
        heads: Heads,
        names: Vec<&'static str>,
        is_lookup: bool,
        agent: Option<&'static str>,
    }

    fn look() -> Look {
        let ip = "192.0.2.7".parse().expect("an address");
        Look {
            transport: Transport::TCP,
            server: Endpoint { ip, port: 9999 },
            heads: Heads::tcp(b"\x16\x03\x01\x00", b"hello"),
            names: vec![],
            is_lookup: false,
            agent: None,
        }
    }

    fn matched(rules: &OwnRules, look: &Look) -> Option<Matched> {
        let seen = Seen {
            transport: look.transport,
            server: look.server,
            heads: &look.heads,
            names: &look.names,
            is_lookup: look.is_lookup,
            agent: look.agent,
        };
        rules.decide(&seen).or_else(|| rules.guess(&seen))
    }

    /// What a rule of these lines says of the flow.
    #[track_caller]
    fn check(lines: &str, look: &Look, expected: Option<&str>) {
        let text = format!("[[rule]]\nlabel = \"a\"\n{lines}\n");
        let rules = OwnRules::read(&text).expect("rules");
        let server_name = look.names.first().map(|it| (*it).to_owned());
        let mut facts = Facts { server_name, ..Facts::default() };
        facts.told.tell(Fact::UserAgent, look.agent.unwrap_or_default());
        let said = matched(&rules, look).map(|it| it.sentence(&facts));
        let expected = expected.map(|it| format!("your rule for a says so: {it}"));
        assert_eq!(said, expected, "{lines}");
    }

    #[test]
    fn toml_and_json_say_the_same() {
        let rules = OwnRules::read(SIMPLE).expect("rules");
        let json = r#" {"rule": [{"label": "intranet", "names": ["*.CORP.example."]}]}"#;
        assert_eq!(OwnRules::read(json).expect("rules"), rules);
        assert_eq!(OwnRules::read(&format!("\u{feff}{SIMPLE}")).expect("rules"), rules);
        assert_eq!(rules.len(), 1);
        assert_eq!(rules.labels().collect::<Vec<_>>(), [("other", "intranet")]);
    }

    #[test]
    fn a_known_label_keeps_its_group() {
        let rules = OwnRules::read("[[rule]]\nlabel = \" vk \"\nports = [1]\n").expect("rules");
        assert_eq!(rules.labels().collect::<Vec<_>>(), [("social", "vk")]);
    }

    #[test]
    fn names_match_at_borders() {
        let rule = "names = [\"*.example.org\", \"org.example\"]";
        let with = |name| Look { names: vec![name], ..look() };
        check(rule, &with("example.org"), Some("the name example.org ends in example.org"));
        check(rule, &with("a.example.org"), Some("the name a.example.org ends in example.org"));
        check(rule, &with("aexample.org"), None);
        check(rule, &with("example.org.net"), None);
        check(rule, &look(), None);
        let two = Look { names: vec!["a.net", "b.org.example"], ..look() };
        check(rule, &two, Some("a further name ends in org.example"));
    }

    #[test]
    fn a_lookup_is_for_the_names_of_one_rule() {
        let rule = "names = [\"example.org\", \"example.net\"]";
        let asked = |names| Look { names, is_lookup: true, ..look() };
        let both = asked(vec!["a.example.org", "example.net"]);
        check(rule, &both, Some("the name a.example.org ends in example.org"));
        check(rule, &asked(vec!["a.example.org", "example.com"]), None);
        check(rule, &asked(vec!["example.com", "a.example.org"]), None);
    }

    #[test]
    fn an_agent_has_a_part_in_it() {
        let agent = Look { agent: Some("Updater/2 (Linux)"), ..look() };
        check("agents = [\"curl\", \"ater/2\"]", &agent, Some("ater/2 is in the user agent"));
        check("agents = [\"updater\"]", &agent, None);
        check("agents = [\"Updater\"]", &look(), None);
    }

    #[test]
    fn a_network_holds_the_server() {
        let networks = "networks = [\"192.0.2.4/30\", \"198.51.100.1\", \"192.0.2.0/29\"]";
        check(networks, &look(), Some("the server's address is in 192.0.2.0/29"));
        check("networks = [\"192.0.2.7\"]", &look(), Some("the server's address is in 192.0.2.7"));
        check("networks = [\"192.0.2.8/29\", \"2001:db8::/32\"]", &look(), None);
    }

    #[test]
    fn ports_and_transport_alone_are_a_guess() {
        let ports = "ports = [80, \"9990-9998\", \"9998 - 10000\"]";
        check(ports, &look(), Some("the server's port is 9999 (a guess)"));
        check("ports = [80, \"10000-10001\", \"443\"]", &look(), None);
        check("transport = \"tcp\"", &look(), Some("the transport is tcp (a guess)"));
        check("transport = \"udp\"\nports = [9999]", &look(), None);
        let rules = OwnRules::read("[[rule]]\nlabel = \"a\"\nports = [9999]").expect("rules");
        assert!(matched(&rules, &look()).is_some_and(|it| it.is_guess()));
    }

    #[test]
    fn bytes_match_under_their_masks() {
        let at = |bytes: &str| format!("bytes = [{{ {bytes} }}]");
        let client = Some("the bytes at 0 of the client match");
        check(&at("side = \"client\", hex = \"16 03 ?? 00\""), &look(), client);
        check(&at("side = \"client\", at = 0, hex = \"1?03\""), &look(), client);
        check(&at("side = \"client\", hex = \"?6 ?3\""), &look(), client);
        check(&at("side = \"client\", hex = \"?7\""), &look(), None);
        check(&at("side = \"client\", hex = \"16 03 01 00 ?? 00\""), &look(), None);
        check(&at("side = \"server\", hex = \"16 03\""), &look(), None);
        let server = Some("the bytes at 1 of the server match");
        check(&at("side = \"server\", at = 1, hex = \"65 6C\""), &look(), server);
        check(&at("at = 4, hex = \"6f\""), &look(), Some("the bytes at 4 of a side match"));
        let all =
            "bytes = [{ hex = \"16\", side = \"client\" }, { hex = \"69\", side = \"server\" }]";
        check(all, &look(), None);
    }

    #[test]
    fn all_conditions_must_hold_and_the_first_rule_decides() {
        let named = Look { names: vec!["a.example"], ..look() };
        let both = "names = [\"a.example\"]\nports = [9999]";
        let said = "the name a.example ends in a.example; the server's port is 9999";
        check(both, &named, Some(said));
        check("names = [\"a.example\"]\nports = [80]", &named, None);
        let text = "[[rule]]\nlabel = \"guess\"\nports = [9999]\n\
            [[rule]]\nlabel = \"first\"\nnames = [\"example\"]\n\
            [[rule]]\nlabel = \"second\"\nnames = [\"a.example\"]\n";
        let rules = OwnRules::read(text).expect("rules");
        assert_eq!(matched(&rules, &named).map(|it| it.label()), Some("first".into()));
        assert_eq!(matched(&rules, &look()).map(|it| it.label()), Some("guess".into()));
    }

    #[test]
    fn late_names_need_the_bytes_of_their_rules() {
        let reach = |lines: &str| OwnRules::read(lines).expect("rules").reach();
        assert_eq!(reach(SIMPLE), 0);
        let bytes = "bytes = [{ at = 900, hex = \"00 11\" }]\n";
        assert_eq!(reach(&format!("{SIMPLE}{bytes}")), 902);
        assert_eq!(reach(&format!("[[rule]]\nlabel = \"a\"\n{bytes}")), 0);
    }

    #[test]
    fn a_file_that_is_too_long_is_refused() {
        let text = format!("{SIMPLE}#{}", "x".repeat(OwnRules::MAX_LEN));
        refused(&text, "the file is longer than 1048576 bytes; rules may take no more");
    }

    #[test]
    fn bad_toml_is_refused_with_its_place() {
        let error = OwnRules::read("[[rule]]\nlabel = \"a\"\nports = [1,, 2]\n").expect_err("bad");
        let OwnRulesError::Toml { line, column, problem } = &error else { panic!("{error}") };
        assert_eq!((*line, *column), (3, 12), "{error}");
        assert!(!problem.is_empty() && !problem.contains('\n'));
        assert!(error.to_string().starts_with("line 3, column 12 cannot be read as TOML: "));
        let twice = OwnRules::read("[[rule]]\nlabel = \"a\"\nlabel = \"b\"\n").expect_err("bad");
        assert!(matches!(twice, OwnRulesError::Toml { line: 3, .. }), "{twice}");
    }

    #[test]
    fn bad_json_is_refused_with_its_place() {
        let error = OwnRules::read("{\"rule\":\n [}").expect_err("bad");
        assert!(matches!(error, OwnRulesError::Json { line: 2, column: 3, .. }), "{error:?}");
        assert!(!error.to_string().contains(" at line "), "{error}");
    }

    #[test]
    fn a_file_without_rules_is_refused() {
        refused("guesses = 1", "`guesses` is neither true nor false");
        let none = "the file has no rule; each begins with a line `[[rule]]`";
        refused("", none);
        refused("{\"rule\": []}", none);
        refused("rule = 1", "`rule` is no list; each rule begins with a line `[[rule]]`");
        refused("rule = [1]", "`rule` is no list; each rule begins with a line `[[rule]]`");
        let expected = "the file has the unknown key `rules` outside its rules; only `rule` and `guesses` may stand there";
        refused("[[rules]]\nlabel = \"a\"", expected);
    }

    #[test]
    fn too_many_rules_or_entries_are_refused() {
        let text = SIMPLE.repeat(MAX_RULES + 1);
        refused(&text, "the file has 1001 rules; at most 1000 are taken");
        let ports = (0..=MAX_ENTRIES).map(|it| format!("{it}")).collect::<Vec<_>>().join(",");
        let expected = "the lists of all rules have 10001 entries; at most 10000 are taken";
        refused_rule(&format!("ports = [{ports}]"), expected);
    }

    #[test]
    fn a_key_that_means_nothing_is_refused() {
        let expected = "rule 1 (`a`) has the unknown key `name`; known are label, group, names, \
            agents, networks, transport, ports, bytes";
        refused_rule("name = [\"a.example\"]", expected);
        let expected = "rule 1 (`a`) has the unknown key `bytes.mask`; known are side, at, hex";
        refused_rule("bytes = [{ mask = \"ff\" }]", expected);
    }

    #[test]
    fn a_value_of_another_kind_is_refused() {
        refused_rule("names = \"a\"", "rule 1 (`a`): `names` is not a list of texts in quotes");
        refused_rule("names = [1]", "rule 1 (`a`): `names` is not a list of texts in quotes");
        refused_rule("group = 1", "rule 1 (`a`): `group` is not a text in quotes");
        refused_rule("ports = 80", "rule 1 (`a`): `ports` is not a list of numbers and ranges");
        let at = "rule 1 (`a`): `at` is not a number from 0 on";
        refused_rule("bytes = [{ at = -1, hex = \"00\" }]", at);
        refused_rule("bytes = [{ at = 1 }]", "rule 1 (`a`): `hex` is not a text in quotes");
        let bytes = "rule 1 (`a`): `bytes` is not a list of tables such as \
            { side = \"client\", at = 0, hex = \"16 03\" }";
        refused_rule("bytes = [\"16\"]", bytes);
        refused("[[rule]]\nlabel = 1", "rule 1: `label` is not a text in quotes");
        refused_rule(
            "names = 1979-05-27",
            "rule 1 (`a`): `names` is not a list of texts in quotes",
        );
    }

    #[test]
    fn an_empty_list_is_refused() {
        refused_rule("names = []", "rule 1 (`a`): the list `names` is empty");
        refused_rule("bytes = []", "rule 1 (`a`): the list `bytes` is empty");
    }

    #[test]
    fn a_label_is_short_and_in_lower_case() {
        refused("[[rule]]\nports = [1]", "rule 1 has no `label`");
        let bad = |label: &str| {
            let expected = format!(
                "rule 1 (`{label}`): `label` must be 1 to 40 lower case letters, digits, spaces, \
                dots, hyphens or underscores"
            );
            refused(&format!("[[rule]]\nlabel = \"{label}\"\nports = [1]"), &expected);
        };
        bad("");
        bad("Intranet");
        bad("a/b");
        bad(&"x".repeat(41));
        let expected = "rule 1 (`unknown`): `label` must not be `unknown`, which flows without a \
            label are called";
        refused("[[rule]]\nlabel = \"unknown\"", expected);
        assert!(OwnRules::read("[[rule]]\nlabel = \"наш сервер 2.0-b_c\"\nports = [1]").is_ok());
    }

    #[test]
    fn a_group_is_a_known_one() {
        let expected = "rule 1 (`a`): there is no `group` called `webb`; there are cloud, files, \
            games, mail, media, messaging, names, other, peer2peer, social, system, tunnel, \
            voice, web";
        refused_rule("group = \"webb\"", expected);
        let expected = "rule 1 (`vk`): its label is in the `group` `social` already";
        refused("[[rule]]\nlabel = \"vk\"\ngroup = \"games\"\nports = [1]", expected);
        let text = "[[rule]]\nlabel = \"b\"\nports = [1]\n\
            [[rule]]\nlabel = \"b\"\ngroup = \"web\"\nports = [2]";
        refused(text, "rule 2 (`b`): its label is in the `group` `other` already");
    }

    #[test]
    fn a_rule_has_a_condition() {
        let expected = "rule 1 (`a`) has no condition; at least one of names, agents, networks, \
            transport, ports and bytes is needed";
        refused_rule("", expected);
    }

    #[test]
    fn names_agents_and_networks_are_such() {
        for name in ["", "a b", "*", "*.", "a..b", "http://a.example", "имя"] {
            let expected = format!(
                "rule 1 (`a`): `{name}` in `names` is no domain name such as example.org or \
                *.example.org, written as it is sent"
            );
            refused_rule(&format!("names = [\"{name}\"]"), &expected);
        }
        refused_rule("agents = [\" \"]", "rule 1 (`a`): a text in `agents` is empty");
        for network in ["10.0.0.0/33", "10.0.0", "2001:db8::/129", ""] {
            let expected = format!(
                "rule 1 (`a`): `{network}` in `networks` is no network such as 192.0.2.0/24 or \
                2001:db8::/32"
            );
            refused_rule(&format!("networks = [\"{network}\"]"), &expected);
        }
    }

    #[test]
    fn transports_and_ports_are_such() {
        let expected = "rule 1 (`a`): `transport` is `sctp`; it must be tcp or udp";
        refused_rule("transport = \"sctp\"", expected);
        for port in ["0", "65536", "-1", "1.5", "\"10-9\"", "\"a\"", "true"] {
            let shown = port.trim_matches('"');
            let expected = format!(
                "rule 1 (`a`): `{shown}` in `ports` is no number from 1 to 65535 and no range \
                such as \"8000-8010\""
            );
            refused_rule(&format!("ports = [{port}]"), &expected);
        }
    }

    #[test]
    fn bytes_are_such() {
        let expected =
            "rule 1 (`a`): `side` in `bytes` is `both`; it must be client, server or either";
        refused_rule("bytes = [{ side = \"both\", hex = \"00\" }]", expected);
        for hex in ["", "0", "0g", "?? ??", "1 6", "0x16"] {
            let expected = format!(
                "rule 1 (`a`): `{hex}` in `bytes` is no list of bytes such as \"16 03 ?? 01\": two \
                hexadecimal digits each, ? for any, not ? alone"
            );
            refused_rule(&format!("bytes = [{{ hex = \"{hex}\" }}]"), &expected);
        }
        let expected =
            "rule 1 (`a`): `hex` in `bytes` has 65 bytes; at most 64 are compared at one place";
        refused_rule(&format!("bytes = [{{ hex = \"{}\" }}]", "00".repeat(65)), expected);
        let expected = "rule 1 (`a`): `at` in `bytes` is 4096; only the first 4096 bytes of a side \
            are compared";
        refused_rule("bytes = [{ at = 4096, hex = \"00\" }]", expected);
        let fits = "[[rule]]\nlabel = \"a\"\nbytes = [{ at = 4095, hex = \"00\" }]";
        assert!(OwnRules::read(fits).is_ok());
    }
}
