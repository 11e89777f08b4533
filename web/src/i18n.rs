//! Every word the page shows, in both languages: one struct, one field a message, so that none can be forgotten.

mod beside;
mod en;
mod files;
mod filter;
mod link;
mod overview;
mod packets;
mod report;
mod ru;
mod seen;
mod sentences;
mod table;
mod tables;
mod train;

pub use beside::BesideTexts;
pub use files::FilesTexts;
pub use filter::FilterTexts;
pub use link::LinkTexts;
pub use overview::{OverviewTexts, notable};
pub use packets::PacketTexts;
pub use report::ReportTexts;
pub use sentences::{
    Piece, evidence, fact_text, file_format, learning_error, mentions, notice, reason, rules_error,
    set_aside, table_notice,
};
pub use table::TableTexts;
pub use train::TrainTexts;

/// A language of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Russian.
    Ru,
}

impl Lang {
    /// A sentence of the program's in this language.
    pub fn of(self, words: &v1::page::Words) -> String {
        match self {
            Self::En => words.en.clone(),
            Self::Ru => words.ru.clone(),
        }
    }

    /// Its tag (BCP 47).
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ru => "ru",
        }
    }

    /// The language a tag such as `ru-RU` means, where the page speaks it.
    pub fn from_tag(tag: &str) -> Option<Self> {
        match tag.split(['-', '_']).next()? {
            "en" => Some(Self::En),
            "ru" => Some(Self::Ru),
            _ => None,
        }
    }

    /// Its words.
    pub fn texts(self) -> &'static Texts {
        match self {
            Self::En => &en::TEXTS,
            Self::Ru => &ru::TEXTS,
        }
    }
}

/// A counted word. English uses `one` and `many`.
#[derive(Clone, Copy)]
pub struct Plural {
    /// With 1, 21, 31 …
    pub one: &'static str,
    /// With 2 to 4, 22 to 24 …
    pub few: &'static str,
    /// With everything else.
    pub many: &'static str,
}

impl Plural {
    /// The form that stands with a number (CLDR's rules of whole numbers).
    pub fn of(&self, number: u64, lang: Lang) -> &'static str {
        match (lang, number % 10, number % 100) {
            (Lang::En, ..) if number == 1 => self.one,
            (Lang::En, ..) => self.many,
            (Lang::Ru, _, 11..=14) => self.many,
            (Lang::Ru, 1, _) => self.one,
            (Lang::Ru, 2..=4, _) => self.few,
            (Lang::Ru, ..) => self.many,
        }
    }

    /// Number and word: `5 flows`.
    pub fn with(&self, number: u64, lang: Lang) -> String {
        format!("{}\u{a0}{}", crate::format::count(number, lang), self.of(number, lang))
    }
}

/// The page's words. A name says where or for what; a `fn` takes what stands in the sentence.
#[expect(missing_docs, reason = "each field is its message, to be read in `en.rs`")]
pub struct Texts {
    // Counted words.
    pub n_flows: Plural,
    pub n_sessions: Plural,
    pub n_hosts: Plural,
    pub n_packets: Plural,
    pub n_pieces: Plural,
    pub n_frames: Plural,
    pub n_labels: Plural,
    pub n_links: Plural,

