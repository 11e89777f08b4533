//! Answers that were given before, as they were sent. What a finished job found never changes by itself.

use std::{collections::HashMap, mem, sync::Mutex};

use axum::body::Bytes;
use v1::Request;

/// How much is kept, in bytes; twice that while the older half is still asked for.
const MAX_LEN: usize = 32 << 20;
/// What an entry takes besides its answer, about.
const ENTRY_LEN: usize = 256;

/// Answers by their requests. The older half is let go once the younger one is full; what is asked for again is young.
#[derive(Default)]
pub(crate) struct Answers(Mutex<Halves>);

#[derive(Default)]
struct Halves {
    young: HashMap<Request, Bytes>,
    old: HashMap<Request, Bytes>,
    young_len: usize,
    /// Counts how often all was forgotten.
    age: u64,
}

impl Answers {
    /// What was answered to a request.
    pub(crate) fn get(&self, request: &Request) -> Option<Bytes> {
        let mut halves = self.lock();
        if let Some(answer) = halves.young.get(request) {
            return Some(answer.clone());
        }
        let (request, answer) = halves.old.remove_entry(request)?;
        halves.keep(request, answer.clone());
        Some(answer)
    }

    /// Which answers there are: what is made of an older state is not kept.
    pub(crate) fn age(&self) -> u64 {
        self.lock().age
    }

    /// Keeps an answer that was made at an age, where it is not too long.
    pub(crate) fn keep(&self, request: Request, answer: Bytes, age: u64) {
        let mut halves = self.lock();
        if halves.age == age && answer.len() < MAX_LEN / 4 {
            halves.keep(request, answer);
        }
    }

    /// Forgets all: something they depend on is another now.
    pub(crate) fn forget(&self) {
        let mut halves = self.lock();
        *halves = Halves { age: halves.age + 1, ..Halves::default() };
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Halves> {
        // Nothing fails while it is locked.
        self.0.lock().unwrap_or_else(|it| it.into_inner())
    }
}

impl Halves {
    fn keep(&mut self, request: Request, answer: Bytes) {
        let len = answer.len() + ENTRY_LEN;
        if self.young_len + len > MAX_LEN {
            self.old = mem::take(&mut self.young);
            self.young_len = 0;
        }
        self.young_len += len;
        self.young.insert(request, answer);
    }
}

#[cfg(test)]
mod tests {
    use v1::JobId;

    use super::*;

    fn request(job: u64) -> Request {
        Request::Statistics { job: JobId(job) }
    }

    #[test]
    fn what_is_asked_for_stays_and_what_is_not_goes() {
        let answers = Answers::default();
        let long = Bytes::from(vec![b' '; MAX_LEN / 5]);
        for job in 0..100 {
            answers.keep(request(job), long.clone(), 0);
            assert!(answers.get(&request(0)).is_some(), "{job}");
        }
        let kept = (0..100).filter(|it| answers.get(&request(*it)).is_some()).count();
        assert!((5..12).contains(&kept), "{kept}");
    }

    #[test]
    fn what_was_made_before_all_was_forgotten_is_not_kept() {
        let answers = Answers::default();
        let age = answers.age();
        answers.forget();
        answers.keep(request(1), Bytes::new(), age);
        assert!(answers.get(&request(1)).is_none());
    }
}
