//! The words of the overview's own panels and of the host card, in both languages.

use v1::{Notable, NotableWords, Writing};

use super::{Lang, Plural};
use crate::format;

/// The overview's words.
#[expect(missing_docs, reason = "each field is its message, to be read below")]
pub struct OverviewTexts {
    // What a filter leaves.
    pub narrowed: &'static str,
    pub narrowed_hosts: &'static str,
    pub narrowed_sessions: &'static str,
    pub narrowed_labels: &'static str,
    pub shown_whole: &'static str,
    pub among: &'static str,
    pub around: &'static str,
    pub of_packets: fn(&str) -> String,

    // Notable things.
    pub notable: &'static str,
    pub nothing_notable: &'static str,
    pub looked_for: &'static str,
    pub more_notable: fn(&str) -> String,
    pub severities: [&'static str; 2],

    // Layers and durations.
    pub layers: &'static str,
    pub layer: &'static str,
    pub layer_kinds: [(&'static str, &'static str); 5],
    pub open_layer: fn(&str) -> String,
    pub open_all: &'static str,
    pub close_all: &'static str,
    pub durations: &'static str,
    pub lasted: &'static str,
    pub no_time: &'static str,
    pub up_to: fn(&str) -> String,
    pub from: fn(&str) -> String,
    pub between: fn(&str, &str) -> String,

    // Traffic over time.
    pub by: &'static str,
    pub by_choices: [&'static str; 3],
    pub n_others: Plural,

    // The host card.
    pub seen: &'static str,
    pub served: &'static str,
    pub used: &'static str,
    pub port: &'static str,
    pub sessions: &'static str,
    pub systems: &'static str,
    pub hints: &'static str,
    pub macs: &'static str,
    pub no_macs: &'static str,
    pub local_mac: &'static str,
    pub maker: fn(&str) -> String,
    pub load_makers: &'static str,
    pub makers_hint: &'static str,
    pub by_makers: fn(&str) -> String,
    pub not_makers: fn(&str) -> String,
    pub whose: [(&'static str, &'static str); 4],
    pub n_addresses: Plural,
    pub more_than: fn(&str) -> String,

    // Countries.
    pub countries: &'static str,
    pub no_countries: &'static str,
    pub countries_hint: &'static str,
    pub load_countries: &'static str,
    pub drop_countries: &'static str,
    pub not_countries: fn(&str) -> String,
    pub not_in_database: &'static str,
    pub unknown_hosts: fn(&str) -> String,
    pub by_database: fn(&str, &str) -> String,
}

/// In English.
pub(super) const EN: OverviewTexts = OverviewTexts {
    narrowed: "All below is of these flows, but what was read: that is of the whole capture.",
    narrowed_hosts: "Flows, bytes and labels are of these flows; names are of the whole capture.",
    narrowed_sessions: "Sessions with one of these flows, each shown whole.",
    narrowed_labels: "What can be named is of the whole capture.",
    shown_whole: "Shown whole, of all flows: the filter narrows lists.",
    among: "Looked for among the flows on show: shares are of these.",
    around: "The chart goes on beside the chosen range; Esc takes that out.",
    of_packets: |n| format!("of {n}"),

    notable: "Worth a look",
    nothing_notable: "Nothing stands out.",
    looked_for: "Looked for: scans of ports and hosts, regular contacts, large uploads, secrets in clear, obsolete versions and ciphers, doubtful DNS names, tunnels, one-sided and lossy TCP.",
    more_notable: |n| format!("{n} more"),
    severities: ["warning", "note"],

    layers: "Protocol hierarchy",
    layer: "Layer",
    layer_kinds: [
        ("ip", "network"),
        ("transport", "transport"),
        ("tunnel", "tunnel"),
        ("protocol", "protocol"),
        ("label", "label"),
    ],
    open_layer: |name| format!("Inside {name}"),
    open_all: "Open all",
    close_all: "Close",
    durations: "How long flows last",
    lasted: "Duration",
    no_time: "one moment",
    up_to: |to| format!("under {to}"),
    from: |from| format!("{from} and more"),
    between: |from, to| format!("{from} – {to}"),

    by: "Parted by",
    by_choices: ["group", "protocol", "label"],
    n_others: Plural { one: "other", few: "others", many: "others" },

    seen: "Seen",
    served: "Ports it answered at",
    used: "Ports it called",
    port: "Port",
    sessions: "Sessions",
    systems: "System",
    hints: "by what it says of itself",
    macs: "Ethernet addresses",
    no_macs: "None told: the capture has no Ethernet headers for it, or only those of a router with many hosts behind it.",
    local_mac: "chosen locally, no maker",
    maker: |prefix| format!("maker {prefix}"),
    load_makers: "Load oui.csv",
    makers_hint: "TrActor brings no list of makers. Load the IEEE's oui.csv or oui.txt: it is read here and goes nowhere.",
    by_makers: |n| format!("Makers by your list of {n} prefixes."),
    not_makers: |why| format!("The file is not used, the list before stays: {why}."),
    whose: [
        ("own", "Its own: ARP says so."),
        ("alone", "Most likely its own: sends for this address alone."),
        ("either", "Its own or its router's, that cannot be told: sends for {}."),
        ("router", "A router's: sends for {}."),
    ],
    n_addresses: Plural { one: "address", few: "addresses", many: "addresses" },
    more_than: |n| format!("more than {n}"),

    countries: "Countries",
    no_countries: "Country data not loaded.",
    countries_hint: "TrActor brings none. Load a database of your own, such as GeoLite2-Country.mmdb or dbip-country-lite.mmdb: it is read here and goes nowhere.",
    load_countries: "Load .mmdb",
    drop_countries: "Remove",
    not_countries: |why| {
        format!(
            "The file was not used, and what was loaded before stays: {why}. Choose a database of countries in MaxMind's format."
        )
    },
    not_in_database: "country not in the database",
    unknown_hosts: |n| format!("{n} with a public address not in the database."),
    by_database: |kind, built| {
        if built.is_empty() { format!("By {kind}.") } else { format!("By {kind}, built {built}.") }
    },
};

/// In Russian.
pub(super) const RU: OverviewTexts = OverviewTexts {
    narrowed: "Всё ниже — об этих потоках, кроме прочитанного: оно о снимке целиком.",
    narrowed_hosts: "Потоки, байты и метки — по этим потокам; имена — по всему снимку.",
    narrowed_sessions: "Сессии, в которых есть такие потоки; каждая целиком.",
    narrowed_labels: "Что вообще распознаётся — по всему снимку.",
    shown_whole: "Показано целиком, по всем потокам: фильтр сужает только списки.",
    among: "Искали среди показанных потоков: доли — от них.",
    around: "График виден и за пределами отрезка; Esc снимает выбор.",
    of_packets: |n| format!("из {n}"),

    notable: "На что взглянуть",
    nothing_notable: "Ничего примечательного.",
    looked_for: "Искали: сканирование портов и узлов, регулярные обращения, большие отправки, открытые секреты, устаревшие версии и шифры, сомнительные имена DNS, туннели, TCP с одной стороной и с потерями.",
    more_notable: |n| format!("ещё {n}"),
    severities: ["предупреждение", "заметка"],

    layers: "Иерархия протоколов",
    layer: "Уровень",
    layer_kinds: [
        ("ip", "сеть"),
        ("transport", "транспорт"),
        ("tunnel", "туннель"),
        ("protocol", "протокол"),
        ("label", "метка"),
    ],
    open_layer: |name| format!("Внутри {name}"),
    open_all: "Раскрыть всё",
    close_all: "Свернуть",
    durations: "Сколько длятся потоки",
    lasted: "Длительность",
    no_time: "один миг",
    up_to: |to| format!("меньше {to}"),
    from: |from| format!("{from} и дольше"),
    between: |from, to| format!("{from} – {to}"),

    by: "По чему делить",
    by_choices: ["группам", "протоколам", "меткам"],
    n_others: Plural { one: "прочее", few: "прочих", many: "прочих" },

    seen: "Виден",
    served: "Порты, на которых отвечал",
    used: "Порты, к которым обращался",
    port: "Порт",
    sessions: "Сессии",
    systems: "Система",
    hints: "по тому, что говорит о себе",
    macs: "Адреса Ethernet",
    no_macs: "Неизвестны: в снимке нет заголовков Ethernet этого узла либо видны только заголовки маршрутизатора, за которым много узлов.",
    local_mac: "назначен локально, без изготовителя",
    maker: |prefix| format!("изготовитель {prefix}"),
    load_makers: "Загрузить oui.csv",
    makers_hint: "Списка изготовителей в TrActor нет. Загрузите oui.csv или oui.txt от IEEE: файл читается здесь и никуда не отправляется.",
    by_makers: |n| format!("Изготовители по вашему списку префиксов: {n}."),
    not_makers: |why| format!("Файл не использован, прежний список остаётся: {why}."),
    whose: [
        ("own", "Собственный: так говорит ARP."),
        ("alone", "Скорее всего собственный: отправляет только с этого адреса IP."),
        ("either", "Собственный или маршрутизатора, по снимку не понять: отправляет от имени {}."),
        ("router", "Маршрутизатора: отправляет от имени {}."),
    ],
    n_addresses: Plural { one: "адреса", few: "адресов", many: "адресов" },
    more_than: |n| format!("более чем {n}"),

    countries: "Страны",
    no_countries: "Данные о странах не загружены.",
    countries_hint: "В TrActor их нет. Загрузите собственную базу, например GeoLite2-Country.mmdb или dbip-country-lite.mmdb: она читается здесь и никуда не отправляется.",
    load_countries: "Загрузить .mmdb",
    drop_countries: "Убрать",
    not_countries: |why| {
        format!(
            "Файл не использован, прежние данные остаются: {why}. Выберите базу стран в формате MaxMind."
        )
    },
    not_in_database: "страны нет в базе",
    unknown_hosts: |n| format!("{n} с внешним адресом: в базе нет."),
    by_database: |kind, built| {
        if built.is_empty() {
            format!("По базе {kind}.")
        } else {
            format!("По базе {kind} от {built}.")
        }
    },
};

/// What a notable thing says.
pub fn notable(it: &Notable, lang: Lang) -> NotableWords {
    match lang {
        Lang::En => it.english(Writing {
            count: |it| format::count(it, Lang::En),
            bytes: |it| format::bytes(it, Lang::En),
            nanos: |it| format::duration(it, Lang::En),
        }),
        Lang::Ru => it.russian(Writing {
            count: |it| format::count(it, Lang::Ru),
            bytes: |it| format::bytes(it, Lang::Ru),
            nanos: |it| format::duration(it, Lang::Ru),
        }),
    }
}
