//! The members of an archive: the first that is a capture is read, the others are told.

use crate::{packing::begins_capture, plain};

/// How much of a member tells whether it is a capture, in bytes.
const HEAD_LEN: usize = 4 * 1024;
/// How many names of other captures are kept.
const MAX_OTHERS: usize = 100;
/// The longest name that is kept, in bytes.
const MAX_NAME_LEN: usize = 256;

/// Which member is read.
#[derive(Debug, Default)]
pub(crate) struct Members {
    /// The name of the member that is passing.
    name: String,
    choice: Choice,
    taken: Option<String>,
    others: Vec<String>,
    n_others: u64,
}

/// What becomes of the member that is passing.
#[derive(Debug, Default)]
enum Choice {
    /// These are its first bytes, too few to tell.
    Open(Vec<u8>),
    Taken,
    #[default]
    Left,
}

impl Members {
    /// The next member begins.
    pub(crate) fn begin(&mut self, name: &[u8]) {
        let name = name.get(..name.len().min(MAX_NAME_LEN)).unwrap_or_default();
        self.name = plain(&String::from_utf8_lossy(name));
        self.choice = Choice::Open(Vec::new());
    }

    /// The next bytes of the member; what is read of it goes to the end of `out`.
    pub(crate) fn put(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match &mut self.choice {
            Choice::Taken => out.extend_from_slice(bytes),
            Choice::Left => {}
            Choice::Open(head) => {
                head.extend_from_slice(bytes);
                if head.len() >= HEAD_LEN {
                    self.choose(out);
                }
            }
        }
    }

    /// Nothing more comes of the member.
    pub(crate) fn end(&mut self, out: &mut Vec<u8>) {
        self.choose(out);
        self.choice = Choice::Left;
    }

    /// Whether it is still open what becomes of the member.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self.choice, Choice::Open(_))
    }

    /// Whether the rest of the member may be skipped.
    pub(crate) fn is_left(&self) -> bool {
        matches!(self.choice, Choice::Left)
    }

    fn choose(&mut self, out: &mut Vec<u8>) {
        let Choice::Open(head) = &self.choice else { return };
        let is_capture = begins_capture(head);
        if is_capture && self.taken.is_none() {
            out.extend_from_slice(head);
            self.taken = Some(self.name.clone());
            self.choice = Choice::Taken;
            return;
        }
        if is_capture {
            self.n_others += 1;
            if self.others.len() < MAX_OTHERS {
                self.others.push(self.name.clone());
            }
        }
        self.choice = Choice::Left;
    }

    /// The name of the member that is read.
    pub(crate) fn taken(&self) -> Option<&str> {
        self.taken.as_deref()
    }

    /// Other captures: how many, and the names of the first.
    pub(crate) fn others(&self) -> (u64, &[String]) {
        (self.n_others, &self.others)
    }
}
