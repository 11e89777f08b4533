//! The capture that the open one is compared with: read by a worker of its own, then set beside the first.

use std::sync::Arc;

use leptos::{prelude::*, task::spawn_local};
use v1::{Notice, page::Comparison};

use crate::{
    backend::{Backend, Event, Progress},
    message::fault,
    state::{App, Phase, Source},
};

/// The other capture.
#[derive(Clone)]
pub struct Other {
    /// Its file's name.
    pub name: String,
    /// Where it is from.
    pub source: Source,
    /// Who reads it; ended with it.
    backend: Backend,
}

/// What is known of the comparison.
#[derive(Clone, Copy)]
pub struct Comparing {
    /// The other capture.
    pub other: RwSignal<Option<Other>, LocalStorage>,
    /// How far it is read; `None` once it is.
    pub progress: RwSignal<Option<Progress>>,
    /// It is read.
    is_read: RwSignal<bool>,
    /// What came of it.
    pub found: RwSignal<Option<Result<Arc<Comparison>, String>>>,
    /// A capture that could not be read, and why.
    pub failure: RwSignal<Option<(String, Notice)>>,
    /// Counts captures, so that a late word of an earlier one is not heard.
    turn: RwSignal<u32>,
}

impl Comparing {
    /// With nothing.
    pub fn new() -> Self {
        Self {
            other: RwSignal::new_local(None),
            progress: RwSignal::new(None),
            is_read: RwSignal::new(false),
            found: RwSignal::new(None),
            failure: RwSignal::new(None),
            turn: RwSignal::new(0),
        }
    }

    /// Ends the comparison.
    pub fn end(self) {
        self.turn.update(|it| *it += 1);
        self.other.set(None);
        self.progress.set(None);
        self.is_read.set(false);
        self.found.set(None);
        self.failure.set(None);
    }

    /// Reads another capture and compares the open one with it.
    pub fn with(self, app: App, source: Source) {
        self.end();
        let turn = self.turn.get_untracked();
        let (name, size) = source.about();
        let of_name = name.clone();
        let on_event = move |event| {
            if self.turn.get_untracked() == turn {
                self.hear(app, event, &of_name);
            }
        };
        let rules = app.own_rules.with_untracked(|it| it.as_ref().map(|it| it.text.clone()));
        match source.open(&rules.unwrap_or_default(), false, on_event) {
            Ok(backend) => {
                self.other.set(Some(Other { name, source, backend }));
                self.progress.set(Some(Progress { total: size, ..Progress::default() }));
            }
            Err(error) => self.failure.set(Some((name, fault(&error)))),
        }
    }

    fn hear(self, app: App, event: Event, name: &str) {
        match event {
            Event::Progress(progress) => self.progress.set(Some(progress)),
            Event::Learning(..) | Event::Mark(_) | Event::Picking(_) | Event::Preview(_) => {}
            Event::Done => {
                self.is_read.set(true);
                self.compare(app);
            }
            Event::Failed(notice) => {
                self.end();
                self.failure.set(Some((name.to_owned(), notice)));
            }
        }
    }

    /// Asks both captures, once both are read.
    pub fn compare(self, app: App) {
        let is_open = app.phase.get_untracked() == Phase::Done;
        if !is_open || !self.is_read.get_untracked() {
            return;
        }
        let turn = self.turn.get_untracked();
        let other = self.other.with_untracked(|it| it.as_ref().map(|it| it.backend.clone()));
        let (Some(here), Some(there)) = (app.backend(), other) else { return };
        spawn_local(async move {
            let found = here.compare(&there).await;
            if self.turn.get_untracked() == turn {
                self.progress.set(None);
                self.found.set(Some(found.map(Arc::new)));
            }
        });
    }

    /// Opens the other capture and compares it with the one that was open.
    pub fn swap(self, app: App) {
        let other = self.other.with_untracked(|it| it.as_ref().map(|it| it.source.clone()));
        let open = app.source();
        if let (Some(other), Some(open)) = (other, open) {
            app.read(other);
            self.with(app, open);
        }
    }
}

impl Default for Comparing {
    fn default() -> Self {
        Self::new()
    }
}
