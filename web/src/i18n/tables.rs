//! What is to be known of a data set, in Russian: `learn::TableNotice` has the English.

/// English and Russian, `{}` for what was found, in the same order.
pub(super) const TABLES: &[(&str, &str)] = &[
    (
        "the header is wrong, as in the published files of scenarios A1 and B: the columns headed total, min, max and mean of fiat and biat hold least, greatest, mean and deviation; they are read as what they hold, with the schema iscx-b",
        "заголовок неверен, как в опубликованных файлах сценариев A1 и B: под именами total, min, max и mean у fiat и biat стоят минимум, максимум, среднее и отклонение; столбцы прочитаны по содержанию, по схеме iscx-b",
    ),
    (
        "the columns are those of iscx-b under their right names; that schema has them under the names that the other published files give them",
        "это столбцы iscx-b под верными именами; в схеме они под именами остальных опубликованных файлов",
    ),
    (
        "no row tells whether the header is right or, as in the published files of scenarios A1 and B, shifted by a statistic; it is believed, with the schema {}",
        "по строкам не видно, верен ли заголовок или сдвинут, как в опубликованных файлах сценариев A1 и B; он принят как есть, по схеме {}",
    ),
    (
        "the columns hold what {} says, not {}; {} was asked for and is kept",
        "в столбцах то, что описывает {}, а не {}; оставлена запрошенная схема {}",
    ),
    (
        "flows were cut after {} s, as the file's name says",
        "потоки разрезаны через {} с, так сказано в имени файла",
    ),
    (
        "the file does not say by which timeout flows were cut; they are taken as not cut",
        "в файле не сказано, по какому тайм-ауту резались потоки; считается, что их не резали",
    ),
    (
        "{} rows have packet rates that their durations and gaps contradict; these were computed again from the duration and the mean gap",
        "строк, где частота пакетов противоречит длительности и промежуткам: {}; она вычислена заново по длительности и среднему промежутку",
    ),
    (
        "{} numbers of ten million and more have three digits, a spreadsheet cut the others; they are kept",
        "чисел от десяти миллионов с тремя цифрами: {}, остальные отрезала электронная таблица; они оставлены",
    ),
    (
        "CICFlowMeter wrote 0 into {} cells where there is nothing to compute from; they count as missing, as in the flows a model is applied to; its other known errors stay",
        "CICFlowMeter записал 0 там, где вычислять не из чего, ячеек: {}; они считаются пустыми, как и у потоков, к которым применяют модель; другие его известные ошибки остались",
    ),
    (
        "times are seconds, as the packet rates tell; they were made microseconds, as CICFlowMeter and the schema have them",
        "времена в секундах, это видно по частоте пакетов; они переведены в микросекунды, как у CICFlowMeter и в схеме",
    ),
    (
        "{} rows repeat an earlier row and its label; they are kept",
        "строк, повторяющих прежнюю вместе с меткой: {}; они оставлены",
    ),
    (
        "{} rows have the numbers of a row with another label; no model can tell them apart",
        "строк с теми же числами, но другой меткой: {}; их не различит никакая модель",
    ),
    (
        "{} rows have too many or too few cells and are left out, the first at line {} with {} where the header has {}",
        "строк с лишними или недостающими ячейками: {}, они пропущены; первая в строке {}: ячеек {}, в заголовке {}",
    ),
    (
        "{} rows have no number where one belongs and are left out, the first at line {} with `{}` for {}",
        "строк, где вместо числа стоит другое: {}, они пропущены; первая в строке {}: `{}` в столбце {}",
    ),
    (
        "{} rows have no label and are left out, the first at line {}",
        "строк без метки: {}, они пропущены; первая в строке {}",
    ),
    (
        "the header stands {} times more among the rows and is left out there, first at line {}",
        "заголовок повторён среди строк, раз: {}, там он пропущен; впервые в строке {}",
    ),
    (
        "{} cells are empty or hold no finite number; they count as missing",
        "ячеек пустых или без конечного числа: {}; они считаются пустыми",
    ),
    (
        "the column {} is taken as the label; another may be named",
        "меткой считается столбец {}; можно назвать другой",
    ),
    (
        "columns that say which flow a row is of are not learned from: {}",
        "столбцы о том, чей это поток, в обучении не участвуют: {}",
    ),
    ("columns of texts are left out: {}", "столбцы с текстом пропущены: {}"),
    ("columns without numbers are left out: {}", "столбцы без чисел пропущены: {}"),
    ("columns that {} does not have are left out: {}", "столбцы, которых нет в {}, пропущены: {}"),
];
