//! The words of files that wait, in both languages.

use super::{Plural, train::plural};

/// The words of files that wait.
#[expect(missing_docs, reason = "each field is its message, to be read below")]
pub struct FilesTexts {
    pub n_more: Plural,
    pub title: &'static str,
    pub lead: &'static str,
    pub lead_reading: &'static str,
    pub added: fn(&str) -> String,
    pub added_all: fn(&str) -> String,
    pub open: &'static str,
    pub open_named: fn(&str) -> String,
    pub open_now: &'static str,
    pub open_now_named: fn(&str) -> String,
    pub remove: fn(&str) -> String,
    pub as_one: fn(&str) -> String,
    pub as_one_hint: &'static str,
    pub files: &'static str,
}

pub(super) const EN: FilesTexts = FilesTexts {
    n_more: plural("more file", "more files", "more files"),
    title: "Files that wait",
    lead: "They are opened one at a time. The capture that is open joins them when another one takes its place.",
    lead_reading: "They are opened one at a time. What is being read stops and joins them when another one takes its place.",
    added: |name| format!("{name} waits; reading goes on"),
    added_all: |n| format!("{n} wait; reading goes on"),
    open: "Open",
    open_named: |name| format!("Open {name}"),
    open_now: "Open now",
    open_now_named: |name| format!("Stop reading and open {name}"),
    remove: |name| format!("Take {name} off the list"),
    as_one: |n| format!("Read all {n} as one capture"),
    as_one_hint: "In the order of their first packets, as a recorder wrote them: a flow that goes on in the next file stays one.",
    files: "Files",
};

pub(super) const RU: FilesTexts = FilesTexts {
    n_more: plural("файл ещё", "файла ещё", "файлов ещё"),
    title: "Файлы в очереди",
    lead: "Файлы открываются по одному. Открытый снимок вернётся в этот список, когда вы откроете другой.",
    lead_reading: "Файлы открываются по одному. Если открыть другой сейчас, чтение прервётся, а этот файл вернётся в список.",
    added: |name| format!("{name} ждёт очереди, чтение продолжается"),
    added_all: |n| format!("В очереди {n}, чтение продолжается"),
    open: "Открыть",
    open_named: |name| format!("Открыть {name}"),
    open_now: "Открыть сейчас",
    open_now_named: |name| format!("Прервать чтение и открыть {name}"),
    remove: |name| format!("Убрать {name} из списка"),
    as_one: |n| format!("Прочитать все {n} как один снимок"),
    as_one_hint: "По порядку первых пакетов, как их записывала программа захвата: поток, который продолжается в следующем файле, остаётся одним.",
    files: "Файлы",
};
