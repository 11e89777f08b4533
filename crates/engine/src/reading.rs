//! What was read and what was not: every frame in one place, and what the reader should know about it.

use std::collections::BTreeMap;

use capture::{Counts, Damage, Decoder, Error, Frame, Notes, Oddities, Undecoded, plain};
use flow::Aside;
use v1::{
    Notice, Parameter,
    page::{Account, Origin, SetAside, Tally},
};

use crate::neighbours::Neighbours;

/// 1990 and 2100, in nanoseconds since 1970 UTC: no capture is older, and none will be read then.
const CREDIBLE_TIMES: std::ops::Range<u64> = 631_152_000_000_000_000..4_102_444_800_000_000_000;
/// How many names stand in a sentence.
const MAX_NAMES: usize = 6;
/// How many damages are told one by one.
const MAX_DAMAGES: usize = 3;

/// Counts frames while they are read.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    pub(crate) frames: Tally,
    pub(crate) in_flows: Tally,
    set_aside: BTreeMap<Undecoded, Tally>,
    /// Frames that a snap length cut, and the longest of them, in bytes.
    pub(crate) shortened: (u64, u64),
    pub(crate) incredible_times: u64,
    /// For which there was no room.
    pub(crate) flows_aside: Aside,
    /// Who sends for which addresses.
    pub(crate) neighbours: Neighbours,
}

impl Counting {
    /// Counts the frames of a block.
    pub(crate) fn of_block() -> Self {
        Self { neighbours: Neighbours::of_block(), ..Self::default() }
    }

    /// Counts a frame where it went: into flows, or aside. Whether it is the first that was set aside for its reason.
    pub(crate) fn count(&mut self, frame: &Frame<'_>, decoded: Result<(), Undecoded>) -> bool {
        let stored_bytes = frame.bytes.len() as u64;
        let wire_bytes = u64::from(frame.wire_len);
        let one = Tally { frames: 1, wire_bytes, stored_bytes };
        self.frames.add(one);
        let mut is_first = false;
        match decoded {
            Ok(()) => self.in_flows.add(one),
            Err(reason) => {
                let of_reason = self.set_aside.entry(reason).or_default();
                is_first = of_reason.frames == 0;
                of_reason.add(one);
            }
        }
        if stored_bytes < wire_bytes {
            self.shortened = (self.shortened.0 + 1, self.shortened.1.max(stored_bytes));
        }
        self.neighbours.see(frame);
        self.incredible_times += u64::from(!CREDIBLE_TIMES.contains(&frame.time.0));
        is_first
    }

    /// The frames that were set aside for a reason.
    pub(crate) fn set_aside(&self, reason: Undecoded) -> Tally {
        self.set_aside.get(&reason).copied().unwrap_or_default()
    }

    /// Adds frames that were set aside, and counted elsewhere.
    pub(crate) fn put_aside(&mut self, reason: Undecoded, frames: Tally) {
        self.set_aside.entry(reason).or_default().add(frames);
    }

    /// Adds the frames of the next block.
    pub(crate) fn add(&mut self, block: Self) {
        self.frames.add(block.frames);
        self.in_flows.add(block.in_flows);
        for (reason, tally) in block.set_aside {
            self.set_aside.entry(reason).or_default().add(tally);
        }
        let (n, longest) = block.shortened;
        self.shortened = (self.shortened.0 + n, self.shortened.1.max(longest));
        self.incredible_times += block.incredible_times;
        self.neighbours.add(block.neighbours);
    }

    /// Where the frames went; so many bytes of the capture were skipped.
    pub(crate) fn account(&self, damaged_bytes: u64) -> Account {
        let mut set_aside: Vec<SetAside> = self
            .set_aside
            .iter()
            .map(|(reason, frames)| SetAside { reason: reason.to_string(), frames: *frames })
            .collect();
        set_aside.sort_by(|a, b| {
            b.frames.frames.cmp(&a.frames.frames).then_with(|| a.reason.cmp(&b.reason))
        });
        let account =
            Account { frames: self.frames, in_flows: self.in_flows, set_aside, damaged_bytes };
        debug_assert!(account.adds_up(), "{account:?}");
        account
    }

