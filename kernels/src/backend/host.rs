//! What the host says of itself.

/// The CPU's model name, or its architecture where the system does not tell.
pub fn cpu_name() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    model_name(&info).unwrap_or_else(|| format!("{} CPU", std::env::consts::ARCH))
}

/// The first model name in the text of `/proc/cpuinfo` (x86 says `model name`, some others `Model` or `cpu model`).
fn model_name(cpuinfo: &str) -> Option<String> {
    let fields = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    let mut names = fields.filter(|(key, _)| ["model name", "Model", "cpu model"].contains(&key.trim()));
    names.next().map(|(_, name)| name.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_name_is_read_and_its_blanks_are_single() {
        let text = "processor\t: 0\nmodel\t\t: 17\nmodel name\t: Some  CPU 9R14\nmodel name\t: other\n";
        assert_eq!(model_name(text).as_deref(), Some("Some CPU 9R14"));
        assert_eq!(model_name("processor : 0\n"), None);
        assert!(!cpu_name().is_empty());
    }
}
