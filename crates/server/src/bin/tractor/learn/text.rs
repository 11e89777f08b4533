//! Reports and models as aligned text.

use v1::page::{Baseline, Figures, ModelCard, ScoreRow, TrainingHow, TrainingReport};

use crate::voice::words;

/// How many columns are told as mattering.
const N_COLUMNS: usize = 20;
/// A matrix of more classes is not read; then what is mixed up most is told.
const MAX_MATRIX: usize = 20;
/// How many characters of a class stand above a column of the matrix.
const MAX_HEAD: usize = 12;

/// Characters, as far as they may be shown.
fn shown(text: &str) -> String {
    engine::plain(text)
}

fn width<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|it| it.chars().count()).max().unwrap_or(0)
}

/// How the rows were divided, in a phrase.
fn divided(split: &str, folds: u32) -> String {
    let row = learn::Split::named(split).map(learn::Split::row);
    let how = row.map_or(split, |it| words(it.what.en, it.what.ru));
    format!(
        "{folds} {}, {how}",
        v1::form(u64::from(folds), words("parts|parts", "часть|части|частей"))
    )
}

fn learned(how: &TrainingHow) -> String {
    let mut text = how.method.clone();
    for (name, number) in &how.numbers {
        text += &format!(", {name} {number}");
    }
    if how.is_balanced {
        text += words(", balanced", ", поровну");
    }
    text + &format!(", {} {}", words("seed", "зерно"), how.seed)
}

/// What rows are judged by.
fn measures() -> [&'static str; 3] {
    words(["accuracy", "macro F1", "weighted F1"], ["точность", "макро-F1", "F1 с весами"])
}

/// What knowing nothing gives.
fn most_frequent() -> &'static str {
    words("always the most frequent class", "всегда самый частый класс")
}

/// Where a model says nothing.
fn nothing() -> &'static str {
    words("nothing", "ничего")
}

/// A report, whole.
pub(super) fn report(report: &TrainingReport) -> String {
    let figures = &report.figures;
    let mut text = match &report.model {
        Some(model) => words(
            format!("{} rows judged by the model {}\n", figures.rows, shown(model)),
            format!("проверено строк: {}, моделью {}\n", figures.rows, shown(model)),
        ),
        None => {
            let split = report.split.as_deref().unwrap_or_default();
            let how = divided(split, report.folds);
            words(
                format!("{} rows judged: {how}\n", figures.rows),
                format!("проверено строк: {}; {how}\n", figures.rows),
            )
        }
    };
    text += &format!("{}: {}\n", words("learned", "обучение"), learned(&report.how));
    if report.is_stopped {
        text += words(
            "stopped before all parts were judged\n",
            "остановлено раньше, чем проверены все части\n",
        );
    }
    if report.dropped > 0 {
        text += &words(
            format!("{} rows left out as repeating an earlier one\n", report.dropped),
            format!("пропущено строк, повторяющих более раннюю: {}\n", report.dropped),
        );
    }
    if report.leaking > 0 {
        let (leaking, rows) = (report.leaking, figures.rows);
        text += &words(
            format!(
                "warning: {leaking} of {rows} judged rows came of captures that were also learned from; the figures flatter\n"
            ),
            format!(
                "внимание: {leaking} из {rows} проверенных строк из снимков, по которым шло и обучение; числа приукрашены\n"
            ),
        );
    }
    let [accuracy, macro_f1, weighted_f1] = measures();
    text += &format!(
        "{accuracy} {:.3}, {macro_f1} {:.3}, {weighted_f1} {:.3}\n",
        figures.accuracy, figures.macro_mean.f1, figures.weighted_mean.f1
    );
    let beside = |what: &str, it: &Baseline| {
        format!("{what}: {accuracy} {:.3}, {macro_f1} {:.3}\n", it.accuracy, it.macro_f1)
    };
    text += &beside(most_frequent(), &report.majority);
    let port = words("the server's port alone", "один порт сервера");
    text += &report.ports.as_ref().map_or_else(
        || format!("{port}: {}\n", words("rows have no ports", "у строк нет портов")),
        |it| beside(port, it),
    );
    text.push('\n');
    text += &scores(figures);
    text.push('\n');
    text += &matrix(figures);
    let calibration = words("calibration error", "ошибка калибровки");
    text += &format!("\n{calibration} {:.3}\n", report.calibration_error);
    text += words("how sure   right    rows\n", "уверена    права   строк\n");
    for it in &report.reliability {
        text += &format!("{:8.2} {:7.2} {:7}\n", it.share, it.right, it.rows);
    }
    if !report.importance.is_empty() {
        text += words(
            "\naccuracy lost  where this column is mixed up\n",
            "\nпотеря точн.   если перемешать этот столбец\n",
        );
        for it in report.importance.iter().take(N_COLUMNS) {
            text += &format!(
                "{:13.4}  {}: {}\n",
                it.lost,
                shown(&it.column.name),
                shown(words(&it.column.what.en, &it.column.what.ru))
            );
        }
    }
    if !report.curve.is_empty() {
        text += words(
            "\nrows learned from  accuracy  macro F1\n",
            "\nстрок в обучении   точность  макро-F1\n",
        );
        for it in &report.curve {
            text += &format!("{:17}  {:8.3}  {:8.3}\n", it.rows, it.accuracy, it.macro_f1);
        }
    }
    text
}

