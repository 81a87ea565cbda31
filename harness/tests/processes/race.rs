//! `race`: what is planted is found, and what is not there is not.
//!
//! `cargo test --release -p farthing --test processes -- --tries 10` counts verdicts at full length and prints them.

use serde::Deserialize;

use crate::{Verdict, command};

/// A line of `race --format json`, as far as it is looked at.
#[derive(Debug, Deserialize)]
struct Line {
    ratio: Option<f64>,
    interval: Option<[f64; 2]>,
    pairs: usize,
    rounds: usize,
    verdict: serde_json::Value,
}

fn raced(words: &str) -> Result<(Option<i32>, Line, String), String> {
    let output = command(&format!("race --threads 1 --format json {words}"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = serde_json::from_slice(&output.stdout).map_err(|error| format!("{error}: {said}"))?;
    Ok((output.status.code(), line, said))
}

/// A launch that takes twice as long is slower, and the gate says so; the other way round it is faster, and passes.
pub(crate) fn slowdown_is_found_and_fails_the_gate() -> Verdict {
    let shape = "--shape 128x128x128 --seconds 2 --gate 5%";
    let (code, line, said) = raced(&format!("right slower-by-100 {shape}"))?;
    if (code, line.verdict.as_str()) != (Some(1), Some("slower")) || !said.contains("is slower by more than 5 %") {
        return Err(format!("{code:?} {line:?} {said}"));
    }
    let (code, back, said) = raced(&format!("slower-by-100 right {shape}"))?;
    if (code, back.verdict.as_str()) != (Some(0), Some("faster")) {
        return Err(format!("{code:?} {back:?} {said}"));
    }
    let enough = line.rounds >= 6 && line.pairs >= line.rounds;
    if enough { Ok(format!("{:?} and {:?}", line.ratio, back.ratio)) } else { Err(format!("{line:?}")) }
}

/// A backend against itself is neither slower nor faster, by a margin that a loaded machine leaves.
pub(crate) fn nothing_is_found_where_nothing_is() -> Verdict {
    let (code, line, said) = raced("right same --shape 128x128x128 --seconds 2 --gate 10")?;
    let told = line.verdict.as_str().is_some_and(|verdict| ["same", "unclear"].contains(&verdict));
    if told && code == Some(0) { Ok(format!("{:?}", line.interval)) } else { Err(format!("{line:?} {said}")) }
}

/// A binary is named by its path, with a backend behind a colon.
pub(crate) fn binaries_race_by_path() -> Verdict {
    let exe = std::env::current_exe().map_err(|error| error.to_string())?;
    let words = format!("{0}:right {0}:slower-by-100 --shape 128x128x128 --seconds 2", exe.display());
    let (code, line, said) = raced(&words)?;
    // Without --gate a slower one is no failure.
    let right = line.verdict.as_str() == Some("slower") && code == Some(0);
    if right { Ok(format!("{:?}", line.ratio)) } else { Err(format!("{line:?} {said}")) }
}

/// A contestant that is lost has no verdict but why, and fails the command.
pub(crate) fn a_lost_contestant_fails_the_race_and_says_why() -> Verdict {
    let output = command("race right aborts --threads 1 --shape 13x16x16 --seconds 1")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let right = output.status.code() == Some(1) && said.contains("aborts: failed: ") && said.contains("SIGABRT");
    if right { Ok(said) } else { Err(format!("{:?} {said}", output.status.code())) }
}

/// What is no contestant is refused before anything runs.
pub(crate) fn nonsense_is_refused() -> Verdict {
    for (words, code, says) in [
        ("race right ./no/such --shape 8x8x8", 2, "there is no such file"),
        ("race right righ --shape 8x8x8", 1, "did you mean `right`?"),
        ("race right same", 2, "no shape given"),
        ("race right same --shape 8x8x8 --gate much", 2, "no percentage"),
        ("race right same --shape 8x8x8 --seconds 0", 2, "is no time"),
    ] {
        let output = command(words)?;
        let said = String::from_utf8_lossy(&output.stderr);
        if output.status.code() != Some(code) || !said.contains(says) {
            return Err(format!("{words}: {:?} {said}", output.status.code()));
        }
    }
    Ok("five".into())
}

/// Counts verdicts of full races: what is planted and how often it is found.
pub(crate) fn tries(n: usize) -> Verdict {
    for (planted, wanted) in
        [("same", ["same", "unclear"]), ("slower-by-3", ["slower"; 2]), ("slower-by-1", ["slower"; 2])]
    {
        let mut told = 0;
        for _ in 0..n {
            let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
            let (_, line, _) = raced(&format!("right {planted} --shape 128x128x128 --seconds 10"))?;
            told += usize::from(line.verdict.as_str().is_some_and(|verdict| wanted.contains(&verdict)));
            let [low, high] = line.interval.unwrap_or_default().map(|ratio| 100.0 * (ratio - 1.0));
            println!(
                "right against {planted}: {} [{low:+.2} {high:+.2}] %, {} rounds, {} pairs, load {}",
                line.verdict,
                line.rounds,
                line.pairs,
                load.split(' ').next().unwrap_or_default()
            );
        }
        println!("right against {planted}: {told} of {n} say {}", wanted.join(" or "));
    }
    Ok(String::new())
}
