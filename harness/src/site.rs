//! The published site: every page as a value, so that `publish` can write them and `serve` can answer with them.
//!
//! Pages are whole in themselves: style, script and figures are within, nothing is fetched, and a content security policy
//! allows the two texts by their hash and nothing else. They open from a disk as well as from a server. All text from
//! rows goes through [`maud`], which escapes it, and is cut where it is long.

mod backend;
mod badge;
mod catalogue;
mod cost;
mod data;
mod deal;
mod figures;
pub mod grid;
mod kernel;
mod kind;
pub mod layout;
pub mod link;
mod machine;
mod markdown;
mod method;
mod overview;
mod priced;
mod publish;
mod row;
mod rows;
mod share;
mod source;

use std::collections::BTreeMap;

use figures::Figures;
use layout::Frame;
pub use priced::{Priced, Target};
pub use publish::publish;
pub use share::{badge_of, markdown};
pub use source::{DRAWN, Deal, Runs, Source, SourceError};

/// A file of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its media type.
    pub media: &'static str,
    /// Its contents.
    pub bytes: Vec<u8>,
}

/// Why there is no site.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// A page or a download could not be made.
    #[error("{0}")]
    Render(String),
    /// The site could not be written.
    #[error("cannot write the site to {}: {source}; name another folder with --out", path.display())]
    Write {
        /// The folder.
        path: std::path::PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The folder holds something else.
    #[error("{} holds files that are no site of ours; name a new or empty folder with --out", path.display())]
    Foreign {
        /// The folder.
        path: std::path::PathBuf,
    },
}

/// A site: files by their path from its root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The files.
    pub files: BTreeMap<String, File>,
}

/// Media type of pages.
pub(crate) const HTML: &str = "text/html; charset=utf-8";

impl Site {
    /// Every page and download. The same source gives the same bytes.
    ///
    /// # Errors
    /// A figure cannot be drawn, or a run file has gone since it was read.
    pub fn build(source: &Source, live: bool) -> Result<Site, SiteError> {
        let frame = Frame { live, edition: edition(source) };
        let figures = Figures::draw(source)?;
        let mut downloads = data::downloads(source)?;
        downloads.extend(figures.downloads());
        let mut pages = vec![data::page(&frame, &downloads), method::page(&frame)];
        pages.push(overview::page(&frame, source, &figures));
        pages.push(catalogue::page(&frame, &source.catalogue));
        pages.extend(of_rows(&frame, source, &figures));
        pages.push(cost::index(&frame, source, &figures));
        pages.extend(source.priced.iter().map(|priced| cost::page(&frame, source, priced, &figures)));
        pages.push(deal::index(&frame, source));
        pages.extend(source.deals.iter().map(|deal| deal::page(&frame, deal, &figures)));
        let mut files = data::files(downloads);
        files.extend(pages.into_iter().map(|(path, text)| (path, File { media: HTML, bytes: text.into_bytes() })));
        Ok(Site { files })
    }

    /// Pages, and bytes of all files.
    pub fn size(&self) -> (usize, usize) {
        let pages = self.files.values().filter(|file| file.media == HTML).count();
        (pages, self.files.values().map(|file| file.bytes.len()).sum())
    }
}

/// Pages of kernels, backends, runs and rows.
fn of_rows(frame: &Frame, source: &Source, figures: &Figures) -> Vec<(String, String)> {
    let all = rows::all(&source.runs);
    let mut pages =
        vec![kernel::index(frame, &all, source, figures), backend::index(frame, &all), machine::index(frame, source)];
    for op in kernel::ops(&all) {
        pages.extend(kernel::pages(frame, op, &all, figures));
    }
    pages.extend(backend::names(&all).into_iter().map(|name| backend::page(frame, name, &all, source, figures)));
    pages.extend(source.runs.iter().map(|run| machine::page(frame, run, figures)));
    pages.extend(all.iter().map(|of| row::page(frame, *of)));
    pages
}

/// What the site was made from: nothing of the moment at which it is made, so that the same rows give the same site.
fn edition(source: &Source) -> String {
    let rows: usize = source.runs.iter().map(|run| run.rows.len()).sum();
    let newest = source.runs.iter().map(|run| run.header.started.as_str()).max();
    let newest = newest.map_or(String::new(), |day| {
        format!(", the newest of {}", day.chars().take("2026-11-26".len()).collect::<String>())
    });
    format!("Made by farthing {} from {rows} rows of {} runs{newest}.", env!("CARGO_PKG_VERSION"), source.runs.len())
}

#[cfg(test)]
mod tests;