    // Frame.
    pub tagline: &'static str,
    pub skip: &'static str,
    pub open: &'static str,
    pub open_hint: &'static str,
    pub language: &'static str,
    pub theme: &'static str,
    pub theme_names: [&'static str; 3],
    pub keyboard: &'static str,
    pub close: &'static str,
    pub back: &'static str,
    pub copied: fn(&str) -> String,
    pub copy_link: &'static str,
    pub views: [&'static str; 9],
    pub views_label: &'static str,
    pub filter_label: &'static str,
    pub filter_hint: &'static str,
    pub clear: &'static str,
    pub remove: fn(&str) -> String,
    pub loading: &'static str,
    pub failed: &'static str,
    pub unknown: &'static str,
    pub retry: &'static str,
    pub more: &'static str,
    pub all_of_them: fn(&str) -> String,

    // Seal.
    pub sealed: &'static str,
    pub unsealed: &'static str,
    pub seal_title: &'static str,
    pub seal_blocked_title: &'static str,
    pub seal_blocked: &'static [&'static str],
    pub seal_limits_title: &'static str,
    pub seal_limits: &'static [&'static str],
    pub seal_check_title: &'static str,
    pub seal_check: &'static [&'static str],
    pub seal_single: &'static str,
    pub seal_hashes: &'static str,
    pub unsealed_text: &'static str,

    // First visit.
    pub first_title: [&'static str; 2],
    pub first_lead: &'static str,
    pub drop_here: &'static str,
    pub drop_or: &'static str,
    pub drop_now: &'static str,
    pub is_folder: fn(&str) -> String,
    pub choose_file: &'static str,
    pub open_sample: &'static str,
    pub sample_hint: &'static str,
    pub promises: [(&'static str, &'static str); 3],
    pub link_needs_file: &'static str,
    pub companion_here: &'static str,
    pub open_companion: &'static str,
    pub not_opened: fn(&str) -> String,

    // Reading.
    pub reading: fn(&str) -> String,
    pub reading_progress: fn(&str, &str) -> String,
    pub stop: &'static str,
    pub stop_hint: &'static str,
    pub stopping: &'static str,
    pub speed: &'static str,
    pub read_so_far: &'static str,
    pub announce: fn(&str) -> String,
    pub announce_done: fn(&str) -> String,

    // Overview.
    pub traffic: &'static str,
    pub duration: &'static str,
    pub peak: fn(&str, &str) -> String,
    pub named: &'static str,
    pub named_hint: fn(&str, &str) -> String,
    pub unread: &'static str,
    pub of_hosts: fn(&str, &str) -> String,
    pub packets_read: &'static str,
    pub all_accounted: &'static str,
    pub some_set_aside: fn(&str) -> String,
    pub traffic_over_time: &'static str,
    pub bytes: &'static str,
    pub packets: &'static str,
    pub flows: &'static str,
    pub as_table: &'static str,
    pub as_chart: &'static str,
    pub chart_help: &'static str,
    pub show_flows: &'static str,
    pub selected_range: &'static str,
    pub labels: &'static str,
    pub protocols: &'static str,
    pub hosts: &'static str,
    pub where_: &'static str,
    pub by_bytes: &'static str,
    pub statistics: &'static str,
    pub statistic_titles: [(&'static str, &'static str); 7],
    pub what_was_read: &'static str,
    pub complete: &'static str,
    pub partial: &'static str,
    pub stopped: &'static str,
    pub format: &'static str,
    pub in_flows: &'static str,
    pub all_frames: &'static str,
    pub damaged: &'static str,
    pub account_columns: [&'static str; 4],
    pub severities: [&'static str; 3],
    pub more_notices: fn(&str) -> String,
    pub written_by: &'static str,
    pub interfaces: &'static str,
    pub comments: &'static str,
    pub names_from: &'static str,
    pub no_names: &'static str,
    pub time: &'static str,
    pub total: &'static str,
    pub clear_filter: &'static str,

    // Flows.
    pub start: &'static str,
    pub label: &'static str,
    pub client: &'static str,
    pub server: &'static str,
    pub over_time: &'static str,
    pub cut_flows: &'static str,
    pub cut_hint: &'static str,
    pub cut: fn(&str) -> String,
    pub cut_into: fn(&str, &str) -> String,
    pub piece_n: fn(&str) -> String,
    pub of_flows: fn(&str, &str) -> String,
    pub none_match: &'static str,
    pub remove_last: &'static str,
    pub filter_wrong: &'static str,
    pub sort_by: fn(&str) -> String,
    pub within: fn(&str, &str) -> String,
    pub choose_a_flow: &'static str,

    // Flow.
    pub flow_n: fn(&str) -> String,
    pub why: &'static str,
    pub evidence_names: [(&'static str, &'static str); 8],
    pub transport: &'static str,
    pub protocol: &'static str,
    pub state: &'static str,
    pub conn_states: [(&'static str, &'static str); 13],
    pub tcp: &'static str,
    pub fate: &'static str,
    pub tcp_fate: &'static str,
    pub tcp_well: &'static str,
    pub fates: [(&'static str, &'static str); 7],
    pub history_letters: [(&'static str, &'static str); 14],
    pub session: &'static str,
    pub session_alone: &'static str,
    pub remark: &'static str,
    pub inside_tunnel: &'static str,
    pub carries: &'static str,
    pub handshake: &'static str,
    pub round_trip: &'static str,
    pub sent_again: &'static str,
    pub out_of_order: &'static str,
    pub repeated_acks: &'static str,
    pub window_closed: &'static str,
    pub window_full: &'static str,
    pub other_bytes: &'static str,
    pub about: &'static str,
    pub icmp_errors: &'static str,
    pub keep_alives: &'static str,
    pub lost_bytes: &'static str,
    pub asked_for: &'static str,
    pub agent: &'static str,
    pub ip_bytes: &'static str,
    pub features: &'static str,
    /// Whose first bytes show the protocol, and in which packet of the flow the client's and the server's begin.
    pub shown_by: fn(&str, &str, &str) -> String,
    pub facts: &'static str,
    pub no_facts: &'static str,
    pub said_in: fn(&str) -> String,
    pub first_bytes: &'static str,
    pub packet_list: &'static str,
    pub packet_chart: &'static str,
    pub client_up: &'static str,
    pub server_down: &'static str,
    pub first_of: fn(&str, &str) -> String,
    pub no_payload: &'static str,
    pub payload: &'static str,
    pub flags: &'static str,
    pub offset: &'static str,
    pub feature: &'static str,
    pub value: &'static str,
    pub units: [(&'static str, &'static str); 4],
    pub no_value: &'static str,
    pub copy_filter: &'static str,
    pub copy_filter_hint: &'static str,
    pub no_such: &'static str,
    pub with_this: fn(&str) -> String,
    pub previous: &'static str,
    pub next: &'static str,

    // Hosts.
    pub search_hosts: &'static str,
    pub host: &'static str,
    pub name: &'static str,
    pub as_client: &'static str,
    pub as_server: &'static str,
    pub scopes: [(&'static str, &'static str); 10],
    pub names_of_host: &'static str,
    pub agents_of_host: &'static str,
    pub peers: &'static str,
    pub no_host_names: &'static str,
    pub its_flows: &'static str,
    pub said_by: fn(&str) -> String,

    // Sessions.
    pub held_by: &'static str,
    pub kinds: [(&'static str, &'static str); 15],
    pub session_n: fn(&str) -> String,
    pub sessions_lead: &'static str,
    pub why_together: &'static str,
    pub single_flow: &'static str,
    pub set_apart: &'static str,
    pub set_apart_hint: &'static str,
    pub join_with: &'static str,
    pub join: &'static str,
    pub decided: &'static str,
    pub refused: &'static str,
    pub decisions: &'static str,
    pub was_set_apart: fn(&str) -> String,
    pub were_joined: fn(&str, &str) -> String,
    pub take_back: &'static str,
    pub when: &'static str,
    pub sure: fn(&str) -> String,
    pub first_n_shown: fn(&str) -> String,

    // Labels.
    pub groups: [(&'static str, &'static str); 15],
    pub labels_found: fn(&str) -> String,
    pub labels_known: &'static str,
    pub labels_known_hint: fn(&str) -> String,
    pub n_rules: Plural,
    pub own_rules: &'static str,
    pub own_rules_lead: &'static str,
    pub own_rules_none: &'static str,
    pub own_rules_in_force: fn(&str) -> String,
    pub own_rules_choose: &'static str,
    pub own_rules_paste: &'static str,
    pub own_rules_load: &'static str,
    pub own_rules_drop: &'static str,
    pub own_rules_refused: &'static str,
    pub spoken: &'static str,

    // Export.
    pub export_lead: fn(&str) -> String,
    pub export_format: &'static str,
    pub export_formats: [(&'static str, &'static str); 6],
    pub export_columns: &'static str,
    pub export_own: (&'static str, &'static str),
    pub export_timeout: &'static str,
    pub export_timeout_hint: &'static str,
    pub export_whole: &'static str,
    pub seconds: &'static str,
    pub save: &'static str,
    pub saving: &'static str,
    pub saved: fn(&str, &str) -> String,
    pub export_statistics: &'static str,
    pub export_statistics_hint: &'static str,
    pub command_line: &'static str,

    // Keys.
    pub keys: [(&'static str, &'static str); 11],
    pub keys_switch: &'static str,

    // Companion.
    pub companion_title: &'static str,
    pub companion_lead: &'static str,
    pub companion_badge: &'static str,
    pub companion_private: &'static str,
    pub file: &'static str,
    pub files: &'static str,
    pub size: &'static str,
    pub file_state: &'static str,
    pub file_states: [&'static str; 4],
    pub process: &'static str,
    pub again: &'static str,
    pub show: &'static str,
    pub n_ahead: fn(&str) -> String,
    pub process_all: &'static str,
    pub no_files: &'static str,
    pub no_answer: fn(&str) -> String,
    pub comment: &'static str,
    pub city: &'static str,
    pub country: &'static str,
    pub all_flows: &'static str,
    pub refresh: &'static str,

    // A flow's packets.
    pub packets_view: PacketTexts,

    // The filter box.
    pub filter: FilterTexts,
    // Training.
    pub table: TableTexts,
    pub train: TrainTexts,
    pub beside: BesideTexts,
    pub report: ReportTexts,
    pub link: LinkTexts,
    // The overview's own panels.
    pub overview: OverviewTexts,
    pub waiting_files: FilesTexts,
}

/// The word for a key, or the key where there is none.
pub fn word(list: &[(&'static str, &'static str)], key: &str) -> String {
    list.iter().find(|it| it.0 == key).map_or_else(|| key.to_owned(), |it| it.1.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_follow_their_numbers() {
        let flows = Lang::Ru.texts().n_flows;
        let check = |number, expected| assert_eq!(flows.of(number, Lang::Ru), expected);
        check(1, "поток");
        check(2, "потока");
        check(5, "потоков");
        check(11, "потоков");
        check(21, "поток");
        check(112, "потоков");
        assert_eq!(Lang::En.texts().n_flows.of(21, Lang::En), "flows");
        assert_eq!(Lang::En.texts().n_flows.of(1, Lang::En), "flow");
    }

    #[test]
    fn tables_of_words_have_the_same_keys() {
        let (en, ru) = (Lang::En.texts(), Lang::Ru.texts());
        let keys = |list: &[(&'static str, _)]| list.iter().map(|it| it.0).collect::<Vec<_>>();
        for (en, ru) in [
            (&en.statistic_titles[..], &ru.statistic_titles[..]),
            (&en.evidence_names, &ru.evidence_names),
            (&en.conn_states, &ru.conn_states),
            (&en.history_letters, &ru.history_letters),
            (&en.fates, &ru.fates),
            (&en.scopes, &ru.scopes),
            (&en.kinds, &ru.kinds),
            (&en.groups, &ru.groups),
            (&en.keys, &ru.keys),
            (&en.export_formats, &ru.export_formats),
            (&en.units, &ru.units),
            (&en.train.labels, &ru.train.labels),
            (&en.overview.layer_kinds, &ru.overview.layer_kinds),
            (&en.overview.whose, &ru.overview.whose),
        ] {
            assert_eq!(keys(en), keys(ru));
        }
    }

    #[test]
    fn every_reason_of_a_session_has_words() {
        let told = Lang::En.texts().kinds.map(|it| it.0);
        for kind in engine::SESSION_KINDS {
            assert!(told.contains(&kind), "{kind}");
        }
    }

    #[test]
    fn every_format_is_told_of() {
        let names = |it: &[(&'static str, _)]| it.iter().map(|it| it.0).collect::<Vec<_>>();
        let formats: Vec<&str> = engine::FORMATS.iter().map(|it| it.name).collect();
        assert_eq!(names(&Lang::En.texts().export_formats), formats);
    }

    #[test]
    fn a_tag_means_a_language() {
        assert_eq!(Lang::from_tag("ru-RU"), Some(Lang::Ru));
        assert_eq!(Lang::from_tag("de"), None);
    }
}
