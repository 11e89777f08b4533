//! The report: one HTML file without scripts that needs no network, prints well and can be passed on.
//!
//! What a capture says is hostile text: all of it goes through [`text`], which escapes it, shows control characters as
//! their symbols and keeps what is written from right to left within its place.

use std::collections::BTreeMap;

use v1::{
    Severity,
    page::{FlowRow, HostRow, LabelRow, Overview, Tally},
};

use crate::{
    format, groups,
    i18n::{Lang, Texts, file_format, notice, reason, set_aside, word},
    parts::chart::{self, Series},
};

/// What stands in the report.
#[derive(Clone, Debug)]
pub struct Choice {
    /// Addresses are numbered and names left out.
    pub is_anonymous: bool,
    /// The hosts with most bytes.
    pub has_hosts: bool,
    /// The flows.
    pub has_flows: bool,
}

/// What is written.
pub struct Content<'a> {
    /// The capture's name.
    pub file_name: &'a str,
    /// Its length in bytes.
    pub file_bytes: u64,
    /// The first look.
    pub overview: &'a Overview,
    /// The hosts with most bytes.
    pub hosts: &'a [HostRow],
    /// The flows with most bytes that pass the filter.
    pub flows: &'a [FlowRow],
    /// How many pass it.
    pub matching: u64,
    /// The filter as typed.
    pub filter: &'a str,
    /// When the report is written, in nanoseconds since 1970 UTC.
    pub now_ns: u64,
}

/// The look. The policy in the head names its hash, so that no other style is taken.
const STYLE: &str = include_str!("../assets/report.css");
/// The SHA-256 of [`STYLE`], as a content security policy has it.
const STYLE_HASH: &str = "sha256-uadM36T5ZkPlAWQeHT+O5aKbzkbgARXTmCwPU8fnJP4=";

/// The report's text.
pub fn html(content: &Content<'_>, choice: &Choice, lang: Lang) -> String {
    let t = lang.texts();
    let mut page = Page { t, lang, masks: Masks::new(choice.is_anonymous), out: String::new() };
    let name = if choice.is_anonymous { t.report.a_capture } else { content.file_name };
    page.out = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{STYLE_HASH}'; base-uri \
         'none'; form-action 'none'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{} · TrActor</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n",
        lang.tag(),
        text(name)
    );
    page.head(content, name);
    page.figures(content);
    page.timeline(content.overview);
    page.labels(t.labels, &content.overview.labels);
    page.labels(t.protocols, &content.overview.protocols);
    page.fates(content.overview);
    if choice.has_hosts {
        page.hosts(content);
    }
    page.reading(content.overview);
    if choice.has_flows {
        page.flows(content);
    }
    page.out += &format!("<footer>{}</footer>\n</main>\n</body>\n</html>\n", text(t.report.footer));
    page.out
}

/// What a capture says, as it may stand in HTML.
pub fn text(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for char in raw.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(visible(char)),
        }
    }
    out
}

/// A control character's symbol; what turns the direction of text is taken out of effect.
fn visible(char: char) -> char {
    match u32::from(char) {
        code @ 0..=0x1f => char::from_u32(0x2400 + code).unwrap_or('\u{fffd}'),
        0x7f => '\u{2421}',
        0x80..=0x9f | 0x061c | 0x200e | 0x200f | 0x2028..=0x202e | 0x2066..=0x2069 => '\u{fffd}',
        _ => char,
    }
}

/// Addresses as the report has them.
struct Masks {
    is_on: bool,
    numbers: BTreeMap<String, usize>,
}

impl Masks {
    fn new(is_on: bool) -> Self {
        Self { is_on, numbers: BTreeMap::new() }
    }

    /// The address, or the number it has all through the report.
    fn address(&mut self, ip: &str, t: &Texts) -> String {
        if !self.is_on {
            return text(ip);
        }
        let next = self.numbers.len() + 1;
        let number = self.numbers.entry(ip.to_owned()).or_insert(next);
        text(&(t.report.host_n)(&number.to_string()))
    }

