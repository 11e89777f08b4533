//! Flows as lines of JSON, written from what is kept of them: what a [`FlowRow`](v1::page::FlowRow) says, in its order.

use std::{
    io::{self, Write as _},
    net::IpAddr,
};

use classify::Fact;
use serde::Serialize;

use crate::rows::Row;

/// What a field holds; nothing where it is left out.
enum Value<'a> {
    Number(u64),
    Text(&'a str),
    Address(IpAddr),
    /// What is written as it is shown: no character of it needs an escape.
    Shown(String),
    Nothing,
}

impl<'a> Value<'a> {
    fn some_number(number: Option<impl Into<u64>>) -> Self {
        number.map_or(Self::Nothing, |it| Self::Number(it.into()))
    }

    fn above_zero(number: u64) -> Self {
        Self::some_number((number > 0).then_some(number))
    }

    fn some_text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Nothing, Self::Text)
    }

    fn some_shown(text: Option<String>) -> Self {
        text.map_or(Self::Nothing, Self::Shown)
    }
}

/// A field's name, as it is written behind the field before it, and what the field holds.
type Field = (&'static str, for<'a> fn(&Row<'a>) -> Value<'a>);

/// The fields before the reason, which is made for each line.
const FIELDS: &[Field] = &[
    (",\"flow_id\":", |it| Value::Number(it.flow_id.into())),
    (",\"piece\":", |it| Value::some_number(it.piece)),
    (",\"session_id\":", |it| Value::Number(it.session_id.into())),
    (",\"transport\":", |it| match it.transport.name() {
        Some(name) => Value::Text(name),
        None => Value::Shown(it.transport.to_string()),
    }),
    (",\"client_ip\":", |it| Value::Address(it.client.ip)),
    (",\"client_port\":", |it| Value::Number(it.client.port.into())),
    (",\"server_ip\":", |it| Value::Address(it.server.ip)),
    (",\"server_port\":", |it| Value::Number(it.server.port.into())),
    (",\"time_start_ns\":", |it| Value::Number(it.time_start_ns)),
    (",\"time_end_ns\":", |it| Value::Number(it.time_end_ns)),
    (",\"client_packets\":", |it| Value::Number(it.from_client.packets)),
    (",\"server_packets\":", |it| Value::Number(it.from_server.packets)),
    (",\"client_bytes\":", |it| Value::Number(it.from_client.frame_bytes)),
    (",\"server_bytes\":", |it| Value::Number(it.from_server.frame_bytes)),
    (",\"client_ip_bytes\":", |it| Value::Number(it.from_client.ip_bytes)),
    (",\"server_ip_bytes\":", |it| Value::Number(it.from_server.ip_bytes)),
    (",\"parent_id\":", |it| Value::some_number(it.parent_id)),
    (",\"tunnel\":", |it| Value::some_shown(it.tunnel.map(|it| it.to_string()))),
    (",\"carried_bytes\":", |it| Value::above_zero(it.carried_bytes)),
    (",\"conn_state\":", |it| Value::some_text(it.conn_state())),
    (",\"history\":", |it| Value::some_shown(it.history())),
    (",\"about_id\":", |it| Value::some_number(it.about_id)),
    (",\"icmp_errors\":", |it| Value::above_zero(it.icmp_errors)),
    (",\"protocol\":", |it| Value::Text(it.protocol)),
    (",\"label\":", |it| Value::Text(it.label)),
    (",\"group\":", |it| Value::Text(it.group)),
    (",\"evidence\":", |it| Value::Text(it.evidence)),
    (",\"confidence\":", |it| Value::some_number(it.confidence)),
    (",\"rule_label\":", |it| Value::some_text(it.by_rules.map(|it| it.0))),
    (",\"rule_group\":", |it| Value::some_text(it.by_rules.map(|it| it.1))),
    (",\"model_label\":", |it| Value::some_text(it.model_label())),
    (",\"shown_by\":", |it| Value::some_text(it.shown_by)),
];

/// Writes a flow as the command line's contract has it, with the end of its line.
///
/// # Errors
/// Never: a line takes all that is written to it.
pub(super) fn write(capture: &str, row: &Row<'_>, line: &mut Vec<u8>) -> io::Result<()> {
    line.extend_from_slice(b"{\"capture\":");
    write_text(capture, line)?;
    for (name, value) in FIELDS {
        let value = value(row);
        if !matches!(value, Value::Nothing) {
            line.extend_from_slice(name.as_bytes());
            write_value(value, line)?;
        }
    }
    begin("reason", line);
    write_text(&row.reason(), line)?;
    let (mut agent, mut ja4, mut facts) = (None, None, Vec::new());
    for (fact, text) in row.facts() {
        match fact {
            Fact::UserAgent => agent = Some(text),
            Fact::Ja4 => ja4 = Some(text),
            _ => facts.push((fact.row().key, text)),
        }
    }
    let named = [("domain_name", row.domain_name()), ("user_agent", agent), ("ja4", ja4)];
    for (name, text) in named {
        if let Some(text) = text {
            begin(name, line);
            write_text(text, line)?;
        }
    }
    facts.sort_unstable();
    for (at, (key, text)) in facts.iter().enumerate() {
        if at == 0 {
            begin("facts", line);
        }
        line.push(if at == 0 { b'{' } else { b',' });
        name_it(key, line);
        write_text(text, line)?;
    }
    if !facts.is_empty() {
        line.push(b'}');
    }
    line.extend_from_slice(b"}\n");
    Ok(())
}

/// Begins a field that is not the first.
fn begin(name: &str, line: &mut Vec<u8>) {
    line.push(b',');
    name_it(name, line);
}

/// Names of fields need no escapes.
fn name_it(name: &str, line: &mut Vec<u8>) {
    line.push(b'"');
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(b"\":");
}

fn json(value: &(impl Serialize + ?Sized), line: &mut Vec<u8>) -> io::Result<()> {
    Ok(serde_json::to_writer(line, value)?)
}

fn write_value(value: Value<'_>, line: &mut Vec<u8>) -> io::Result<()> {
    match value {
        Value::Number(it) => json(&it, line),
        Value::Text(it) => write_text(it, line),
        Value::Address(it) => write_address(it, line),
        Value::Shown(it) => {
            quote(&it, line);
            Ok(())
        }
        Value::Nothing => Ok(()),
    }
}

/// Most texts need no escapes, which is seen sooner than written one by one.
fn write_text(text: &str, line: &mut Vec<u8>) -> io::Result<()> {
    let is_odd = |it: u8| (it < 0x20) | (it == b'"') | (it == b'\\');
    if text.bytes().fold(false, |is_any, it| is_any | is_odd(it)) {
        return json(text, line);
    }
    quote(text, line);
    Ok(())
}

fn quote(text: &str, line: &mut Vec<u8>) {
    line.push(b'"');
    line.extend_from_slice(text.as_bytes());
    line.push(b'"');
}

fn write_address(ip: IpAddr, line: &mut Vec<u8>) -> io::Result<()> {
    line.push(b'"');
    match ip {
        IpAddr::V4(ip) => {
            for (at, octet) in ip.octets().into_iter().enumerate() {
                if at > 0 {
                    line.push(b'.');
                }
                json(&octet, line)?;
            }
        }
        IpAddr::V6(ip) => write!(line, "{ip}")?,
    }
    line.push(b'"');
    Ok(())
}
