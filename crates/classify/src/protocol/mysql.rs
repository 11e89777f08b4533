//! MySQL and MariaDB (the client/server protocol of the manual), by the server's greeting.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    bytes::{Reader, le32, text},
    fact::Fact,
    look,
    needs::{ANY, tcp},
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "mysql",
    group: "system",
    title: "MySQL and MariaDB",
    source: "MySQL Source Code Documentation, Client/Server Protocol",
    needs: tcp(ANY),
    recognise,
};

fn recognise(heads: &Heads) -> Option<Facts> {
    look::streams(heads).find_map(greeting)
}

/// Length, number 0, protocol 10, the version as text, a connection's number, 8 bytes of salt and a zero; or a refusal.
fn greeting(stream: &[u8]) -> Option<Facts> {
    let len = le32(stream, 0)? as usize;
    let mut reader = Reader(stream.get(4..)?);
    if !(20..1024).contains(&len) || len > reader.0.len() {
        return None;
    }
    match reader.u8()? {
        10 => {
            let end = reader.0.iter().take(80).position(|it| *it == 0)?;
            let version = reader.take(end)?;
            let is_version = version.first()?.is_ascii_digit() && look::is_text(version);
            reader.skip(1 + 4 + 8)?;
            (is_version && reader.u8()? == 0).then(|| {
                let version = text(version, 40);
                Facts::seen(format!("the greeting of a MySQL server, {version}"))
                    .telling(Fact::ServerSoftware, Some(format!("MySQL {version}")))
            })
        }
        0xff => {
            let is_refusal =
                look::contains(reader.0.get(..len.min(200))?, b"is not allowed to connect");
            is_refusal.then(|| Facts::seen("the refusal of a MySQL server"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_tells_its_version() {
        let greeting = b"\x18\0\0\0\x0a8.0.1\0\x07\0\0\0saltsalt\0\xff\xf7\x08\0";
        let facts = recognise(&Heads::tcp(b"", greeting)).unwrap();
        assert_eq!(facts.seen, "the greeting of a MySQL server, 8.0.1");
    }

    #[test]
    fn a_greeting_without_a_version_is_not_mysql() {
        let other = b"\x18\0\0\0\x0aabcde\0\x07\0\0\0saltsalt\0\xff\xf7\x08\0";
        assert!(recognise(&Heads::tcp(b"", other)).is_none());
    }
}
