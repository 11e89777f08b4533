//! Countries as people write them.

use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use crate::i18n::Lang;

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
