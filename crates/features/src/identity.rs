//! The columns that say which flow a row is of. Models do not learn from them.

use crate::{Column, Of, Unit, column::words};

const fn row(of: Of, en: &'static str, ru: &'static str) -> Column {
    Column { name: "", unit: Unit::None, what: words(en, ru), of }
}

pub(crate) const FIVE_TUPLE: Column = row(
    Of::Text(|it| {
        let (from, to) = (it.source, it.destination);
        format!("{}-{}-{}-{}-{}", from.ip, to.ip, from.port, to.port, it.transport.0)
    }),
    "Addresses and ports of client and server, and the IP protocol number",
    "Адреса и порты клиента и сервера, номер протокола IP",
);
pub(crate) const SOURCE_IP: Column =
    row(Of::Text(|it| it.source.ip.to_string()), "Address of the client", "Адрес клиента");
pub(crate) const SOURCE_PORT: Column = row(
    Of::Integer(|it| it.source.port.into()),
    "Port of the client, 0 where there are none",
    "Порт клиента, 0, если портов нет",
);
pub(crate) const DESTINATION_IP: Column =
    row(Of::Text(|it| it.destination.ip.to_string()), "Address of the server", "Адрес сервера");
pub(crate) const DESTINATION_PORT: Column = row(
    Of::Integer(|it| it.destination.port.into()),
    "Port of the server, 0 where there are none",
    "Порт сервера, 0, если портов нет",
);
pub(crate) const PROTOCOL: Column = row(
    Of::Integer(|it| it.transport.0.into()),
    "IP protocol number (IANA)",
    "Номер протокола IP (IANA)",
);
pub(crate) const FIRST: Column =
    row(Of::Time(|it| it.first), "Time of the first packet, UTC", "Время первого пакета, UTC");
pub(crate) const LAST: Column =
    row(Of::Time(|it| it.last), "The latest time of a packet, UTC", "Наибольшее время пакета, UTC");
pub(crate) const FLOW_NUMBER: Column = row(
    Of::Integer(|it| it.number.into()),
    "Number of the flow in the capture, from 0",
    "Номер потока в снимке, с 0",
);
pub(crate) const SESSION_NUMBER: Column = row(
    Of::Integer(|it| it.number.into()),
    "Number of the session in the capture, from 0",
    "Номер сессии в снимке, с 0",
);
