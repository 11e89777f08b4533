//! What a tunnel carries behind the words of its own: TLS and HTTP tell of themselves there as everywhere.

use flow::Heads;

use crate::protocol::{self, Facts};

/// Adds what both sides tell behind a proxy's answer: facts and names. The flow stays what it is.
pub(crate) fn tell(client: &[u8], server: &[u8], facts: &mut Facts) {
    if client.is_empty() && server.is_empty() {
        return;
    }
    let Some(inner) = protocol::recognise_inside(&Heads::tcp(client, server)) else { return };
    inner.told.iter().for_each(|(fact, text)| facts.told.tell(fact, text));
    inner.ties.into_iter().for_each(|it| facts.tie(it));
    facts.server_name = inner.server_name.or(facts.server_name.take());
    facts.further_names.extend(inner.further_names);
}
