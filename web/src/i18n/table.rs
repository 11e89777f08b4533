//! The words of the flow table and of the view while a capture is read, in both languages.

/// The words of the flow table.
#[expect(missing_docs, reason = "each field is its message, to be read below")]
pub struct TableTexts {
    // Columns.
    pub columns: &'static str,
    pub columns_hint: &'static str,
    pub is_shown: fn(&str) -> String,
    pub up: fn(&str) -> String,
    pub down: fn(&str) -> String,
    pub narrower: fn(&str) -> String,
    pub wider: fn(&str) -> String,
    pub pixels: fn(u16) -> String,
    pub reset: &'static str,
    pub done: &'static str,

    // Time.
    pub time: &'static str,
    pub times: [&'static str; 4],
    pub since_start: &'static str,
    pub since_above: &'static str,

    // The menu of a cell.
    pub menu: &'static str,
    pub menu_of: fn(&str) -> String,
    pub keep: fn(&str) -> String,
    pub exclude: fn(&str) -> String,
    pub only: fn(&str) -> String,
    pub no_term: &'static str,
    pub copy_value: &'static str,
    pub copy_tabs: &'static str,
    pub copy_json: &'static str,
    pub copy_filter: &'static str,
    pub copy_wireshark: &'static str,
    pub copy_tcpdump: &'static str,
    pub open_flow: &'static str,
    pub open_client: fn(&str) -> String,
    pub open_server: fn(&str) -> String,
    pub open_session: fn(&str) -> String,
    pub sort_by: fn(&str) -> String,
    pub empty_cell: &'static str,

    // What goes into an export.
    pub as_shown: (&'static str, &'static str),

    // Keys besides those of the whole page.
    pub keys: &'static [(&'static str, &'static str)],

    // While a capture is read.
    pub stages: [&'static str; 5],
    pub stage: &'static str,
    pub left: &'static str,
    pub soon: &'static str,
    pub memory: &'static str,
    pub labels_so_far: &'static str,
    pub not_labelled: fn(&str) -> String,
    pub largest: &'static str,
    pub largest_hint: &'static str,
    pub nothing_yet: &'static str,
}

pub(super) const EN: TableTexts = TableTexts {
    columns: "Columns",
    columns_hint: "What is ticked is shown, from left to right in this order. The address keeps it, so a link shows the same.",
    is_shown: |name| format!("Show {name}"),
    up: |name| format!("Move {name} to the left"),
    down: |name| format!("Move {name} to the right"),
    narrower: |name| format!("Make {name} narrower"),
    wider: |name| format!("Make {name} wider"),
    pixels: |n| format!("{n} px"),
    reset: "As at first",
    done: "Done",

    time: "Time",
    times: ["UTC", "Local", "Since the start", "Since the row above"],
    since_start: "since the start",
    since_above: "since the row above",

    menu: "Menu of the cell",
    menu_of: |cell| format!("Menu of {cell}"),
    keep: |term| format!("Filter for {term}"),
    exclude: |term| format!("Leave out {term}"),
    only: |term| format!("Nothing but {term}"),
    no_term: "No filter asks for this value",
    copy_value: "Copy the value",
    copy_tabs: "Copy the row, for a spreadsheet",
    copy_json: "Copy the row as JSON",
    copy_filter: "Copy the filter",
    copy_wireshark: "Copy a display filter for Wireshark",
    copy_tcpdump: "Copy a filter for tcpdump",
    open_flow: "Open the flow",
    open_client: |ip| format!("Open the client {ip}"),
    open_server: |ip| format!("Open the server {ip}"),
    open_session: |number| format!("Open session {number}"),
    sort_by: |column| format!("Sort by {column}"),
    empty_cell: "nothing",

    as_shown: (
        "as in the table",
        "the columns on show, in the order of the rows there; times as numbers",
    ),

    keys: &[
        ("← →", "cell before, cell after"),
        ("f x", "filter for the cell, or leave it out"),
        ("c", "copy the cell"),
        ("h", "the cell's host"),
        ("s", "sort by the cell's column"),
        ("z", "time: UTC, local, since the start, since the row above"),
        ("Shift+F10", "menu of the cell"),
    ],

    stages: ["Reading", "Labelling", "Grouping into sessions", "Counting hosts", "Overview"],
    stage: "Now",
    left: "Left",
    soon: "nearly done",
    memory: "Memory",
    labels_so_far: "Labels so far",
    not_labelled: |flows| format!("{flows} may say more and are labelled later"),
    largest: "Largest flows so far",
    largest_hint: "Everything can be filtered, sorted and opened once reading ends or is stopped.",
    nothing_yet: "Nothing yet",
};

pub(super) const RU: TableTexts = TableTexts {
    columns: "Столбцы",
    columns_hint: "Отмеченные видны, слева направо в этом порядке. Он хранится в адресе: ссылка покажет то же.",
    is_shown: |name| format!("Показывать «{name}»"),
    up: |name| format!("«{name}» левее"),
    down: |name| format!("«{name}» правее"),
    narrower: |name| format!("«{name}» уже"),
    wider: |name| format!("«{name}» шире"),
    pixels: |n| format!("{n} пкс"),
    reset: "Как сначала",
    done: "Готово",

    time: "Время",
    times: ["UTC", "Местное", "От начала", "От строки выше"],
    since_start: "от начала",
    since_above: "от строки выше",

    menu: "Меню ячейки",
    menu_of: |cell| format!("Меню ячейки «{cell}»"),
    keep: |term| format!("Оставить {term}"),
    exclude: |term| format!("Убрать {term}"),
    only: |term| format!("Только {term}"),
    no_term: "Фильтра по этому значению нет",
    copy_value: "Скопировать значение",
    copy_tabs: "Скопировать строку для таблицы",
    copy_json: "Скопировать строку как JSON",
    copy_filter: "Скопировать фильтр",
    copy_wireshark: "Скопировать фильтр для Wireshark",
    copy_tcpdump: "Скопировать фильтр для tcpdump",
    open_flow: "Открыть поток",
    open_client: |ip| format!("Открыть клиента {ip}"),
    open_server: |ip| format!("Открыть сервер {ip}"),
    open_session: |number| format!("Открыть сессию {number}"),
    sort_by: |column| format!("Упорядочить по столбцу «{column}»"),
    empty_cell: "пусто",

    as_shown: ("как в таблице", "видимые столбцы, строки в том же порядке; времена числами"),

    keys: &[
        ("← →", "ячейка слева, справа"),
        ("f x", "оставить значение ячейки или убрать его"),
        ("c", "скопировать ячейку"),
        ("h", "узел ячейки"),
        ("s", "упорядочить по столбцу ячейки"),
        ("z", "время: UTC, местное, от начала, от строки выше"),
        ("Shift+F10", "меню ячейки"),
    ],

    stages: ["Чтение", "Метки", "Сборка сессий", "Подсчёт узлов", "Обзор"],
    stage: "Сейчас",
    left: "Осталось",
    soon: "почти готово",
    memory: "Память",
    labels_so_far: "Метки на этот момент",
    not_labelled: |flows| format!("{flows}: могут сказать больше, метки будут позже"),
    largest: "Самые большие потоки на этот момент",
    largest_hint: "Фильтровать, упорядочивать и открывать можно, когда чтение закончится или будет остановлено.",
    nothing_yet: "Пока ничего",
};
