//! What payloads tell that should not be: secrets in clear, obsolete versions, weak ciphers, what looks like a tunnel.

use std::{collections::BTreeMap, net::IpAddr};

use classify::Fact;
use v1::{Notable, Parameter};

use super::{number, text, within};
use crate::{Analysis, Filter};

/// A fact that is worth a word.
struct Telling {
    code: &'static str,
    fact: Fact,
    /// What the fact's text holds; empty for whatever it is.
    part: &'static str,
    /// The document that says why not, where there is one; of a tunnel what it is in.
    source: &'static str,
    /// What finds the flows; empty for the fact with the text it has.
    filter: &'static str,
}

const fn telling(
    code: &'static str,
    fact: Fact,
    part: &'static str,
    source: &'static str,
    filter: &'static str,
) -> Telling {
    Telling { code, fact, part, source, filter }
}

/// The first that fits a text counts.
const TELLINGS: &[Telling] = &[
    telling("I-COMMUNITY", Fact::Credentials, "SNMP community", "", ""),
    telling("W-PASSWORD", Fact::Credentials, "", "", ""),
    // Of TLS only what a server agreed to: what it chose a cipher suite in.
    telling("W-OLD-VERSION", Fact::Version, "SSL 2", "RFC 6176", "version:\"SSL 2\" cipher:\"\""),
    telling("W-OLD-VERSION", Fact::Version, "SSL 3", "RFC 7568", "version:\"SSL 3\" cipher:\"\""),
    telling(
        "W-OLD-VERSION",
        Fact::Version,
        "DTLS 1.0",
        "RFC 8996",
        "version:\"DTLS 1.0\" cipher:\"\"",
    ),
    telling(
        "W-OLD-VERSION",
        Fact::Version,
        "TLS 1.0",
        "RFC 8996",
        "version:\"TLS 1.0\" -version:DTLS cipher:\"\"",
    ),
    telling(
        "W-OLD-VERSION",
        Fact::Version,
        "TLS 1.1",
        "RFC 8996",
        "version:\"TLS 1.1\" cipher:\"\"",
    ),
    telling("W-OLD-VERSION", Fact::Version, "SSH 1", "RFC 4251, 9.3", "version:\"SSH 1\""),
    telling("W-OLD-VERSION", Fact::Version, "SMB 1", "MS-SMB2, 1", "version:\"SMB 1\""),
    telling("W-WEAK-CIPHER", Fact::Cipher, "WITH_NULL", "RFC 9325, 4.1", "cipher:WITH_NULL"),
    telling("W-WEAK-CIPHER", Fact::Cipher, "EXPORT", "RFC 9325, 4.1", "cipher:EXPORT"),
    telling(
        "W-WEAK-CIPHER",
        Fact::Cipher,
        "_anon_",
        "RFC 9325, 4.1",
        "cipher:_anon_ -cipher:EXPORT -cipher:WITH_NULL",
    ),
    telling(
        "W-WEAK-CIPHER",
        Fact::Cipher,
        "RC4",
        "RFC 7465",
        "cipher:RC4 -cipher:EXPORT -cipher:_anon_",
    ),
    telling(
        "W-WEAK-CIPHER",
        Fact::Cipher,
        "_DES_",
        "RFC 9325, 4.1",
        "cipher:_DES_ -cipher:EXPORT -cipher:_anon_",
    ),
    telling("W-WEAK-CIPHER", Fact::Cipher, "3DES", "RFC 9325, 4.1", "cipher:3DES -cipher:_anon_"),
    telling("W-TUNNEL", Fact::Shape, "tunnel in DNS", "DNS", "shape:\"tunnel in DNS\""),
    telling("W-TUNNEL", Fact::Shape, "tunnel in ICMP", "ICMP", "shape:\"tunnel in ICMP\""),
];

/// The flows of one telling and text.
#[derive(Default)]
struct Told {
    flows: Vec<u32>,
    clients: Vec<IpAddr>,
    servers: Vec<IpAddr>,
}

/// What these flows tell; the filters are for those within another one.
pub(super) fn find(
    analysis: &Analysis,
    flows: impl Iterator<Item = u32>,
    outer: &str,
) -> Vec<Notable> {
    // The texts are the classifier's own, and few.
    let mut found: BTreeMap<(usize, &str), Told> = BTreeMap::new();
    for number in flows {
        let Some((_, verdict)) = analysis.labelled(number) else { continue };
        for (fact, said) in verdict.facts().told.iter() {
            let fits = |it: &Telling| it.fact == fact && said.contains(it.part);
            let Some(at) = TELLINGS.iter().position(fits) else { continue };
            let is_named = TELLINGS.get(at).is_some_and(|it| !it.filter.is_empty());
            let said = if is_named { "" } else { said };
            found.entry((at, said)).or_default().flows.push(number);
        }
    }
    let start = analysis.time_start_ns();
    let rows = found.into_iter().filter_map(|((at, said), mut told)| {
        let telling = TELLINGS.get(at)?;
        let said = if said.is_empty() { telling.part } else { said };
        let filter = match telling.filter {
            "" => format!("{}:\"{said}\"", telling.fact.row().key),
            filter => filter.to_owned(),
        };
        let parsed = Filter::parse(&filter).ok()?;
        told.flows.retain(|it| analysis.row(*it).is_some_and(|row| parsed.matches(&row, start)));
        for (flow, _) in told.flows.iter().filter_map(|it| analysis.labelled(*it)) {
            told.clients.push(flow.client.ip);
            told.servers.push(flow.server.ip);
        }
        let [clients, servers] = [told.clients, told.servers].map(|mut it| {
            it.sort_unstable();
            it.dedup();
            it
        });
        let mut parameters: Vec<Parameter> =
            vec![text(said.trim_start_matches("WITH_").trim_matches('_'))];
        parameters.extend((!telling.source.is_empty()).then(|| text(telling.source)));
        parameters.extend([told.flows.len(), clients.len(), servers.len()].map(number));
        (!told.flows.is_empty()).then(|| Notable {
            code: telling.code.to_owned(),
            parameters,
            filter: within(outer, &filter),
            flows: told.flows.len() as u64,
            ..Notable::default()
        })
    });
    rows.collect()
}
