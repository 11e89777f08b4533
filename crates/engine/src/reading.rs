//! Counts by reason and what went wrong, in words.

use std::collections::BTreeMap;

use capture::{Damage, Decoder, Error, Undecoded};
use v1::{Count, page::Notice};

/// Frames in no flow by reason, most first.
pub(crate) fn counts(undecoded: &BTreeMap<Undecoded, u64>) -> Vec<Count> {
    let mut counts: Vec<Count> = undecoded
        .iter()
        .map(|(reason, count)| Count { label: reason.to_string(), count: *count })
        .collect();
    counts.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.label.cmp(&b.label)));
    counts
}

/// What the reader should know about the reading, in file order; `frames` were read in all.
pub(crate) fn notices(decoder: &Decoder, error: Option<&Error>, frames: u64) -> Vec<Notice> {
    let mut notices: Vec<Notice> = decoder.damages().iter().map(of_damage).collect();
    let oddities = decoder.oddities();
    let n_untold = oddities.damages - notices.len() as u64;
    if let Some(last) = decoder.damages().last().filter(|_| n_untold > 0) {
        let skipped = oddities.skipped;
        notices.push(Notice {
            code: Damage::CODE.to_owned(),
            message: format!(
                "more places with damage: {n_untold}; bytes skipped in all: {skipped}"
            ),
            offset: last.offset,
            frames: last.after_frames,
        });
    }
    notices.extend(error.map(|error| Notice {
        code: error.code().to_owned(),
        message: error.to_string(),
        offset: error.offset(),
        frames,
    }));
    let (n_others, names) = decoder.other_members();
    if n_others > 0 {
        let message =
            format!("other captures in the archive, not read: {n_others}: {}", names.join(", "));
        notices.push(Notice { code: "E-MORE-CAPTURES".to_owned(), message, offset: 0, frames });
    }
    notices
}

fn of_damage(damage: &Damage) -> Notice {
    Notice {
        code: Damage::CODE.to_owned(),
        message: damage.to_string(),
        offset: damage.offset,
        frames: damage.after_frames,
    }
}
