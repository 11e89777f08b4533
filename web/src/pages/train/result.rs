//! How well it does: figures beside those of knowing next to nothing, the matrix, classes, reliability, columns, more rows.

use leptos::prelude::*;
use v1::page::{Figures, ScoreRow, TrainingReport};

use crate::{
    format,
    i18n::Lang,
    pages::train::{rows::Cell, share},
    parts::{
        bars::{Bar, Bars},
        graph::{Graph, Line, Tick},
        matrix::{Counts, MAX_CLASSES, Matrix, Words},
        plain::{Line as PlainLine, Plain, Text},
        small::{Panel, Sideways},
    },
    place::{Place, View},
    state::{app, texts},
    training::Scored,
};

/// The result on show: the newest.
#[component]
pub fn Results() -> impl IntoView {
    let app = app();
    let (t, _) = texts();
    let training = app.training;
    let last = Memo::new(move |_| training.scored.with(|it| it.last().cloned()));
    move || {
        let scored = last.get()?;
        let title = match &scored.report.model {
            Some(name) => (t.train.result_of)(name),
            None => t.train.result.to_owned(),
        };
        let report = scored.report.clone();
        let reliable =
            (!report.reliability.is_empty()).then(|| view! { <Reliable report=report.clone() /> });
        let curve = (report.curve.len() > 1).then(|| view! { <Curve report=report.clone() /> });
        let importance =
            (!report.importance.is_empty()).then(|| view! { <Importance report=report.clone() /> });
        let figures = report.figures.clone();
        let label = title.clone();
        Some(view! {
            <section class="stack" id="result" aria-label=label>
                <Panel title>
                    <Summary report />
                </Panel>
                <Confused scored />
                <Classes figures />
                <div class="cols">{reliable} {curve}</div>
                {importance}
            </section>
        })
    }
}

/// The figures, and in words what they are worth.
#[component]
fn Summary(report: TrainingReport) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let figures = &report.figures;
    let figure = |title: &'static str, value: String, sub: String| {
        view! {
            <div>
                <dt>{title}</dt>
                <dd>{value}</dd>
                <dd class="sub">{sub}</dd>
            </div>
        }
    };
    let ports = match report.ports {
        Some(ports) => (share(ports.accuracy, lang), t.train.ports_hint.to_owned()),
        None => ("–".to_owned(), t.train.no_ports.to_owned()),
    };
    let name = report.split.clone().unwrap_or_default();
    let of_split = app.training.choices.with_untracked(|it| {
        let splits = it.as_ref().map(|it| &it.0.splits)?;
        splits.iter().find(|it| it.name == name).map(|it| lang.of(&it.what))
    });
    let mut notes: Vec<(bool, String)> = Vec::new();
    match of_split {
        Some(how) => {
            let parts = t.train.n_parts.with(report.folds.into(), lang);
            notes.push((false, (t.train.judged_by)(&how, &parts)));
            let leak = match report.leaking {
                0 => (false, t.train.no_leak.to_owned()),
                n => (
                    true,
                    (t.train.leak)(
                        &format::count(n, lang),
                        &t.train.n_rows.with(figures.rows, lang),
                    ),
                ),
            };
            notes.push(leak);
        }
        None => notes.push((true, t.train.judged_model.to_owned())),
    }
    if report.is_stopped {
        notes.push((true, t.train.stopped.to_owned()));
    }
    if !is_of_use(&report) {
        notes.push((true, t.train.not_better.to_owned()));
    }
    if report.dropped > 0 {
        notes.push((false, (t.train.dropped)(&t.train.n_rows.with(report.dropped, lang))));
    }
    let notes = notes.into_iter().map(|(is_warning, text)| {
        let class = if is_warning { "sev" } else { "sev info" };
        view! { <li><span class=class aria-hidden="true"></span><p>{text}</p></li> }
    });
    view! {
        <dl class="strip inset">
            {figure(t.train.accuracy, share(figures.accuracy, lang), String::new())}
            {figure(t.train.macro_f1, format::decimal(figures.macro_mean.f1, 3, lang), String::new())}
            {figure(t.train.majority, share(report.majority.accuracy, lang), t.train.majority_hint.to_owned())}
            {figure(t.train.ports, ports.0, ports.1)}
            {figure(t.train.judged_rows, format::count(figures.rows, lang), t.train.n_rows.of(figures.rows, lang).to_owned())}
        </dl>
        <ul class="notes">{notes.collect_view()}</ul>
    }
}

/// Whether it is better than knowing next to nothing.
fn is_of_use(report: &TrainingReport) -> bool {
    let ports = report.ports.map_or(0.0, |it| it.accuracy);
    report.figures.accuracy > report.majority.accuracy && report.figures.accuracy >= ports
}

/// The names of the classes and the counts, as the picture has them.
fn counts(figures: &Figures) -> Counts {
    Counts {
        classes: figures.classes.iter().map(|it| it.label.clone()).collect(),
        counts: figures.confusion.clone(),
    }
}

