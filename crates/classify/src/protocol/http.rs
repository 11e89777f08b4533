//! HTTP/1.x, by its request line or status line (RFC 9112, sections 3 and 4).

use flow::Heads;

use super::{Facts, Protocol};

pub(super) const PROTOCOL: Protocol = Protocol { name: "http", group: "web", recognise };

fn recognise(heads: &Heads) -> Option<Facts> {
    let is_request = heads.client.bytes().starts_with(b"GET ");
    is_request.then(|| Facts::seen("an HTTP request line"))
}