    /// What is to be said of the frames.
    pub(crate) fn notices(&self, counts: &Counts, oddities: &Oddities) -> Vec<Notice> {
        let mut notices = Vec::new();
        let mut say = |n, code, case, parameters: &[u64]| {
            notices.extend(counted(n, code, case, parameters));
        };
        let n_frames = self.frames.frames;
        let Aside { flows, unanswered, packets, frame_bytes } = self.flows_aside;
        say(flows, "W-FLOWS-ASIDE", "", &[flows, unanswered, packets, frame_bytes]);
        say(u64::from(n_frames == 0), "W-NO-FRAMES", "", &[]);
        let is_without_flows = n_frames > 0 && self.in_flows.frames == 0;
        say(u64::from(is_without_flows), "W-NO-FLOWS", "", &[n_frames]);
        let (shortened, longest) = self.shortened;
        say(shortened, "W-SHORTENED", "", &[shortened, longest]);
        say(oddities.overlong, "W-OVERLONG", "", &[oddities.overlong]);
        say(self.incredible_times, "W-TIMES", "", &[self.incredible_times]);
        say(oddities.out_of_order, "W-ORDER", "", &[oddities.out_of_order]);
        say(counts.duplicates, "W-DUPLICATES", "", &[counts.duplicates]);
        say(counts.unfinished, "W-FRAGMENTS", "", &[counts.unfinished]);
        let Counts { overlapping, impossible, .. } = *counts;
        let contradicting = [overlapping, impossible];
        say(overlapping + impossible, "W-FRAGMENTS", "contradicting", &contradicting);
        say(counts.too_deep, "W-TOO-DEEP", "", &[counts.too_deep]);
        say(counts.reassembled, "I-FRAGMENTS", "", &[counts.fragments, counts.reassembled]);
        notices.extend(
            self.of_kind("W-LINK", |it| matches!(it, Undecoded::Link(_)).then(|| it.to_string())),
        );
        notices.extend(self.of_kind("W-ENCRYPTED", |it| match it {
            Undecoded::Encrypted(name) => Some((*name).to_owned()),
            _ => None,
        }));
        notices.extend(self.of_kind("W-MALFORMED", |it| match it {
            Undecoded::Malformed(name) => Some((*name).to_owned()),
            _ => None,
        }));
        notices.extend(self.of_kind("W-CHECKSUM", |it| match it {
            Undecoded::BadChecksum(name) => Some((*name).to_owned()),
            _ => None,
        }));
        notices
    }

    /// Says how many frames a kind of reasons set aside, and the names with most.
    fn of_kind(&self, code: &str, name: fn(&Undecoded) -> Option<String>) -> Option<Notice> {
        let mut found: Vec<(u64, String)> = self
            .set_aside
            .iter()
            .filter_map(|(reason, tally)| Some((tally.frames, name(reason)?)))
            .collect();
        found.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let n_frames: u64 = found.iter().map(|it| it.0).sum();
        let names: Vec<String> = found.into_iter().map(|it| it.1).collect();
        let parameters = || vec![n_frames.into(), listed(&names, names.len() as u64)];
        (n_frames > 0).then(|| Notice::new(code, "", parameters()))
    }
}

/// A notice of numbers, where there is anything to tell.
fn counted(n: u64, code: &str, case: &str, parameters: &[u64]) -> Option<Notice> {
    let parameters = || parameters.iter().map(|it| (*it).into()).collect();
    (n > 0).then(|| Notice::new(code, case, parameters()))
}

/// What was skipped as damaged: the first places one by one.
pub(crate) fn of_damages(damages: &[Damage], oddities: &Oddities) -> Vec<Notice> {
    let mut notices = Vec::new();
    for Damage { offset, skipped, after_frames, .. } in damages.iter().take(MAX_DAMAGES) {
        let parameters = vec![(*offset).into(), (*skipped).into(), (*after_frames).into()];
        notices.push(Notice::new(Damage::CODE, "", parameters).at(*offset));
    }
    let n_more = oddities.damages.saturating_sub(notices.len() as u64);
    notices.extend(counted(n_more, Damage::CODE, "more", &[n_more, oddities.skipped]));
    notices
}

/// What the archive holds besides the capture that was read.
pub(crate) fn of_archive(decoder: &Decoder) -> Option<Notice> {
    let (n_others, names) = decoder.other_members();
    let parameters = || vec![n_others.into(), listed(names, n_others)];
    (n_others > 0).then(|| Notice::new("E-MORE-CAPTURES", "", parameters()))
}

/// What the capture says of itself that its reader should know.
pub(crate) fn of_notes(notes: &Notes, n_names: u64) -> Vec<Notice> {
    let n_comments = notes.comments.len() as u64;
    let n_skipped = notes.custom_blocks + notes.unknown_blocks;
    let found = [
        counted(notes.dropped, "W-DROPPED", "", &[notes.dropped]),
        counted(notes.secrets, "I-SECRETS", "", &[notes.secrets]),
        counted(n_comments, "I-COMMENTS", "", &[n_comments]),
        counted(notes.commented_frames, "I-COMMENTS", "frames", &[notes.commented_frames]),
        counted(n_names, "I-NAMES", "", &[n_names]),
        counted(n_skipped, "I-BLOCKS", "", &[n_skipped]),
    ];
    found.into_iter().flatten().collect()
}

