//! Services by what shows them: names, addresses, user agents. A service is a row.

use std::{collections::HashMap, net::IpAddr, sync::LazyLock};

/// A service and what shows it.
pub struct Service {
    /// Its label in the v1 interface.
    pub label: &'static str,
    /// The group that `/labels/list` shows it in.
    pub group: &'static str,
    /// Domain names it owns; names below them count too.
    pub names: &'static [&'static str],
    /// Networks it owns, as `91.108.4.0/22`.
    pub networks: &'static [&'static str],
    /// How its programs' user agents begin.
    pub agents: &'static [&'static str],
}

const fn names(
    label: &'static str,
    group: &'static str,
    names: &'static [&'static str],
) -> Service {
    Service { label, group, names, networks: &[], agents: &[] }
}

/// Every service. Order does not matter: the longest name decides.
pub const SERVICES: &[Service] = &[
    names("facebook", "social", &["facebook.com", "fbcdn.net"]),
    names("vk", "social", &["vk.com", "userapi.com"]),
];

/// Rows of [`SERVICES`] by name.
static BY_NAME: LazyLock<HashMap<&'static str, &'static Service>> = LazyLock::new(|| {
    SERVICES.iter().flat_map(|row| row.names.iter().map(move |name| (*name, row))).collect()
});

/// The service that owns a name: the one with the longest name of which it is a part.
pub(crate) fn by_name(name: &str) -> Option<&'static Service> {
    let mut rest = name.trim_end_matches('.');
    loop {
        if let Some(service) = BY_NAME.get(rest) {
            return Some(service);
        }
        rest = rest.split_once('.')?.1;
    }
}

/// The service whose programs call themselves so.
pub(crate) fn by_agent(agent: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|row| row.agents.iter().any(|start| agent.starts_with(start)))
}

/// The service that owns the address, and by which network.
pub(crate) fn by_address(_ip: IpAddr) -> Option<(&'static str, &'static Service)> {
    None
}