/// How well each class is told, and all in the mean.
fn scores(figures: &Figures) -> String {
    let names: Vec<String> = figures.classes.iter().map(|it| shown(&it.label)).collect();
    let [class, macro_mean, weighted_mean] =
        words(["class", "macro mean", "weighted mean"], ["класс", "среднее", "с весами"]);
    let width = width(names.iter().map(String::as_str)).max(weighted_mean.chars().count());
    let row = |name: &str, it: &ScoreRow| {
        format!(
            "{name:width$}  {:9.3}  {:6.3}  {:5.3}  {:7}\n",
            it.precision, it.recall, it.f1, it.rows
        )
    };
    let heads = words("precision  recall     f1     rows", " точность  полнота    f1    строк");
    let mut text = format!("{class:width$}  {heads}\n");
    for (name, it) in names.iter().zip(&figures.classes) {
        text += &row(name, it);
    }
    text += &row(macro_mean, &figures.macro_mean);
    text += &row(weighted_mean, &figures.weighted_mean);
    text
}

/// The confusion matrix; of many classes what is mixed up most.
fn matrix(figures: &Figures) -> String {
    if figures.classes.len() > MAX_MATRIX { mixed_up(figures) } else { whole_matrix(figures) }
}

fn mixed_up(figures: &Figures) -> String {
    let name = |at: usize| figures.classes.get(at).map_or(nothing(), |it| &*it.label);
    let mut cells = Vec::new();
    for (is, counts) in figures.confusion.iter().enumerate() {
        let wrong = counts.iter().enumerate().filter(|it| it.0 != is && *it.1 > 0);
        cells.extend(wrong.map(|(said, count)| (*count, name(is), name(said))));
    }
    // The sort is stable: of equal ones the first in order of names.
    cells.sort_by_key(|it| std::cmp::Reverse(it.0));
    let mut text = words(
        "what is mixed up most: rows, what they are, what was said of them\n",
        "что путается чаще всего: строк, что это, что о них сказано\n",
    )
    .to_owned();
    for (count, is, said) in cells.iter().take(MAX_MATRIX) {
        let how = words("as", "как");
        text += &format!("{count:8}  {} {how} {}\n", shown(is), shown(said));
    }
    text
}

