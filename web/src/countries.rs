//! Countries, by a database that the user chose from their own machine: kept as a file for the captures to come.

use js_sys::{Array, Function, Object, Reflect};
use leptos::{prelude::*, task::spawn_local};
use v1::page::CountrySource;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::File;

use crate::{backend::Backend, i18n::Lang, state::App};

/// The database, and what came of it.
#[derive(Clone, Copy)]
pub struct Countries {
    file: RwSignal<Option<File>, LocalStorage>,
    /// What it says of itself, once it is in use.
    pub source: RwSignal<Option<CountrySource>>,
    /// Why the last file was refused.
    pub error: RwSignal<Option<String>>,
    /// Counts changes; what shows countries asks again.
    pub changed: RwSignal<u32>,
}

impl Countries {
    pub(crate) fn new() -> Self {
        Self {
            file: RwSignal::new_local(None),
            source: RwSignal::new(None),
            error: RwSignal::new(None),
            changed: RwSignal::new(0),
        }
    }

    /// Uses another database, or none, for the open capture and those to come.
    pub fn choose(self, app: App, file: Option<File>) {
        let Some(backend) = app.backend() else { return };
        spawn_local(async move {
            match backend.locate(file.as_ref()).await {
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

    /// Hands the database to who answers about another capture.
    pub(crate) async fn send(self, backend: &Backend) {
        let Some(file) = self.file.get_untracked() else { return };
        // A file that went away since is no database any more.
        if let Err(error) = backend.locate(Some(&file)).await {
            self.file.set(None);
            self.source.set(None);
            self.error.set(Some(error));
        }
    }
}

/// A country as people write it, by its two letters; the browser knows the names.
pub fn name(code: &str, lang: Lang) -> String {
    written(code, lang).unwrap_or_else(|| code.to_owned())
}

fn written(code: &str, lang: Lang) -> Option<String> {
    let intl = Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
    let class: Function = Reflect::get(&intl, &"DisplayNames".into()).ok()?.dyn_into().ok()?;
    let options = Object::new();
    Reflect::set(&options, &"type".into(), &"region".into()).ok()?;
    let arguments = Array::of2(&lang.tag().into(), &options);
    let names = Reflect::construct(&class, &arguments).ok()?;
    let of: Function = Reflect::get(&names, &"of".into()).ok()?.dyn_into().ok()?;
    let text = of.call1(&names, &JsValue::from(code)).ok()?;
    text.as_string()
}
