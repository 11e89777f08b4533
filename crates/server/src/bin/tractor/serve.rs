//! `tractor serve`: the companion, until it is told to stop.

use std::{
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use clap::Args;
use server::{Companion, Hosts};
use tokio::net::TcpListener;

use crate::{Error, Outcome, input};

#[derive(Args)]
pub(crate) struct Serve {
    /// The folder of captures; made where it is missing.
    #[arg(long, value_name = "DIR", default_value = "captures")]
    captures: PathBuf,
    /// The folder of the job store; made where it is missing.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Where to listen; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The built page; without it the folder dist here or beside the program, where there is one.
    #[arg(long, value_name = "DIR")]
    page: Option<PathBuf>,
    /// A name this machine is called by, besides its addresses and localhost; may be given again.
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    #[command(flatten)]
    own: input::OwnRulesFile,
    #[command(flatten)]
    countries: input::CountriesFile,
}

pub(crate) fn run(arguments: &Serve) -> Result<Outcome, Error> {
    let page = match &arguments.page {
        Some(page) if page.join("index.html").is_file() => Some(page.clone()),
        Some(page) => {
            let message = format!("there is no index.html in {}", page.display());
            return Err(Error::Usage(message));
        }
        None => built_page(),
    };
    let failed = |error: &dyn std::error::Error| Error::Start(error.to_string());
    let own = arguments.own.read()?;
    let n_rules = own.len();
    let countries = arguments.countries.read()?;
    let companion = Companion::open_with(&arguments.captures, &arguments.data, own)
        .map_err(|it| failed(&it))?;
    let source = countries.as_ref().map(|it| it.source().clone());
    companion.set_countries(countries);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|it| failed(&it))?;
    runtime.block_on(async {
        let listener = TcpListener::bind(arguments.listen).await.map_err(|error| {
            Error::Start(format!("cannot listen on {}: {error}", arguments.listen))
        })?;
        let address = listener.local_addr().map_err(|it| failed(&it))?;
        eprintln!("captures: {}", shown(&arguments.captures));
        eprintln!("job store: {}", shown(&arguments.data));
        if n_rules > 0 {
            eprintln!("rules of your own: {n_rules}");
        }
        if let Some(source) = source {
            eprintln!("countries by {}", source.kind);
        }
        match &page {
            Some(page) => eprintln!("page: {}", shown(page)),
            None => eprintln!("page: not built, the interface alone is served"),
        }
        eprintln!("TrActor listens on http://{address}/ (Ctrl-C ends it)");
        let hosts = Hosts::of(address, &arguments.host);
        let app = server::app(Arc::new(companion), page, hosts);
        axum::serve(listener, app)
            .with_graceful_shutdown(told_to_stop())
            .await
            .map_err(|it| failed(&it))
    })?;
    Ok(Outcome::Complete)
}

/// The page built here, or lying beside the program.
fn built_page() -> Option<PathBuf> {
    let beside = env::current_exe().ok().and_then(|it| Some(it.parent()?.join("dist")));
    let here = PathBuf::from("dist");
    [Some(here), beside].into_iter().flatten().find(|it| it.join("index.html").is_file())
}

fn shown(path: &Path) -> String {
    path.canonicalize().unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// Waits for Ctrl-C, or for what a service manager sends.
pub(crate) async fn told_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    if let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    {
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    // Without a handler there is nothing to wait for, and nothing to do but go on.
    if interrupt.await.is_err() {
        std::future::pending::<()>().await;
    }
}
