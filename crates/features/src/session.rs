//! The features of a session: how what one application opened behaves in time (the seed's временные характеристики).

use crate::{
    Column, Rows, Schema, Semantics,
    Take::{Max, Mean, Min, Std},
    Unit,
    column::words,
    identity::{FIRST, LAST, SESSION_NUMBER, SOURCE_IP},
    iscx::{NETMATE_IDLE, RIGHT},
    measure::{Measure, count, joined, label, measure, number, take},
};

/// The 25 features of all packets of a session, and what its flows are to each other.
pub const SESSION: Schema = Schema {
    name: "session",
    what: words(
        "a row a session: the 25 features of all its packets, and how its flows follow each other",
        "строка на сессию: 25 признаков всех её пакетов и то, как её потоки следуют друг за другом",
    ),
    rows: Rows::Sessions,
    semantics: Semantics::Correct,
    idle_micros: NETMATE_IDLE,
    columns: &COLUMNS,
};

const COLUMNS: [Column; IDENTITY.len() + RIGHT.len() + TOGETHER.len() + 1] =
    joined(&[IDENTITY, &RIGHT, TOGETHER, &[label("label")]]);

const IDENTITY: &[Column] = &[
    SESSION_NUMBER.named("session_id"),
    SOURCE_IP.named("client_ip"),
    FIRST.named("time_start"),
    LAST.named("time_end"),
];

const TOGETHER: &[Column] = &[
    count("n_flows", Unit::None, |s| s.merged.n_flows, words("Flows", "Потоки")),
    count(
        "n_peer_addresses",
        Unit::None,
        |s| s.merged.n_peer_addresses,
        words(
            "Different addresses the client spoke with",
            "Разные адреса, с которыми говорил клиент",
        ),
    ),
    count(
        "n_server_ports",
        Unit::None,
        |s| s.merged.n_server_ports,
        words("Different ports of servers", "Разные порты серверов"),
    ),
    count(
        "n_transports",
        Unit::None,
        |s| s.merged.n_transports,
        words("Different transports", "Разные транспорты"),
    ),
    count(
        "max_concurrency",
        Unit::None,
        |s| s.merged.max_concurrency,
        words("The most flows at one time", "Наибольшее число потоков одновременно"),
    ),
    number(
        "mean_concurrency",
        Unit::Ratio,
        |s| s.merged.mean_concurrency,
        words(
            "Flows at a time, mean over the time from the first to the last packet",
            "Число потоков одновременно, среднее за время от первого до последнего пакета",
        ),
    ),
    number(
        "overlap",
        Unit::Ratio,
        |s| s.merged.overlap,
        words(
            "Durations of all flows over the time in which there was one",
            "Сумма длительностей потоков, делённая на время, когда был хоть один",
        ),
    ),
    take("min_start_gap", Min, START_GAPS),
    take("mean_start_gap", Mean, START_GAPS),
    take("max_start_gap", Max, START_GAPS),
    take("std_start_gap", Std, START_GAPS),
    number(
        "second_flow",
        Unit::Micros,
        |s| s.merged.second_flow_micros.map(|it| it as f64),
        words(
            "From the first flow's start to the second one's",
            "От начала первого потока до начала второго",
        ),
    ),
    number(
        "dns_to_flow",
        Unit::Micros,
        |s| s.merged.resolved_micros.map(|it| it as f64),
        words(
            "From a resolver's answer to the start of the first flow that went where it said",
            "От ответа DNS до начала первого потока туда, куда он указал",
        ),
    ),
    number(
        "largest_share",
        Unit::Ratio,
        |s| s.merged.largest_share,
        words(
            "IP bytes of the largest flow over those of all",
            "Доля самого большого потока в байтах IP",
        ),
    ),
    number(
        "gini",
        Unit::Ratio,
        |s| s.merged.gini,
        words(
            "Gini coefficient of the flows' IP bytes: 0 where all are alike",
            "Коэффициент Джини байтов IP по потокам: 0, если все равны",
        ),
    ),
    count(
        "n_bursts",
        Unit::None,
        |s| s.merged.bursts.n(),
        words(
            "Bursts: runs of packets without a pause of more than a second",
            "Всплески: пакеты подряд без паузы больше секунды",
        ),
    ),
    take("mean_burst", Mean, BURSTS),
    take("std_burst", Std, BURSTS),
    take("max_burst", Max, BURSTS),
    take("mean_pause", Mean, PAUSES),
    take("std_pause", Std, PAUSES),
    take("max_pause", Max, PAUSES),
    number(
        "mean_burst_up_down",
        Unit::Ratio,
        |s| s.merged.burst_ratio_mean,
        words(
            "IP bytes of the client over those it got, mean of the bursts in which it got any",
            "Байты IP клиента к полученным им, среднее по всплескам, где он что-то получил",
        ),
    ),
    number(
        "max_burst_up_down",
        Unit::Ratio,
        |s| s.merged.burst_ratio_max,
        words(
            "IP bytes of the client over those it got, greatest of the bursts in which it got any",
            "Байты IP клиента к полученным им, наибольшее по всплескам, где он что-то получил",
        ),
    ),
    number(
        "period",
        Unit::Seconds,
        |s| s.merged.period.map(|it| f64::from(it.0)),
        words(
            "The lag, 1 to 600 s, at which the packets per second correlate best, of the first two hours",
            "Сдвиг от 1 до 600 с, при котором число пакетов в секунду повторяется лучше всего, за первые два часа",
        ),
    ),
    number(
        "periodicity",
        Unit::Ratio,
        |s| s.merged.period.map(|it| it.1),
        words(
            "The autocorrelation at that lag, at most 1",
            "Автокорреляция при этом сдвиге, не больше 1",
        ),
    ),
    count(
        "n_announced",
        Unit::None,
        |s| s.merged.n_announced,
        words(
            "Flows that another one announced: FTP data, media of a call",
            "Потоки, о которых объявил другой: данные FTP, голос и видео звонка",
        ),
    ),
    take("min_announced_gap", Min, ANNOUNCED_GAPS),
    take("mean_announced_gap", Mean, ANNOUNCED_GAPS),
];

const START_GAPS: Measure = measure(
    Unit::Micros,
    |s| &s.merged.start_gaps,
    words(
        "the times from the start of a flow to the start of the next",
        "время от начала потока до начала следующего",
    ),
);
const BURSTS: Measure = measure(
    Unit::Micros,
    |s| &s.merged.bursts,
    words("the durations of bursts", "длительности всплесков"),
);
const PAUSES: Measure = measure(
    Unit::Micros,
    |s| &s.merged.pauses,
    words("the pauses between bursts", "паузы между всплесками"),
);
const ANNOUNCED_GAPS: Measure = measure(
    Unit::Micros,
    |s| &s.merged.announced_gaps,
    words(
        "the times from the announcing flow's last payload to the start of the flow it announced",
        "время от последних данных объявившего потока до начала объявленного",
    ),
);
