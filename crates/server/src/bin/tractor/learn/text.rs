//! Reports and models as aligned text.

use v1::page::{Baseline, Figures, ModelCard, ScoreRow, TrainingHow, TrainingReport};

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
    format!("{folds} parts, {}", row.map_or(split, |it| it.what.en))
}

fn learned(how: &TrainingHow) -> String {
    let mut text = how.method.clone();
    for (name, number) in &how.numbers {
        text += &format!(", {name} {number}");
    }
    if how.is_balanced {
        text += ", balanced";
    }
    text + &format!(", seed {}", how.seed)
}

/// A report, whole.
pub(super) fn report(report: &TrainingReport) -> String {
    let figures = &report.figures;
    let mut text = match &report.model {
        Some(model) => format!("{} rows judged by the model {}\n", figures.rows, shown(model)),
        None => {
            let split = report.split.as_deref().unwrap_or_default();
            let how = divided(split, report.folds);
            format!("{} rows judged: {how}\n", figures.rows)
        }
    };
    text += &format!("learned: {}\n", learned(&report.how));
    if report.is_stopped {
        text += "stopped before all parts were judged\n";
    }
    if report.dropped > 0 {
        text += &format!("{} rows left out as repeating an earlier one\n", report.dropped);
    }
    if report.leaking > 0 {
        text += &format!(
            "warning: {} of {} judged rows came of captures that were also learned from; the figures flatter\n",
            report.leaking, figures.rows
        );
    }
    text += &format!(
        "accuracy {:.3}, macro F1 {:.3}, weighted F1 {:.3}\n",
        figures.accuracy, figures.macro_mean.f1, figures.weighted_mean.f1
    );
    let beside = |what: &str, it: &Baseline| {
        format!("{what}: accuracy {:.3}, macro F1 {:.3}\n", it.accuracy, it.macro_f1)
    };
    text += &beside("always the most frequent class", &report.majority);
    text += &report
        .ports
        .as_ref()
        .map_or("the server's port alone: rows have no ports\n".to_owned(), |it| {
            beside("the server's port alone", it)
        });
    text.push('\n');
    text += &scores(figures);
    text.push('\n');
    text += &matrix(figures);
    text += &format!("\ncalibration error {:.3}\n", report.calibration_error);
    text += "how sure   right    rows\n";
    for it in &report.reliability {
        text += &format!("{:8.2} {:7.2} {:7}\n", it.share, it.right, it.rows);
    }
    if !report.importance.is_empty() {
        text += "\naccuracy lost  where this column is mixed up\n";
        for it in report.importance.iter().take(N_COLUMNS) {
            text += &format!(
                "{:13.4}  {}: {}\n",
                it.lost,
                shown(&it.column.name),
                shown(&it.column.what.en)
            );
        }
    }
    if !report.curve.is_empty() {
        text += "\nrows learned from  accuracy  macro F1\n";
        for it in &report.curve {
            text += &format!("{:17}  {:8.3}  {:8.3}\n", it.rows, it.accuracy, it.macro_f1);
        }
    }
    text
}

/// How well each class is told, and all in the mean.
fn scores(figures: &Figures) -> String {
    let names: Vec<String> = figures.classes.iter().map(|it| shown(&it.label)).collect();
    let width = width(names.iter().map(String::as_str)).max("weighted mean".len());
    let row = |name: &str, it: &ScoreRow| {
        format!(
            "{name:width$}  {:9.3}  {:6.3}  {:5.3}  {:7}\n",
            it.precision, it.recall, it.f1, it.rows
        )
    };
    let mut text = format!("{:width$}  precision  recall     f1     rows\n", "class");
    for (name, it) in names.iter().zip(&figures.classes) {
        text += &row(name, it);
    }
    text += &row("macro mean", &figures.macro_mean);
    text += &row("weighted mean", &figures.weighted_mean);
    text
}

/// The confusion matrix; of many classes what is mixed up most.
fn matrix(figures: &Figures) -> String {
    if figures.classes.len() > MAX_MATRIX { mixed_up(figures) } else { whole_matrix(figures) }
}

