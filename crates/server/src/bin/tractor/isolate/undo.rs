//! Doing a step, and undoing it however far it came: what is gone already is undone, what is not ours stays.

use std::{
    ffi::OsStr,
    fs,
    io::{self, ErrorKind},
    os::unix::{
        fs::{MetadataExt, lchown},
        process::CommandExt,
    },
    path::Path,
    process::Command,
};

use super::{
    inside,
    machine::{namespace, said, succeeds},
    plan::{Act, FORWARDING, Step, Undo},
    say,
    state::{Folder, State},
};

/// Does a step, after it was noted what undoes it.
pub(super) fn perform(step: Step, state: &mut State) -> Result<(), String> {
    say(&format!("+ {}", step.act.shown()));
    let namespace_name = match &step.undo {
        Some(Undo::Namespace { name, .. }) => Some(name.clone()),
        _ => None,
    };
    if let Some(undo) = step.undo {
        state.note(undo)?;
    }
    if let Err(message) = act(&step.act, state) {
        // Somebody else may have made it; all other things are known again.
        if namespace_name.is_some() {
            state.forget_last();
        }
        return Err(message);
    }
    if let Some(name) = namespace_name {
        let inode = inode(&name);
        state.note(Undo::Namespace { name, inode })?;
    }
    Ok(())
}

/// Undoes everything, last things first, and ends the run. What fails is told, and stays noted for another try.
pub(super) fn undo_all(state: State, folder: &Folder, name: &str) -> Result<(), String> {
    let mut failures = Vec::new();
    for undo in state.undos() {
        if let Undo::Namespace { name, inode: Some(_) } = undo
            && is_ours(undo)
        {
            inside::end(name, None);
        }
    }
    let mut is_told = String::new();
    for undo in state.undos().iter().rev() {
        let shown = undo.shown();
        // A namespace is noted twice.
        if shown != is_told {
            say(&format!("- {shown}"));
        }
        if let Err(message) = self::undo(undo, folder, name, &state) {
            failures.push(format!("`{shown}` failed: {message}"));
        }
        is_told = shown;
    }
    if failures.is_empty() {
        return state.end(folder);
    }
    Err(format!("{}; try `tractor isolate --clean --name {name}`", failures.join("; ")))
}

fn act(act: &Act, state: &State) -> Result<(), String> {
    let failed = |error: io::Error| format!("`{}` failed: {error}", act.shown());
    match act {
        Act::Run(words) => {
            run(words, state).map_err(|it| format!("`{}` failed: {it}", act.shown()))
        }
        Act::Write(path, text) => {
            let folder = path.parent().unwrap_or(Path::new("/"));
            fs::create_dir_all(folder).and_then(|()| fs::write(path, text)).map_err(failed)
        }
    }
}

fn undo(undo: &Undo, folder: &Folder, run_name: &str, state: &State) -> Result<(), String> {
    match undo {
        Undo::Namespace { name, .. } if is_ours(undo) => {
            run(&["ip", "netns", "delete", name], state)
        }
        Undo::Link { name, address } => {
            // There is no such interface where nothing is said.
            if !said(&format!("ip -o link show dev {name}")).contains(address.as_str()) {
                return Ok(());
            }
            run(&["ip", "link", "delete", name], state)
        }
        Undo::Forwarding { before } => {
            if folder.forwarding_before(run_name).is_some() {
                return Ok(());
            }
            fs::write(FORWARDING, format!("{before}\n")).map_err(|it| it.to_string())
        }
        Undo::Rule(rule) => {
            let check: Vec<&str> =
                rule.iter().map(|it| if it == "-D" { "-C" } else { it.as_str() }).collect();
            if !succeeds(&format!("iptables {}", check.join(" "))) {
                return Ok(());
            }
            let delete: Vec<&str> =
                ["iptables"].into_iter().chain(rule.iter().map(String::as_str)).collect();
            run(&delete, state)
        }
        Undo::Table(table) if succeeds(&format!("nft list table ip {table}")) => {
            run(&["nft", "delete", "table", "ip", table], state)
        }
        Undo::Namespace { .. } | Undo::Table(_) => Ok(()),
        Undo::File { path, text } => {
            if fs::read_to_string(path).is_ok_and(|it| it == *text) {
                fs::remove_file(path).map_err(|it| it.to_string())?;
            }
            // Where a folder holds more, it is in use.
            for folder in path.ancestors().skip(1).take(2) {
                let _ = fs::remove_dir(folder);
            }
            Ok(())
        }
        Undo::Keep { from, to, owner } => keep(from, to, *owner).map_err(|it| it.to_string()),
    }
}

/// Gives what was recorded its name and its owner.
fn keep(from: &Path, to: &Path, owner: Option<(u32, u32)>) -> io::Result<()> {
    match from.metadata() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        // Recording had not begun.
        Ok(it) if it.len() == 0 => return fs::remove_file(from),
        _ => {}
    }
    if let Some((uid, gid)) = owner {
        lchown(from, Some(uid), Some(gid))?;
    }
    fs::rename(from, to)
}

/// Whether what bears the name of a namespace is the one that the run made.
fn is_ours(undo: &Undo) -> bool {
    match undo {
        Undo::Namespace { name, inode: Some(made) } => inode(name) == Some(*made),
        // It was killed between the note and the next one, so nothing ran inside yet.
        Undo::Namespace { name, inode: None } => {
            namespace(name).exists() && inside::processes(name).is_empty()
        }
        _ => false,
    }
}

fn inode(name: &str) -> Option<u64> {
    namespace(name).metadata().ok().map(|it| it.ino())
}

fn run(words: &[impl AsRef<OsStr>], state: &State) -> Result<(), String> {
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    let mut command = Command::new(program);
    // Ctrl-C at a terminal goes to the whole group, and must not end it half done.
    command.args(arguments).process_group(0);
    command.stdin(state.shared_lock().map_err(|it| it.to_string())?);
    let output = command.output().map_err(|it| it.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
}
