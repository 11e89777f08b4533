//! A WebAssembly module without the names of its functions, which nobody loads a page for.

use anyhow::Context as _;

/// The magic number and version of a module.
const HEADER_LEN: usize = 8;
/// The kind of a custom section (WebAssembly core specification, 5.5.2).
const CUSTOM: u8 = 0;
/// The custom section of names (appendix 7.4).
const NAMES: &[u8] = b"\x04name";

/// The module without its section of names.
///
/// # Errors
/// Where the bytes are no module.
pub(crate) fn without_names(module: &[u8]) -> anyhow::Result<Vec<u8>> {
    let (header, mut rest) =
        module.split_at_checked(HEADER_LEN).context("the module has no header")?;
    let mut out = header.to_vec();
    while let Some((&kind, after)) = rest.split_first() {
        let (len, body) = length(after).context("a section has no length")?;
        let (body, next) = body.split_at_checked(len).context("a section is cut short")?;
        if kind != CUSTOM || !body.starts_with(NAMES) {
            let section_len = rest.len() - next.len();
            out.extend_from_slice(&rest[..section_len]);
        }
        rest = next;
    }
    Ok(out)
}

/// An unsigned number in seven bits a byte (5.2.2), and what follows it.
fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut len: u64 = 0;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        len |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(len).ok()?, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[u8] = b"\0asm\x01\0\0\0";

    #[track_caller]
    fn check(sections: &[&[u8]], expected: Option<&[&[u8]]>) {
        let module = [HEADER, &sections.concat()].concat();
        let expected = expected.map(|it| [HEADER, &it.concat()].concat());
        assert_eq!(without_names(&module).ok(), expected);
    }

    #[test]
    fn only_the_names_go() {
        let (types, names) = (b"\x01\x01\0", b"\0\x06\x04name\0");
        let producers = b"\0\x0a\x09producers";
        check(&[types, names, producers], Some(&[types, producers]));
        check(&[types], Some(&[types]));
        // A length may be written in more bytes than it needs.
        check(&[b"\x01\x81\x80\0\0", names], Some(&[b"\x01\x81\x80\0\0"]));
    }

    #[test]
    fn a_module_cut_short_is_refused() {
        check(&[b"\x01\x05\0"], None);
        check(&[b"\x01"], None);
    }
}
