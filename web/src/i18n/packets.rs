//! The words of a flow's packets: their chart, their first bytes, saving them, and what the figures of TCP mean; in both
//! languages.

use super::Plural;

/// These words.
#[expect(missing_docs, reason = "each field is its message, to be read below")]
pub struct PacketTexts {
    // The chart.
    pub axis: &'static str,
    pub zoom: &'static str,
    pub zoom_in: &'static str,
    pub zoom_out: &'static str,
    pub earlier: &'static str,
    pub later: &'static str,
    pub whole: &'static str,
    pub whole_hint: &'static str,
    pub chart_help: &'static str,
    pub range: fn(&str, &str, &str, &str) -> String,
    pub none_seen: &'static str,
    pub readout_hint: &'static str,
    pub packet_n: fn(&str) -> String,
    pub packet_size: fn(&str, &str) -> String,
    pub number: &'static str,
    pub list_hint: &'static str,
    pub show_more: fn(&str) -> String,

    // First bytes.
    pub forms: [&'static str; 2],
    pub shown_as: &'static str,
    pub kept: fn(&str, &str) -> String,
    pub kept_hint: &'static str,
    pub copy: &'static str,
    pub copied_bytes: fn(&str) -> String,
    pub signs: &'static str,
    pub unit: &'static str,

    // TCP, by the key of its row.
    pub health: [(&'static str, &'static str); 10],
    pub health_title: &'static str,

    // Saving.
    pub save: &'static str,
    pub save_hint: &'static str,
    pub running: fn(&str, &str) -> String,
    pub stop: &'static str,
    pub stopped: &'static str,
    pub gone: fn(&str) -> String,
    pub several: &'static str,
    pub format: &'static str,
    pub comments: &'static str,
    pub with_comments: &'static str,
    pub comments_hint: &'static str,
    pub about: fn(&str, &str) -> String,
    pub n_rows: Plural,
}

/// In English.
pub(super) const EN: PacketTexts = PacketTexts {
    axis: "Packets side by side",
    zoom: "What is seen",
    zoom_in: "Closer (+)",
    zoom_out: "Farther (−)",
    earlier: "Earlier (Shift ←)",
    later: "Later (Shift →)",
    whole: "Whole",
    whole_hint: "All packets shown (0)",
    chart_help: "Wheel, + and − look closer or farther, 0 shows all; drag or Shift with arrows moves; arrows choose a packet, Escape none",
    range: |seen, all, numbers, times| format!("{seen} of {all} seen: {numbers}, {times}"),
    none_seen: "No packet at this time: 0 shows all.",
    readout_hint: "Point at a packet, or choose one with the arrow keys.",
    packet_n: |n| format!("packet {n}"),
    packet_size: |bytes, payload| format!("{bytes} B, payload {payload} B"),
    number: "No.",
    list_hint: "Mark this packet in the chart",
    show_more: |n| format!("{n} more"),

    forms: ["Hex", "Text"],
    shown_as: "Shown as",
    kept: |kept, all| format!("{kept} of {all} of payload are kept"),
    kept_hint: "Payload of all its packets, what was sent again included. To see the rest, save the packets.",
    copy: "Copy",
    copied_bytes: |size| format!("Copied, {size}"),
    signs: "Control characters, marks that cannot be seen and bytes that are no text are shown as escapes.",
    unit: "Unit",

    health: [
        (
            "handshake",
            "From this side's SYN to the acknowledgement of it: the way there and back before any data",
        ),
        (
            "round_trip",
            "From data to its acknowledgement, smoothed as RFC 6298 does; seen from where the capture was made",
        ),
        (
            "sent_again",
            "Segments whose bytes this side had sent before: they got lost, or their acknowledgement did",
        ),
        (
            "out_of_order",
            "Segments that came after later ones, too soon for having been sent again: they took another way",
        ),
        (
            "repeated_acks",
            "Acknowledgements that repeat the one before while data is under way: something before is missing",
        ),
        (
            "window_closed",
            "Segments that tell the other side to stop: this side cannot take more for now",
        ),
        (
            "window_full",
            "Segments that reach the end of what the other side can take: the sender has to wait for it",
        ),
        (
            "other_bytes",
            "Segments that bring other bytes for a place than the first ones: a fault, or somebody meddles",
        ),
        ("keep_alives", "Probes of a connection without data: is the other side still there?"),
        (
            "lost_bytes",
            "Bytes the other side acknowledged, so they arrived, but the capture does not have them",
        ),
    ],
    health_title: "What these figures mean",

    save: "Save packets",
    save_hint: "Read the file again and save this flow's packets as pcapng, with label and reason as a comment (w)",
    running: |percent, frames| format!("Reading the file again: {percent}, {frames}"),
    stop: "Stop",
    stopped: "Stopped; nothing was saved",
    several: "Packets of files that were read as one capture are not saved: open the file that has them by itself.",
    gone: |why| {
        let why = why.trim_end_matches('.');
        format!(
            "The file cannot be read as it was any more, so its packets cannot be saved: {why}. Open it again."
        )
    },
    format: "pcapng: the packets themselves, as they were captured, for Wireshark and others",
    comments: "Comments",
    with_comments: "With labels as comments",
    comments_hint: "At the first packet of each flow its label and the reason for it; and the comments that the capture has. Without, neither is in the file. The capture is read once more for the packets, twice where packets came in fragments.",
    about: |rows, size| format!("About {rows}, {size}"),
    n_rows: Plural { one: "row", few: "rows", many: "rows" },
};

/// In Russian.
pub(super) const RU: PacketTexts = PacketTexts {
    axis: "Пакеты по порядку",
    zoom: "Что видно",
    zoom_in: "Ближе (+)",
    zoom_out: "Дальше (−)",
    earlier: "Раньше (Shift ←)",
    later: "Позже (Shift →)",
    whole: "Целиком",
    whole_hint: "Показать все пакеты (0)",
    chart_help: "Колесо, + и − приближают и отдаляют, 0 показывает всё; перетаскивание или Shift со стрелками двигает; стрелки выбирают пакет, Escape снимает выбор",
    range: |seen, all, numbers, times| format!("видно {seen} из {all}: {numbers}, {times}"),
    none_seen: "В это время пакетов нет: 0 показывает всё.",
    readout_hint: "Наведите на пакет или выберите его стрелками.",
    packet_n: |n| format!("пакет {n}"),
    packet_size: |bytes, payload| format!("{bytes} Б, данных {payload} Б"),
    number: "№",
    list_hint: "Отметить этот пакет на графике",
    show_more: |n| format!("ещё {n}"),

    forms: ["Hex", "Текст"],
    shown_as: "Вид",
    kept: |kept, all| format!("хранится {kept} из {all} данных"),
    kept_hint: "Данные всех его пакетов вместе с повторами. Чтобы увидеть остальное, сохраните пакеты.",
    copy: "Скопировать",
    copied_bytes: |size| format!("Скопировано, {size}"),
    signs: "Управляющие символы, невидимые знаки и байты, которые не текст, показаны условной записью.",
    unit: "Единица",

    health: [
        (
            "handshake",
            "От SYN этой стороны до его подтверждения: путь туда и обратно ещё до данных",
        ),
        (
            "round_trip",
            "От данных до их подтверждения, сглажено по RFC 6298; как это видно там, где снят трафик",
        ),
        (
            "sent_again",
            "Сегменты, байты которых эта сторона уже отправляла: потерялись они или их подтверждение",
        ),
        (
            "out_of_order",
            "Сегменты, пришедшие после более поздних, слишком скоро для повтора: шли другим путём",
        ),
        (
            "repeated_acks",
            "Подтверждения, повторяющие предыдущее, пока данные в пути: чего-то до них не хватает",
        ),
        ("window_closed", "Сегменты, просящие другую сторону остановиться: пока больше не принять"),
        (
            "window_full",
            "Сегменты до самого края того, что может принять другая сторона: отправитель вынужден ждать",
        ),
        (
            "other_bytes",
            "Сегменты, несущие на том же месте другие байты, чем первые: ошибка или чужое вмешательство",
        ),
        ("keep_alives", "Проверки соединения без данных: на месте ли другая сторона"),
        (
            "lost_bytes",
            "Байты, которые другая сторона подтвердила, то есть получила, но в снимке их нет",
        ),
    ],
    health_title: "Что значат эти числа",

    save: "Сохранить пакеты",
    save_hint: "Прочитать файл ещё раз и сохранить пакеты этого потока в pcapng, метка и её причина – в комментарии (w)",
    running: |percent, frames| format!("Файл читается ещё раз: {percent}, {frames}"),
    stop: "Остановить",
    stopped: "Остановлено; ничего не сохранено",
    several: "Пакеты файлов, прочитанных как один снимок, не сохраняются: откройте нужный файл отдельно.",
    gone: |why| {
        let why = why.trim_end_matches('.');
        format!(
            "Файл больше не читается таким, каким был, поэтому пакеты не сохранить: {why}. Откройте его заново."
        )
    },
    format: "pcapng: сами пакеты, какими они сняты, для Wireshark и других",
    comments: "Комментарии",
    with_comments: "С метками в комментариях",
    comments_hint: "У первого пакета каждого потока – его метка и её причина, и комментарии самого снимка. Без них в файле нет ни тех, ни других. Ради пакетов снимок читается ещё раз, а если пакеты пришли фрагментами, то дважды.",
    about: |rows, size| format!("Около: {rows}, {size}"),
    n_rows: Plural { one: "строка", few: "строки", many: "строк" },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_figures_are_explained() {
        let keys = |it: &PacketTexts| it.health.map(|it| it.0);
        assert_eq!(keys(&EN), keys(&RU));
    }
}
