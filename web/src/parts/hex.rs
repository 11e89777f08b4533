//! Bytes as hexadecimal numbers with their text beside them, or as text alone in which nothing is hidden.

use leptos::prelude::*;

/// Bytes in a line; eight fit beside a table.
const LINE: usize = 8;

/// The lines: offset, hexadecimal, text.
pub fn lines(bytes: &[u8]) -> Vec<(String, String, String)> {
    let lines = bytes.chunks(LINE).enumerate().map(|(at, line)| {
        let hex: Vec<String> = line.iter().map(|it| format!("{it:02x}")).collect();
        let text = line.iter().map(|it| match it {
            0x20..=0x7e => char::from(*it),
            _ => '·',
        });
        (format!("{:04x}", at * LINE), hex.join(" "), text.collect())
    });
    lines.collect()
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// To be read as it is.
    Plain(String),
    /// In place of what is no visible character: an escape that every font has.
    Sign(String),
    /// A line ends here; its sign comes before.
    LineEnd,
}

/// Bytes as text in UTF-8. Whatever would steer whoever shows or copies it is a sign instead: control characters, marks
/// that turn the direction or cannot be seen, bytes that are no text.
pub fn text(bytes: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for chunk in bytes.utf8_chunks() {
        for it in chunk.valid().chars() {
            match it {
                '\n' => {
                    pieces.push(Piece::Sign("\\n".to_owned()));
                    pieces.push(Piece::LineEnd);
                }
                '\r' => pieces.push(Piece::Sign("\\r".to_owned())),
                '\t' => pieces.push(Piece::Sign("\\t".to_owned())),
                '\0'..='\u{1f}' | '\u{7f}' => {
                    pieces.push(Piece::Sign(format!("\\x{:02x}", u32::from(it))));
                }
                it if engine::plain(it.encode_utf8(&mut [0; 4])) != it.to_string() => {
                    pieces.push(Piece::Sign(format!("\\u{{{:x}}}", u32::from(it))));
                }
                it => match pieces.last_mut() {
                    Some(Piece::Plain(text)) => text.push(it),
                    _ => pieces.push(Piece::Plain(it.to_string())),
                },
            }
        }
        let wrong = chunk.invalid().iter().map(|it| Piece::Sign(format!("\\x{it:02x}")));
        pieces.extend(wrong);
    }
    pieces
}

/// The same in one string, to be copied: signs stand there as they are shown.
pub fn to_copy(bytes: &[u8], is_text: bool) -> String {
    if is_text {
        let piece = |it| match it {
            Piece::Plain(text) | Piece::Sign(text) => text,
            Piece::LineEnd => "\n".to_owned(),
        };
        return text(bytes).into_iter().map(piece).collect();
    }
    lines(bytes)
        .iter()
        .map(|(offset, hex, text)| format!("{offset}  {hex:<23}  {text}\n"))
        .collect()
}

/// Bytes, to be read.
#[component]
pub fn Hex(
    /// The bytes.
    bytes: Vec<u8>,
    /// What they are.
    label: String,
    /// As text, not as numbers.
    is_text: bool,
) -> impl IntoView {
    if is_text {
        let pieces = text(&bytes).into_iter().map(|it| match it {
            // Letters that are written from right to left turn nothing but themselves.
            Piece::Plain(text) => view! { <bdi>{text}</bdi> }.into_any(),
            Piece::Sign(sign) => view! { <span class="sign-of">{sign}</span> }.into_any(),
            Piece::LineEnd => view! { <br /> }.into_any(),
        });
        let pieces = pieces.collect_view();
        return view! { <div class="hex plain-text mono" dir="ltr" role="group" aria-label=label tabindex="0">{pieces}</div> }
            .into_any();
    }
    let lines = lines(&bytes).into_iter().map(|(offset, hex, text)| {
        view! {
            <span class="dim">{offset}</span>
            <span>{hex}</span>
            <span class="text">{text}</span>
        }
    });
    view! { <div class="hex mono" role="group" aria-label=label tabindex="0">{lines.collect_view()}</div> }
        .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_a_dot() {
        let lines = lines(b"GET /\r\n\0ab");
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].1, "47 45 54 20 2f 0d 0a 00");
        assert_eq!(lines[0].2, "GET /···");
        assert_eq!(lines[1].0, "0008");
    }

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        assert_eq!(to_copy(bytes, true), expected);
    }

    #[test]
    fn what_steers_is_a_sign() {
        check(b"GET /\r\nHost", "GET /\\r\\n\nHost");
        check("Привет".as_bytes(), "Привет");
        check(b"\x1b[31mred\0\x7f\t", r"\x1b[31mred\x00\x7f\t");
        check("a\u{202e}gpj.exe\u{2066}".as_bytes(), r"a\u{202e}gpj.exe\u{2066}");
        check("\u{feff}\u{9b}".as_bytes(), r"\u{feff}\u{9b}");
        check(b"\x16\x03\x01\xffab", r"\x16\x03\x01\xffab");
        check(b"", "");
    }

    #[test]
    fn bytes_are_copied_in_lines() {
        assert_eq!(to_copy(b"ab\n", false), "0000  61 62 0a                 ab·\n");
    }
}
