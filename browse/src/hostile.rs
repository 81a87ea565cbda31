//! A results folder that is out to harm whoever publishes it: run files whose texts hold tags, and one of megabytes.

use anyhow::Context;
use serde_json::Value;
use std::path::Path;

/// What would run if it were not escaped, in each of the places where text can stand.
const TAG: &str = "<script>alert(1)</script>\"' onmouseover=alert(1) x=\"</title><img src=x onerror=alert(1)>";
/// Bytes of the long name.
const LONG: usize = 10_000_000;

/// Copies the newest run twice, with names of devices that are none.
pub(crate) fn write(from: &Path, to: &Path) -> anyhow::Result<()> {
    let runs = to.join("runs");
    if to.exists() {
        std::fs::remove_dir_all(to).with_context(|| format!("cannot replace {}", to.display()))?;
    }
    std::fs::create_dir_all(&runs).with_context(|| format!("cannot make {}", runs.display()))?;
    let entries = std::fs::read_dir(from.join("runs")).with_context(|| format!("no runs in {}", from.display()))?;
    let mut files: Vec<_> = entries.collect::<Result<Vec<_>, _>>()?.into_iter().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    files.sort();
    let run = files.first().context("there is no run to start from")?;
    let text = std::fs::read_to_string(run).with_context(|| format!("cannot read {}", run.display()))?;
    for (name, device, n_rows) in
        [("20260101T000000Z-aaaaaa", TAG.to_string(), usize::MAX), ("20260102T000000Z-bbbbbb", "x".repeat(LONG), 2)]
    {
        let path = runs.join(format!("{name}.jsonl"));
        let lines = text.lines().take(n_rows.saturating_add(1)).map(|line| renamed(line, name, &device));
        let lines: Vec<String> = lines.collect::<Result<_, _>>()?;
        std::fs::write(&path, lines.join("\n") + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// A line with the device's name, and the texts that nothing is computed from, replaced.
fn renamed(line: &str, run: &str, device: &str) -> anyhow::Result<String> {
    let mut line: Value = serde_json::from_str(line).context("a run file holds JSON Lines")?;
    let Some(fields) = line.as_object_mut() else { anyhow::bail!("a line of a run file is an object") };
    if fields.contains_key("run") {
        fields.insert("run".into(), run.into());
        let environment = fields.get_mut("environment").and_then(Value::as_object_mut);
        environment.context("a header has an environment")?.insert("cpu".into(), device.into());
        // A line has an end: a header that named every limit so would be refused whole, and its rows with it.
        let limits = fields.get_mut("limits").and_then(Value::as_array_mut);
        limits.filter(|_| device.len() >= LONG).into_iter().for_each(|limits| limits.truncate(1));
        for limit in fields.get_mut("limits").and_then(Value::as_array_mut).into_iter().flatten() {
            limit["device"] = device.into();
        }
    } else {
        for key in ["device", "lowered"] {
            fields.insert(key.into(), device.into());
        }
    }
    Ok(line.to_string())
}

#[cfg(test)]
mod tests {
    use super::renamed;

    #[test]
    fn headers_and_rows_get_the_name() {
        let header =
            renamed(r#"{"run":"a","environment":{"cpu":"c"},"limits":[{"device":"c"}]}"#, "b", "<d>").expect("JSON");
        assert_eq!(header, r#"{"environment":{"cpu":"<d>"},"limits":[{"device":"<d>"}],"run":"b"}"#);
        let row = renamed(r#"{"device":"c","id":"1"}"#, "b", "<d>").expect("JSON");
        assert!(row.contains(r#""device":"<d>""#) && row.contains(r#""lowered":"<d>""#));
    }
}
