//! C libraries that are found at run time, or not.

use libloading::Library;

/// Loads the library that the environment variable names, or else the first of these names that the system's loader finds.
///
/// # Errors
/// None is there: what the loader says, and what would help.
pub(super) fn open(variable: &str, names: &[&str], help: &str) -> Result<(String, Library), String> {
    let chosen = std::env::var(variable).ok();
    let names: Vec<&str> = chosen.as_deref().map_or_else(|| names.to_vec(), |name| vec![name]);
    let mut why = String::new();
    for name in names {
        // SAFETY: loading runs the library's initialisers. The name is the library's own or one that the user set, and its
        // initialisers are as trusted as any program that the user starts.
        match unsafe { Library::new(name) } {
            Ok(library) => return Ok((name.to_owned(), library)),
            Err(error) => why = error.to_string(),
        }
    }
    Err(format!("{why}; {help}, or name a library in {variable}"))
}

/// A function of a library; what is missing where it has none of that name.
///
/// # Safety
/// - `F` is the type of the C function of this name.
/// - The function is not called after the library is closed.
pub(super) unsafe fn function<F: Copy>(library: &Library, path: &str, name: &str) -> Result<F, String> {
    // SAFETY: the caller promises the type.
    let found = unsafe { library.get::<F>(name.as_bytes()) };
    found.map(|symbol| *symbol).map_err(|_| format!("{path} has no function {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_says_what_would_help() {
        let why =
            open("FARTHING_NO_SUCH_VARIABLE", &["libnone.so.7"], "apt-get install none").expect_err("no such library");
        assert!(
            why.contains("libnone.so.7")
                && why.ends_with("install none, or name a library in FARTHING_NO_SUCH_VARIABLE")
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_library_that_lacks_a_function_is_told_by_name() {
        let (path, library) = open("FARTHING_NO_SUCH_VARIABLE", &["libc.so.6"], "").expect("every Linux program's");
        // SAFETY: nothing is called; there is no such function.
        let found = unsafe { function::<unsafe extern "C" fn()>(&library, &path, "cblas_sgemm") };
        assert_eq!(found.expect_err("the C library has no products"), "libc.so.6 has no function cblas_sgemm");
    }
}
