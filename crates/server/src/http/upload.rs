//! A capture taken over HTTP: written to the folder as it comes, within its limit, and processed.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    routing::put,
};
use tokio::{fs, io::AsyncWriteExt};
use v1::{Error, error, page::Uploaded};

use super::{
    Answer, Asked, Site,
    asked::{Chunks, Parameters, accepts_json, begin_body, parameter},
};
use crate::{Companion, folder::NoFile, store};

/// The path.
pub(super) fn routes() -> Router<Arc<Site>> {
    Router::new().route("/v1x/upload", put(upload))
}

async fn upload(State(site): Asked, parameters: Parameters, asked: Request) -> Answer {
    accepts_json(asked.headers())?;
    let Some(max_len) = site.companion.max_upload() else {
        let message = "upload is off; start the companion with --upload";
        return Err(error::UPLOAD_OFF.error(message).into());
    };
    let name = parameter(&parameters, "name")?;
    let place = place(&site.companion, &name)?;
    let mut chunks = begin_body(asked, max_len)?;
    let part = Part::beside(&place);
    let bytes = part.take(&mut chunks).await?;
    if bytes == 0 {
        return Err(error::NO_SENSE.error("an empty file is no capture").into());
    }
    part.settle(&place, &name)?;
    let file_name = name.clone();
    let uploaded = move |it: &Companion| {
        let processed = it.process(std::slice::from_ref(&file_name))?.pop().unwrap_or_default();
        match (processed.status, processed.error) {
            (Some(status), _) => Ok(Uploaded { file_name, bytes, status }),
            (None, Some(error)) => Err(error),
            (None, None) => Err(Error::internal("nothing was processed")),
        }
    };
    site.work_json(StatusCode::CREATED, uploaded).await
}

/// Where a capture of this name is to lie; a folder below must be there.
fn place(companion: &Companion, name: &str) -> Result<PathBuf, Error> {
    companion.folder().free_place(name).map_err(|why| match why {
        NoFile::BadName => {
            let message = format!("`{name}` leads out of the folder, or would be hidden");
            error::BAD_FILE_NAME.error(message)
        }
        NoFile::Missing => {
            error::BAD_FILE_NAME.error(format!("the folder that `{name}` names is not there"))
        }
        NoFile::Unreadable(why) if why.kind() == std::io::ErrorKind::AlreadyExists => {
            error::FILE_EXISTS.error(format!("there is a file `{name}` already"))
        }
        NoFile::Unreadable(why) => cannot_write(why),
    })
}

fn cannot_write(why: std::io::Error) -> Error {
    let why = store::Error::of_io(why);
    error::CANNOT_STORE.error(format!("the folder of captures: {why}; nothing was kept"))
}

/// A capture that is not whole yet, in a hidden file; it goes where it is not settled.
struct Part(PathBuf);

impl Part {
    fn beside(place: &Path) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(place.with_file_name(format!(".upload-{process}-{number}")))
    }

    /// Writes what comes, and says how long it was.
    async fn take(&self, chunks: &mut Chunks) -> Result<u64, Error> {
        let mut file = fs::File::create_new(&self.0).await.map_err(cannot_write)?;
        let mut len = 0;
        while let Some(chunk) = chunks.next().await? {
            file.write_all(&chunk).await.map_err(cannot_write)?;
            len += chunk.len() as u64;
        }
        file.flush().await.map_err(cannot_write)?;
        file.sync_all().await.map_err(cannot_write)?;
        Ok(len)
    }

    /// Gives it its name, unless there is a file of that name by now.
    fn settle(self, place: &Path, name: &str) -> Result<(), Error> {
        std::fs::hard_link(&self.0, place).map_err(|why| match why.kind() {
            std::io::ErrorKind::AlreadyExists => {
                error::FILE_EXISTS.error(format!("there is a file `{name}` already"))
            }
            _ => cannot_write(why),
        })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Where it cannot be taken away it stays hidden.
        let _ = std::fs::remove_file(&self.0);
    }
}
