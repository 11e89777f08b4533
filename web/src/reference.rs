//! What the user looks things up in, from their own machine: a database of countries, a list of makers. Kept as a file for
//! the captures to come.

use leptos::{prelude::*, task::spawn_local};
use serde::de::DeserializeOwned;
use web_sys::File;

use crate::{backend::Backend, message::Question, state::App};

/// A file of the user's, and what came of it.
pub struct Reference<T: 'static> {
    /// How the worker is told of it.
    question: fn() -> Question,
    file: RwSignal<Option<File>, LocalStorage>,
    /// What it says of itself, once it is in use.
    pub source: RwSignal<Option<T>>,
    /// Why the last file was refused.
    pub error: RwSignal<Option<String>>,
    /// Counts changes; what shows what is looked up asks again.
    pub changed: RwSignal<u32>,
}

impl<T> Clone for Reference<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Reference<T> {}

impl<T: DeserializeOwned + Send + Sync> Reference<T> {
    pub(crate) fn new(question: fn() -> Question) -> Self {
        Self {
            question,
            file: RwSignal::new_local(None),
            source: RwSignal::new(None),
            error: RwSignal::new(None),
            changed: RwSignal::new(0),
        }
    }

    /// Uses another file, or none, for the open capture and those to come.
    pub fn choose(self, app: App, file: Option<File>) {
        let Some(backend) = app.backend() else { return };
        spawn_local(async move {
            match backend.look_up(self.question, file.as_ref()).await {
                Ok(source) => {
                    self.file.set(file);
                    self.source.set(source);
                    self.error.set(None);
                    self.changed.update(|it| *it += 1);
                    app.decide();
                }
                Err(error) => self.error.set(Some(error)),
            }
        });
    }

    /// Hands the file to who answers about another capture.
    pub(crate) async fn send(self, backend: &Backend) {
        let Some(file) = self.file.get_untracked() else { return };
        // A file that went away since is of no use any more.
        if let Err(error) = backend.look_up::<T>(self.question, Some(&file)).await {
            self.file.set(None);
            self.source.set(None);
            self.error.set(Some(error));
        }
    }
}