fn whole_matrix(figures: &Figures) -> String {
    let has_nothing = figures.confusion.iter().any(|it| it.last().is_some_and(|it| *it > 0));
    let names: Vec<String> = figures.classes.iter().map(|it| shown(&it.label)).collect();
    let mut heads: Vec<String> =
        names.iter().map(|it| it.chars().take(MAX_HEAD).collect()).collect();
    if has_nothing {
        heads.push(nothing().to_owned());
    }
    let first = width(names.iter().map(String::as_str));
    let column = |at: usize| {
        let counts = figures.confusion.iter().filter_map(|it| it.get(at));
        let widest = counts.map(|it| it.to_string().len()).max().unwrap_or(1);
        widest.max(heads.get(at).map_or(0, |it| it.chars().count()))
    };
    let widths: Vec<usize> = (0..heads.len()).map(column).collect();
    let mut text = words(
        "rows are what flows are, columns what was said of them\n",
        "строки: что это за потоки, столбцы: что о них сказано\n",
    )
    .to_owned();
    text += &" ".repeat(first);
    for (head, width) in heads.iter().zip(&widths) {
        text += &format!("  {head:>width$}");
    }
    text.push('\n');
    for (name, counts) in names.iter().zip(&figures.confusion) {
        text += &format!("{name:first$}");
        for (count, width) in counts.iter().zip(&widths) {
            text += &format!("  {count:width$}");
        }
        text.push('\n');
    }
    text
}

/// Several methods beside each other.
pub(super) fn comparison(reports: &[TrainingReport]) -> String {
    let width = width(reports.iter().map(|it| &*it.how.method)).max(6);
    let mut text = words(
        format!("{:width$}  accuracy  macro F1  weighted F1  calibration error\n", "method"),
        format!("{:width$}  точность  макро-F1   F1 с весами  ошибка калибровки\n", "метод"),
    );
    for it in reports {
        text += &format!(
            "{:width$}  {:8.3}  {:8.3}  {:11.3}  {:17.3}\n",
            it.how.method,
            it.figures.accuracy,
            it.figures.macro_mean.f1,
            it.figures.weighted_mean.f1,
            it.calibration_error
        );
    }
    text + words("\nthe one with the greatest macro F1:\n\n", "\nлучший по макро-F1:\n\n")
}

/// Two models judged by the same rows.
pub(super) fn difference(reports: &[TrainingReport; 2], right: &[(bool, bool)]) -> String {
    let [a, b] = reports;
    let name = |it: &TrainingReport| shown(it.model.as_deref().unwrap_or_default());
    let (name_a, name_b) = (name(a), name(b));
    let head = width([&*name_a, &*name_b].into_iter()).max(8);
    let classes: std::collections::BTreeSet<&str> =
        reports.iter().flat_map(|it| &it.figures.classes).map(|it| &*it.label).collect();
    let names: Vec<String> = classes.iter().map(|it| shown(it)).collect();
    let [accuracy, macro_f1, weighted_f1] = measures();
    let first = width(names.iter().map(String::as_str)).max(weighted_f1.chars().count());
    let mut text = words(
        format!("{} rows judged by both\n", right.len()),
        format!("проверено обеими строк: {}\n", right.len()),
    );
    let count = |wanted: (bool, bool)| right.iter().filter(|it| **it == wanted).count();
    let (both, a_alone) = (count((true, true)), count((true, false)));
    let (b_alone, neither) = (count((false, true)), count((false, false)));
    text += &words(
        format!(
            "right by both {both}, by {name_a} alone {a_alone}, by {name_b} alone {b_alone}, by neither {neither}\n\n"
        ),
        format!(
            "верно у обеих {both}, только у {name_a} {a_alone}, только у {name_b} {b_alone}, ни у одной {neither}\n\n"
        ),
    );
    let difference = words("difference", "   разница");
    text += &format!("{:first$}  {name_a:>head$}  {name_b:>head$}  {difference}\n", "");
    let mut row = |what: &str, a: f64, b: f64| {
        text += &format!("{what:first$}  {a:head$.3}  {b:head$.3}  {:+10.3}\n", b - a);
    };
    row(accuracy, a.figures.accuracy, b.figures.accuracy);
    row(macro_f1, a.figures.macro_mean.f1, b.figures.macro_mean.f1);
    row(weighted_f1, a.figures.weighted_mean.f1, b.figures.weighted_mean.f1);
    for (label, name) in classes.iter().zip(&names) {
        let f1 = |it: &TrainingReport| {
            let row = it.figures.classes.iter().find(|it| it.label == *label);
            row.map_or(0.0, |it| it.f1)
        };
        row(name, f1(a), f1(b));
    }
    text
}

