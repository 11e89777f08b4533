//! A capture taken over HTTP: written to the folder as it comes, within its limit, and processed while it does.

use std::{io, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    routing::put,
};
use tokio::{fs, io::AsyncWriteExt};
use v1::{Error, error, page::Uploaded};

use super::{
    Answer, Asked, Site,
    asked::{Chunks, Parameters, accepts_json, begin_body, parameter},
    json,
};
use crate::{
    arriving::{Arriving, End},
    companion::cannot_write,
};

/// The longest name of a capture, in characters.
const MAX_NAME_LEN: usize = 200;

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
    if name.chars().count() > MAX_NAME_LEN {
        let message = format!("`name` is longer than {MAX_NAME_LEN} characters");
        return Err(error::BAD_PARAMETER.error(message).into());
    }
    let said = asked.headers().get(header::CONTENT_LENGTH);
    let said: u64 = said.and_then(|it| it.to_str().ok()?.parse().ok()).unwrap_or(0);
    let mut chunks = begin_body(asked, max_len)?;
    let place = {
        let name = name.clone();
        site.work(move |it| it.place(&name)).await?
    };
    // A body without a byte is found before there is a job of it.
    let Some(first) = chunks.next().await? else {
        return Err(error::NO_SENSE.error("an empty file is no capture").into());
    };
    let mut file = fs::File::create_new(place.part()).await.map_err(cannot_write)?;
    let arriving = Arc::new(Arriving::new(place.part()).map_err(cannot_write)?);
    let cut = Cut(Arc::clone(&arriving));
    let status = {
        let (name, arriving) = (name.clone(), Arc::clone(&arriving));
        site.work(move |it| it.process_arriving(&name, said, &arriving)).await?
    };
    let bytes = write(&mut file, first, &mut chunks, &arriving).await?;
    place.settle().map_err(|why| exists(&name, why))?;
    arriving.end(End::Whole);
    drop(cut);
    Ok(json(StatusCode::CREATED, &Uploaded { file_name: name, bytes, status }))
}

/// Writes what comes, and says how long it was.
async fn write(
    file: &mut fs::File,
    first: axum::body::Bytes,
    chunks: &mut Chunks,
    arriving: &Arriving,
) -> Result<u64, Error> {
    let (mut next, mut len) = (Some(first), 0);
    while let Some(chunk) = next {
        file.write_all(&chunk).await.map_err(cannot_write)?;
        // Only what is written is read.
        file.flush().await.map_err(cannot_write)?;
        arriving.grow(chunk.len() as u64);
        len += chunk.len() as u64;
        next = chunks.next().await?;
    }
    file.sync_all().await.map_err(cannot_write)?;
    Ok(len)
}

fn exists(name: &str, why: io::Error) -> Error {
    match why.kind() {
        io::ErrorKind::AlreadyExists => {
            error::FILE_EXISTS.error(format!("there is a file `{name}` already"))
        }
        _ => cannot_write(why),
    }
}

/// Says that an upload came no further, unless it is whole: whoever sent it may go at any time.
struct Cut(Arc<Arriving>);

impl Drop for Cut {
    fn drop(&mut self) {
        self.0.end(End::Cut);
    }
}
