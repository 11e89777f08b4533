//! Rows of a long list, fetched a page at a time and kept as long as they are near.

use std::{collections::BTreeMap, future::Future, pin::Pin, rc::Rc};

use leptos::{prelude::*, task::spawn_local};

/// Rows in a page.
const PAGE: u32 = 200;
/// How many rows beyond those on show are fetched.
const AHEAD: u32 = 60;
/// Pages kept.
const MAX_PAGES: usize = 12;

/// A window that is on its way: how many rows there are in all, and those of the window.
pub type Window<T> = Pin<Box<dyn Future<Output = Result<(u64, Vec<T>), String>>>>;
type Fetch<T> = Rc<dyn Fn(u32, u32) -> Window<T>>;

/// The list.
pub struct Rows<T: Send + Sync + 'static> {
    fetch: StoredValue<Fetch<T>, LocalStorage>,
    pages: StoredValue<BTreeMap<u32, Vec<T>>>,
    wanted: StoredValue<Vec<u32>>,
    /// Of which list the pages are; a page of an earlier one comes too late.
    turn: StoredValue<u32>,
    /// The pages are of the list before: they stay on show until the first new one is there.
    is_stale: StoredValue<bool>,
    /// Counts the lists: whoever shows a row shows it anew.
    list: RwSignal<u32>,
    /// Counts the pages of this list: who waits for a row looks again.
    page: RwSignal<u32>,
    /// How many rows there are; nothing until that is known.
    pub total: RwSignal<Option<u64>>,
    /// Why there are none.
    pub error: RwSignal<Option<String>>,
}

impl<T: Send + Sync + 'static> Clone for Rows<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Rows<T> {}

impl<T: Clone + Send + Sync + 'static> Rows<T> {
    /// A list fetched by offset and length.
    pub fn new(fetch: impl Fn(u32, u32) -> Window<T> + 'static) -> Self {
        Self {
            fetch: StoredValue::new_local(Rc::new(fetch)),
            pages: StoredValue::new(BTreeMap::new()),
            wanted: StoredValue::new(Vec::new()),
            turn: StoredValue::new(0),
            is_stale: StoredValue::new(false),
            list: RwSignal::new(0),
            page: RwSignal::new(0),
            total: RwSignal::new(None),
            error: RwSignal::new(None),
        }
    }

    /// Starts over: what is fetched has changed.
    pub fn reset(self) {
        self.turn.update_value(|it| *it += 1);
        self.is_stale.set_value(true);
        self.wanted.set_value(Vec::new());
        self.need(0, PAGE / 2);
        self.list.update(|it| *it += 1);
    }

    /// A row, once it is there; whoever asks is told when it comes.
    pub fn get(self, at: u32) -> Option<T> {
        self.list.track();
        let row = self.peek(at);
        if row.is_none() {
            self.page.track();
        }
        row
    }

    /// A row, if it is there.
    pub fn peek(self, at: u32) -> Option<T> {
        self.pages.with_value(|pages| pages.get(&(at / PAGE))?.get((at % PAGE) as usize).cloned())
    }

    /// Fetches what of these rows, and of some before and after, is not there.
    pub fn need(self, first: u32, last: u32) {
        let most = self.total.get_untracked().map_or(last, |it| (it as u32).saturating_sub(1));
        let (before, after) = (first.saturating_sub(AHEAD), last.saturating_add(AHEAD));
        for page in before / PAGE..=after.min(most.max(last)).max(first) / PAGE {
            let is_here = !self.is_stale.get_value()
                && self.pages.with_value(|pages| pages.contains_key(&page));
            if !is_here && self.wanted.with_value(|it| !it.contains(&page)) {
                self.wanted.update_value(|it| it.push(page));
                self.fetch(page);
            }
        }
    }

    fn fetch(self, page: u32) {
        let turn = self.turn.get_value();
        let window = self.fetch.with_value(|fetch| fetch(page * PAGE, PAGE));
        spawn_local(async move {
            let got = window.await;
            // The part may be gone by now, and its values with it.
            if self.turn.try_get_value() != Some(turn) {
                return;
            }
            self.wanted.update_value(|it| it.retain(|it| *it != page));
            match got {
                Ok((total, rows)) => {
                    self.pages.update_value(|pages| {
                        if self.is_stale.get_value() {
                            pages.clear();
                        }
                        pages.insert(page, rows);
                        while pages.len() > MAX_PAGES {
                            // The farther end goes.
                            let (Some(first), Some(last)) =
                                (pages.keys().next().copied(), pages.keys().last().copied())
                            else {
                                break;
                            };
                            let far = if page - first > last - page { first } else { last };
                            pages.remove(&far);
                        }
                    });
                    self.error.set(None);
                    self.total.set(Some(total));
                    if self.is_stale.get_value() {
                        self.is_stale.set_value(false);
                        self.list.update(|it| *it += 1);
                    }
                }
                Err(error) => self.error.set(Some(error)),
            }
            self.page.update(|it| *it += 1);
        });
    }
}
