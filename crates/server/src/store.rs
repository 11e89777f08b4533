//! What outlives the process. Jobs are records in one database; what a finished job found is a file of its own.
//!
//! ```text
//! jobs.redb            every job, by its number; what was seen of tables of clusters
//! results/7.result     what job 7 found, and its record once more
//! running/7            job 7 was begun and has no end yet
//! ```
//!
//! A result is written aside, synced and renamed before its job is called finished, so a finished job has its whole result.
//! As results hold their records, a database that is damaged is made anew of them.
//!
//! A result file: the length of the record as 32 bits, the record as JSON, its CRC-32, and the bytes of [`engine::Report`],
//! which have a version and a checksum of their own; numbers little-endian.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
};

use engine::{Report, ReportError};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use v1::JobId;

use crate::{folder::Stamp, found::Seen, jobs::Record};

/// The table's name holds the version of the records: what an older program wrote is left alone.
const JOBS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("jobs-2");
/// What was seen of tables of clusters, by their names.
const FOUND: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("found-2");
/// What names of results end with.
const RESULT: &str = "result";
/// The longest record, in bytes: one that claims to be longer is damaged.
const MAX_RECORD_LEN: usize = 16 << 20;

/// The jobs on disk.
pub(crate) struct Store {
    path: PathBuf,
    /// Away after a failed write: the database takes no more until it is opened again.
    database: Option<Database>,
    results: Results,
}

/// The results on disk.
#[derive(Clone)]
pub(crate) struct Results {
    folder: PathBuf,
    running: PathBuf,
}

/// What was seen of a table of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// Those of its files that could be read, in order.
    pub(crate) parts: Vec<Part>,
    /// Its rows, each name once: those of the files, and then what else is known.
    pub(crate) rows: Vec<Seen>,
}

/// A file of a table, as it was when it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) stamp: Stamp,
    /// How many of the table's rows are its.
    pub(crate) n_rows: usize,
    /// Whether they are all it has: none was passed over, which may be another time's.
    pub(crate) is_all: bool,
}

impl Found {
    /// The files with the rows of each.
    pub(crate) fn by_part(&self) -> impl Iterator<Item = (&Part, &[Seen])> {
        let mut rest = self.rows.as_slice();
        self.parts.iter().filter_map(move |part| {
            let (rows, after) = rest.split_at_checked(part.n_rows)?;
            rest = after;
            Some((part, rows))
        })
    }
}

