//! `farthing serve`: the site, live, and an explorer of costs, for this machine alone.
//!
//! ```text
//! request ── guard: name, method, length ──> path ─┬─ explore*          form ── cost::price ──> page, CSV, JSON
//!                                                  ├─ deals/ID/edit*    assignments ── deal ──> page, TOML
//!                                                  └─ anything else     a file of the site, by its path in a map
//! ```
//! Nothing is read by a path that a request names, and nothing is changed by a request.

mod editor;
mod explore;
mod field;
mod guard;
mod kept;
mod live;
mod query;
mod reply;

#[cfg(test)]
mod tests;

use crate::catalogue::Catalogue;
use crate::cost::Format;
use crate::deal::CentralLine;
use crate::site::layout::{Frame, Head};
use crate::site::{self, Runs, Site, SiteError, Source, SourceError};
use crate::store::{Results, StoreError};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::middleware;
use axum::response::Response;
use axum::routing::get;
use editor::Edited;
use explore::{Evidence, Explored};
use kept::Kept;
use maud::html;
use query::Query;
use reply::Reply;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long answers under way have after Ctrl-C.
const GRACE: Duration = Duration::from_secs(1);

/// What is served, and where.
pub struct Options {
    /// Port of 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Runs.
    pub results: Results,
    /// Figures that were not measured.
    pub catalogue: Catalogue,
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The port cannot be had.
    #[error("cannot listen on port {port} of 127.0.0.1: {source}; name another with --port, or 0 for a free one")]
    Bind {
        /// The port.
        port: u16,
        /// The system's error.
        source: io::Error,
    },
    /// Ctrl-C cannot be listened for.
    #[error("cannot listen for Ctrl-C: {0}")]
    Signal(#[from] ctrlc::Error),
    /// No event loop, or the address cannot be written.
    #[error("cannot serve: {0}")]
    Io(#[from] io::Error),
}

/// Serves until Ctrl-C; the address goes to `out`, a line of its own, once it answers.
///
/// # Errors
/// The port is taken, or the address cannot be written.
pub fn run(options: Options, out: &mut dyn Write) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let served = runtime.block_on(until_ctrl_c(options, out));
    // Pages that are still being computed end with the process.
    runtime.shutdown_background();
    served
}

async fn until_ctrl_c(options: Options, out: &mut dyn Write) -> Result<(), ServeError> {
    let port = options.port;
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    let listener = bound.map_err(|source| ServeError::Bind { port, source })?;
    let (stop, mut stopped) = watch::channel(false);
    ctrlc::set_handler(move || {
        stop.send_replace(true);
    })?;
    writeln!(out, "http://{}/", listener.local_addr()?)?;
    out.flush()?;
    let mut told = stopped.clone();
    let graceful = async move { drop(told.wait_for(|stopped| *stopped).await) };
    let serving = axum::serve(listener, app(Arc::new(Served::new(options)))).with_graceful_shutdown(graceful);
    let serving = tokio::spawn(serving.into_future());
    // The sender lives in the handler, so this waits for Ctrl-C and nothing else.
    drop(stopped.wait_for(|stopped| *stopped).await);
    drop(tokio::time::timeout(GRACE, serving).await);
    Ok(())
}

/// What answers are made from.
struct Served {
    frame: Frame,
    results: Results,
    catalogue: Catalogue,
    evidence: Kept<Evidence>,
    site: Kept<Site>,
    /// Answers of scenarios as they are shipped, by id.
    written: Mutex<BTreeMap<&'static str, Arc<[CentralLine]>>>,
}

fn app(served: Arc<Served>) -> Router {
    let pages = get(answer);
    Router::new()
        .route("/", pages.clone())
        .route("/{*path}", pages)
        .layer(middleware::from_fn(guard::guard))
        .with_state(served)
}

/// Answers in a thread of its own: a page may take a while, and others are not to wait for it.
async fn answer(State(served): State<Arc<Served>>, uri: Uri) -> Response {
    let made = tokio::task::spawn_blocking(move || served.reply(uri.path(), uri.query().unwrap_or_default())).await;
    let reply = made.unwrap_or_else(|error| {
        let text = format!("this page could not be made: {error}; please report it with its address\n");
        Reply::text(StatusCode::INTERNAL_SERVER_ERROR, text)
    });
    reply.into()
}

impl Served {
    fn new(options: Options) -> Served {
        let Options { results, catalogue, .. } = options;
        let frame = Frame { live: true, edition: "Rendered as you look, from the results folder as it is now.".into() };
        Served {
            frame,
            results,
            catalogue,
            evidence: Kept::nothing(),
            site: Kept::nothing(),
            written: Mutex::default(),
        }
    }

