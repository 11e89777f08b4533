//! Learning: captures with their classes, how to learn, how well it does, the models there are, and what they say of the
//! capture that is open. Reached with no capture open too.

pub mod data;
pub mod how;
pub mod models;
pub mod result;
pub mod rows;

use leptos::prelude::*;
use v1::page::TrainingStage;

use crate::{
    format,
    i18n::{Lang, learning_error},
    parts::small::{Failure, Panel},
    state::{app, texts},
    training::{Running, Scored},
};

use self::{data::Data, how::How, models::Models, result::Results};

/// The page.
#[component]
pub fn Train() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let training = app.training;
    training.look();
    let failure = move || {
        training.failure.get().map(|(what, why)| {
            let title = if what.is_empty() { t.train.failed.to_owned() } else { what };
            view! { <Failure title text=learning_error(&why, lang) /> }
        })
    };
    let is_running = Memo::new(move |_| training.running.with(Option::is_some));
    let announced = move || {
        if let Some(running) = training.running.get() {
            // In tenths, so that it is not said all the time.
            let tenth = running.progress.done * 10 / running.progress.of.max(1);
            return (t.train.announce)(&format!("{} %", tenth * 10));
        }
        // Of a model that was there already nothing was trained.
        let trained = |it: &&Scored| it.report.model.is_none();
        let accuracy = training
            .scored
            .with(|it| it.last().filter(trained).map(|it| it.report.figures.accuracy));
        accuracy.map_or_else(String::new, |it| (t.train.announce_done)(&share(it, lang)))
    };
    view! {
        <div class="page train">
            <p class="lead">{t.train.lead}</p>
            {failure}
            <div class="cols">
                <Data />
                <How />
            </div>
            <Show when=move || is_running.get()>
                <Progress />
            </Show>
            <Results />
            <Models />
            <p class="unseen" role="status" aria-live="polite">{announced}</p>
        </div>
    }
}

/// A share of one as percent: `96.2 %`.
fn share(share: f64, lang: Lang) -> String {
    format::percent((share * 1e6).round() as u64, 1_000_000, lang)
}

/// What is done now, in words.
fn stage(running: &Running, folds: u32, lang: Lang) -> String {
    let t = &lang.texts().train;
    match running.progress.stage {
        TrainingStage::Part(number) => (t.part_of)(
            &format::count(number.into(), lang),
            &format::count(folds.max(number).into(), lang),
        ),
        TrainingStage::Importance => t.stages[0].to_owned(),
        TrainingStage::Curve => t.stages[1].to_owned(),
        TrainingStage::Whole => t.stages[2].to_owned(),
    }
}

/// How far learning is.
#[component]
fn Progress() -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let training = app.training;
    let folds = training.plan.with_untracked(|it| it.folds);
    let now = move || training.running.get().unwrap_or_default();
    let part = move || {
        let progress = now().progress;
        progress.done as f64 / progress.of.max(1) as f64
    };
    let so_far = move || {
        now().judged.map(|(rows, accuracy)| {
            (t.train.so_far)(&t.train.n_rows.with(rows, lang), &share(accuracy, lang))
        })
    };
    let stop = move || {
        let is_stopping = now().is_stopping;
        view! {
            <button type="button" id="stop-training" class="btn" disabled=is_stopping on:click=move |_| training.stop()>
                {if is_stopping { t.stopping } else { t.stop }}
            </button>
        }
    };
    let percent = move || format!("{:.1}%", part() * 100.0);
    view! {
        <Panel title=t.train.training.to_owned() right=stop>
            <div class="inset training">
                <div
                    class="progress"
                    role="progressbar"
                    aria-label=t.train.training
                    aria-valuemin="0"
                    aria-valuemax="100"
                    aria-valuenow=move || format!("{:.0}", part() * 100.0)
                >
                    <i style:width=percent></i>
                </div>
                <p>
                    <span>{move || stage(&now(), folds, lang)}</span>
                    <span class="dim">{so_far}</span>
                </p>
            </div>
        </Panel>
    }
}
