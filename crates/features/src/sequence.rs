//! The first packets one by one, for models that read sequences.

use crate::{
    Column, Rows, Schema, Semantics, Unit,
    column::words,
    identity::FLOW_NUMBER,
    iscx::NETMATE_IDLE,
    measure::{label, number},
};

/// Sizes and gaps of the first 32 packets ([`crate::N_FIRST`]); nothing beyond the last one.
pub const SEQUENCE: Schema = Schema {
    name: "sequence",
    what: words(
        "sizes with the sign of the direction, and gaps, of the first 32 packets",
        "размеры первых 32 пакетов со знаком направления и промежутки между ними",
    ),
    rows: Rows::Flows,
    semantics: Semantics::Correct,
    idle_micros: NETMATE_IDLE,
    columns: &[
        FLOW_NUMBER.named("flow_id"),
        size::<0>("size_1"),
        size::<1>("size_2"),
        size::<2>("size_3"),
        size::<3>("size_4"),
        size::<4>("size_5"),
        size::<5>("size_6"),
        size::<6>("size_7"),
        size::<7>("size_8"),
        size::<8>("size_9"),
        size::<9>("size_10"),
        size::<10>("size_11"),
        size::<11>("size_12"),
        size::<12>("size_13"),
        size::<13>("size_14"),
        size::<14>("size_15"),
        size::<15>("size_16"),
        size::<16>("size_17"),
        size::<17>("size_18"),
        size::<18>("size_19"),
        size::<19>("size_20"),
        size::<20>("size_21"),
        size::<21>("size_22"),
        size::<22>("size_23"),
        size::<23>("size_24"),
        size::<24>("size_25"),
        size::<25>("size_26"),
        size::<26>("size_27"),
        size::<27>("size_28"),
        size::<28>("size_29"),
        size::<29>("size_30"),
        size::<30>("size_31"),
        size::<31>("size_32"),
        gap::<0>("gap_1"),
        gap::<1>("gap_2"),
        gap::<2>("gap_3"),
        gap::<3>("gap_4"),
        gap::<4>("gap_5"),
        gap::<5>("gap_6"),
        gap::<6>("gap_7"),
        gap::<7>("gap_8"),
        gap::<8>("gap_9"),
        gap::<9>("gap_10"),
        gap::<10>("gap_11"),
        gap::<11>("gap_12"),
        gap::<12>("gap_13"),
        gap::<13>("gap_14"),
        gap::<14>("gap_15"),
        gap::<15>("gap_16"),
        gap::<16>("gap_17"),
        gap::<17>("gap_18"),
        gap::<18>("gap_19"),
        gap::<19>("gap_20"),
        gap::<20>("gap_21"),
        gap::<21>("gap_22"),
        gap::<22>("gap_23"),
        gap::<23>("gap_24"),
        gap::<24>("gap_25"),
        gap::<25>("gap_26"),
        gap::<26>("gap_27"),
        gap::<27>("gap_28"),
        gap::<28>("gap_29"),
        gap::<29>("gap_30"),
        gap::<30>("gap_31"),
        gap::<31>("gap_32"),
        label("label"),
    ],
};

/// The size of a packet by its place from 0.
pub(crate) const fn size<const AT: usize>(name: &'static str) -> Column {
    let what = words(
        "IP bytes of the packet of this number; negative where the server sent it",
        "Байты IP пакета с этим номером; отрицательны, если его отправил сервер",
    );
    number(name, Unit::Bytes, |s| s.first(AT).map(|it| it.signed_ip_bytes as f64), what)
}

/// The gap before a packet by its place from 0.
pub(crate) const fn gap<const AT: usize>(name: &'static str) -> Column {
    let what = words(
        "From the packet before to the packet of this number; 0 of the first",
        "От предыдущего пакета до пакета с этим номером; у первого 0",
    );
    number(name, Unit::Micros, |s| s.first(AT).map(|it| it.gap_micros as f64), what)
}
