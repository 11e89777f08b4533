//! What a wrong header costs: `cargo run -p tests --example header FILE`.
//!
//! The file is one of ISCXVPN2016's scenarios A1 or B, whose columns 2 to 9 are headed by the statistic before the one they
//! hold. A forest is learned from 80 % of its rows and judged on the others twice: with features computed as the header says
//! they are, by name, and with those of the schema the file is read with here.
#![expect(clippy::print_stdout, reason = "what was found is what this is for")]

use std::{error::Error, fs, path::Path, sync::Arc};

use learn::{Data, Method, Model, Options, Plan, Reading, Work, read_table};
use tests::{
    Random,
    published::{self, Row},
};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: header FILE")?;
    let text = fs::read_to_string(&path)?;
    let name = Path::new(&path).file_name().unwrap_or_default().to_string_lossy();
    let table = read_table(&text, &name, &Reading::default())?;
    table.notices.iter().for_each(|it| println!("{}: {it}", it.code()));
    let data = table.data;
    let mut rows: Vec<usize> = (0..data.len()).collect();
    let mut random = Random::new(1);
    for at in (1..rows.len()).rev() {
        rows.swap(at, random.between(0, at as u64) as usize);
    }
    let (learned, judged) = rows.split_at(rows.len() * 4 / 5);
    let plan = Plan { folds: 0, ..Plan::of(Options::of(Method::Forest)) };
    let work = Work::new(Arc::new(data.only(learned.iter().copied())), plan)?;
    let model = work.run().model.ok_or("there is no model")?;
    let mut as_headed = data.clone();
    let n_known = serve_as_headed(&mut as_headed, &published::rows(&text));
    println!("{} rows, of {n_known} the sums follow from what the file holds", data.len());
    for (what, data) in [("as headed", &as_headed), ("as held", &data)] {
        println!("{what}: {:.3} of {} rows right", accuracy(&model, data, judged), judged.len());
    }
    Ok(())
}

fn accuracy(model: &Model, data: &Data, rows: &[usize]) -> f64 {
    let values: Vec<&[f32]> = rows.iter().map(|it| data.values(*it)).collect();
    let said = model.say(&values).into_iter().zip(rows);
    let is_right = |class: usize, row: usize| {
        model.classes().get(class).is_some_and(|it| it == data.label(row))
    };
    let n_right = said.filter(|(said, row)| is_right(said.class, **row)).count();
    n_right as f64 / rows.len() as f64
}

/// Puts into the columns what their heads say: sums, least, greatest and mean of the gaps. Of how many rows the sums are known.
fn serve_as_headed(data: &mut Data, rows: &[Row]) -> usize {
    let mut headed = Data::of_columns(data.columns.clone());
    let mut n_known = 0;
    for (at, row) in rows.iter().enumerate() {
        let mut values = data.values(at).to_vec();
        let held: Vec<f32> = values.get(1..9).unwrap_or_default().to_vec();
        let sums = sums(row);
        n_known += usize::from(sums.is_some());
        // Where they do not follow, each side is taken to last as long as the flow.
        let sums = sums.unwrap_or([row.number(0); 2]);
        for (to, value) in
            values.iter_mut().skip(1).zip(sums.map(|it| it as f32).into_iter().chain(held)).take(8)
        {
            *to = value;
        }
        headed.push(values, data.label(at), data.rows().get(at).copied().unwrap_or_default());
    }
    *data = headed;
    n_known
}

/// The sums of both sides' gaps: the mean times how many gaps there are, where only one number of them gives whole
/// microseconds that are no more than the flow's duration. Sums of less than a side of two packets are 0.
fn sums(row: &Row) -> Option<[f64; 2]> {
    let [least, mean] = [1, 5].map(|it| [row.number(it), row.number(it + 1)]);
    let has_gaps = least.map(|it| it != -1.0);
    let sum_of = |side: usize, n: u64| -> Option<f64> {
        let sum = mean[side] * n as f64;
        let is_whole = (sum - sum.round()).abs() <= 1e-4 && sum <= row.number(0) + 0.5;
        is_whole.then(|| sum.round())
    };
    let n_packets = row.n_packets();
    // A side without gaps has one packet or none.
    match has_gaps {
        [false, false] => Some([0.0, 0.0]),
        [true, false] => [n_packets.checked_sub(2)?, n_packets.checked_sub(1)?]
            .into_iter()
            .find_map(|n| Some([sum_of(0, n)?, 0.0])),
        [false, true] => [n_packets.checked_sub(2)?, n_packets.checked_sub(1)?]
            .into_iter()
            .find_map(|n| Some([0.0, sum_of(1, n)?])),
        [true, true] => {
            let n_gaps = n_packets.checked_sub(2)?;
            let mut found =
                (1..n_gaps).filter_map(|n| Some([sum_of(0, n)?, sum_of(1, n_gaps - n)?]));
            found.next().filter(|_| found.next().is_none())
        }
    }
}