/// Who wrote the capture, and where.
pub(crate) fn origin(notes: &Notes) -> Origin {
    let of = |it: &Option<String>| it.as_deref().map(plain).unwrap_or_default();
    let interfaces = notes.interfaces.iter().map(|it| {
        let name = [of(&it.name), of(&it.description)];
        name.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(", ")
    });
    Origin {
        application: of(&notes.application),
        system: of(&notes.system),
        hardware: of(&notes.hardware),
        interfaces: interfaces.filter(|it| !it.is_empty()).collect(),
        comments: notes.comments.iter().map(|it| plain(it)).collect(),
    }
}

/// The first names of so many, with a sign where there are more.
fn listed(names: &[String], n_names: u64) -> Parameter {
    let mut text = names.iter().take(MAX_NAMES).cloned().collect::<Vec<_>>().join(", ");
    if n_names > MAX_NAMES as u64 {
        text += " …";
    }
    text.as_str().into()
}

/// What ended the reading after so many frames.
pub(crate) fn of_error(error: &Error, n_frames: u64) -> Notice {
    let n = Parameter::from(n_frames);
    let (case, parameters): (&str, Vec<Parameter>) = match error {
        Error::Empty => ("", vec![]),
        Error::NotACapture { kind, magic } => {
            let magic = magic.map(|it| format!("{it:02x}")).join(" ");
            match kind.split_once("; ") {
                Some((kind, advice)) => {
                    ("known", vec![kind.into(), (&*magic).into(), advice.into()])
                }
                None => ("", vec![(*kind).into(), (&*magic).into()]),
            }
        }
        Error::BadLength { offset, len } => ("", vec![(*offset).into(), u64::from(*len).into(), n]),
        Error::OnlyZeros { offset } => ("zeros", vec![(*offset).into(), n]),
        Error::BadBlock { offset, what } => ("", vec![(*what).into(), (*offset).into(), n]),
        Error::BadPacking { offset, packing } => ("", vec![(*packing).into(), (*offset).into(), n]),
        Error::NotUnpacked { offset, packing, why } => {
            ("refused", vec![(*packing).into(), (*offset).into(), n, why.as_str().into()])
        }
        Error::PackingCutShort { offset, packing } => {
            ("packed", vec![(*packing).into(), (*offset).into(), n])
        }
        Error::CutShort { offset } => ("", vec![(*offset).into(), n]),
    };
    let notice = Notice::new(error.code(), case, parameters);
    match error {
        // They are about the file as a whole.
        Error::Empty | Error::NotACapture { .. } => notice,
        _ => notice.at(error.offset()),
    }
}

#[cfg(test)]
mod tests {
    use capture::Timestamp;

    use super::*;

