//! Python for servers that tests start: one environment under the target directory, in which
//! each requirement is installed by the first test that needs it.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

/// A Python that has `requirement`, pinned, from PyPI. Tests run at once, so the first holds a
/// lock while it installs, and the others wait for it.
pub fn python(requirement: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory");
    let venv = target.join("it-venv");
    let python = venv.join("bin/python");
    let (made, ready) = (venv.join("made"), venv.join(requirement));
    let lock = File::create(target.join("it-venv.lock")).expect("the target directory is writable");
    lock.lock().expect("a lock");
    if !made.exists() {
        run(requirement, Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
        File::create(&made).expect("the environment is writable");
    }
    if !ready.exists() {
        let install = ["-m", "pip", "install", "--quiet", requirement];
        run(requirement, Command::new(&python).args(install));
        File::create(&ready).expect("the environment is writable");
    }
    python
}

fn run(requirement: &str, command: &mut Command) {
    let needs =
        format!("these tests need python3 with its venv module, and once PyPI for {requirement}");
    match command.output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            panic!("{needs}: {command:?}: {}", String::from_utf8_lossy(&output.stderr))
        }
        Err(error) => panic!("{needs}: {command:?}: {error}"),
    }
}