    fn name(&self, name: Option<&str>) -> Option<String> {
        name.filter(|_| !self.is_on).map(|it| format!("<bdi>{}</bdi>", text(it)))
    }
}

struct Page {
    t: &'static Texts,
    lang: Lang,
    masks: Masks,
    out: String,
}

impl Page {
    fn push(&mut self, html: &str) {
        self.out.push_str(html);
    }

    /// A section with a heading; `note` stands dimmed beside it.
    fn section(&mut self, title: &str, note: &str, content: impl FnOnce(&mut Self)) {
        let note = match note {
            "" => String::new(),
            note => format!(" <small>{}</small>", text(note)),
        };
        self.push(&format!("<section>\n<h2>{}{note}</h2>\n", text(title)));
        content(self);
        self.push("</section>\n");
    }

    /// A table; the cells are HTML. Columns whose heading begins with `#` are of numbers.
    fn table(&mut self, headings: &[&str], rows: impl Iterator<Item = Vec<String>>) {
        let is_number = |at: usize| headings.get(at).is_some_and(|it| it.starts_with('#'));
        let class = |at: usize| if is_number(at) { " class=\"n\"" } else { "" };
        self.push("<table>\n<thead><tr>");
        for (at, heading) in headings.iter().enumerate() {
            let heading = text(heading.trim_start_matches('#'));
            self.push(&format!("<th scope=\"col\"{}>{heading}</th>", class(at)));
        }
        self.push("</tr></thead>\n<tbody>\n");
        for row in rows {
            self.push("<tr>");
            for (at, cell) in row.iter().enumerate() {
                self.push(&format!("<td{}>{cell}</td>", class(at)));
            }
            self.push("</tr>\n");
        }
        self.push("</tbody>\n</table>\n");
    }

    fn count(&self, number: u64) -> String {
        format::count(number, self.lang)
    }

    fn bytes(&self, number: u64) -> String {
        text(&format::bytes(number, self.lang))
    }

    fn head(&mut self, content: &Content<'_>, name: &str) {
        let seen = content.overview;
        let mut lines = vec![format::bytes(content.file_bytes, self.lang)];
        lines.push(file_format(&seen.reading.format, self.lang));
        if seen.flows > 0 {
            let (from, to) = (seen.time_start_ns, seen.time_end_ns);
            lines.push(format!("{} – {}", format::moment(from), format::moment(to)));
        }
        let lines: Vec<String> = lines.iter().map(|it| text(it)).collect();
        let written = (self.t.report.written)(&format::second(content.now_ns));
        self.push(&format!(
            "<h1><bdi>{}</bdi></h1>\n<p>{}</p>\n<p class=\"d\">{}</p>\n",
            text(name),
            lines.join(" · "),
            text(&written)
        ));
        if self.masks.is_on {
            let note = text(self.t.report.is_anonymous);
            self.push(&format!("<p class=\"d\">{note}</p>\n"));
        }
    }

    fn figures(&mut self, content: &Content<'_>) {
        let (seen, t, lang) = (content.overview, self.t, self.lang);
        let all = seen.client_bytes + seen.server_bytes;
        let figures = [
            (t.flows, self.count(seen.flows), t.n_sessions.with(seen.sessions, lang)),
            (t.hosts, self.count(seen.hosts), String::new()),
            (
                t.traffic,
                format::bytes(all, lang),
                format!(
                    "↑ {} · ↓ {}",
                    format::bytes(seen.client_bytes, lang),
                    format::bytes(seen.server_bytes, lang)
                ),
            ),
            (
                t.duration,
                format::duration(seen.time_end_ns - seen.time_start_ns, lang),
                String::new(),
            ),
            (
                t.named,
                format::percent(seen.recognised_bytes, all, lang),
                (t.named_hint)("", &format::percent(seen.named_bytes, all, lang)),
            ),
        ];
        self.push("<dl>\n");
        for (title, value, note) in figures {
            self.push(&format!(
                "<div><dt>{}</dt><dd><b>{}</b></dd><dd class=\"d\">{}</dd></div>\n",
                text(title),
                text(&value),
                text(&note)
            ));
        }
        self.push("</dl>\n");
    }

