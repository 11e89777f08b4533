//! ONC RPC (RFC 5531) and what is called by it: NFS and its helpers, or another program.

use flow::{Heads, Transport};

use super::{Facts, Protocol};
use crate::{
    bytes::be32,
    look,
    needs::{ANY, tcp, udp},
};

pub(super) const NFS: Protocol = Protocol {
    name: "nfs",
    group: "files",
    title: "Network File System",
    source: "RFC 5531, RFC 1813, RFC 8881",
    needs: tcp(b"\x80").or(udp(ANY)),
    recognise: nfs,
};
pub(super) const OTHER: Protocol = Protocol {
    name: "onc-rpc",
    group: "system",
    title: "ONC remote procedure calls",
    source: "RFC 5531",
    needs: tcp(b"\x80").or(udp(ANY)),
    recognise,
};

const PORT_MAPPER: u32 = 100_000;
/// NFS, its mounts, locks, states, quotas and access lists.
const OF_NFS: &[u32] = &[100_003, 100_005, 100_021, 100_024, 100_011, 100_227];

fn recognise(heads: &Heads) -> Option<Facts> {
    called(heads).map(|_| Facts::seen("a remote procedure call (ONC RPC)"))
}

fn nfs(heads: &Heads) -> Option<Facts> {
    let (program, asked_for) = called(heads)?;
    let is_nfs = OF_NFS.contains(&program);
    let is_asked = program == PORT_MAPPER && asked_for.is_some_and(|it| OF_NFS.contains(&it));
    let seen = if is_nfs { "an NFS call" } else { "a question where NFS is to be found" };
    (is_nfs || is_asked).then(|| Facts::seen(seen))
}

/// The program that is called, and that which the port mapper is asked for.
fn called(heads: &Heads) -> Option<(u32, Option<u32>)> {
    match heads.transport {
        // The last fragment's mark and its length come before.
        Transport::TCP => look::streams(heads).find_map(|it| {
            be32(it, 0).filter(|mark| (0x8000_0028..0x8010_0000).contains(mark))?;
            call(it.get(4..)?)
        }),
        _ => look::firsts(heads).find_map(call),
    }
}

fn call(bytes: &[u8]) -> Option<(u32, Option<u32>)> {
    let (kind, version, program) = (be32(bytes, 4)?, be32(bytes, 8)?, be32(bytes, 12)?);
    let (of_program, procedure) = (be32(bytes, 16)?, be32(bytes, 20)?);
    // Programs below this number were given out by Sun, those of users begin there.
    let is_program = matches!(program, 100_000..=0x2000_ffff | 0x4000_0000..=0x5fff_ffff);
    let is_call = kind == 0 && version == 2 && is_program && of_program <= 16 && procedure <= 128;
    let credential_len = be32(bytes, 28).filter(|it| *it <= 400)? as usize;
    let verifier_len = be32(bytes, 36 + credential_len).filter(|it| *it <= 400)? as usize;
    is_call.then(|| (program, be32(bytes, 40 + credential_len + verifier_len)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(program: u32, asked_for: u32) -> Vec<u8> {
        [7, 0, 2, program, 2, 3, 0, 0, 0, 0, asked_for]
            .iter()
            .flat_map(|it: &u32| it.to_be_bytes())
            .collect()
    }

    #[test]
    fn nfs_is_called_or_asked_for() {
        assert!(nfs(&Heads::udp(&[&call(100_003, 0)], &[])).is_some());
        assert!(nfs(&Heads::udp(&[&call(100_000, 100_003)], &[])).is_some());
        assert!(nfs(&Heads::udp(&[&call(100_000, 100_004)], &[])).is_none());
    }

    #[test]
    fn a_number_that_is_no_program_is_no_call() {
        assert!(recognise(&Heads::udp(&[&call(100_004, 0)], &[])).is_some());
        assert!(recognise(&Heads::udp(&[&call(7, 0)], &[])).is_none());
    }
}
