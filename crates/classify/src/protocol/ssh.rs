//! SSH, by the identification string that both sides send first (RFC 4253, section 4.2).

use flow::{Heads, Transport};

use super::{Facts, Protocol};
use crate::{
    bytes::{Reader, text},
    fact::Fact,
    hello::md5_hex,
    needs::tcp,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "ssh",
    group: "other",
    title: "Secure Shell",
    source: "RFC 4253",
    needs: tcp(b"S"),
    recognise,
};

fn recognise(heads: &Heads) -> Option<Facts> {
    if heads.transport != Transport::TCP {
        return None;
    }
    let line = |bytes: &[u8]| {
        let is_ssh = bytes.starts_with(b"SSH-2.0-") || bytes.starts_with(b"SSH-1.");
        is_ssh.then(|| {
            text(bytes.split(|it| matches!(it, b'\r' | b'\n')).next().unwrap_or_default(), 100)
        })
    };
    let (client, server) = (line(heads.client.bytes()), line(heads.server.bytes()));
    let said = client.as_deref().or(server.as_deref())?;
    // 1.99 is how a side says that it speaks 2.0 and the version before it (RFC 4253, section 5.1).
    let is_new = |it: &String| it.starts_with("SSH-2.0-") || it.starts_with("SSH-1.99-");
    let is_new = [&client, &server].into_iter().flatten().all(is_new);
    let version = if is_new { Some("SSH 2.0") } else { Some("SSH 1") };
    let facts = Facts::seen(format!("the SSH identification {said}"));
    let facts = facts
        .telling(Fact::Version, version)
        .telling(Fact::Hassh, hassh(heads.client.bytes(), [0, 2, 4, 6]))
        .telling(Fact::HasshServer, hassh(heads.server.bytes(), [0, 3, 5, 7]))
        .telling(Fact::ServerSoftware, server);
    Some(facts.telling(Fact::UserAgent, client))
}

/// The MD5 of these lists of algorithms in the KEXINIT behind the identification (RFC 4253, section 7.1).
fn hassh(bytes: &[u8], lists: [usize; 4]) -> Option<String> {
    const KEXINIT: u8 = 20;
    let end = bytes.iter().position(|it| *it == b'\n')?;
    let mut reader = Reader(bytes.get(end + 1..)?);
    let (_len, _padding, kind) = (reader.u32()?, reader.u8()?, reader.u8()?);
    reader.skip(16).filter(|()| kind == KEXINIT)?;
    let mut all = Vec::new();
    for _ in 0..8 {
        let len = reader.u32()? as usize;
        all.push(std::str::from_utf8(reader.take(len)?).ok()?);
    }
    let chosen: Vec<&str> = lists.iter().filter_map(|at| all.get(*at).copied()).collect();
    Some(md5_hex(chosen.join(";").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(client: &[u8], server: &[u8], expected: bool) {
        assert_eq!(recognise(&Heads::tcp(client, server)).is_some(), expected);
    }

    #[test]
    fn either_side_names_itself() {
        check(b"SSH-2.0-OpenSSH_9.2\r\n", b"", true);
        check(b"", b"SSH-2.0-dropbear\r\n", true);
    }

    #[test]
    fn the_lists_of_algorithms_have_a_fingerprint() {
        let mut bytes = b"SSH-2.0-OpenSSH_9.2\r\n\0\0\0\0\x04\x14".to_vec();
        bytes.extend([7; 16]);
        for list in ["k", "h", "e1", "e2", "m1", "m2", "c1", "c2"] {
            bytes.extend((list.len() as u32).to_be_bytes());
            bytes.extend(list.as_bytes());
        }
        let facts = recognise(&Heads::tcp(&bytes, &bytes)).expect("SSH");
        assert_eq!(facts.told.get(Fact::Hassh), Some(&*md5_hex(b"k;e1;m1;c1")));
        assert_eq!(facts.told.get(Fact::HasshServer), Some(&*md5_hex(b"k;e2;m2;c2")));
        assert!((0..bytes.len()).all(|it| hassh(&bytes[..it], [0, 2, 4, 6]).is_none()));
    }

    #[test]
    fn a_version_is_what_both_speak() {
        let version = |client: &[u8], server: &[u8]| {
            let facts = recognise(&Heads::tcp(client, server)).expect("SSH");
            facts.told.get(Fact::Version).map(str::to_owned)
        };
        assert_eq!(version(b"SSH-2.0-a\r\n", b"SSH-1.99-b\r\n").as_deref(), Some("SSH 2.0"));
        assert_eq!(version(b"SSH-1.5-a\r\n", b"SSH-1.99-b\r\n").as_deref(), Some("SSH 1"));
    }

    #[test]
    fn a_mention_of_ssh_is_not_ssh() {
        check(b"GET /SSH-2.0- HTTP/1.1\r\n", b"", false);
    }
}