    fn timeline(&mut self, seen: &Overview) {
        let t = self.t;
        let series = seen.timeline.series.iter().map(|it| Series {
            class: groups::class(&it.group),
            letter: groups::letter(&it.group),
            name: word(&t.groups, &it.group),
            values: it.bytes.clone(),
            ..Series::default()
        });
        let series: Vec<Series> = series.collect();
        let sums = chart::sums(&series);
        let most = sums.iter().copied().max().unwrap_or(0);
        if most == 0 {
            return;
        }
        let paths = chart::paths(&series, most as f64);
        let seconds = seen.timeline.bin_ns as f64 / 1e9;
        let top = format::bits_per_second(most as f64 / seconds, self.lang);
        self.section(t.traffic_over_time, &(t.report.peak)(&top), |page| {
            let n = sums.len();
            page.push(&format!(
                "<svg viewBox=\"0 0 {n} 100\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{}\">\n",
                text(t.traffic_over_time)
            ));
            for (one, path) in series.iter().zip(&paths) {
                page.push(&format!("<path class=\"{}\" d=\"{path}\"/>\n", one.class));
            }
            page.push("</svg>\n<p class=\"ends\">");
            let (start, end) = (seen.time_start_ns, seen.time_end_ns);
            let (start, end) = (format::second(start), format::second(end));
            page.push(&format!("<span>{start}</span><span>{end}</span></p>\n<ul>"));
            for one in &series {
                let bytes = page.bytes(one.values.iter().sum());
                let mark = mark(one.class, one.letter);
                page.push(&format!("<li>{mark}{} <span class=\"d\">{bytes}</span></li>", text(&one.name)));
            }
            page.push("</ul>\n");
        });
    }

    fn labels(&mut self, title: &str, rows: &[LabelRow]) {
        let (t, lang) = (self.t, self.lang);
        let all: u64 = rows.iter().map(|it| it.bytes).sum();
        self.section(title, "", |page| {
            let lines: Vec<Vec<String>> = rows
                .iter()
                .map(|it| {
                    let mark = mark(groups::class(&it.group), groups::letter(&it.group));
                    vec![
                        format!("{mark}<bdi>{}</bdi>", text(&groups::written(&it.label, lang))),
                        page.count(it.flows),
                        page.bytes(it.bytes),
                        text(&format::percent(it.bytes, all, lang)),
                    ]
                })
                .collect();
            page.table(&[title, &num(t.flows), &num(t.bytes), "#%"], lines.into_iter());
        });
    }

    fn fates(&mut self, seen: &Overview) {
        if seen.tcp.is_empty() {
            return;
        }
        let t = self.t;
        let all = self.count(seen.tcp_flows);
        self.section(t.tcp, &all, |page| {
            let lines: Vec<Vec<String>> = seen
                .tcp
                .iter()
                .map(|it| vec![text(&word(&t.fates, &it.what)), page.count(it.flows)])
                .collect();
            page.table(&[t.tcp_fate, &num(t.flows)], lines.into_iter());
        });
    }

