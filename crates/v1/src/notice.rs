//! What is told of the reading of a capture: a stable code, its numbers, and what they say in English and Russian.
//!
//! Here is the one table of these sentences. The command line and the companion say the English ones, the page both.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something the reader should know about the reading of a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// A stable code: `E-CUT-SHORT`. Its first letter is its [`Severity`].
    pub code: String,
    /// Which of the code's sentences; empty for its usual ones.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub case: String,
    /// What stands in the sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// What happened, what was done and what can be done, in English.
    pub message: String,
    /// Where, in bytes from the start of the capture; for what has one place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
    /// The file it is about, where a capture has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// A number or a text in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Parameter {
    /// A number.
    Number(u64),
    /// A text; those of the program itself have their Russian words in this module.
    Text(String),
}

/// How much a notice matters. The worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// `E-`: something of the file was not read.
    Error,
    /// `W-`: all was read, and some of it may mislead.
    Warning,
    /// `I-`: good to know.
    Information,
}

/// A notice in one language, a sentence or two each; what needs no saying is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// What happened.
    pub happened: String,
    /// What was done about it.
    pub done: String,
    /// What the reader can do.
    pub advice: String,
}

impl Notice {
    /// A notice of the table.
    pub fn new(code: &str, case: &str, parameters: Vec<Parameter>) -> Self {
        debug_assert!(row(code, case).is_some(), "{code} {case} is not in the table");
        let mut notice =
            Self { code: code.to_owned(), case: case.to_owned(), parameters, ..Self::default() };
        let said = notice.english(|it| it.to_string());
        let parts = [said.happened, said.done, said.advice];
        notice.message =
            parts.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ");
        notice
    }

    /// The same with its place, in bytes from the start of the capture.
    pub fn at(self, offset: u64) -> Self {
        Self { offset: Some(offset), ..self }
    }

    /// The same of this file of several.
    pub fn of_file(self, name: &str) -> Self {
        let message = format!("{name}: {}", self.message);
        Self { file: Some(name.to_owned()), message, ..self }
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        severity_of(&self.code)
    }

    /// The notice in English; `count` writes a number.
    pub fn english(&self, count: impl Fn(u64) -> String) -> Said {
        self.say(|it| it.en, |text| text.to_owned(), count)
    }

    /// The notice in Russian; `count` writes a number.
    pub fn russian(&self, count: impl Fn(u64) -> String) -> Said {
        self.say(|it| it.ru, in_russian, count)
    }

