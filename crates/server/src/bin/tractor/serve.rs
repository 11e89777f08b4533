//! `tractor serve`: the companion, until it is told to stop.

use std::{
    env,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use clap::{Args, ValueEnum};
use server::{Companion, Hosts, Options, Token};
use tracing_subscriber::filter::LevelFilter;

use crate::{Error, Outcome, input};

/// How long the companion may take to stop; what is not stored by then runs again after the next start.
const MAX_STOP_TIME: Duration = Duration::from_secs(4);

#[derive(Args)]
pub(crate) struct Serve {
    /// The folder of captures; made where it is missing.
    #[arg(long, value_name = "DIR", default_value = "captures")]
    captures: PathBuf,
    /// What a cluster wrote: its results answer as if the captures had been read here; may be given again.
    #[arg(long, value_name = "OUT")]
    found: Vec<PathBuf>,
    /// The folder of the job store; made where it is missing.
    #[arg(long, value_name = "DIR", default_value = "data")]
    data: PathBuf,
    /// Where to listen; port 0 picks a free one. In a network whoever asks needs a token.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// A file with the token that whoever asks must say; of at least 16 letters, digits and signs.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Let everybody ask who reaches the companion in a network.
    #[arg(long, conflicts_with = "token_file")]
    no_auth: bool,
    /// The built page; without it the folder dist here or beside the program, where there is one.
    #[arg(long, value_name = "DIR")]
    page: Option<PathBuf>,
    /// A name this machine is called by, besides its addresses and localhost; may be given again.
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// Read so many captures at once; as many as the machine has cores, where nothing is said.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    workers: Option<u16>,
    /// Take captures over HTTP, none longer than so many MB.
    #[arg(long, value_name = "MB")]
    upload: Option<u32>,
    /// Hold so many connections at once.
    #[arg(long, value_name = "N", default_value_t = 4_096, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    connections: u32,
    /// What is told on standard error.
    #[arg(long, value_enum, default_value_t = Level::Info)]
    log: Level,
    /// Tell it as lines of JSON.
    #[arg(long)]
    log_json: bool,
    #[command(flatten)]
    own: input::OwnRulesFile,
    #[command(flatten)]
    countries: input::CountriesFile,
}

/// How much is told.
#[derive(Clone, Copy, ValueEnum)]
enum Level {
    /// What fails.
    Error,
    /// What may fail.
    Warn,
    /// Jobs that end.
    Info,
    /// Requests, by their paths.
    Debug,
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
    let token = arguments.token_file.as_deref().map(read_token).transpose()?;
    if !arguments.listen.ip().is_loopback() && token.is_none() && !arguments.no_auth {
        let message = format!(
            "whoever reaches {} could read the captures: give a --token-file, or say --no-auth",
            arguments.listen
        );
        return Err(Error::Usage(message));
    }
    log(arguments.log, arguments.log_json);
    let failed = |error: &dyn std::error::Error| Error::Start(error.to_string());
    let own = arguments.own.read()?;
    let n_rules = own.len();
    let countries = arguments.countries.read()?;
    let source = countries.as_ref().map(|it| it.source().clone());
    let options = Options {
        own,
        countries,
        workers: arguments.workers.map(usize::from),
        max_upload: arguments.upload.map(|it| u64::from(it) * 1_000_000),
        found: arguments.found.clone(),
    };
    let companion = Companion::open_with(&arguments.captures, &arguments.data, options)
        .map_err(|it| failed(&it))?;
    let companion = Arc::new(companion);
    let n_connections = raise_files(arguments.connections as usize);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|it| failed(&it))?;
    runtime.block_on(async {
        let listener = server::listen(arguments.listen).map_err(|error| {
            Error::Start(format!("cannot listen on {}: {error}", arguments.listen))
        })?;
        let address = listener.local_addr().map_err(|it| failed(&it))?;
        eprintln!("captures: {}", shown(&arguments.captures));
        for found in &arguments.found {
            eprintln!("found by a cluster: {}", shown(found));
        }
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
        let mut hosts = Hosts::of(address, &arguments.host);
        if let Some(token) = token {
            hosts = hosts.with_token(token);
        }
        let app = server::app(Arc::clone(&companion), page, hosts);
        let stop = async {
            told_to_stop().await;
            end_soon();
        };
        server::serve(listener, app, Arc::clone(&companion), n_connections, stop).await;
        Ok(())
    })?;
    // Questions that are being worked at are not waited for.
    runtime.shutdown_background();
    drop(companion);
    Ok(Outcome::Complete)
}

/// Ends the program where it does not end by itself: what it is at is not stored, and runs again.
fn end_soon() {
    thread::spawn(|| {
        thread::sleep(MAX_STOP_TIME);
        std::process::exit(0);
    });
}

fn read_token(path: &Path) -> Result<Token, Error> {
    let about = |why: String| Error::Usage(format!("{}: {why}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| about(error.to_string()))?;
    Token::new(&text).map_err(about)
}

/// Says on standard error what happens.
fn log(level: Level, is_json: bool) {
    let level = match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
    };
    let log = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr);
    let log = log.with_ansi(false).with_target(false);
    if is_json { log.json().init() } else { log.init() }
}

/// Has the system let the program open as many files as it may; gives how many connections there is room for.
fn raise_files(wanted: usize) -> usize {
    /// Files besides connections.
    #[cfg(unix)]
    const OTHERS: u64 = 256;
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        let now = match setrlimit(Resource::Nofile, raised) {
            Ok(()) => limit.maximum,
            Err(_) => limit.current,
        };
        let room = now.map_or(u64::MAX, |it| it.saturating_sub(OTHERS).max(1));
        wanted.min(usize::try_from(room).unwrap_or(usize::MAX))
    }
    #[cfg(not(unix))]
    wanted
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
