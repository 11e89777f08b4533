//! Bytes as hexadecimal numbers with their text beside them.

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

/// Bytes, to be read.
#[component]
pub fn Hex(
    /// The bytes.
    bytes: Vec<u8>,
    /// What they are.
    label: String,
) -> impl IntoView {
    let lines = lines(&bytes).into_iter().map(|(offset, hex, text)| {
        view! {
            <span class="dim">{offset}</span>
            <span>{hex}</span>
            <span class="text">{text}</span>
        }
    });
    view! { <div class="hex mono" role="group" aria-label=label tabindex="0">{lines.collect_view()}</div> }
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
}
