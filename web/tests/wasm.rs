//! The engine and the reading of files inside a browser: the same as anywhere.
#![cfg(target_arch = "wasm32")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use engine::{Export, Job};
use js_sys::{Array, Uint8Array};
use wasm_bindgen_test::{console_log, wasm_bindgen_test, wasm_bindgen_test_configure};
use web::{
    chunks::Chunks,
    message::{FromWorker, Progress, Question, ToWorker, pack, unpack},
};
use web_sys::Blob;

wasm_bindgen_test_configure!(run_in_dedicated_worker);

const SAMPLE: &[u8] = include_bytes!("../../tests/captures/sample.pcapng");

fn flows(pieces: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut job = Job::new("sample.pcapng", 7);
    pieces.for_each(|it| job.feed(&it).unwrap());
    let export = Export::new("jsonl", None).unwrap();
    job.finish(false).export(&export, "sample.pcapng", Vec::new()).unwrap()
}

#[wasm_bindgen_test]
fn the_sample_has_flows_however_it_is_chunked() {
    let whole = flows([SAMPLE.to_vec()].into_iter());
    assert!(whole.iter().filter(|it| **it == b'\n').count() > 100);
    assert_eq!(whole, flows(SAMPLE.chunks(997).map(<[u8]>::to_vec)));
}

#[wasm_bindgen_test]
fn every_hostile_and_odd_capture_is_read_as_it_must_be() {
    let cases = tests::hostile::cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let complaints = tests::hostile::complaints(case);
        if !complaints.is_empty() {
            wrong.push(format!("{}: {}", case.name, complaints.join(" ")));
        }
    }
    let (n, n_right) = (cases.len(), cases.len() - wrong.len());
    console_log!("{n_right} of {n} cases are right");
    assert!(wrong.is_empty(), "{n_right} of {n} cases are right; not these:\n{}", wrong.join("\n"));
}

#[wasm_bindgen_test]
async fn a_file_is_read_piece_by_piece() {
    let parts = Array::of1(&Uint8Array::from(SAMPLE));
    let blob = Blob::new_with_u8_array_sequence(&parts).unwrap();
    let mut chunks = Chunks::new(blob, 1_000);
    assert_eq!(chunks.total(), SAMPLE.len() as u64);
    let mut read = Vec::new();
    while let Some(piece) = chunks.next().await.unwrap() {
        assert!(piece.len() <= 1_000);
        read.extend_from_slice(piece);
    }
    assert_eq!(read, SAMPLE);
}

#[wasm_bindgen_test]
fn messages_come_as_they_were_sent() {
    let question = Question::V1(v1::Request::Statistics { job: v1::JobId(1) });
    let asked = ToWorker::Ask { id: 3, question };
    let (heard, payload) = unpack::<ToWorker>(pack(&asked, &"payload".into())).unwrap();
    assert_eq!((heard, payload.as_string().unwrap()), (asked, "payload".to_owned()));
    // More than 32 bits hold.
    let told =
        FromWorker::Progress(Progress { bytes: 5 << 40, total: 6 << 40, ..Progress::default() });
    assert_eq!(unpack::<FromWorker>(pack(&told, &true.into())).unwrap().0, told);
}
