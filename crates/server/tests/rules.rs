//! Rules of the user's at the command line: how many threads read never shows, and what is wrong with a file is said.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A file of rules that is gone at the end of its test.
struct Rules(PathBuf);

impl Rules {
    fn new(name: &str, text: &str) -> Self {
        let name = format!("tractor-rules-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for Rules {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/captures/sample.pcapng")
}

fn tractor(command: &str, rules: &Rules, options: &[&str]) -> Output {
    let mut tractor = Command::new(env!("CARGO_BIN_EXE_tractor"));
    tractor
        .env("LC_ALL", "C")
        .arg(command)
        .arg(sample())
        .arg("--rules")
        .arg(&rules.0)
        .args(options);
    tractor.output().unwrap()
}

const RULES: &str = r#"
[[rule]]
label = "web pages"
group = "web"
bytes = [{ side = "client", hex = "16 03" }]

[[rule]]
label = "guessed"
ports = ["1-65535"]
"#;

#[test]
fn flows_have_the_labels_of_rules_on_any_number_of_threads() {
    let rules = Rules::new("threads.toml", RULES);
    let one = tractor("flows", &rules, &["--threads", "1"]);
    let four = tractor("flows", &rules, &["--threads", "4"]);
    assert!(one.status.success(), "{}", String::from_utf8_lossy(&one.stderr));
    assert_eq!(one.stdout, four.stdout);
    let text = String::from_utf8(one.stdout).unwrap();
    assert!(text.contains(r#""label":"web pages","group":"web","evidence":"own""#), "{text}");
    assert!(text.contains(r#""label":"guessed","group":"other","evidence":"port""#));
}

#[test]
fn a_label_of_a_rule_is_known_where_flows_are_counted() {
    let rules = Rules::new("stats.toml", "[[rule]]\nlabel = \"rare\"\nnames = [\"rare.example\"]");
    assert!(tractor("stats", &rules, &["--label", "rare"]).status.success());
    assert_eq!(tractor("stats", &rules, &["--label", "rarer"]).status.code(), Some(2));
}

#[test]
fn a_bad_file_of_rules_is_told_in_a_sentence() {
    let rules = Rules::new("bad.toml", "[[rule]]\nlabel = \"a\"\nport = [1]\n");
    for command in ["flows", "stats"] {
        let output = tractor(command, &rules, &[]);
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("bad.toml: rule 1 (`a`) has the unknown key `port`; known are"),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1);
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn guesses_are_switched_off_by_a_word() {
    let rules = Rules::new("guesses.toml", RULES);
    let output = tractor("flows", &rules, &["--no-guesses"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(r#""evidence":"own""#) && !text.contains(r#""evidence":"port""#));
}
