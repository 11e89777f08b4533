//! Parts what is known of captures into two halves: one to learn from, one that says whether what was learnt holds.
//!
//! Captures of one family (`dns1.pcap`, `dns-invalid.pcap`) stay together, whichever collection they are in: recordings of
//! one program resemble each other.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use crate::run::target;

/// The fields of a row that may name its capture.
const FIELDS: &[&str] = &["\"capture\": \"", "\"trace\": \""];

/// `cargo xtask halves FOLDER`: the `.jsonl` files in it, by half, into `target/halves/{a,b}`.
pub(crate) fn part(arguments: &[String]) -> anyhow::Result<()> {
    let [folder] = arguments else { bail!("usage: cargo xtask halves FOLDER") };
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .with_context(|| format!("reading {folder}"))?
        .map(|it| Ok(it?.path()))
        .collect::<anyhow::Result<_>>()?;
    files.retain(|it| it.extension().is_some_and(|it| it == "jsonl"));
    files.sort();
    for file in files {
        part_file(&file).with_context(|| format!("parting {}", file.display()))?;
    }
    Ok(())
}

fn part_file(file: &Path) -> anyhow::Result<()> {
    let name = file.file_name().context("a file has a name")?;
    let create = |half: &str| -> anyhow::Result<_> {
        let folder = target().join("halves").join(half);
        fs::create_dir_all(&folder)?;
        Ok(BufWriter::new(File::create(folder.join(name))?))
    };
    let mut halves = [create("a")?, create("b")?];
    let mut counts = [0_usize; 2];
    for line in BufReader::new(File::open(file)?).lines() {
        let line = line?;
        let Some(capture) = capture(&line) else { continue };
        let half = half(&family(capture));
        writeln!(halves[half], "{line}")?;
        counts[half] += 1;
    }
    println!("{}: {} rows, {} rows", name.to_string_lossy(), counts[0], counts[1]);
    for half in &mut halves {
        half.flush()?;
    }
    Ok(())
}

/// The capture that a row names.
fn capture(row: &str) -> Option<&str> {
    let rest = FIELDS.iter().find_map(|it| Some(row.split_once(it)?.1))?;
    Some(rest.split_once('"')?.0)
}

/// The letters a capture's name begins with, in lower case; without figures and a checksum (`0289cd31__`) before them.
fn family(capture: &str) -> String {
    let name = capture.rsplit('/').next().unwrap_or(capture);
    let name = name.split_once("__").map_or(name, |it| it.1);
    let letters = name.trim_start_matches(|it: char| !it.is_ascii_alphabetic());
    letters.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase()
}

/// Which half a family is in: whether the number of ones in its FNV-1a is odd.
fn half(family: &str) -> usize {
    let hash = family.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |it, byte| {
        (it ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    });
    usize::from(hash.count_ones() % 2 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_of_one_program_are_one_family() {
        for name in ["ndpi/pcap/dns1.pcap", "hist/0289cd31__dns-invalid.pcap", "53_DNS.pcap"] {
            assert_eq!(family(name), "dns");
        }
        assert_eq!(capture(r#"{"capture": "a/b.pcap", "l4": "TCP"}"#), Some("a/b.pcap"));
    }

    #[test]
    fn halves_are_about_halves() {
        let n = ('a'..='z')
            .flat_map(|a| ('a'..='z').map(move |b| half(&format!("{a}{b}"))))
            .sum::<usize>();
        assert!((250..430).contains(&n), "{n} of 676");
    }
}
