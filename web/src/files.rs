//! Files at hand that are not open: chosen together with another one, or while it was read. One is open at a time.

use leptos::prelude::*;
use web_sys::{DataTransfer, File, FileList, FileSystemEntry};

use crate::state::App;

/// What waits, in the order it came; each has a number of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Queue<T> {
    waiting: Vec<(u32, T)>,
    last: u32,
}

impl<T> Queue<T> {
    /// Takes files; gives the one that is opened at once: the first, unless another is being read.
    fn add(&mut self, files: Vec<T>, is_reading: bool) -> Option<T> {
        let mut files = files.into_iter();
        let first = if is_reading { None } else { files.next() };
        for file in files {
            self.last += 1;
            self.waiting.push((self.last, file));
        }
        first
    }

    /// Takes one out; what was open until now, if anything, comes to its place.
    fn swap(&mut self, id: u32, open: Vec<T>) -> Option<T> {
        let at = self.waiting.iter().position(|it| it.0 == id)?;
        let (_, file) = self.waiting.remove(at);
        for open in open.into_iter().rev() {
            self.last += 1;
            self.waiting.insert(at, (self.last, open));
        }
        Some(file)
    }

    /// Takes all out.
    fn take_all(&mut self) -> Vec<T> {
        std::mem::take(&mut self.waiting).into_iter().map(|it| it.1).collect()
    }

    /// What waits, with its numbers.
    pub fn iter(&self) -> impl Iterator<Item = &(u32, T)> {
        self.waiting.iter()
    }
}

/// The files that wait.
#[derive(Clone, Copy)]
pub struct Files {
    /// In the order they came.
    pub waiting: RwSignal<Queue<File>, LocalStorage>,
    /// Whether the open capture is being read.
    pub is_reading: RwSignal<bool>,
}

impl Files {
    /// None.
    pub fn new() -> Self {
        let waiting = RwSignal::new_local(Queue { waiting: Vec::new(), last: 0 });
        Self { waiting, is_reading: RwSignal::new(false) }
    }

    /// How many wait.
    pub fn n(self) -> usize {
        self.waiting.with(|it| it.waiting.len())
    }
}

impl Default for Files {
    fn default() -> Self {
        Self::new()
    }
}

/// The files of a browser's list.
pub fn listed(files: &FileList) -> Vec<File> {
    (0..files.length()).filter_map(|it| files.get(it)).collect()
}

/// The names of the folders among what is dropped.
pub fn folders(data: &DataTransfer) -> Vec<String> {
    let items = data.items();
    let items = (0..items.length()).filter_map(|it| items.get(it));
    let entries = items.filter_map(|it| it.webkit_get_as_entry().ok().flatten());
    entries.filter(FileSystemEntry::is_directory).map(|it| it.name()).collect()
}

impl App {
    /// Opens the first of the files the user chose, and lets the others wait; all of them while one is being read.
    pub fn take_files(self, files: Vec<File>) {
        let is_reading = self.files.is_reading.get_untracked();
        let n = files.len() as u64;
        let name = files.first().map(File::name);
        let first = self.files.waiting.try_update(|it| it.add(files, is_reading)).flatten();
        if let Some(file) = first {
            self.open_file(file);
        } else if let Some(name) = name {
            let lang = self.lang.get_untracked();
            let t = lang.texts();
            self.say(match n {
                1 => (t.waiting_files.added)(&name),
                _ => (t.waiting_files.added_all)(&t.waiting_files.n_more.with(n, lang)),
            });
        }
    }

    /// Opens a file that waits, even while another is read; that one waits then.
    pub fn open_waiting(self, id: u32) {
        let open = self.open_files();
        let file = self.files.waiting.try_update(|it| it.swap(id, open)).flatten();
        if let Some(file) = file {
            self.open_file(file);
        }
    }

    /// Reads what waits as one capture, together with what is open of the user's files, even while that is read.
    pub fn open_as_one(self) {
        let mut files = self.open_files();
        files.extend(self.files.waiting.try_update(Queue::take_all).unwrap_or_default());
        match <[File; 1]>::try_from(files) {
            Ok([file]) => self.open_file(file),
            Err(files) => self.open_several(files),
        }
    }

    /// Takes a file off the list.
    pub fn forget_waiting(self, id: u32) {
        self.files.waiting.update(|it| drop(it.swap(id, Vec::new())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(queue: &Queue<char>) -> String {
        queue.iter().map(|it| it.1).collect()
    }

    #[test]
    fn the_first_is_opened_and_the_others_wait() {
        let mut queue = Queue::default();
        assert_eq!(queue.add(vec!['a', 'b', 'c'], false), Some('a'));
        assert_eq!(waiting(&queue), "bc");
        assert_eq!(queue.add(vec![], false), None);
    }

    #[test]
    fn while_one_is_read_all_wait() {
        let mut queue = Queue::default();
        assert_eq!(queue.add(vec!['a'], true), None);
        assert_eq!(queue.add(vec!['b', 'c'], true), None);
        assert_eq!(waiting(&queue), "abc");
    }

    #[test]
    fn what_was_open_takes_the_place_of_what_is_opened() {
        let mut queue = Queue::default();
        queue.add(vec!['a', 'b', 'c', 'd'], false);
        let of_c = queue.iter().find(|it| it.1 == 'c').map_or(0, |it| it.0);
        assert_eq!(queue.swap(of_c, vec!['a']), Some('c'));
        assert_eq!(waiting(&queue), "bad");
        // A number is not given twice.
        assert_eq!(queue.swap(of_c, vec!['x']), None);
        let of_d = queue.iter().find(|it| it.1 == 'd').map_or(0, |it| it.0);
        assert_eq!(queue.swap(of_d, Vec::new()), Some('d'));
        assert_eq!(waiting(&queue), "ba");
    }
}