    fn hosts(&mut self, content: &Content<'_>) {
        let (t, lang) = (self.t, self.lang);
        let shown = (t.report.first_of)(
            &self.count(content.hosts.len() as u64),
            &self.count(content.overview.hosts),
        );
        self.section(t.hosts, &shown, |page| {
            let lines: Vec<Vec<String>> = content
                .hosts
                .iter()
                .map(|it| {
                    let labels = it.labels.iter().map(|it| text(&groups::written(it, lang)));
                    let place = it.country.clone().unwrap_or_else(|| word(&t.scopes, &it.scope));
                    vec![
                        format!("<code>{}</code>", page.masks.address(&it.ip, t)),
                        page.masks.name(it.name.as_deref()).unwrap_or_default(),
                        text(&place),
                        labels.collect::<Vec<_>>().join(", "),
                        page.count(it.client_flows),
                        page.count(it.server_flows),
                        page.bytes(it.bytes),
                    ]
                })
                .collect();
            let headings = [
                t.host,
                t.name,
                t.where_,
                t.labels,
                &num(t.as_client),
                &num(t.as_server),
                &num(t.bytes),
            ];
            page.table(&headings, lines.into_iter());
        });
    }

    fn reading(&mut self, seen: &Overview) {
        let (t, lang) = (self.t, self.lang);
        let reading = &seen.reading;
        let is_partial = reading.notices.iter().any(|it| it.severity() == Severity::Error);
        let state = match (reading.is_stopped, is_partial) {
            (true, _) => t.stopped,
            (false, true) => t.partial,
            (false, false) => t.complete,
        };
        self.section(t.what_was_read, state, |page| {
            let account = &reading.account;
            let line = |title: String, it: Tally| {
                vec![
                    title,
                    format::count(it.frames, lang),
                    text(&format::bytes(it.wire_bytes, lang)),
                ]
            };
            let mut lines = vec![line(text(t.in_flows), account.in_flows)];
            for it in &account.set_aside {
                lines.push(line(text(&set_aside(&it.reason, lang)), it.frames));
            }
            lines.push(line(text(t.all_frames), account.frames));
            let [what, frames, wire, _] = t.account_columns;
            page.table(&[what, &num(frames), &num(wire)], lines.into_iter());
            for it in &reading.notices {
                let said = notice(it, lang);
                let sentences = [said.happened, said.done, said.advice];
                let sentences = sentences.iter().filter(|it| !it.is_empty());
                let sentences: Vec<String> = sentences.map(|it| text(it)).collect();
                let code = text(&it.code);
                page.push(&format!(
                    "<p class=\"note\"><bdi>{}</bdi> <code>{code}</code></p>\n",
                    sentences.join(" ")
                ));
            }
        });
    }

    fn flows(&mut self, content: &Content<'_>) {
        let (t, lang) = (self.t, self.lang);
        let mut note = (t.report.first_of)(
            &self.count(content.flows.len() as u64),
            &self.count(content.matching),
        );
        // A filter may hold an address.
        if !content.filter.is_empty() && !self.masks.is_on {
            note = format!("{note} · {}", content.filter);
        }
        let has_days = format::date(content.overview.time_start_ns)
            != format::date(content.overview.time_end_ns);
        self.section(t.flows, &note, |page| {
            let mut lines = Vec::new();
            for it in content.flows {
                let mark = mark(groups::class(&it.group), groups::letter(&it.group));
                let guess = it.confidence.map(|it| format!("? {it}\u{a0}%")).unwrap_or_default();
                let end = |page: &mut Page, ip: &str, port: u16| {
                    let ip = page.masks.address(ip, t);
                    let port = if port == 0 { String::new() } else { format!(" :{port}") };
                    format!("<code>{ip}{port}</code>")
                };
                let client = end(page, &it.client_ip, it.client_port);
                let server = end(page, &it.server_ip, it.server_port);
                let name = page.masks.name(it.domain_name.as_deref());
                let name = name.map(|it| format!("{it}<br>")).unwrap_or_default();
                let why = reason(&it.reason, lang);
                let why = if page.masks.is_on {
                    String::new()
                } else {
                    format!("<br><small><bdi>{}</bdi></small>", text(&why))
                };
                lines.push(vec![
                    format::moment_short(it.time_start_ns, has_days),
                    format!("{mark}{}{guess}{why}", text(&groups::written(&it.label, lang))),
                    client,
                    format!("{name}{server}"),
                    text(&format::duration(it.time_end_ns.saturating_sub(it.time_start_ns), lang)),
                    page.count(it.client_packets + it.server_packets),
                    page.bytes(it.client_bytes + it.server_bytes),
                ]);
            }
            let headings = [
                t.start,
                t.label,
                t.client,
                t.server,
                &num(t.duration),
                &num(t.packets),
                &num(t.bytes),
            ];
            page.table(&headings, lines.into_iter());
        });
    }
}

