//! SMB, all versions (MS-CIFS, MS-SMB2), behind NetBIOS session framing on TCP.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{
    bytes::{Reader, le16, le32},
    fact::Fact,
    look,
    needs::tcp,
    ntlm,
};

pub(super) const PROTOCOL: Protocol = Protocol {
    name: "smb",
    group: "files",
    title: "Server Message Block",
    source: "MS-CIFS, MS-SMB2",
    needs: tcp(b"\0\x81\x82"),
    recognise,
};

fn recognise(heads: &Heads) -> Option<Facts> {
    let seen = look::streams(heads).find_map(message)?;
    // A client of any version begins with version 1, to ask whether there is a later one: then the answer tells.
    let is_old = look::streams(heads).filter_map(message).all(|it| it == VERSION_1);
    let version = look::streams(heads).find_map(dialect).or(is_old.then_some("SMB 1"));
    let mut facts = Facts::seen(seen).telling(Fact::Version, version);
    look::streams(heads).for_each(|it| ntlm::tell(it, &mut facts));
    Some(facts)
}

const VERSION_1: &str = "an SMB version 1 message";

/// The version a server chose: in its answer to the negotiation of version 2 (MS-SMB2, section 2.2.4).
fn dialect(stream: &[u8]) -> Option<&'static str> {
    const NEGOTIATE: u16 = 0;
    const RESPONSE: u32 = 1;
    let header = stream.get(look::find(stream.get(..256).unwrap_or(stream), b"\xfeSMB")?..)?;
    let is_answer = le16(header, 12) == Some(NEGOTIATE) && le32(header, 16)? & RESPONSE != 0;
    Some(match le16(header, 64 + 4).filter(|_| is_answer)? {
        0x0202 => "SMB 2.0.2",
        0x0210 => "SMB 2.1",
        0x0300 => "SMB 3.0",
        0x0302 => "SMB 3.0.2",
        0x0311 => "SMB 3.1.1",
        _ => return None,
    })
}

/// What the first message of a stream is. On port 139 a NetBIOS session is asked for and granted before it.
fn message(stream: &[u8]) -> Option<&'static str> {
    let mut reader = Reader(stream);
    let (kind, _flags, len) = (reader.u8()?, reader.u8()?, reader.u16()?);
    let payload = match kind {
        0x00 => reader.0,
        0x81 | 0x82 => {
            reader.skip(len.into())?;
            let 0 = reader.u8()? else { return None };
            reader.skip(3)?;
            reader.0
        }
        _ => return None,
    };
    Some(match payload.first_chunk()? {
        b"\xffSMB" => VERSION_1,
        b"\xfeSMB" => "an SMB version 2 or 3 message",
        b"\xfdSMB" => "an encrypted SMB version 3 message",
        b"\xfcSMB" => "a compressed SMB version 3 message",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(client: &[u8], expected: bool) {
        assert_eq!(recognise(&Heads::tcp(client, b"")).is_some(), expected);
    }

    #[test]
    fn both_versions() {
        check(b"\0\0\0\x23\xffSMBr", true);
        check(b"\0\0\0\x40\xfeSMB\x40\0", true);
        check(b"\x81\0\0\x02ab\0\0\0\x23\xffSMBr", true);
    }

    #[test]
    fn a_later_version_is_asked_for_by_the_first() {
        let version = |server: &[u8]| {
            let facts = recognise(&Heads::tcp(b"\0\0\0\x23\xffSMBr", server)).expect("SMB");
            facts.told.get(Fact::Version).map(str::to_owned)
        };
        assert_eq!(version(b"\0\0\0\x23\xffSMBr").as_deref(), Some("SMB 1"));
        assert_eq!(version(b"\0\0\0\x40\xfeSMB\x40\0"), None);
    }

    #[test]
    fn a_session_request_alone_is_not_smb() {
        check(b"\x81\0\0\x02ab", false);
        check(b"\0\0\0\x23SMBr", false);
    }
}
