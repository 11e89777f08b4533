//! Reads numbers and pieces from the front of bytes that may end anywhere.

use capture::plain;

/// What is left of some bytes. Everything is in network byte order; `None` where the bytes end before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `len` bytes.
    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    /// The next `len` bytes, or as many of them as there are.
    pub(crate) fn take_up_to(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at_checked(len).unwrap_or((self.0, &[]));
        self.0 = rest;
        taken
    }

    pub(crate) fn skip(&mut self, len: usize) -> Option<()> {
        self.take(len).map(drop)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(*self.take(2)?.first_chunk()?))
    }

    pub(crate) fn u24(&mut self) -> Option<u32> {
        let high = u32::from(self.u8()?);
        Some(high << 16 | u32::from(self.u16()?))
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(*self.take(4)?.first_chunk()?))
    }

    /// Bytes behind a length of one byte.
    pub(crate) fn vec8(&mut self) -> Option<&'a [u8]> {
        let len = self.u8()?;
        self.take(len.into())
    }

    /// Bytes behind a length of two bytes.
    pub(crate) fn vec16(&mut self) -> Option<&'a [u8]> {
        let len = self.u16()?;
        self.take(len.into())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Printable text of the wire, at most `max` bytes of it; what is not UTF-8 or does something instead of standing for
/// something is replaced.
pub(crate) fn text(bytes: &[u8], max: usize) -> String {
    let cut = bytes.get(..max).unwrap_or(bytes);
    match std::str::from_utf8(cut) {
        Ok(text) => plain(text.trim()),
        Err(_) => plain(String::from_utf8_lossy(cut).trim()),
    }
}

/// The two bytes at an offset, in network byte order.
pub(crate) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The four bytes at an offset, in network byte order.
pub(crate) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The two bytes at an offset, the lowest first.
pub(crate) fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The four bytes at an offset, the lowest first.
pub(crate) fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A host name of the wire in lower case, without the dot at its end; `None` for what cannot be one, addresses included.
pub(crate) fn host_name(bytes: &[u8]) -> Option<String> {
    let bytes = bytes.strip_suffix(b".").unwrap_or(bytes);
    let is_name = (1..=253).contains(&bytes.len())
        && bytes.iter().all(|it| it.is_ascii_alphanumeric() || b"-._*".contains(it))
        && bytes.iter().any(u8::is_ascii_alphabetic)
        && bytes.first() != Some(&b'.');
    let name = std::str::from_utf8(bytes).ok().filter(|_| is_name)?;
    Some(name.to_ascii_lowercase())
}

/// The host of `host`, `host:port`, `user@host` or `[address]:port`, where it is a name.
pub(crate) fn host_of_authority(authority: &[u8]) -> Option<String> {
    let host = authority.rsplit(|it| *it == b'@').next()?;
    host_name(host.split(|it| *it == b':').next()?)
}

/// What a text in base64 stands for (RFC 4648, section 4), up to its first character that is of none.
pub(crate) fn from_base64(text: &[u8]) -> Vec<u8> {
    let digits = text.iter().map_while(|it| {
        let digit = match it {
            b'A'..=b'Z' => it - b'A',
            b'a'..=b'z' => it - b'a' + 26,
            b'0'..=b'9' => it - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        Some(u32::from(digit))
    });
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut n_bits) = (0, 0);
    for digit in digits {
        bits = bits << 6 | digit;
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            bytes.push((bits >> n_bits) as u8);
        }
    }
    bytes
}

/// The lines of a text, each without its line end; the last perhaps cut.
pub(crate) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    std::iter::from_fn(move || {
        let bytes = rest?;
        let end = memchr::memchr(b'\n', bytes);
        rest = end.and_then(|it| bytes.get(it + 1..));
        let line = bytes.get(..end.unwrap_or(bytes.len()))?;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}

/// What follows a word and a space that a text begins with.
pub(crate) fn behind_word<'a>(text: &'a [u8], word: &str) -> Option<&'a [u8]> {
    text.strip_prefix(word.as_bytes())?.strip_prefix(b" ")
}

/// Whether a text begins so, whatever the case of its letters.
pub(crate) fn starts_with_word(bytes: &[u8], word: &[u8]) -> bool {
    bytes.get(..word.len()).is_some_and(|it| it.eq_ignore_ascii_case(word))
}

/// Whether a text holds a word, whatever the case of its letters.
pub(crate) fn contains_word(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len().max(1)).any(|it| it.eq_ignore_ascii_case(word))
}

/// What stands behind `name:` in the first lines of a text, up to the empty line: a header of HTTP, SIP and their like.
pub(crate) fn header<'a>(message: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let head = lines(message).skip(1).take_while(|line| !line.is_empty());
    head.filter(|line| starts_with_word(line, name)).find_map(|line| {
        Some(line.get(name.len()..)?.trim_ascii_start().strip_prefix(b":")?.trim_ascii())
    })
}

/// What stands behind the names in the first lines of a text, as [`header`] finds it: for who asks for more than a few.
pub(crate) struct Headers<'a>(Vec<(&'a [u8], &'a [u8])>);

impl<'a> Headers<'a> {
    pub(crate) fn of(message: &'a [u8]) -> Self {
        let mut all = Vec::with_capacity(if message.is_empty() { 0 } else { 16 });
        for line in lines(message).skip(1).take_while(|line| !line.is_empty()) {
            // Names are short.
            let Some(colon) = line.iter().position(|it| *it == b':') else { continue };
            if let Some((name, [_, value @ ..])) = line.split_at_checked(colon) {
                all.push((name.trim_ascii_end(), value.trim_ascii()));
            }
        }
        Self(all)
    }

    /// What stands behind a name first, whatever the case of its letters.
    pub(crate) fn get(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.0.iter().find(|it| it.0.eq_ignore_ascii_case(name)).map(|it| it.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_found_one_by_one_and_together() {
        let message = b"a: first\r\nA:1\r\nb :  2 \r\nbare\r\nB: 3\r\n:none\r\nc\t: x:y\n\r\nd: 4";
        let all = Headers::of(message);
        let names: [&[u8]; 7] = [b"a", b"b", b"B", b"bare", b"c", b"C", b"d"];
        for name in names {
            assert_eq!(all.get(name), header(message, name), "{name:?}");
        }
        assert_eq!(all.get(b"b"), Some(&b"2"[..]));
        assert_eq!(all.get(b"c"), Some(&b"x:y"[..]));
        assert_eq!(all.get(b"d"), None);
    }

    #[test]
    fn base64_is_read_as_far_as_it_goes() {
        // The examples of RFC 4648, section 10.
        let examples: [(&[u8], &[u8]); 5] = [
            (b"", b""),
            (b"Zg==", b"f"),
            (b"Zm8=", b"fo"),
            (b"Zm9v", b"foo"),
            (b"Zm9vYmFy", b"foobar"),
        ];
        for (text, bytes) in examples {
            assert_eq!(from_base64(text), bytes);
        }
        assert_eq!(from_base64(b"Zm9v\r\nZm9v"), b"foo");
        assert_eq!(from_base64(b"/+8"), [0xff, 0xef]);
        assert_eq!(from_base64(&[b'Z'; 1000]).len(), 750);
    }
}
