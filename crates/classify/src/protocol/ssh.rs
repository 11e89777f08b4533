//! SSH, by the identification string that both sides send first (RFC 4253, section 4.2).

use flow::{Heads, Transport};

use super::{Facts, Protocol};
use crate::bytes::text;

pub(super) const PROTOCOL: Protocol = Protocol { name: "ssh", group: "other", recognise };

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
    let client = line(heads.client.bytes());
    let said = client.clone().or_else(|| line(heads.server.bytes()))?;
    Some(Facts { user_agent: client, ..Facts::seen(format!("the SSH identification {said}")) })
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
    fn a_mention_of_ssh_is_not_ssh() {
        check(b"GET /SSH-2.0- HTTP/1.1\r\n", b"", false);
    }
}
