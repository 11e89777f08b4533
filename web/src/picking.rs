//! Saving packets: the worker reads the file once more, and what it finds becomes a file of the user's.

use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen_futures::JsFuture;

use crate::{
    backend::{Packets, Picking as Progress},
    format,
    pages::export,
    state::App,
};

/// What the page knows of it.
#[derive(Clone, Copy)]
pub struct Picking {
    /// How far it is; nothing while nothing is saved.
    pub running: RwSignal<Option<Progress>>,
    /// Why nothing can be saved any more: the file is another one, or not there.
    pub gone: RwSignal<Option<String>>,
    /// Why the last attempt came to nothing.
    pub failure: RwSignal<Option<String>>,
    /// The user wants it to stop.
    is_stopping: RwSignal<bool>,
}

impl Picking {
    /// Nothing is saved.
    pub fn new() -> Self {
        Self {
            running: RwSignal::new(None),
            gone: RwSignal::new(None),
            failure: RwSignal::new(None),
            is_stopping: RwSignal::new(false),
        }
    }

    /// Another capture is opened.
    pub fn reset(self) {
        self.running.set(None);
        self.gone.set(None);
        self.failure.set(None);
    }

    /// More was written.
    pub fn hear(self, progress: Progress) {
        self.running.update(|it| {
            if let Some(it) = it {
                *it = progress;
            }
        });
    }
}

impl Default for Picking {
    fn default() -> Self {
        Self::new()
    }
}

impl App {
    /// Saves the packets of flows under this name; one file at a time.
    pub fn save_packets(self, packets: Packets, file_name: String) {
        let Some(backend) = self.backend() else { return };
        let picking = self.picking;
        if untrack(|| self.is_of_several()) {
            let t = self.lang.get_untracked().texts();
            return picking.failure.set(Some(t.packets_view.several.to_owned()));
        }
        if picking.running.with_untracked(Option::is_some) {
            return;
        }
        picking.running.set(Some(Progress::default()));
        picking.failure.set(None);
        picking.is_stopping.set(false);
        let turn = self.turn();
        spawn_local(async move {
            let got = backend.packets(&packets).await;
            if self.turn() != turn {
                return;
            }
            picking.running.set(None);
            let lang = self.lang.get_untracked();
            let t = lang.texts();
            match got {
                Ok(blob) => {
                    let size = format::bytes(blob.size() as u64, lang);
                    export::save(&blob.into(), &file_name);
                    self.say((t.saved)(&file_name, &size));
                }
                Err(_) if picking.is_stopping.get_untracked() => {
                    self.say(t.packets_view.stopped.to_owned());
                }
                // The file is no longer what was read.
                Err(error) if error.status == 410 => picking.gone.set(Some(error.message)),
                Err(error) => picking.failure.set(Some(error.message)),
            }
        });
    }

    /// Ends it; nothing is saved.
    pub fn stop_packets(self) {
        self.picking.is_stopping.set(true);
        if let Some(backend) = self.backend() {
            backend.stop();
        }
    }

    /// Looks whether the file can still be read: a browser refuses one that was written to since it was chosen.
    pub fn look_for_file(self) {
        let Some(file) = self.file() else { return };
        let turn = self.turn();
        spawn_local(async move {
            let read = match file.slice_with_i32_and_i32(0, 1) {
                Ok(first) => JsFuture::from(first.array_buffer()).await,
                Err(error) => Err(error),
            };
            if let Err(error) = read
                && self.turn() == turn
            {
                self.picking.gone.set(Some(crate::message::describe(&error)));
            }
        });
    }
}