/// Why the store fails.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("another companion uses it")]
    InUse,
    #[error("the disk is full")]
    Full,
    #[error("it may not be written to")]
    ReadOnly,
    #[error("it is damaged: {0}")]
    Damaged(String),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Redb(redb::Error),
}

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoResult {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Report(#[from] ReportError),
    #[error("it is damaged: its record is cut off or changed")]
    Cut,
    #[error("it is damaged: its record cannot be read: {0}")]
    Record(#[from] serde_json::Error),
}

/// What a store held when it was opened.
pub(crate) struct Loaded {
    pub(crate) store: Store,
    /// By number.
    pub(crate) records: Vec<Record>,
    /// The jobs that were being read when the process ended.
    pub(crate) were_running: Vec<JobId>,
    /// Why the database was made anew, and where the damaged one lies now.
    pub(crate) rebuilt: Option<String>,
}

impl Store {
    /// Opens the store in a folder, making it where it is missing.
    pub(crate) fn open(folder: &Path) -> Result<Loaded, Error> {
        let results = Results { folder: folder.join("results"), running: folder.join("running") };
        fs::create_dir_all(&results.folder).map_err(Error::of_io)?;
        fs::create_dir_all(&results.running).map_err(Error::of_io)?;
        results.sweep()?;
        let path = folder.join("jobs.redb");
        let opened = guarded(|| {
            let database = open(&path)?;
            let records = load(&database)?;
            Ok((database, records))
        });
        let mut rebuilt = None;
        let (database, records) = match opened {
            Err(Error::Damaged(why)) => {
                let aside = free_name(&folder.join("jobs.damaged"));
                fs::rename(&path, &aside)?;
                let name = aside.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let records = results.records()?;
                let database = open(&path)?;
                save(&database, &records.iter().collect::<Vec<_>>(), &[])?;
                rebuilt = Some(format!("{why}; it lies in {name} now"));
                (database, records)
            }
            opened => opened?,
        };
        let were_running = results.were_running()?;
        let store = Self { path, database: Some(database), results };
        Ok(Loaded { store, records, were_running, rebuilt })
    }

    /// The results beside the database.
    pub(crate) fn results(&self) -> Results {
        self.results.clone()
    }

    /// Writes records and takes others away, all or none; once it returns they are on the disk.
    pub(crate) fn save(&mut self, records: &[&Record], gone: &[JobId]) -> Result<(), Error> {
        self.with_database(|it| save(it, records, gone))
    }

    /// Keeps what was seen of a table of a cluster.
    pub(crate) fn save_found(&mut self, table: &str, found: &Found) -> Result<(), Error> {
        self.with_database(|it| save_found(it, table, found))
    }

    /// What was seen of a table of a cluster; nothing where none was kept, or it cannot be read.
    pub(crate) fn found(&mut self, table: &str) -> Option<Found> {
        self.with_database(|it| found(it, table)).ok().flatten()
    }

    fn with_database<T>(
        &mut self,
        run: impl FnOnce(&Database) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let database = match self.database.take() {
            Some(database) => database,
            None => guarded(|| open(&self.path))?,
        };
        let result = guarded(|| run(&database));
        // After a write that failed the database takes no more: it is opened again for the next.
        if result.is_ok() {
            self.database = Some(database);
        }
        result
    }
}

fn open(path: &Path) -> Result<Database, Error> {
    let database = Database::create(path).map_err(Error::of)?;
    // What is there is not written again: a full disk can still be read.
    if database.begin_read().map_err(Error::of)?.open_table(JOBS).is_ok() {
        return Ok(database);
    }
    let transaction = database.begin_write().map_err(Error::of)?;
    transaction.open_table(JOBS).map_err(Error::of)?;
    transaction.commit().map_err(Error::of)?;
    Ok(database)
}

fn load(database: &Database) -> Result<Vec<Record>, Error> {
    let transaction = database.begin_read().map_err(Error::of)?;
    let table = transaction.open_table(JOBS).map_err(Error::of)?;
    let mut records = Vec::new();
    for row in table.iter().map_err(Error::of)? {
        let (job, json) = row.map_err(Error::of)?;
        let record = serde_json::from_slice(json.value())
            .map_err(|error| Error::Damaged(format!("job {}: {error}", job.value())))?;
        records.push(record);
    }
    Ok(records)
}

fn save(database: &Database, records: &[&Record], gone: &[JobId]) -> Result<(), Error> {
    let transaction = database.begin_write().map_err(Error::of)?;
    {
        let mut table = transaction.open_table(JOBS).map_err(Error::of)?;
        for record in records {
            let json = serde_json::to_vec(record).map_err(io::Error::from)?;
            table.insert(record.job.0, json.as_slice()).map_err(Error::of)?;
        }
        for job in gone {
            table.remove(job.0).map_err(Error::of)?;
        }
    }
    transaction.commit().map_err(Error::of)
}

fn found(database: &Database, table: &str) -> Result<Option<Found>, Error> {
    let transaction = database.begin_read().map_err(Error::of)?;
    // There is none before the first was written.
    let Ok(tables) = transaction.open_table(FOUND) else { return Ok(None) };
    let json = tables.get(table).map_err(Error::of)?;
    Ok(json.and_then(|it| serde_json::from_slice(it.value()).ok()))
}

fn save_found(database: &Database, table: &str, found: &Found) -> Result<(), Error> {
    let json = serde_json::to_vec(found).map_err(io::Error::from)?;
    let transaction = database.begin_write().map_err(Error::of)?;
    {
        let mut tables = transaction.open_table(FOUND).map_err(Error::of)?;
        tables.insert(table, json.as_slice()).map_err(Error::of)?;
    }
    transaction.commit().map_err(Error::of)
}

/// A damaged database may make its package panic.
fn guarded<T>(run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|_| Err(Error::Damaged("it contradicts itself".to_owned())))
}

/// A name with a number that nothing has yet.
fn free_name(path: &Path) -> PathBuf {
    let named = (1..u32::MAX).map(|it| path.with_extension(format!("damaged-{it}")));
    named.into_iter().find(|it| !it.exists()).unwrap_or_else(|| path.to_owned())
}

impl Error {
    fn of(error: impl Into<redb::Error>) -> Self {
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => Self::InUse,
            redb::Error::Io(error) => Self::of_io(error),
            redb::Error::Corrupted(why) => Self::Damaged(why),
            error @ (redb::Error::UpgradeRequired(_) | redb::Error::TableTypeMismatch { .. }) => {
                Self::Damaged(error.to_string())
            }
            error => Self::Redb(error),
        }
    }

    pub(crate) fn of_io(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Self::ReadOnly,
            // What a file without the database's signs gives.
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                Self::Damaged(error.to_string())
            }
            _ => Self::Io(error),
        }
    }
}

