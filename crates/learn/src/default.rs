//! The model that comes with the program: `docs/model.md` says what it learned, how well it does and where it fails.

use crate::Model;

/// The confidence below which its word should not count: see "What it never learned" in `docs/model.md`.
pub const DEFAULT_THRESHOLD: f32 = 0.9;

/// The model that comes with the program, `cargo xtask model` makes it. It is asked of nothing by itself.
pub fn default_model() -> Model {
    let bytes = include_bytes!("../models/behaviour.tractor");
    Model::read(bytes).expect("a test reads it")
}

#[cfg(test)]
mod tests {
    use features::BEHAVIOUR;

    use super::*;

    #[test]
    fn the_default_model_is_small_and_of_this_programs_columns() {
        let model = default_model();
        assert_eq!(model.schema(), Some(&BEHAVIOUR));
        let columns: Vec<&str> = BEHAVIOUR.features().map(|it| it.name).collect();
        assert_eq!(model.columns(), columns);
        assert!(model.write().len() <= 200_000);
        assert!(model.classes().len() >= 8 && model.card.judged.is_some());
    }
}