/// A model and what is to be known of it.
pub(super) fn card(card: &ModelCard) -> String {
    let mut text = format!("{} {}\n", words("model", "модель"), shown(&card.name));
    let columns = card.columns;
    text += &match &card.schema {
        Some(schema) => words(
            format!("looks at the {columns} features of {schema}\n"),
            format!("смотрит на признаки {schema}, их {columns}\n"),
        ),
        None => words(
            format!("looks at {columns} columns of another program\n"),
            format!("смотрит на столбцы другой программы, их {columns}\n"),
        ),
    };
    text += &match card.timeout_micros.map(|it| it as f64 / 1e6) {
        Some(seconds) => words(
            format!("wants flows cut after {seconds} s\n"),
            format!("потоки для неё режутся через {seconds} с\n"),
        ),
        None => words("wants whole flows\n", "потоки для неё целые\n").to_owned(),
    };
    text += &format!("{}: {}\n", words("learned", "обучение"), learned(&card.how));
    let rows: u64 = card.classes.iter().map(|it| it.count).sum();
    text += &words(
        format!("from {rows} rows of {} captures or files\n", card.captures),
        format!("по {rows} строкам, снимков или файлов {}\n", card.captures),
    );
    for it in &card.classes {
        text += &format!("{:9}  {}\n", it.count, shown(&it.label));
    }
    for source in &card.sources {
        text += &format!("{}: {}\n", words("source", "источник"), shown(source));
    }
    let Some(judged) = &card.judged else {
        return text + words("it was not judged\n", "она не проверялась\n");
    };
    let figures = &judged.figures;
    let (rows, how) = (figures.rows, divided(&judged.split, judged.folds));
    text += &words(
        format!("\n{rows} rows judged by models of the same kind: {how}\n"),
        format!("\nпроверено строк такими же моделями: {rows}; {how}\n"),
    );
    if judged.leaking > 0 {
        text += &words(
            format!(
                "warning: {} of them came of captures that were also learned from; the figures flatter\n",
                judged.leaking
            ),
            format!(
                "внимание: {} из них из снимков, по которым шло и обучение; числа приукрашены\n",
                judged.leaking
            ),
        );
    }
    let ([accuracy, macro_f1, _], always) = (measures(), most_frequent());
    text += &format!(
        "{accuracy} {:.3}, {macro_f1} {:.3}; {always} {:.3}\n\n",
        figures.accuracy, figures.macro_mean.f1, judged.majority
    );
    text + &scores(figures) + "\n" + &matrix(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Figures {
        let score = |label: &str, rows| ScoreRow {
            label: label.to_owned(),
            rows,
            precision: 0.5,
            recall: 1.0,
            f1: 2.0 / 3.0,
        };
        Figures {
            rows: 12,
            accuracy: 0.5,
            macro_mean: score("", 12),
            weighted_mean: score("", 12),
            classes: vec![score("a", 2), score("long name", 10)],
            confusion: vec![vec![1, 1, 0], vec![5, 5, 0]],
        }
    }

    #[test]
    fn a_report_names_its_split_and_what_knowing_nothing_gives() {
        let judged = TrainingReport {
            split: Some("capture".to_owned()),
            folds: 2,
            leaking: 3,
            figures: figures(),
            ..TrainingReport::default()
        };
        let text = report(&judged);
        assert!(text.starts_with("12 rows judged: 2 parts, by whole captures\n"), "{text}");
        assert!(text.contains("warning: 3 of 12 judged rows"), "{text}");
        assert!(text.contains("always the most frequent class: accuracy 0.000"), "{text}");
    }

    #[test]
    fn the_matrix_is_aligned() {
        let text = whole_matrix(&figures());
        let lines: Vec<&str> = text.lines().skip(1).collect();
        assert_eq!(
            lines,
            ["           a  long name", "a          1          1", "long name  5          5"]
        );
    }
}