    /// The answer to a path and a query.
    fn reply(&self, path: &str, query: &str) -> Reply {
        let path = path.strip_prefix('/').unwrap_or(path);
        let deal = |end| path.strip_prefix("deals/").and_then(|rest| rest.strip_suffix(end));
        match path {
            "explore" => self.explored(query, |explored, evidence| {
                Reply::page(explored.page(&self.frame, &self.catalogue, evidence), self.policy())
            }),
            "explore.csv" => self.export(query, Format::Csv, "text/csv; charset=utf-8"),
            "explore.json" => self.export(query, Format::Json, "application/json"),
            _ => match (deal("/edit"), deal("/edit.toml")) {
                (Some(id), _) => self.edited(id, query, |edited| self.editor(&edited)),
                (_, Some(id)) => self.edited(id, query, |edited| exported("application/toml", edited.file())),
                _ => self.file(path),
            },
        }
    }

    /// The policy of pages with the script of live forms.
    fn policy(&self) -> String {
        self.frame.policy(Some(live::SCRIPT))
    }

    fn explored(&self, query: &str, reply: impl Fn(&Explored, &Evidence) -> Reply) -> Reply {
        match self.evidence.get(&self.results, || Evidence::newest(&self.results)) {
            Ok(evidence) => reply(&Explored::new(Query::parse(query), &self.catalogue, &evidence), &evidence),
            Err(error) => failed(&error),
        }
    }

    fn export(&self, query: &str, format: Format, media: &'static str) -> Reply {
        self.explored(query, |explored, _| exported(media, explore::export(explored, format)))
    }

    fn edited(&self, id: &str, query: &str, reply: impl Fn(Edited) -> Reply) -> Reply {
        match Edited::new(id, &Query::parse(query), &self.catalogue) {
            Some(Ok(edited)) => reply(edited),
            Some(Err(error)) => failed(&error),
            None => self.missing(id),
        }
    }

    /// The editor, with the answers of the scenario as written beside those of the edited one.
    fn editor(&self, edited: &Edited) -> Reply {
        let kept = self.written.lock().unwrap_or_else(PoisonError::into_inner).get(edited.id()).cloned();
        if let Some(written) = kept {
            return Reply::page(edited.page(&self.frame, &written), self.policy());
        }
        self.edited(edited.id(), "", |written| {
            let answers: Arc<[CentralLine]> = written.into_answers().into();
            self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(edited.id(), Arc::clone(&answers));
            Reply::page(edited.page(&self.frame, &answers), self.policy())
        })
    }

    /// A file of the site. Paths are looked up among those of the site: none leads anywhere else.
    fn file(&self, path: &str) -> Reply {
        let path = if path.is_empty() { "index.html" } else { path };
        match self.site() {
            Ok(site) => match site.files.get(path) {
                Some(file) if file.media == site::HTML => Reply::page(file.bytes.clone(), self.frame.policy(None)),
                Some(file) => Reply::file(file.media, file.bytes.clone()),
                None => self.missing(path),
            },
            Err(error) => failed(&error),
        }
    }

    fn site(&self) -> Result<Arc<Site>, SiteFailure> {
        self.site.get(&self.results, || {
            let runs = Runs::read(&self.results)?;
            Ok(Site::build(&Source::new(runs, self.catalogue.clone(), site::DRAWN)?, true)?)
        })
    }

    fn missing(&self, path: &str) -> Reply {
        let body = html! {
            h1 { "There is no such page" }
            p { "Nothing lies at " code { (query::shown(path)) } ". Begin at the " a href="/" { "overview" } "." }
        };
        let page = self.frame.page(&Head::new(path, "No such page", "Nothing lies here."), &body);
        let mut reply = Reply::page(page, self.frame.policy(None));
        reply.status = StatusCode::NOT_FOUND;
        reply
    }
}

/// Why there is no site to show.
#[derive(Debug, thiserror::Error)]
enum SiteFailure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Site(#[from] SiteError),
}

fn failed(error: &dyn std::fmt::Display) -> Reply {
    Reply::text(StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n"))
}

/// A file, or every problem that keeps it from being made.
fn exported(media: &'static str, made: Result<String, String>) -> Reply {
    match made {
        Ok(text) => Reply::file(media, text.into_bytes()),
        Err(problems) => Reply::text(StatusCode::BAD_REQUEST, problems),
    }
}