/// A cell as the address has it, and back: the places of what it is and what was said.
fn cell_id((is, said): (usize, usize)) -> String {
    format!("{is}.{said}")
}

fn cell_of(id: &str) -> Option<(usize, usize)> {
    let (is, said) = id.split_once('.')?;
    Some((is.parse().ok()?, said.parse().ok()?))
}

/// The matrix, and beside it the rows of the cell that is open.
#[component]
fn Confused(scored: Scored) -> impl IntoView {
    let app = app();
    let (t, lang) = texts();
    let of = counts(&scored.report.figures);
    let n = of.classes.len();
    let chosen = Memo::new(move |_| {
        let cell = app.place.with(|it| (it.view == View::Train).then(|| cell_of(&it.id)))??;
        (cell.0 < n && cell.1 <= n).then_some(cell)
    });
    let on_choose = Callback::new(move |cell: (usize, usize)| {
        let place = app.place.get_untracked();
        // From cell to cell Back would lead through all of them.
        let next = place.with_id(cell_id(cell));
        if place.id.is_empty() { app.go(next) } else { app.replace(Place { ..next }) }
    });
    let words = Words {
        label: t.train.matrix.to_owned(),
        is: t.train.is.to_owned(),
        said: t.train.said.to_owned(),
        nothing: t.train.nothing_said.to_owned(),
    };
    let says: fn(&str, &str, u64) -> String = match lang {
        Lang::En => |is, said, n| says(is, said, n, Lang::En),
        Lang::Ru => |is, said, n| says(is, said, n, Lang::Ru),
    };
    let number: fn(u64) -> String = match lang {
        Lang::En => |it| format::count(it, Lang::En),
        Lang::Ru => |it| format::count(it, Lang::Ru),
    };
    let part = (n > MAX_CLASSES).then(|| {
        let text = (t.train.matrix_part)(&MAX_CLASSES.to_string(), &format::count(n as u64, lang));
        view! { <p class="dim inset">{text}</p> }
    });
    let classes = StoredValue::new(of.classes.clone());
    let cell = move || {
        let (is, said) = chosen.get()?;
        let name = |at: usize| classes.with_value(|it| it.get(at).cloned());
        Some(view! { <Cell is=name(is)? said=name(said) turn=scored.turn /> })
    };
    view! {
        <div class="confused">
            <Panel title=t.train.matrix.to_owned()>
                <p class="dim inset">{t.train.matrix_hint}</p>
                {part}
                <Matrix counts=of words says number chosen on_choose />
            </Panel>
            {cell}
        </div>
    }
}

fn says(is: &str, said: &str, n: u64, lang: Lang) -> String {
    (lang.texts().train.cell)(is, said, &format::count(n, lang))
}

/// How well each class is told.
#[component]
fn Classes(figures: Figures) -> impl IntoView {
    let (t, lang) = texts();
    let number = move |it: f64| Text::number(format::decimal(it, 3, lang));
    let line = move |title: String, it: &ScoreRow, class: &'static str| PlainLine {
        class,
        title,
        cells: vec![
            number(it.precision),
            number(it.recall),
            number(it.f1),
            Text::number(format::count(it.rows, lang)),
        ],
        bar: Some(it.f1),
    };
    let [by_class, by_row] = t.train.means;
    let mut lines: Vec<_> =
        figures.classes.iter().map(|it| line(it.label.clone(), it, "")).collect();
    lines.push(line(by_class.to_owned(), &figures.macro_mean, "is-sum"));
    lines.push(line(by_row.to_owned(), &figures.weighted_mean, ""));
    let headings = [t.train.precision, t.train.recall, t.train.f1, t.train.rows];
    let headings = std::iter::once(Text::new(t.train.class)).chain(headings.map(Text::number));
    view! {
        <Panel title=t.train.classes.to_owned()>
            <Sideways label=t.train.classes>
                <Plain class="bars scores" headings=headings.collect() lines />
            </Sideways>
        </Panel>
    }
}

/// The marks of a share.
fn shares(lang: Lang) -> Vec<Tick> {
    let text = |it: f64| format!("{}\u{a0}%", format::decimal(it * 100.0, 0, lang));
    [0.0, 0.25, 0.5, 0.75, 1.0].map(|it| (it, text(it))).to_vec()
}

/// The numbers of a picture, as a table.
fn twin(headings: [&str; 3], lines: Vec<PlainLine>, lang: Lang) -> impl IntoView + use<> {
    let headings = headings.map(Text::number).to_vec();
    view! {
        <details>
            <summary>{lang.texts().as_table}</summary>
            <Plain class="twin" headings lines />
        </details>
    }
}

