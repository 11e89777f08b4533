//! SMB, all versions (MS-CIFS, MS-SMB2), behind NetBIOS session framing on TCP.

use flow::Heads;

use super::{Facts, Protocol};
use crate::{bytes::Reader, look};

pub(super) const PROTOCOL: Protocol = Protocol { name: "smb", group: "files", recognise };

fn recognise(heads: &Heads) -> Option<Facts> {
    let seen = look::streams(heads).find_map(message)?;
    Some(Facts::seen(seen))
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
        b"\xffSMB" => "an SMB version 1 message",
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
    fn a_session_request_alone_is_not_smb() {
        check(b"\x81\0\0\x02ab", false);
        check(b"\0\0\0\x23SMBr", false);
    }
}
