//! Jobs on disk, so that they outlive the process. One file, one table: a job's number and its record as JSON.

use std::path::Path;

use engine::JobRecord;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use v1::JobId;

/// The table's name holds the version of the records: what an older program wrote is left alone.
const JOBS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("jobs-1");

/// The jobs on disk.
pub(crate) struct Store {
    database: Database,
}

/// Why the store fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Database(#[from] redb::DatabaseError),
    #[error(transparent)]
    Transaction(#[from] redb::TransactionError),
    #[error(transparent)]
    Table(#[from] redb::TableError),
    #[error(transparent)]
    Storage(#[from] redb::StorageError),
    #[error(transparent)]
    Commit(#[from] redb::CommitError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
}

impl Store {
    /// Opens the store, making it where it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let database = Database::create(path)?;
        let transaction = database.begin_write()?;
        transaction.open_table(JOBS)?;
        transaction.commit()?;
        Ok(Self { database })
    }

    /// Every job, by number. A record that cannot be read is skipped: its file can be processed again.
    pub(crate) fn load(&self) -> Result<Vec<JobRecord>, Error> {
        let transaction = self.database.begin_read()?;
        let table = transaction.open_table(JOBS)?;
        let mut records = Vec::new();
        for row in table.iter()? {
            let (_, json) = row?;
            if let Ok(record) = serde_json::from_slice(json.value()) {
                records.push(record);
            }
        }
        Ok(records)
    }

    /// Writes a job, and drops those that `is_kept` does not know.
    pub(crate) fn save(
        &self,
        record: &JobRecord,
        is_kept: impl Fn(JobId) -> bool,
    ) -> Result<(), Error> {
        let json = serde_json::to_vec(record)?;
        let transaction = self.database.begin_write()?;
        {
            let mut table = transaction.open_table(JOBS)?;
            table.insert(record.job.0, json.as_slice())?;
            table.retain(|job, _| is_kept(JobId(job)))?;
        }
        transaction.commit()?;
        Ok(())
    }
}
