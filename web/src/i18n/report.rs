//! The words of the report and of its choice.

/// The words.
#[expect(missing_docs, reason = "each field is its message, to be read below")]
pub struct ReportTexts {
    // The choice.
    pub title: &'static str,
    pub lead: &'static str,
    pub anonymous: &'static str,
    pub with_hosts: &'static str,
    pub with_flows: fn(&str) -> String,
    pub save: &'static str,
    pub saving: &'static str,
    // The report.
    pub a_capture: &'static str,
    pub written: fn(&str) -> String,
    pub is_anonymous: &'static str,
    pub host_n: fn(&str) -> String,
    pub first_of: fn(&str, &str) -> String,
    pub peak: fn(&str) -> String,
    pub footer: &'static str,
}

pub(super) const EN: ReportTexts = ReportTexts {
    title: "Report",
    lead: "One HTML file with the overview, to read, print or pass on. It holds no script and asks for nothing.",
    anonymous: "Number the hosts instead of naming them: no addresses, names or user agents",
    with_hosts: "Hosts",
    with_flows: |n| format!("The {n} flows with most bytes"),
    save: "Save the report",
    saving: "Writing",
    a_capture: "A capture",
    written: |when| {
        format!("Written by TrActor, {when}. Times are UTC; bytes are those of frames on the wire.")
    },
    is_anonymous: "Hosts are numbered; addresses, names and the file's name are left out.",
    host_n: |n| format!("host {n}"),
    first_of: |n, all| format!("{n} of {all}, most bytes first"),
    peak: |rate| format!("peak {rate}"),
    footer: "This file needs no network and runs no script.",
};

pub(super) const RU: ReportTexts = ReportTexts {
    title: "Отчёт",
    lead: "Один файл HTML с обзором: читать, печатать, передавать. В нём нет скриптов, и он ничего не запрашивает.",
    anonymous: "Номера вместо узлов: без адресов, имён и программ клиентов",
    with_hosts: "Узлы",
    with_flows: |n| format!("{n} потоков с наибольшим числом байтов"),
    save: "Сохранить отчёт",
    saving: "Запись",
    a_capture: "Снимок",
    written: |when| format!("Записано TrActor, {when}. Время — UTC; байты — кадров в канале."),
    is_anonymous: "Узлы пронумерованы; адресов, имён и имени файла здесь нет.",
    host_n: |n| format!("узел {n}"),
    first_of: |n, all| format!("{n} из {all}, по убыванию байтов"),
    peak: |rate| format!("пик {rate}"),
    footer: "Этому файлу не нужна сеть, скриптов в нём нет.",
};
