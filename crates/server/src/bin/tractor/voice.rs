//! How the command line speaks to people: in which language, in which colours, and on standard error.
//!
//! What programs read (JSON, CSV, names of columns and labels) has no language and no colour.

use std::{
    env,
    fmt::Display,
    io::{self, IsTerminal, Write},
    sync::OnceLock,
};

use clap::{Args, ValueEnum};
use v1::{Notice, Severity};

use crate::progress;

/// Where these stand among the options of a command.
const HEADING: &str = "Options of every command";

/// How to speak, as it was asked for.
#[derive(Args)]
pub(crate) struct Voice {
    /// The language of messages and tables; without it Russian where LC_ALL, LC_MESSAGES or LANG says so, else English.
    #[arg(long, global = true, value_enum, value_name = "en|ru", hide_possible_values = true, help_heading = HEADING)]
    lang: Option<Lang>,
    /// Colours: auto, on a terminal unless NO_COLOR is set.
    #[arg(long, global = true, value_enum, value_name = "auto|always|never", default_value = "auto", hide_possible_values = true,
        help_heading = HEADING)]
    color: When,
}

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    En,
    Ru,
}

/// When there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum When {
    Auto,
    Always,
    Never,
}

/// What was settled when the program began.
struct Settled {
    lang: Lang,
    color: When,
}

static SETTLED: OnceLock<Settled> = OnceLock::new();

impl Voice {
    /// Speaks so from now on.
    pub(crate) fn settle(&self) {
        let variable = |name: &str| env::var(name).ok();
        let lang = self.lang.unwrap_or_else(|| of_environment(variable));
        // Only the first time settles anything, and there is no second one.
        let _ = SETTLED.set(Settled { lang, color: self.color });
    }
}

/// The language that the environment names: of the first variable that says something, as POSIX has it.
fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Lang {
    let mut said = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().filter_map(|it| variable(it));
    let first = said.find(|it| !it.is_empty()).unwrap_or_default();
    let is_russian = first.split(['_', '.', '@']).next() == Some("ru");
    if is_russian { Lang::Ru } else { Lang::En }
}

/// The language.
pub(crate) fn lang() -> Lang {
    SETTLED.get().map_or(Lang::En, |it| it.lang)
}

/// The one of two texts that is in the language.
pub(crate) fn words<T>(en: T, ru: T) -> T {
    match lang() {
        Lang::En => en,
        Lang::Ru => ru,
    }
}

/// A number and its word, of two forms in English and three in Russian: `captures`, `снимков`.
pub(crate) fn counted(number: u64, en: &str, ru: &str) -> String {
    format!("{number} {}", v1::form(number, words(en, ru)))
}

/// A colour, or what else makes a text stand out.
#[derive(Clone, Copy)]
pub(crate) enum Paint {
    Bold,
    Red,
    Green,
    Yellow,
}

/// Whether texts are coloured.
#[derive(Clone, Copy)]
pub(crate) struct Colours(bool);

impl Colours {
    /// Those of standard output.
    pub(crate) fn of_output() -> Self {
        Self(is_colourful(io::stdout().is_terminal()))
    }

    /// Those of messages.
    pub(crate) fn of_messages() -> Self {
        Self(is_colourful(io::stderr().is_terminal()))
    }

    /// None.
    pub(crate) fn none() -> Self {
        Self(false)
    }

    pub(crate) fn paint(self, paint: Paint, text: impl Display) -> String {
        if !self.0 {
            return text.to_string();
        }
        let number = match paint {
            Paint::Bold => "1",
            Paint::Red => "31",
            Paint::Green => "32",
            Paint::Yellow => "33",
        };
        format!("\u{1b}[{number}m{text}\u{1b}[0m")
    }
}

fn is_colourful(is_terminal: bool) -> bool {
    match SETTLED.get().map_or(When::Auto, |it| it.color) {
        When::Always => true,
        When::Never => false,
        // https://no-color.org: whatever it says, if it says something.
        When::Auto => {
            is_terminal && env::var_os("NO_COLOR").is_none_or(|it| it.is_empty()) && !is_dumb()
        }
    }
}

/// Whether the terminal only prints letters.
pub(crate) fn is_dumb() -> bool {
    env::var_os("TERM").is_some_and(|it| it == "dumb")
}

/// Tells the user something. A terminal or a pipe that is gone must not end the program.
pub(crate) fn say(text: impl Display) {
    progress::clear();
    let _ = writeln!(io::stderr(), "{text}");
}

/// Says that something is wrong.
pub(crate) fn complain(text: impl Display) {
    say(format_args!("tractor: {text}"));
}

/// Says what is to be known of a capture.
pub(crate) fn notice(capture: &str, notice: &Notice) {
    let paint = match notice.severity() {
        Severity::Error => Paint::Red,
        _ => Paint::Yellow,
    };
    let code = Colours::of_messages().paint(paint, &notice.code);
    // Whoever sent the file chose its name.
    complain(format_args!("{}: {code}: {}", engine::plain(capture), sentences(notice)));
}

/// What a notice says.
fn sentences(notice: &Notice) -> String {
    let digits = |it: u64| it.to_string();
    let said = match lang() {
        Lang::En => return notice.message.clone(),
        Lang::Ru => notice.russian(digits),
    };
    let parts = [said.happened, said.done, said.advice];
    parts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(variables: &[(&str, &str)], expected: Lang) {
        let variable =
            |name: &str| variables.iter().find(|it| it.0 == name).map(|it| it.1.to_owned());
        assert_eq!(of_environment(variable), expected, "{variables:?}");
    }

    #[test]
    fn the_language_is_that_of_the_environment() {
        check(&[], Lang::En);
        check(&[("LANG", "ru_RU.UTF-8")], Lang::Ru);
        check(&[("LANG", "ru")], Lang::Ru);
        check(&[("LANG", "run_ME")], Lang::En);
        check(&[("LANG", "de_DE.UTF-8")], Lang::En);
    }

    #[test]
    fn the_first_variable_that_says_something_decides() {
        check(&[("LC_ALL", "C"), ("LANG", "ru_RU.UTF-8")], Lang::En);
        check(&[("LC_ALL", ""), ("LC_MESSAGES", "ru_RU"), ("LANG", "en_GB")], Lang::Ru);
    }
}