fn num(heading: &str) -> String {
    format!("#{heading}")
}

fn mark(class: &str, letter: &str) -> String {
    format!("<i class=\"{class}\" aria-hidden=\"true\">{letter}</i>")
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;

    const CHOICE: Choice = Choice { is_anonymous: false, has_hosts: true, has_flows: true };

    fn base64(bytes: &[u8]) -> String {
        const DIGITS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let of = |three: &[u8]| {
            let at = |n: usize| u32::from(three.get(n).copied().unwrap_or(0));
            let bits = at(0) << 16 | at(1) << 8 | at(2);
            let digit = |n: u32| char::from(DIGITS[(bits >> (18 - 6 * n) & 63) as usize]);
            let digits = (0..4).map(|n| if n as usize > three.len() { '=' } else { digit(n) });
            digits.collect::<String>()
        };
        bytes.chunks(3).map(of).collect()
    }

    #[test]
    fn the_policy_names_the_style() {
        use sha2::Digest as _;
        let hash = base64(&sha2::Sha256::digest(STYLE));
        assert_eq!(STYLE_HASH, format!("sha256-{hash}"));
    }

    fn hostile() -> (Overview, Vec<HostRow>, Vec<FlowRow>) {
        let bad = "<script>alert(1)</script>\u{1b}[31m\u{202e}\"'&=cmd";
        let host = HostRow { ip: "10.0.0.7".into(), name: Some(bad.into()), ..HostRow::default() };
        let flow = FlowRow {
            client_ip: "10.0.0.7".into(),
            server_ip: "203.0.113.9".into(),
            domain_name: Some(bad.into()),
            label: bad.into(),
            reason: bad.into(),
            ..FlowRow::default()
        };
        let mut overview = Overview { flows: 1, hosts: 1, ..Overview::default() };
        overview.labels.push(LabelRow { label: bad.into(), ..LabelRow::default() });
        overview.reading.file_name = bad.into();
        overview.reading.format = bad.into();
        (overview, vec![host], vec![flow])
    }

    fn written(choice: &Choice, lang: Lang) -> String {
        let (overview, hosts, flows) = hostile();
        let content = Content {
            file_name: "<img onerror=alert(1)>.pcap",
            file_bytes: 10,
            overview: &overview,
            hosts: &hosts,
            flows: &flows,
            matching: 1,
            filter: "ip:10.0.0.7",
            now_ns: 1_600_000_000_000_000_000,
        };
        html(&content, choice, lang)
    }

    #[test]
    fn what_a_capture_says_stays_text() {
        for lang in [Lang::En, Lang::Ru] {
            let html = written(&CHOICE, lang);
            assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
            assert!(!html.contains('\u{1b}') && !html.contains('\u{202e}'));
            assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;\u{241b}[31m\u{fffd}"));
            // Nothing in it asks for anything.
            assert!(!html.contains("http://") && !html.contains("https://"));
            assert!(!html.contains(" style=") && !html.contains(" src=") && !html.contains("href"));
        }
    }

    #[test]
    fn a_report_without_addresses_has_none() {
        let html = written(&Choice { is_anonymous: true, ..CHOICE }, Lang::En);
        for secret in ["10.0.0.7", "203.0.113.9", "alert(1)&lt;/script&gt;.pcap", "onerror"] {
            assert!(!html.contains(secret), "{secret}");
        }
        // The same host has the same number in both tables.
        assert_eq!(html.matches("host 1<").count() + html.matches("host 1 ").count(), 2, "{html}");
    }
}
