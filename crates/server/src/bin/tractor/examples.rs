//! Examples of every command, as `--help` and the manual pages show them: tests/command_line.rs understands each.

/// Of `tractor` itself, and what its exit status says.
pub(crate) const TRACTOR: &str = "\
Examples:
  tractor flows --format text office.pcapng     every flow in a line, and why it has its label
  tractor hosts office.pcapng                   who was there
  tractor stats --format text captures          what was there, of every capture of a folder
  tcpdump -i eth0 -w - | tractor flows -        what is being recorded; Ctrl-C ends both

Exit status: 0 all was read, 1 some input was not, or in part, 2 the command makes no sense.";

pub(crate) const FLOWS: &str = "\
Examples:
  tractor flows --format text office.pcapng
  tractor flows office.pcapng more.pcap.gz captures -o flows.jsonl
  tractor flows --format csv --schema tractor --timeout 15 office.pcapng
  tractor flows --filter 'label:vk bytes>1MB' --format pcapng -o vk.pcapng office.pcapng
  zcat office.pcap.gz | tractor flows -";

pub(crate) const SESSIONS: &str = "\
Examples:
  tractor sessions office.pcapng
  tractor sessions --filter 'label:vk' --format csv captures -o vk.csv";

pub(crate) const HOSTS: &str = "\
Examples:
  tractor hosts office.pcapng
  tractor hosts --mmdb countries.mmdb --filter 'country:NL' office.pcapng
  tractor hosts --format jsonl captures";

pub(crate) const STATS: &str = "\
Examples:
  tractor stats office.pcapng
  tractor stats --format text captures
  tractor stats --label dns --flows office.pcapng
  tractor stats --ip 192.0.2.7 office.pcapng";

pub(crate) const LABELS: &str = "\
Examples:
  tractor labels
  tractor labels --rules rules.toml --format json";

pub(crate) const COMPARE: &str = "\
Examples:
  tractor compare before.pcap after.pcap
  tractor compare --filter 'proto:dns' before.pcap after.pcap";

pub(crate) const TRAIN: &str = "\
Examples:
  tractor train --class skype=a.pcap --class web=b.pcap -o apps.model
  tractor train --label-from folder captures -o apps.model
  tractor train --label-from comment isolated.pcapng other.pcapng -o apps.model";

pub(crate) const EVALUATE: &str = "\
Examples:
  tractor evaluate --label-from folder captures
  tractor evaluate --method all --label-from folder captures
  tractor evaluate --model apps.model --label-from folder others";

pub(crate) const CLASSIFY: &str = "\
Examples:
  tractor classify office.pcapng
  tractor classify --model apps.model --format text office.pcapng";

pub(crate) const MODEL: &str = "\
Examples:
  tractor model
  tractor model apps.model";

pub(crate) const WATCH: &str = "\
Examples:
  tractor watch captures
  tractor watch captures --out results --format csv --settle 30
  tractor watch captures --once";

pub(crate) const SERVE: &str = "\
Examples:
  tractor serve --captures captures
  tractor serve --captures captures --data data --listen 127.0.0.1:9000
  tractor serve --found flows";

pub(crate) const ISOLATE: &str = "\
Examples:
  sudo tractor isolate -o skype.pcapng -- skypeforlinux
  sudo tractor isolate --duration 60 --label web -- firefox https://example.org
  tractor isolate --dry-run -- curl https://example.org
  sudo tractor isolate --clean";

pub(crate) const COMPLETION: &str = "\
Examples:
  tractor completion bash > ~/.local/share/bash-completion/completions/tractor
  tractor completion zsh > ~/.zfunc/_tractor
  tractor completion fish > ~/.config/fish/completions/tractor.fish";

pub(crate) const MAN: &str = "\
Examples:
  tractor man | man -l -
  tractor man flows | man -l -
  tractor man -o man1";

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use crate::Arguments;

    /// The arguments of an example, as a shell gives them.
    fn arguments(example: &str) -> Vec<String> {
        let quoted = example.split('\'').enumerate();
        let words = quoted.flat_map(|(at, part)| match at % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        });
        words.take_while(|it| !matches!(&**it, "|" | ">")).collect()
    }

    #[test]
    fn every_command_has_examples_that_are_understood() {
        let mut n_examples = 0;
        for command in [Arguments::command()].iter().flat_map(clap::Command::get_subcommands) {
            let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let lines = examples.lines().filter(|it| it.starts_with("  "));
            for line in lines {
                // What comes before it feeds it, or makes it root.
                let line = line.find("tractor ").map_or("", |it| &line[it..]);
                let parsed = Arguments::try_parse_from(arguments(line));
                assert!(parsed.is_ok(), "{line}: {:?}", parsed.err());
                n_examples += 1;
            }
            assert!(n_examples > 0 && !examples.is_empty(), "{}", command.get_name());
        }
    }
}