    fn say(
        &self,
        sentences: fn(&Row) -> [&'static str; 3],
        word: fn(&str) -> String,
        count: impl Fn(u64) -> String,
    ) -> Said {
        // What another version of the program wrote may be unknown here.
        let Some(row) = row(&self.code, &self.case) else {
            return Said { happened: self.message.clone(), ..Said::default() };
        };
        let [happened, done, advice] =
            sentences(row).map(|it| fill(it, &self.parameters, word, &count));
        Said { happened, done, advice }
    }
}

/// How much it matters what has a code, by its first letter.
pub(crate) fn severity_of(code: &str) -> Severity {
    match code.as_bytes().first() {
        Some(b'E') => Severity::Error,
        Some(b'W') => Severity::Warning,
        _ => Severity::Information,
    }
}

impl std::fmt::Display for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl From<u64> for Parameter {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Parameter {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// The sentences of a code in a case: what happened, what was done, what can be done.
///
/// `{0}` stands for the first parameter; `{0 frame|frames}` for a number with its word, in the two forms of English or
/// the three of Russian.
struct Row {
    code: &'static str,
    case: &'static str,
    en: [&'static str; 3],
    ru: [&'static str; 3],
}

fn row(code: &str, case: &str) -> Option<&'static Row> {
    TABLE.iter().find(|it| it.code == code && it.case == case)
}

const COPY_EN: &str = "Copy or download the file again; if it is still being written, end the capturing program first.";
const COPY_RU: &str = "Скопируйте или скачайте файл заново; если он ещё пишется, сначала остановите программу захвата.";
const OLDER_EN: &str = "If there is another copy of the file, open that one.";
const OLDER_RU: &str = "Если есть другая копия файла, откройте её.";
const COUNTED_EN: &str = "Counted, and in no flow.";
const COUNTED_RU: &str = "Учтено отдельно, вне потоков.";

const TABLE: &[Row] = &[
    Row {
        code: "E-EMPTY",
        case: "",
        en: [
            "The file is empty.",
            "There was nothing to read.",
            "Check whether the copy or the download went well.",
        ],
        ru: [
            "Файл пуст.",
            "Читать было нечего.",
            "Проверьте, удалось ли копирование или скачивание.",
        ],
    },
    // What it is, its first bytes.
    Row {
        code: "E-NOT-A-CAPTURE",
        case: "",
        en: [
            "This is no network capture but {0}; its first bytes are {1}.",
            "Nothing was read.",
            "TrActor opens pcap and pcapng, also packed by gzip or zstd.",
        ],
        ru: [
            "Это не снимок трафика, а {0}; первые байты {1}.",
            "Ничего не прочитано.",
            "TrActor открывает pcap и pcapng, в том числе сжатые gzip или zstd.",
        ],
    },
    // The same, and what can be done.
    Row {
        code: "E-NOT-A-CAPTURE",
        case: "known",
        en: [
            "This is no pcap or pcapng file but {0}; its first bytes are {1}.",
            "Nothing was read.",
            "What can be done: {2}.",
        ],
        ru: [
            "Это не файл pcap или pcapng, а {0}; первые байты {1}.",
            "Ничего не прочитано.",
            "Что можно сделать: {2}.",
        ],
    },
    // Where the record starts, frames read.
    Row {
        code: "E-CUT-SHORT",
        case: "",
        en: [
            "The file ends in the middle of the record that starts at byte {0}.",
            "Everything before it was read: {1 frame|frames}.",
            COPY_EN,
        ],
        ru: [
            "Файл обрывается посреди записи, которая начинается на байте {0}.",
            "Всё до неё прочитано: {1 кадр|кадра|кадров}.",
            COPY_RU,
        ],
    },
    // How it is packed, where it ends, frames read.
    Row {
        code: "E-CUT-SHORT",
        case: "packed",
        en: [
            "The packed data ({0}) end too early, at byte {1}.",
            "All that they held was read: {2 frame|frames}.",
            COPY_EN,
        ],
        ru: [
            "Сжатые данные ({0}) обрываются на байте {1}.",
            "Всё, что в них было, прочитано: {2 кадр|кадра|кадров}.",
            COPY_RU,
        ],
    },
    // Where the record starts, its length, frames read.
    Row {
        code: "E-BAD-LENGTH",
        case: "",
        en: [
            "The record at byte {0} claims to be {1 byte|bytes} long, which cannot be.",
            "Everything before it was read: {2 frame|frames}. Nothing after it can be trusted.",
            OLDER_EN,
        ],
        ru: [
            "Запись на байте {0} называет невозможную длину: {1 байт|байта|байт}.",
            "Всё до неё прочитано: {2 кадр|кадра|кадров}. Тому, что дальше, верить нельзя.",
            OLDER_RU,
        ],
    },
    // Where they start, frames read.
    Row {
        code: "E-BAD-LENGTH",
        case: "zeros",
        en: [
            "From byte {0} on the file holds only zeros where records should be.",
            "Everything before them was read: {1 frame|frames}.",
            "Such a file was not written to its end: the disk was full, or the machine went off.",
        ],
        ru: [
            "С байта {0} вместо записей в файле одни нули.",
            "Всё до них прочитано: {1 кадр|кадра|кадров}.",
            "Такой файл не дописан до конца: кончилось место или машина выключилась.",
        ],
    },
    // Which kind of block, where it starts, frames read.
    Row {
        code: "E-BAD-BLOCK",
        case: "",
        en: [
            "The {0} at byte {1} contradicts itself.",
            "Everything before it was read: {2 frame|frames}. Nothing after it can be trusted.",
            OLDER_EN,
        ],
        ru: [
            "Блок на байте {1} ({0}) противоречит сам себе.",
            "Всё до него прочитано: {2 кадр|кадра|кадров}. Тому, что дальше, верить нельзя.",
            OLDER_RU,
        ],
    },
    // How it is packed, where, frames read.
    Row {
        code: "E-BAD-PACKING",
        case: "",
        en: [
            "The packed data ({0}) that begin at byte {1} are damaged and cannot be unpacked to their end.",
            "What could be unpacked was read: {2 frame|frames}.",
            OLDER_EN,
        ],
        ru: [
            "Сжатые данные ({0}), которые начинаются на байте {1}, повреждены и не распаковываются до конца.",
            "Прочитано то, что удалось распаковать: {2 кадр|кадра|кадров}.",
            OLDER_RU,
        ],
    },
    // How it is packed, where, frames read, why.
    Row {
        code: "E-BAD-PACKING",
        case: "refused",
        en: [
            "The packed data ({0}) at byte {1} are not unpacked here: {3}.",
            "What came before was read: {2 frame|frames}.",
            "Unpack the file by its own program and open what comes out.",
        ],
        ru: [
            "Сжатые данные ({0}) на байте {1} здесь не распаковываются: {3}.",
            "Прочитано то, что было до этого места: {2 кадр|кадра|кадров}.",
            "Распакуйте файл его программой и откройте то, что получится.",
        ],
    },
    // Where it starts, bytes skipped, frames before it.
    Row {
        code: "E-DAMAGED",
        case: "",
        en: [
            "The file is damaged at byte {0}, after {2 frame|frames}.",
            "{1 byte was|bytes were} skipped; what follows was read.",
            "Frames are missing there, so flows of that time may have gaps.",
        ],
        ru: [
            "Файл повреждён на байте {0}, после {2 кадра|кадров|кадров}.",
            "{1 байт пропущен|байта пропущены|байт пропущено}; то, что дальше, прочитано.",
            "Там потеряны кадры, и потоки этого времени могут быть неполны.",
        ],
    },
    // In how many more places, bytes skipped in all.
    Row {
        code: "E-DAMAGED",
        case: "more",
        en: [
            "The file is damaged in {0 more place|more places}.",
            "In the whole file {1 byte was|bytes were} skipped.",
            OLDER_EN,
        ],
        ru: [
            "Файл повреждён ещё в {0 месте|местах|местах}.",
            "Во всём файле {1 байт пропущен|байта пропущены|байт пропущено}.",
            OLDER_RU,
        ],
    },
    // How many, their names.
    Row {
        code: "E-MORE-CAPTURES",
        case: "",
        en: [
            "The archive holds {0 more capture|more captures}: {1}.",
            "Only the first one was read.",
            "Unpack the archive and open the others one at a time.",
        ],
        ru: [
            "В архиве есть ещё {0 снимок|снимка|снимков}: {1}.",
            "Прочитан только первый.",
            "Распакуйте архив и откройте остальные по одному.",
        ],
    },
    // What the system says.
    Row {
        code: "E-IO",
        case: "",
        en: [
            "The file cannot be read: {0}.",
            "",
            "Check that it is there and that you may read it.",
        ],
        ru: ["Файл не читается: {0}.", "", "Проверьте, что он на месте и что его можно читать."],
    },
    // What the system says, bytes read.
    Row {
        code: "E-IO",
        case: "early",
        en: [
            "The file could be read only up to byte {1}: {0}.",
            "Everything before that was read.",
            "It changed or went away meanwhile; open it again.",
        ],
        ru: [
            "Файл удалось прочитать только до байта {1}: {0}.",
            "Всё до этого места учтено.",
            "За это время он изменился или исчез; откройте его заново.",
        ],
    },
    // What failed.
    Row {
        code: "E-PROGRAM",
        case: "",
        en: [
            "TrActor failed: {0}.",
            "",
            "The fault is ours: please report it; the file need not be sent.",
        ],
        ru: [
            "TrActor не справился: {0}.",
            "",
            "Это наша ошибка: сообщите о ней, сам файл присылать не нужно.",
        ],
    },
    // Bytes read.
    Row {
        code: "W-STOPPED",
        case: "",
        en: [
            "You stopped the reading after {0 byte|bytes}.",
            "Everything shown is of that part.",
            "Open the file again to read all of it.",
        ],
        ru: [
            "Вы остановили чтение после {0 байта|байт|байт}.",
            "Всё показанное относится к этой части.",
            "Чтобы прочитать файл целиком, откройте его заново.",
        ],
    },
    Row {
        code: "W-NO-FRAMES",
        case: "",
        en: [
            "The file is a capture, but holds no frame.",
            "Its header was read.",
            "Check that the capturing program listened where there is traffic, and long enough.",
        ],
        ru: [
            "Файл служит снимком, но в нём нет ни одного кадра.",
            "Прочитан его заголовок.",
            "Проверьте, что программа захвата слушала там, где есть трафик, и достаточно долго.",
        ],
    },
    // Frames read.
    Row {
        code: "W-NO-FLOWS",
        case: "",
        en: [
            "Of {0 frame|frames} none holds an IP packet.",
            "There are no flows; the frames are counted by what they hold.",
            "Flows need IP: capture where it is carried.",
        ],
        ru: [
            "Кадров с пакетом IP нет: прочитано {0 кадр|кадра|кадров}.",
            "Потоков нет; кадры сосчитаны по их содержимому.",
            "Потоки бывают там, где есть IP: снимайте трафик там, где он идёт.",
        ],
    },
    // How many, the greatest length kept.
    Row {
        code: "W-SHORTENED",
        case: "",
        en: [
            "{0 frame is|frames are} stored shortened, to at most {1 byte|bytes}.",
            "Sizes are right; contents are incomplete, so labels and names may be missing.",
            "Capture whole frames: `tcpdump -s 0`.",
        ],
        ru: [
            "{0 кадр сохранён|кадра сохранены|кадров сохранены} не целиком, самое большее по {1 байту|байта|байт}.",
            "Размеры верны, содержимое неполно: меток и имён может не хватать.",
            "Записывайте кадры целиком: `tcpdump -s 0`.",
        ],
    },
    // How many, by which name.
    Row {
        code: "W-LINK",
        case: "",
        en: [
            "{0 frame is|frames are} of links that are not looked into: {1}.",
            COUNTED_EN,
            "Wireshark shows what such frames hold.",
        ],
        ru: [
            "{0 кадр принадлежит|кадра принадлежат|кадров принадлежат} каналам, в которые мы не заглядываем: {1}.",
            COUNTED_RU,
            "Что в таких кадрах, покажет Wireshark.",
        ],
    },
    // How many, by which name.
    Row {
        code: "W-ENCRYPTED",
        case: "",
        en: [
            "{0 frame is|frames are} encrypted on the link: {1}.",
            COUNTED_EN,
            "Whoever has the key can decrypt them first (Wi-Fi: `airdecap-ng`) and open the result.",
        ],
        ru: [
            "{0 кадр зашифрован|кадра зашифрованы|кадров зашифрованы} на канальном уровне: {1}.",
            COUNTED_RU,
            "Если есть ключ, сначала расшифруйте их (Wi-Fi: `airdecap-ng`) и откройте результат.",
        ],
    },
    // How many, by which name.
    Row {
        code: "W-MALFORMED",
        case: "",
        en: [
            "{0 frame has a header that contradicts|frames have headers that contradict} itself: {1}.",
            COUNTED_EN,
            "A few are usual; many mean that the capture names the wrong link type.",
        ],
        ru: [
            "{0 кадр противоречит сам себе|кадра противоречат сами себе|кадров противоречат сами себе}: {1}.",
            COUNTED_RU,
            "Несколько таких кадров обычны; много их там, где в снимке назван не тот канал.",
        ],
    },
    // How many, of which header.
    Row {
        code: "W-CHECKSUM",
        case: "",
        en: [
            "{0 packet has a wrong checksum|packets have wrong checksums}: {1}.",
            COUNTED_EN,
            "Where they are those of the capturing machine itself, its network card fills them in later: read again without looking at checksums.",
        ],
        ru: [
            "{0 пакет имеет неверную контрольную сумму|пакета имеют неверную контрольную сумму|пакетов имеют неверную контрольную сумму}: {1}.",
            COUNTED_RU,
            "Если это пакеты самой снимавшей машины, сумму позже вписывает её сетевая карта: прочитайте снимок без проверки сумм.",
        ],
    },
    // How many.
    Row {
        code: "W-TIMES",
        case: "",
        en: [
            "{0 frame has a time|frames have times} before 1990 or after 2100.",
            "Times are shown as they stand in the file.",
            "The capturing machine's clock was wrong; `editcap -t` moves all times.",
        ],
        ru: [
            "{0 кадр датирован|кадра датированы|кадров датированы} временем до 1990 или после 2100 года.",
            "Время показано таким, как оно записано.",
            "Часы машины шли неверно; сдвинуть время поможет `editcap -t`.",
        ],
    },
    // How many.
    Row {
        code: "W-ORDER",
        case: "",
        en: [
            "{0 frame has an earlier time than the one|frames have earlier times than the ones} before.",
            "They were read in the order of the file.",
            "`reordercap` puts a capture in order of time.",
        ],
        ru: [
            "{0 кадр записан|кадра записаны|кадров записаны} с более ранним временем, чем предыдущий.",
            "Кадры прочитаны в порядке файла.",
            "Упорядочить снимок по времени поможет `reordercap`.",
        ],
    },
    // How many.
    Row {
        code: "W-FLOWS-ASIDE",
        case: "",
        en: [
            "There is no room for all flows: {0 flow was|flows were} set aside, of which nobody answered {1}.",
            "Those without an answer went first, then those silent for longest; their {2 packet|packets} of {3 byte|bytes} are counted as read and in no flow here.",
            "`tractor flows` keeps all flows, unless it is told `--max-flows`.",
        ],
        ru: [
            "Для всех потоков не хватает места: {0 поток отложен|потока отложены|потоков отложены}, из них без ответа {1}.",
            "Сначала отложены потоки без ответа, затем те, что дольше всех молчали; их {2 пакет|пакета|пакетов} ({3 байт|байта|байтов}) прочитаны, но ни в один поток здесь не входят.",
            "`tractor flows` хранит все потоки, если не задано `--max-flows`.",
        ],
    },
    Row {
        code: "W-DUPLICATES",
        case: "",
        en: [
            "{0 frame was|frames were} captured twice within 10 ms.",
            "Both copies count, so sizes may be too great.",
            "`editcap -d` removes the copies.",
        ],
        ru: [
            "{0 кадр записан|кадра записаны|кадров записаны} дважды в пределах 10 мс.",
            "Учтены обе копии, и размеры могут быть завышены.",
            "Убрать копии поможет `editcap -d`.",
        ],
    },
    // Packets.
    Row {
        code: "W-FRAGMENTS",
        case: "",
        en: [
            "Of {0 IP packet|IP packets} some fragments are missing.",
            "The fragments that are there count to the flow they belong to, as far as they tell it.",
            "",
        ],
        ru: [
            "Не хватает частей у {0 пакета|пакетов|пакетов} IP.",
            "Те части, что есть, учтены в своих потоках, насколько их можно узнать.",
            "",
        ],
    },
    // Overlapping fragments, fragments beyond the end.
    Row {
        code: "W-FRAGMENTS",
        case: "contradicting",
        en: [
            "IP fragments contradict each other: {0 overlaps another|overlap others}, {1 reaches|reach} beyond the end.",
            "Where they overlap the first bytes count.",
            "Such fragments are rare where nobody wants to hide something.",
        ],
        ru: [
            "Части пакетов IP противоречат друг другу: {0 перекрывает|перекрывают|перекрывают} другую, {1 выходит|выходят|выходят} за конец.",
            "Где они перекрываются, верны первые байты.",
            "Такие части редки там, где никто ничего не прячет.",
        ],
    },
    // How many.
    Row {
        code: "W-TOO-DEEP",
        case: "",
        en: [
            "{0 packet lies|packets lie} in tunnels inside more than eight others.",
            "They count to the flow of the eighth tunnel.",
            "",
        ],
        ru: [
            "{0 пакет лежит|пакета лежат|пакетов лежат} глубже, чем в восьми туннелях.",
            "Они учтены в потоке восьмого туннеля.",
            "",
        ],
    },
    // How many.
    Row {
        code: "W-OVERLONG",
        case: "",
        en: [
            "{0 frame is|frames are} longer in the file than on the wire, by the file's own word.",
            "The length in the file counts.",
            "",
        ],
        ru: [
            "{0 кадр длиннее|кадра длиннее|кадров длиннее} в файле, чем был на линии, если верить файлу.",
            "Считается длина в файле.",
            "",
        ],
    },
    // How many, how many in all.
    Row {
        code: "W-DROPPED",
        case: "",
        en: [
            "The capturing program lost {0 frame|frames}, by its own count.",
            "What it lost is not in the file, so flows may have gaps.",
            "Capture with a larger buffer (`dumpcap -B 64`) or with a filter.",
        ],
        ru: [
            "Программа захвата потеряла {0 кадр|кадра|кадров} по её собственному счёту.",
            "Потерянного в файле нет, и потоки могут быть неполны.",
            "Снимайте с большим буфером (`dumpcap -B 64`) или с фильтром.",
        ],
    },
    // Fragments, packets.
    Row {
        code: "I-FRAGMENTS",
        case: "",
        en: [
            "The capture has {0 IP fragment|IP fragments}; {1 packet was|packets were} put together from them.",
            "",
            "",
        ],
        ru: [
            "В снимке {0 часть|части|частей} пакетов IP; из них собрано: {1 пакет|пакета|пакетов}.",
            "",
            "",
        ],
    },
    // How many.
    Row {
        code: "I-SECRETS",
        case: "",
        en: [
            "The file holds {0 block|blocks} of secrets that can decrypt its connections.",
            "They were counted, not kept, and used for nothing.",
            "Before you pass the file on, remove them: `editcap --discard-all-secrets`.",
        ],
        ru: [
            "В файле есть секреты для расшифровки соединений: {0 блок|блока|блоков}.",
            "Они сосчитаны, не сохранены и ни для чего не использованы.",
            "Прежде чем передать файл дальше, удалите их: `editcap --discard-all-secrets`.",
        ],
    },
    // How many.
    Row {
        code: "I-COMMENTS",
        case: "",
        en: ["The capture has {0 comment|comments}.", "", ""],
        ru: ["У снимка есть {0 комментарий|комментария|комментариев}.", "", ""],
    },
    // How many.
    Row {
        code: "I-COMMENTS",
        case: "frames",
        en: ["{0 frame has a comment|frames have comments}.", "", ""],
        ru: ["{0 кадр снабжён|кадра снабжены|кадров снабжены} комментарием.", "", ""],
    },
    // How many.
    Row {
        code: "I-NAMES",
        case: "",
        en: ["The file itself names {0 address|addresses}.", "", ""],
        ru: ["Файл сам называет имена {0 адреса|адресов|адресов}.", "", ""],
    },
    // How many.
    Row {
        code: "I-BLOCKS",
        case: "",
        en: [
            "{0 block of the file is of a kind that only its|blocks of the file are of kinds that only their} program knows.",
            "Skipped: such blocks hold no frames.",
            "",
        ],
        ru: [
            "{0 блок файла понятен только записавшей его программе|блока файла понятны только записавшей их программе|блоков файла понятны только записавшей их программе}.",
            "Пропущено: кадров в таких блоках нет.",
            "",
        ],
    },
];

/// Puts parameters into a sentence.
fn fill(
    sentence: &str,
    parameters: &[Parameter],
    word: fn(&str) -> String,
    count: impl Fn(u64) -> String,
) -> String {
    let mut pieces = sentence.split('{');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (inner, after) = piece.split_once('}').unwrap_or((piece, ""));
        let (index, forms) = inner.split_once(' ').unwrap_or((inner, ""));
        match index.parse::<usize>().ok().and_then(|it| parameters.get(it)) {
            Some(Parameter::Number(number)) => {
                out += &count(*number);
                if !forms.is_empty() {
                    out.push('\u{a0}');
                    out += form(*number, forms);
                }
            }
            Some(Parameter::Text(text)) => out += &word(text),
            // Nothing is told that is not known.
            None => out.push('?'),
        }
        out += after;
    }
    out
}

/// The form of a word that stands with a number, of those between bars: of two in English, of three in Russian (CLDR's rules of whole numbers).
pub fn form(number: u64, forms: &str) -> &str {
    let forms: Vec<&str> = forms.split('|').collect();
    let at = match (forms.len(), number % 10, number % 100) {
        (..=2, ..) => usize::from(number != 1),
        (_, _, 11..=14) => 2,
        (_, 1, _) => 0,
        (_, 2..=4, _) => 1,
        _ => 2,
    };
    forms.get(at).copied().unwrap_or_default()
}

/// Texts of the program that stand in sentences, and the same in Russian; what an archive or the system says stays as it
/// is. `{}` stands for a number.
const WORDS: &[(&str, &str)] = &[
    // Kinds of files.
    ("unknown data", "неизвестные данные"),
    ("text", "текст"),
    ("a snoop capture", "снимок snoop"),
    ("a NetMon 1 capture", "снимок NetMon 1"),
    ("a NetMon 2 capture", "снимок NetMon 2"),
    ("a NetXRay capture", "снимок NetXRay"),
    ("a Sniffer capture", "снимок Sniffer"),
    ("an OmniPeek capture", "снимок OmniPeek"),
    ("a Bluetooth log, which has no IP packets", "журнал Bluetooth, в котором нет пакетов IP"),
    ("an iptrace capture", "снимок iptrace"),
    ("an Observer capture", "снимок Observer"),
    ("an ETL trace of Windows", "трасса ETL из Windows"),
    ("a ZIP archive that is damaged at its start", "архив ZIP, повреждённый в начале"),
    ("a tar archive without a capture in it", "архив tar, в котором нет снимка"),
    (
        "a zip archive without a capture in it that can be unpacked",
        "архив ZIP без снимка, который удалось бы распаковать",
    ),
    ("bzip2 data", "данные bzip2"),
    ("xz data", "данные xz"),
    ("a 7z archive", "архив 7z"),
    ("a RAR archive", "архив RAR"),
    ("LZ4 data", "данные LZ4"),
    ("data packed by `compress`", "данные, сжатые программой `compress`"),
    (
        "gzip data inside other packed data, packed too often",
        "данные gzip внутри других сжатых данных: сжато слишком много раз",
    ),
    (
        "zstd data inside other packed data, packed too often",
        "данные zstd внутри других сжатых данных: сжато слишком много раз",
    ),
    ("lzip data", "данные lzip"),
    ("a PNG picture", "картинка PNG"),
    ("a JPEG picture", "картинка JPEG"),
    ("a GIF picture", "картинка GIF"),
    ("a PDF document", "документ PDF"),
    ("an ELF program", "программа ELF"),
    ("a Windows program", "программа Windows"),
    ("a WebAssembly program", "программа WebAssembly"),
    ("an SQLite database", "база данных SQLite"),
    ("an old Office document", "документ старого Office"),
    ("a HAR log of a browser, which has no packets", "журнал браузера HAR, в котором нет пакетов"),
    ("JSON text", "текст JSON"),
    ("an HTML page", "страница HTML"),
    ("XML text", "текст XML"),
    ("markup text", "текст с разметкой"),
    ("a Zeek log", "журнал Zeek"),
    ("a Git LFS pointer", "указатель Git LFS"),
    // What can be done with them.
    ("convert it by `editcap -F pcapng`", "преобразовать его: `editcap -F pcapng`"),
    ("convert it by `etl2pcapng`", "преобразовать её: `etl2pcapng`"),
    ("unpack it first", "сначала распаковать"),
    ("unpack it first, by `bunzip2`", "сначала распаковать: `bunzip2`"),
    ("unpack it first, by `unxz`", "сначала распаковать: `unxz`"),
    ("unpack it first, by `unlz4`", "сначала распаковать: `unlz4`"),
    ("unpack it first, by `uncompress`", "сначала распаковать: `uncompress`"),
    ("open the capture it was made from", "открыть снимок, из которого это получено"),
    ("perhaps the download went wrong", "скачать заново: похоже, скачивание не удалось"),
    ("fetch the file itself, by `git lfs pull`", "получить сам файл: `git lfs pull`"),
    // Why something is not unpacked.
    ("a file in it is encrypted", "файл в архиве зашифрован"),
    ("a file in it does not say how long it is", "файл в архиве не называет своей длины"),
    (
        "it needs a window of {} MB in memory, and {} MB are the limit",
        "нужно окно в {} МБ памяти, а предел {} МБ",
    ),
    ("it met a capture it was not made for", "снимок оказался не таким, каких он ждал"),
    // Blocks of a pcapng.
    ("section header", "заголовок раздела"),
    ("interface description", "описание интерфейса"),
    ("packet block", "блок с пакетом"),
];

/// A text of the program in Russian, or as it is.
fn in_russian(text: &str) -> String {
    if let Some((_, word)) = WORDS.iter().find(|it| it.0 == text) {
        return (*word).to_owned();
    }
    // With its numbers taken out it may be known.
    let numbers = text.split(|it: char| !it.is_ascii_digit()).filter(|it| !it.is_empty());
    let numbers: Vec<&str> = numbers.collect();
    let pattern = numbers.iter().fold(text.to_owned(), |it, number| it.replacen(number, "{}", 1));
    match WORDS.iter().find(|it| it.0 == pattern) {
        Some((_, word)) => numbers.iter().fold((*word).to_owned(), |it, n| it.replacen("{}", n, 1)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(notice: &Notice, english: &str, russian: &str) {
        let digits = |it: u64| it.to_string();
        assert_eq!(notice.english(digits).happened.replace('\u{a0}', " "), english);
        assert_eq!(notice.russian(digits).happened.replace('\u{a0}', " "), russian);
    }

    #[test]
    fn words_follow_their_numbers() {
        let shortened = |n: u64| Notice::new("W-SHORTENED", "", vec![n.into(), 96.into()]);
        check(
            &shortened(1),
            "1 frame is stored shortened, to at most 96 bytes.",
            "1 кадр сохранён не целиком, самое большее по 96 байт.",
        );
        check(
            &shortened(22),
            "22 frames are stored shortened, to at most 96 bytes.",
            "22 кадра сохранены не целиком, самое большее по 96 байт.",
        );
        check(
            &shortened(111),
            "111 frames are stored shortened, to at most 96 bytes.",
            "111 кадров сохранены не целиком, самое большее по 96 байт.",
        );
    }

    #[test]
    fn a_text_of_the_program_is_said_in_russian_too() {
        let parameters = vec!["a PNG picture".into(), "89 50 4e 47".into()];
        check(
            &Notice::new("E-NOT-A-CAPTURE", "", parameters),
            "This is no network capture but a PNG picture; its first bytes are 89 50 4e 47.",
            "Это не снимок трафика, а картинка PNG; первые байты 89 50 4e 47.",
        );
    }

    #[test]
    fn a_text_with_numbers_is_said_in_russian_too() {
        let why = "it needs a window of 512 MB in memory, and 128 MB are the limit";
        assert_eq!(in_russian(why), "нужно окно в 512 МБ памяти, а предел 128 МБ");
        assert_eq!(in_russian("member 12 of 3"), "member 12 of 3");
    }

    #[test]
    fn a_code_of_another_version_keeps_its_english_words() {
        let notice =
            Notice { code: "W-NEW".into(), message: "Something new.".into(), ..Notice::default() };
        check(&notice, "Something new.", "Something new.");
    }

    #[test]
    fn every_code_has_a_severity_and_the_same_parameters_in_both_languages() {
        let named = |sentences: [&'static str; 3]| {
            let mut named: Vec<&str> = sentences
                .iter()
                .flat_map(|it| it.split('{').skip(1))
                .filter_map(|it| it.split(['}', ' ']).next())
                .collect();
            named.sort_unstable();
            named.dedup();
            named
        };
        for (at, it) in TABLE.iter().enumerate() {
            assert!(
                ["E-", "W-", "I-"].iter().any(|start| it.code.starts_with(start)),
                "{}",
                it.code
            );
            assert_eq!(named(it.en), named(it.ru), "{} {}", it.code, it.case);
            assert_eq!(
                it.en.map(str::is_empty),
                it.ru.map(str::is_empty),
                "{} {}",
                it.code,
                it.case
            );
            let is_again = |other: &Row| (other.code, other.case) == (it.code, it.case);
            assert!(!TABLE[..at].iter().any(is_again), "{} {} is there twice", it.code, it.case);
            for forms in it.ru.iter().flat_map(|it| it.split('{').skip(1)) {
                let inner = forms.split('}').next().unwrap_or_default();
                assert!([0, 2].contains(&inner.matches('|').count()), "{inner}");
            }
        }
    }
}