/// How sure it was, and how often right.
#[component]
fn Reliable(report: TrainingReport) -> impl IntoView {
    let (t, lang) = texts();
    let most = report.reliability.iter().map(|it| it.rows).max().unwrap_or(1).max(1);
    let mut bars = vec![0.0; 10];
    for row in &report.reliability {
        let at = ((row.share * 10.0) as usize).min(9);
        // A third of the height, so that the bars stay behind the points.
        if let Some(bar) = bars.get_mut(at) {
            *bar = row.rows as f64 / most as f64 / 3.0;
        }
    }
    let points = report.reliability.iter().map(|it| (it.share, it.right)).collect();
    let lines = vec![Line { class: "line-a", name: String::new(), points }];
    let lines_of = report.reliability.iter().map(|it| PlainLine {
        title: share(it.share, lang),
        cells: vec![
            Text::number(share(it.right, lang)),
            Text::number(format::count(it.rows, lang)),
        ],
        ..PlainLine::default()
    });
    let twin = twin([t.train.how_sure, t.train.how_right, t.train.rows], lines_of.collect(), lang);
    let hint = (t.train.reliability_hint)(&share(report.calibration_error, lang));
    view! {
        <Panel title=t.train.reliability.to_owned()>
            <div class="inset">
                <Graph
                    label=t.train.reliability.to_owned()
                    lines
                    bars
                    has_diagonal=true
                    across=shares(lang)
                    up=shares(lang)
                    axes=[t.train.how_sure.to_owned(), t.train.how_right.to_owned()]
                />
                <p class="dim">{hint}</p>
                {twin}
            </div>
        </Panel>
    }
}

/// What more rows give.
#[component]
fn Curve(report: TrainingReport) -> impl IntoView {
    let (t, lang) = texts();
    let mut curve = report.curve.clone();
    curve.sort_by_key(|it| it.rows);
    let most = curve.last().map_or(1, |it| it.rows).max(1) as f64;
    let x = |rows: u64| rows as f64 / most;
    let lines = vec![
        Line {
            class: "line-a",
            name: t.train.accuracy.to_owned(),
            points: curve.iter().map(|it| (x(it.rows), it.accuracy)).collect(),
        },
        Line {
            class: "line-b",
            name: t.train.macro_f1.to_owned(),
            points: curve.iter().map(|it| (x(it.rows), it.macro_f1)).collect(),
        },
    ];
    let across = [0.0, 0.5, 1.0].map(|it| (it, format::count((it * most) as u64, lang)));
    let lines_of = curve.iter().map(|it| PlainLine {
        title: format::count(it.rows, lang),
        cells: vec![
            Text::number(share(it.accuracy, lang)),
            Text::number(format::decimal(it.macro_f1, 3, lang)),
        ],
        ..PlainLine::default()
    });
    let twin = twin([t.train.rows, t.train.accuracy, t.train.macro_f1], lines_of.collect(), lang);
    view! {
        <Panel title=t.train.curve.to_owned()>
            <div class="inset">
                <Graph
                    label=t.train.curve.to_owned()
                    lines
                    across=across.to_vec()
                    up=shares(lang)
                    axes=[t.train.rows_learned.to_owned(), t.train.share.to_owned()]
                />
                <p class="dim">{t.train.curve_hint}</p>
                {twin}
            </div>
        </Panel>
    }
}

/// Which columns matter.
#[component]
fn Importance(report: TrainingReport) -> impl IntoView {
    let (t, lang) = texts();
    let rows: Vec<_> = report.importance.iter().filter(|it| it.lost > 0.0).collect();
    let most = rows.first().map_or(1.0, |it| it.lost).max(f64::MIN_POSITIVE);
    let n = rows.len() as u64;
    let bars = rows.into_iter().map(|it| Bar {
        title: lang.of(&it.column.what),
        sub: it.column.name.clone(),
        figures: vec![share(it.lost, lang)],
        share: it.lost / most,
        ..Bar::default()
    });
    let bars = bars.collect();
    let columns = t.train.importance_hint;
    view! {
        <Panel title=t.train.importance.to_owned() right=move || columns>
            <Bars
                headings=vec![t.feature.to_owned(), t.train.lost.to_owned()]
                bars
                more=(t.all_of_them)(&format::count(n, lang))
            />
        </Panel>
    }
}

#[cfg(test)]
mod tests {
    use v1::page::Baseline;

    use super::*;

    #[test]
    fn a_cell_is_in_the_address() {
        assert_eq!(cell_of(&cell_id((3, 12))), Some((3, 12)));
        assert_eq!(cell_of("3"), None);
    }

    #[test]
    fn what_is_no_better_than_a_port_is_of_no_use() {
        let of = |accuracy: f64| Baseline { accuracy, macro_f1: 0.0 };
        let report = |accuracy, majority, ports| TrainingReport {
            figures: Figures { accuracy, ..Figures::default() },
            majority: of(majority),
            ports: Some(of(ports)),
            ..TrainingReport::default()
        };
        assert!(is_of_use(&report(0.9, 0.5, 0.8)));
        assert!(!is_of_use(&report(0.5, 0.5, 0.4)));
        assert!(!is_of_use(&report(0.7, 0.5, 0.8)));
    }
}
