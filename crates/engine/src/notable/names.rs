//! What was asked of DNS: names there are not, and names that may carry data.

use classify::Fact;
use v1::Notable;

use super::{bounds, contacts::Contacts, number, percent, text};
use crate::Analysis;

/// The flows of a client that speak DNS.
fn of_dns(analysis: &Analysis, flows: impl Iterator<Item = u32>) -> Vec<u32> {
    let is_dns =
        |it: &u32| analysis.labelled(*it).is_some_and(|(_, verdict)| verdict.protocol == "dns");
    flows.filter(is_dns).collect()
}

/// Clients whose names are not there.
pub(super) fn failed(analysis: &Analysis, contacts: &Contacts<'_>) -> Vec<Notable> {
    let rows = contacts.by_client().filter_map(|(client, flows)| {
        let flows = of_dns(analysis, flows);
        let failed = flows.iter().filter(|it| {
            let verdict = analysis.labelled(**it).map(|it| it.1);
            let said = verdict.and_then(|it| it.facts().told.get(Fact::DnsAnswer));
            said == Some("NXDOMAIN")
        });
        let failed = failed.count();
        let is_much = failed >= bounds::FAILED_NAMES
            && percent(failed, flows.len()) >= bounds::FAILED_PERCENT;
        is_much.then(|| Notable {
            code: "I-NO-SUCH-NAME".to_owned(),
            parameters: vec![text(client), number(failed), number(flows.len())],
            client: Some(client.to_string()),
            server: None,
            filter: format!("client:{client} proto:dns dns_answer:NXDOMAIN"),
            flows: failed as u64,
        })
    });
    rows.collect()
}

/// Clients that ask for many long names below one domain.
pub(super) fn long(analysis: &Analysis, contacts: &Contacts<'_>) -> Vec<Notable> {
    let mut rows = Vec::new();
    for (client, flows) in contacts.by_client() {
        let flows = of_dns(analysis, flows);
        let names =
            flows.iter().filter_map(|it| analysis.labelled(*it)?.1.facts().server_name.as_deref());
        let mut names: Vec<(&str, &str)> = names.filter_map(|it| Some((domain(it)?, it))).collect();
        if names.len() < bounds::LONG_NAMES {
            continue;
        }
        names.sort_unstable();
        for below in names.chunk_by(|a, b| a.0 == b.0) {
            let mut below = below.to_vec();
            below.dedup();
            let Some((domain, _)) = below.first().copied() else { continue };
            let lens = below.iter().map(|it| it.1.len().saturating_sub(domain.len() + 1));
            let mean = lens.sum::<usize>() / below.len();
            if below.len() < bounds::LONG_NAMES || mean < bounds::NAME_LEN {
                continue;
            }
            // As the filter has it.
            let holds = |it: &&u32| {
                let verdict = analysis.labelled(**it).map(|it| it.1);
                let name = verdict.and_then(|it| it.facts().server_name.as_deref());
                name.is_some_and(|it| it.contains(domain))
            };
            let flows = flows.iter().filter(holds).count();
            rows.push(Notable {
                code: "W-LONG-NAMES".to_owned(),
                parameters: vec![text(client), text(domain), number(below.len()), number(mean)],
                client: Some(client.to_string()),
                server: None,
                filter: format!("client:{client} proto:dns name:\"{domain}\""),
                flows: flows as u64,
            });
        }
    }
    rows
}

/// The domain somebody registered, as far as can be told without a list of suffixes: the last two labels, or three where
/// the last are as in `co.uk`. None of reverse lookups and of names without a dot.
fn domain(name: &str) -> Option<&str> {
    let mut dots = name.rmatch_indices('.').map(|it| it.0);
    let (last, second) = (dots.next()?, dots.next());
    let top = name.get(last + 1..)?;
    if top == "arpa" || top == "local" {
        return None;
    }
    let Some(second) = second else { return Some(name) };
    let is_national = top.len() == 2 && last - second - 1 <= 3;
    let start = if is_national { dots.next().map_or(0, |it| it + 1) } else { second + 1 };
    name.get(start..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_what_somebody_registered() {
        assert_eq!(domain("a.b.example.com"), Some("example.com"));
        assert_eq!(domain("example.com"), Some("example.com"));
        assert_eq!(domain("a.example.co.uk"), Some("example.co.uk"));
        assert_eq!(domain("a.b.vk.ru"), Some("b.vk.ru"));
        assert_eq!(domain("1.0.168.192.in-addr.arpa"), None);
        assert_eq!(domain("printer"), None);
    }
}
