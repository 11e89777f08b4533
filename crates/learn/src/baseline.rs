//! What knows next to nothing: the most frequent class, and the most frequent class of a port. A model must do better.

use std::collections::BTreeMap;

use crate::{Confusion, Data, Fold};

/// Always saying the class most frequent among the rows learned from.
pub(crate) fn majority(data: &Data, folds: &[Fold]) -> Confusion {
    by(data, folds, |_| 0)
}

/// Saying the class most frequent at the server's port; `None` where no row has a port.
pub(crate) fn ports(data: &Data, folds: &[Fold]) -> Option<Confusion> {
    let has_ports = data.rows().iter().any(|it| it.port != 0);
    has_ports.then(|| by(data, folds, |row| data.rows()[row].port))
}

/// Saying the class most frequent where a row is the same in one thing, and elsewhere the most frequent of all.
fn by(data: &Data, folds: &[Fold], thing: impl Fn(usize) -> u16) -> Confusion {
    let mut confusion = Confusion::new(data.classes());
    let class = |row: usize| data.rows()[row].class as usize;
    for fold in folds {
        let mut all = vec![0u64; data.classes().len()];
        let mut known: BTreeMap<u16, Vec<u64>> = BTreeMap::new();
        for row in &fold.learned {
            all[class(*row)] += 1;
            let of = known.entry(thing(*row)).or_insert_with(|| vec![0; data.classes().len()]);
            of[class(*row)] += 1;
        }
        let most = |of: &[u64]| (0..of.len()).rev().max_by_key(|it| of[*it]);
        for row in &fold.judged {
            confusion.add(class(*row), most(known.get(&thing(*row)).unwrap_or(&all)));
        }
    }
    confusion
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Row, Split};

    #[test]
    fn ports_say_what_the_most_frequent_class_cannot() {
        let mut data = Data::of_columns(vec!["a".to_owned()]);
        for at in 0..40u16 {
            let port = if at % 4 == 0 { 53 } else { 443 };
            data.push(
                [0.0],
                if port == 53 { "dns" } else { "web" },
                Row { port, ..Row::default() },
            );
        }
        let folds = Split::Blocks.folds(&data, 4, 1);
        assert_eq!(majority(&data, &folds).accuracy(), 0.75);
        assert_eq!(ports(&data, &folds).map(|it| it.accuracy()), Some(1.0));
    }
}