impl Results {
    fn path(&self, job: JobId) -> PathBuf {
        self.folder.join(format!("{}.{RESULT}", job.0))
    }

    /// Writes a result. Once it returns it is on the disk, whole; what there was of the job before is replaced.
    pub(crate) fn write(&self, record: &Record, report: &[u8]) -> io::Result<()> {
        let path = self.path(record.job);
        let aside = path.with_extension("part");
        let written = self.write_aside(&aside, record, report);
        if written.is_err() {
            // Half of it only takes room.
            let _ = fs::remove_file(&aside);
        }
        written?;
        fs::rename(&aside, &path)?;
        sync_folder(&self.folder)
    }

    fn write_aside(&self, aside: &Path, record: &Record, report: &[u8]) -> io::Result<()> {
        let json = serde_json::to_vec(record)?;
        let mut file = File::create(aside)?;
        file.write_all(&(json.len() as u32).to_le_bytes())?;
        file.write_all(&json)?;
        file.write_all(&crc32fast::hash(&json).to_le_bytes())?;
        file.write_all(report)?;
        file.sync_all()
    }

    /// What a job found.
    pub(crate) fn read(&self, job: JobId) -> Result<Report, NoResult> {
        let mut file = File::open(self.path(job))?;
        read_record(&mut file)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(Report::read(&bytes)?)
    }

    /// Takes results away; one that is not there is gone already.
    pub(crate) fn remove(&self, jobs: &[JobId]) {
        for job in jobs {
            let _ = fs::remove_file(self.path(*job));
        }
    }

    /// Takes away what no record knows: a result whose job was not called finished before the process ended.
    pub(crate) fn keep_only(&self, is_kept: impl Fn(JobId) -> bool) -> io::Result<()> {
        for (job, path) in numbered(&self.folder)? {
            if !is_kept(job) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// The records of all results that are whole, by number.
    fn records(&self) -> io::Result<Vec<Record>> {
        let mut records = Vec::new();
        for (job, path) in numbered(&self.folder)? {
            let record = File::open(path).map_err(NoResult::from);
            let record = record.and_then(|mut file| read_record(&mut file));
            if let Some(record) = record.ok().filter(|it| it.job == job) {
                records.push(record);
            }
        }
        records.sort_by_key(|it: &Record| it.job);
        Ok(records)
    }

    /// Says that a job is begun: should the process end with it, that is known.
    pub(crate) fn begin(&self, job: JobId) {
        // Where nothing can be written that is told when the job ends.
        let _ = File::create(self.running.join(job.0.to_string()));
    }

    /// Says that it has an end.
    pub(crate) fn end(&self, job: JobId) {
        let _ = fs::remove_file(self.running.join(job.0.to_string()));
    }

    fn were_running(&self) -> io::Result<Vec<JobId>> {
        let mut jobs = Vec::new();
        for (job, path) in numbered(&self.running)? {
            jobs.push(job);
            fs::remove_file(path)?;
        }
        Ok(jobs)
    }

    /// Takes away what a process that ended had written by half.
    fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|it| it == "part") {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

/// The files of a folder whose names are numbers, whatever the extension.
fn numbered(folder: &Path) -> io::Result<Vec<(JobId, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let number = path.file_stem().and_then(|it| it.to_str()?.parse().ok());
        found.extend(number.map(|it| (JobId(it), path)));
    }
    Ok(found)
}

fn read_record(file: &mut File) -> Result<Record, NoResult> {
    let mut word = [0; 4];
    file.read_exact(&mut word)?;
    let len = u32::from_le_bytes(word) as usize;
    if len > MAX_RECORD_LEN {
        return Err(NoResult::Cut);
    }
    let mut json = vec![0; len];
    file.read_exact(&mut json)?;
    file.read_exact(&mut word)?;
    if crc32fast::hash(&json) != u32::from_le_bytes(word) {
        return Err(NoResult::Cut);
    }
    Ok(serde_json::from_slice(&json)?)
}

/// Has the names of a folder's files on the disk too.
fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened, and a rename is on the disk by itself.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