    fn frame(bytes: &[u8], wire_len: u32) -> Frame<'_> {
        let time = Timestamp(CREDIBLE_TIMES.start);
        Frame { time, offset: 0, link_type: 1, wire_len, bytes, comment: None, origin: None }
    }

    #[test]
    fn every_frame_is_in_one_place() {
        let mut counting = Counting::default();
        counting.count(&frame(&[0; 60], 60), Ok(()));
        counting.count(&frame(&[0; 40], 1_500), Ok(()));
        counting.count(&frame(&[0; 42], 42), Err(Undecoded::Protocol("arp")));
        counting.count(&frame(&[0; 42], 42), Err(Undecoded::Protocol("arp")));
        counting.count(&frame(&[0; 10], 10), Err(Undecoded::Link(147)));
        let account = counting.account(0);
        assert!(account.adds_up());
        let tally = |frames, wire_bytes, stored_bytes| Tally { frames, wire_bytes, stored_bytes };
        assert_eq!(account.frames, tally(5, 1_654, 194));
        assert_eq!(account.in_flows, tally(2, 1_560, 100));
        let aside = |reason: &str, frames| SetAside { reason: reason.to_owned(), frames };
        assert_eq!(
            account.set_aside,
            [aside("arp", tally(2, 84, 84)), aside("link type 147", tally(1, 10, 10))]
        );
    }

    #[track_caller]
    fn check(counting: &Counting, counts: Counts, expected: &[&str]) {
        let oddities = Oddities { out_of_order: counts.duplicates, ..Oddities::default() };
        let notices = counting.notices(&counts, &oddities);
        let said: Vec<&str> = notices.iter().map(|it| it.code.as_str()).collect();
        assert_eq!(said, expected);
    }

    #[test]
    fn what_is_usual_is_not_mentioned() {
        let mut counting = Counting::default();
        check(&counting, Counts::default(), &["W-NO-FRAMES"]);
        counting.count(&frame(&[0; 42], 42), Err(Undecoded::Protocol("arp")));
        check(&counting, Counts::default(), &["W-NO-FLOWS"]);
        counting.count(&frame(&[0; 60], 60), Ok(()));
        check(&counting, Counts::default(), &[]);
        counting.count(&frame(&[0; 60], 61), Ok(()));
        check(&counting, Counts::default(), &["W-SHORTENED"]);
    }

    #[test]
    fn what_may_mislead_is_mentioned() {
        let mut counting = Counting::default();
        counting.count(&frame(&[0; 60], 60), Ok(()));
        counting.count(&frame(&[0; 60], 60), Err(Undecoded::Encrypted("802.11")));
        counting.count(&frame(&[0; 60], 60), Err(Undecoded::Malformed("ip")));
        counting.count(&Frame { time: Timestamp(0), ..frame(&[0; 60], 60) }, Ok(()));
        let counts = Counts {
            duplicates: 1,
            fragments: 2,
            reassembled: 1,
            unfinished: 1,
            overlapping: 1,
            impossible: 0,
            too_deep: 1,
        };
        let expected = [
            "W-TIMES",
            "W-ORDER",
            "W-DUPLICATES",
            "W-FRAGMENTS",
            "W-FRAGMENTS",
            "W-TOO-DEEP",
            "I-FRAGMENTS",
            "W-ENCRYPTED",
            "W-MALFORMED",
        ];
        check(&counting, counts, &expected);
    }

    #[test]
    fn only_the_first_of_many_damages_are_told_one_by_one() {
        let one = |offset| {
            let cause = Error::CutShort { offset };
            Damage { offset, skipped: 10, after_frames: offset / 100, cause }
        };
        let check = |n: u64, expected: &[&str]| {
            let damages: Vec<Damage> = (1..=n).map(|it| one(it * 1_000)).collect();
            let oddities = Oddities { damages: n, skipped: 10 * n, ..Oddities::default() };
            let notices = of_damages(&damages, &oddities);
            let cases: Vec<&str> = notices.iter().map(|it| it.case.as_str()).collect();
            assert_eq!(cases, expected);
        };
        check(0, &[]);
        check(1, &[""]);
        check(3, &["", "", ""]);
        check(5, &["", "", "", "more"]);
    }

    #[test]
    fn what_a_capture_says_of_itself_is_told() {
        let mut notes = Notes::default();
        assert!(of_notes(&notes, 0).is_empty());
        notes.application = Some("a\u{1b}[31mb".to_owned());
        notes.comments = vec!["so".to_owned()];
        (notes.commented_frames, notes.dropped, notes.secrets, notes.custom_blocks) = (2, 3, 1, 1);
        let codes: Vec<String> = of_notes(&notes, 1).into_iter().map(|it| it.code).collect();
        let expected =
            ["W-DROPPED", "I-SECRETS", "I-COMMENTS", "I-COMMENTS", "I-NAMES", "I-BLOCKS"];
        assert_eq!(codes, expected);
        assert_eq!(origin(&notes).application, "a\u{fffd}[31mb");
    }

    #[test]
    fn an_end_is_told_with_its_place_and_what_can_be_done() {
        let check = |error: &Error, expected: &str| {
            let said = of_error(error, 5).to_string().replace('\u{a0}', " ");
            assert!(said.starts_with(expected), "{said}");
        };
        check(
            &Error::CutShort { offset: 506 },
            "E-CUT-SHORT: The file ends in the middle of the record that starts at byte 506. Everything \
             before it was read: 5 frames. Copy or download",
        );
        let kind = "xz data; unpack it first";
        check(
            &Error::NotACapture { kind, magic: *b"\xfd7zX" },
            "E-NOT-A-CAPTURE: This is no pcap or pcapng file but xz data; its first bytes are fd 37 7a 58. \
             Nothing was read. What can be done: unpack it first.",
        );
        check(&Error::Empty, "E-EMPTY: The file is empty.");
        let packing = "gzip";
        check(
            &Error::PackingCutShort { offset: 9, packing },
            "E-CUT-SHORT: The packed data (gzip)",
        );
        check(&Error::BadPacking { offset: 9, packing }, "E-BAD-PACKING: The packed data (gzip)");
        check(&Error::BadLength { offset: 9, len: 7 }, "E-BAD-LENGTH: The record at byte 9 claims");
        check(&Error::OnlyZeros { offset: 9 }, "E-BAD-LENGTH: From byte 9 on");
        let why = "it is encrypted".to_owned();
        check(
            &Error::NotUnpacked { offset: 9, packing, why },
            "E-BAD-PACKING: The packed data (gzip) at byte 9 are not unpacked here: it is encrypted.",
        );
        let what = "packet block";
        check(&Error::BadBlock { offset: 9, what }, "E-BAD-BLOCK: The packet block at byte 9");
    }
}