fn mixed_up(figures: &Figures) -> String {
    let name = |at: usize| figures.classes.get(at).map_or("nothing", |it| &*it.label);
    let mut cells = Vec::new();
    for (is, counts) in figures.confusion.iter().enumerate() {
        let wrong = counts.iter().enumerate().filter(|it| it.0 != is && *it.1 > 0);
        cells.extend(wrong.map(|(said, count)| (*count, name(is), name(said))));
    }
    // The sort is stable: of equal ones the first in order of names.
    cells.sort_by_key(|it| std::cmp::Reverse(it.0));
    let mut text = "what is mixed up most: rows, what they are, what was said of them\n".to_owned();
    for (count, is, said) in cells.iter().take(MAX_MATRIX) {
        text += &format!("{count:8}  {} as {}\n", shown(is), shown(said));
    }
    text
}

fn whole_matrix(figures: &Figures) -> String {
    let has_nothing = figures.confusion.iter().any(|it| it.last().is_some_and(|it| *it > 0));
    let names: Vec<String> = figures.classes.iter().map(|it| shown(&it.label)).collect();
    let mut heads: Vec<String> =
        names.iter().map(|it| it.chars().take(MAX_HEAD).collect()).collect();
    if has_nothing {
        heads.push("nothing".to_owned());
    }
    let first = width(names.iter().map(String::as_str));
    let column = |at: usize| {
        let counts = figures.confusion.iter().filter_map(|it| it.get(at));
        let widest = counts.map(|it| it.to_string().len()).max().unwrap_or(1);
        widest.max(heads.get(at).map_or(0, |it| it.chars().count()))
    };
    let widths: Vec<usize> = (0..heads.len()).map(column).collect();
    let mut text = "rows are what flows are, columns what was said of them\n".to_owned();
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
    let mut text =
        format!("{:width$}  accuracy  macro F1  weighted F1  calibration error\n", "method");
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
    text + "\nthe one with the greatest macro F1:\n\n"
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
    let first = width(names.iter().map(String::as_str)).max("weighted F1".len());
    let mut text = format!("{} rows judged by both\n", right.len());
    let count = |wanted: (bool, bool)| right.iter().filter(|it| **it == wanted).count();
    text += &format!(
        "right by both {}, by {name_a} alone {}, by {name_b} alone {}, by neither {}\n\n",
        count((true, true)),
        count((true, false)),
        count((false, true)),
        count((false, false))
    );
    text += &format!("{:first$}  {name_a:>head$}  {name_b:>head$}  difference\n", "");
    let mut row = |what: &str, a: f64, b: f64| {
        text += &format!("{what:first$}  {a:head$.3}  {b:head$.3}  {:+10.3}\n", b - a);
    };
    row("accuracy", a.figures.accuracy, b.figures.accuracy);
    row("macro F1", a.figures.macro_mean.f1, b.figures.macro_mean.f1);
    row("weighted F1", a.figures.weighted_mean.f1, b.figures.weighted_mean.f1);
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
    let mut text = format!("model {}\n", shown(&card.name));
    text += &match &card.schema {
        Some(schema) => format!("looks at the {} features of {schema}\n", card.columns),
        None => format!("looks at {} columns of another program\n", card.columns),
    };
    text += &match card.timeout_micros {
        Some(micros) => format!("wants flows cut after {} s\n", micros as f64 / 1e6),
        None => "wants whole flows\n".to_owned(),
    };
    text += &format!("learned: {}\n", learned(&card.how));
    let rows: u64 = card.classes.iter().map(|it| it.count).sum();
    text += &format!("from {rows} rows of {} captures or files\n", card.captures);
    for it in &card.classes {
        text += &format!("{:9}  {}\n", it.count, shown(&it.label));
    }
    for source in &card.sources {
        text += &format!("source: {}\n", shown(source));
    }
    let Some(judged) = &card.judged else { return text + "it was not judged\n" };
    let figures = &judged.figures;
    text += &format!(
        "\n{} rows judged by models of the same kind: {}\n",
        figures.rows,
        divided(&judged.split, judged.folds)
    );
    if judged.leaking > 0 {
        text += &format!(
            "warning: {} of them came of captures that were also learned from; the figures flatter\n",
            judged.leaking
        );
    }
    text += &format!(
        "accuracy {:.3}, macro F1 {:.3}; always the most frequent class {:.3}\n\n",
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
