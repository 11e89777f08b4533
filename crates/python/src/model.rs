//! Models: learned from captures, kept as the file that is the same everywhere, and asked of other captures.

use std::sync::Arc;

use engine::{Applying, Lesson, Teacher};
use pyo3::{prelude::*, types::PyBytes};
use serde::Serialize;
use v1::page::{TrainingLabels, TrainingPlan};

use crate::{
    capture::{self, How, Named, Unread},
    errors,
    table::{Rows, Table, Wanted},
    waiting::{Stop, interruptible},
};

/// What was learned.
#[pyclass(frozen, module = "tractor._tractor")]
pub(crate) struct Model(Arc<learn::Model>);

/// Captures to learn from, or to judge by.
#[pyclass(module = "tractor._tractor")]
pub(crate) struct Studio(engine::Studio);

fn json(value: &impl Serialize) -> String {
    // Numbers, texts and lists always have a form in JSON.
    serde_json::to_string(value).unwrap_or_default()
}

#[pymethods]
impl Model {
    /// A model of the bytes of its file.
    #[staticmethod]
    fn read(py: Python<'_>, bytes: &[u8]) -> PyResult<Self> {
        let model = learn::Model::read(bytes);
        let model = model.map_err(|error| errors::no_sense(py, &error.to_string()))?;
        Ok(Self(Arc::new(model)))
    }

    /// The model that comes with the program.
    #[staticmethod]
    fn own() -> Self {
        Self(Arc::new(learn::default_model()))
    }

    /// How sure the program's own model has to be.
    #[classattr]
    fn own_threshold() -> f32 {
        learn::DEFAULT_THRESHOLD
    }

    /// The bytes of its file.
    fn write<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.write())
    }

    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    #[getter]
    fn classes(&self) -> Vec<String> {
        self.0.classes().to_vec()
    }

    /// What is to be known of it, as JSON.
    fn card(&self) -> String {
        json(&engine::card(&self.0))
    }

    /// The flows of captures, labelled by the model where they say nothing of themselves.
    #[pyo3(signature = (sources, how, threshold, over_payload, wanted))]
    fn predict(
        &self,
        py: Python<'_>,
        sources: Vec<Named<'_>>,
        how: How,
        threshold: f32,
        over_payload: bool,
        wanted: Wanted,
    ) -> PyResult<Table> {
        let rows = Rows::of(py, "flows", &wanted)?.guessed();
        let model = (Arc::clone(&self.0), Applying { threshold, over_payload });
        Ok(Table::new(capture::unread(sources, &how, Some(&model))?, rows))
    }
}

#[pymethods]
impl Studio {
    /// Nothing to learn from yet; flows are cut by this timeout, in microseconds.
    #[new]
    #[pyo3(signature = (schema, timeout_micros))]
    fn new(py: Python<'_>, schema: &str, timeout_micros: Option<u64>) -> PyResult<Self> {
        let found = features::schema(schema);
        let found = found.ok_or_else(|| {
            let names: Vec<&str> = features::SCHEMAS.iter().map(|it| it.name).collect();
            let names = names.join(", ");
            errors::no_sense(py, &format!("there is no schema `{schema}`; there are {names}"))
        })?;
        Ok(Self(engine::Studio::new(found, timeout_micros)))
    }

    /// One that makes rows as a model wants them.
    #[staticmethod]
    fn of_model(py: Python<'_>, model: &Model) -> PyResult<Self> {
        let Some(schema) = model.0.schema() else {
            let message = "the model looks at columns that are not made of captures";
            return Err(errors::no_sense(py, message));
        };
        Ok(Self(engine::Studio::new(schema, model.0.timeout_micros())))
    }

    /// Reads a capture and adds its flows; `labels` says where their labels come from, as JSON. What became of them, as JSON.
    #[pyo3(signature = (source, name, how, labels, filter))]
    fn add(
        &mut self,
        source: &Bound<'_, PyAny>,
        name: String,
        how: How,
        labels: &str,
        filter: Option<&str>,
    ) -> PyResult<String> {
        let py = source.py();
        let no_sense = |error: &dyn std::fmt::Display| errors::no_sense(py, &error.to_string());
        let labels: TrainingLabels = serde_json::from_str(labels).map_err(|it| no_sense(&it))?;
        let teacher = Teacher::of(&labels).map_err(|it| no_sense(&it))?;
        let lesson = Lesson { filter: errors::filter(py, filter)?, teacher };
        let found = Unread::of(source, Some(name), &how, None)?.read(py)?;
        let part = self.0.add(&found.analysis, &found.name, &lesson).map_err(|it| no_sense(&it))?;
        Ok(json(&part))
    }

    /// Learns by a plan, as JSON. The model, where one was to be learned.
    #[pyo3(signature = (plan))]
    fn learn(&mut self, py: Python<'_>, plan: &str) -> PyResult<Option<Model>> {
        let no_sense = |error: &dyn std::fmt::Display| errors::no_sense(py, &error.to_string());
        let plan: TrainingPlan = serde_json::from_str(plan).map_err(|it| no_sense(&it))?;
        let studio = &mut self.0;
        let learned = interruptible(py, |stop: &Stop| {
            studio.begin(&plan)?;
            while studio.step().is_some() {
                if stop.is_asked() {
                    studio.stop();
                }
            }
            Ok::<_, engine::StudioError>(())
        })?;
        learned.map_err(|it| no_sense(&it))?;
        Ok(self.0.model().filter(|_| plan.has_model).map(|it| Model(Arc::clone(it))))
    }

    /// Judges a model by all rows there are.
    fn judge(&mut self, py: Python<'_>, model: &Model) -> PyResult<()> {
        let (studio, model) = (&mut self.0, &*model.0);
        let judged = interruptible(py, |_| studio.judge(model))?;
        judged.map_err(|error| errors::no_sense(py, &error.to_string()))
    }

    /// How well it does, as JSON; nothing where nothing was judged.
    fn report(&self) -> Option<String> {
        self.0.report().map(|it| json(&it))
    }
}
