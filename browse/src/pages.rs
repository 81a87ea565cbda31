//! Which pages there are: the files of a published site, and the same under the server.

use crate::Inputs;
use anyhow::Context;
use std::path::Path;

/// Pages of the server that no published site has.
const LIVE_ONLY: [&str; 4] = [
    "explore",
    "explore?model=llama-3.1-70b&chip=h100&chip=b200&workload=chat&discount=20&floor_usd=50000&price=2.5",
    "explore?price=-1&replicas=0&chip=h10&nonsense=%3Cscript%3Ealert(1)%3C/script%3E",
    "deals/openai-aws-2026-02/edit?compute.aws-trainium.take_or_pay=0.9&quarters=0",
];

/// Where a page comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// From the disk.
    Published,
    /// From the server.
    Live,
    /// From the disk, made of hostile results.
    Hostile,
}

/// A page to open.
pub(crate) struct Page {
    /// Address of the root that it belongs to: nothing may be asked of any other.
    pub(crate) origin: String,
    /// Path below the root.
    pub(crate) path: String,
    /// Bytes on the disk; unknown of a page that is rendered when it is asked for.
    pub(crate) n_bytes: Option<u64>,
}

impl Page {
    pub(crate) fn address(&self) -> String {
        format!("{}/{}", self.origin, self.path)
    }

    /// A name for screenshots, without the width and the ending.
    pub(crate) fn shot_name(&self, kind: Kind) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' };
        let path: String = self.path.chars().map(plain).take(80).collect();
        format!("{}-{path}", format!("{kind:?}").to_lowercase())
    }
}

/// Every page of the two sites and of the server.
pub(crate) fn all(inputs: &Inputs) -> anyhow::Result<Vec<(Kind, Page)>> {
    let mut pages = Vec::new();
    for (kind, dir) in [(Kind::Published, &inputs.site), (Kind::Hostile, &inputs.hostile)] {
        let origin = file_address(dir)?;
        for path in few_of_each_part(html_files(dir)?, inputs.most) {
            let n_bytes = Some(std::fs::metadata(dir.join(&path))?.len());
            if kind == Kind::Published {
                pages.push((Kind::Live, Page { origin: inputs.live.clone(), path: path.clone(), n_bytes: None }));
            }
            pages.push((kind, Page { origin: origin.clone(), path, n_bytes }));
        }
    }
    let live = LIVE_ONLY.iter().map(|path| Page { origin: inputs.live.clone(), path: (*path).into(), n_bytes: None });
    pages.extend(live.map(|page| (Kind::Live, page)));
    Ok(pages)
}

/// Address of a folder on this machine.
pub(crate) fn file_address(dir: &Path) -> anyhow::Result<String> {
    let dir = dir.canonicalize().with_context(|| format!("there is no site in {}", dir.display()))?;
    Ok(format!("file://{}", dir.display()))
}

fn html_files(dir: &Path) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "html") {
                found.push(path.strip_prefix(dir)?.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    anyhow::ensure!(!found.is_empty(), "{} holds no page", dir.display());
    Ok(found)
}

/// At most so many pages of each folder: those of a folder differ in their figures and not in their make.
fn few_of_each_part(paths: Vec<String>, most: usize) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    let part =
        |path: &str| path.rsplit_once('/').map(|(part, _)| part.split('/').next().unwrap_or_default().to_string());
    for path in paths {
        let folder = part(&path);
        let n_before = kept.iter().filter(|before| part(before) == folder).count();
        if folder.is_none() || n_before < most {
            kept.push(path);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::few_of_each_part;

    #[test]
    fn every_part_keeps_its_first_pages_and_the_root_all() {
        let paths = ["a.html", "b.html", "rows/1/x.html", "rows/2/y.html", "rows/2/z.html", "deals/d.html"];
        let few = few_of_each_part(paths.map(String::from).to_vec(), 2);
        assert_eq!(few, ["a.html", "b.html", "rows/1/x.html", "rows/2/y.html", "deals/d.html"]);
    }
}
