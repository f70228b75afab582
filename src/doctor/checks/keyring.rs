//! The keyring: writes, reads and removes one entry, each under the deadline.

use crate::app::advice::login_again;
use crate::doctor::{Check, Finding, Group, Inspection, Run};
use crate::model::endpoint::Endpoint;
use crate::model::secret::Secret;
use crate::model::token_name::TokenName;
use crate::storage::{Record, Storage, StorageError, StorageKind};

pub(crate) const CHECK: Check = Check {
    id: "keyring",
    group: Group::Tokens,
    network: false,
    run: Run::Always(run),
};

/// The entry's name; no user can give it to a token.
const NAME: &str = "doctor:round-trip";
/// Its value, which is not a secret.
const VALUE: &str = "written by git-credential-hf doctor; may be removed";

fn run(inspection: &Inspection<'_>) -> Vec<Finding> {
    let context = inspection.context;
    let tokens = inspection.state.iter().flat_map(|state| &state.tokens);
    let kept: Vec<String> = tokens
        .filter(|(_, token)| token.storage == StorageKind::Keyring)
        .map(|(name, token)| login_again(name, Some(token)))
        .collect();
    if kept.is_empty() && context.config.storage == Some(StorageKind::File) {
        return vec![Finding::skipped(
            "not used: tokens are stored in files here",
        )];
    }
    let outcome = round_trip(context.storage(StorageKind::Keyring));
    vec![judge(&kept, outcome.as_ref().err())]
}

/// Writes, reads and removes an entry. Another `doctor` may remove the same entry at the same time,
/// so a read that does not find it is tried again.
fn round_trip(storage: &dyn Storage) -> Result<(), StorageError> {
    let name = TokenName::existing(NAME);
    let secret = Secret::exact(VALUE).map_err(|e| StorageError::Refused(e.to_string()))?;
    let record = Record::new(secret, Endpoint::hugging_face());
    let write_and_read = || {
        storage.write(&name, &record)?;
        storage.read(&name)
    };
    let read = match write_and_read() {
        Err(StorageError::NotFound) => write_and_read(),
        other => other,
    }?;
    storage.delete(&name)?;
    if read.secret.same_as(&record.secret) {
        Ok(())
    } else {
        let message = "the keyring returned a different value from the one that was written";
        Err(StorageError::Refused(message.to_owned()))
    }
}

/// Judges by the commands that log in again for the tokens in the keyring, and by the error if there
/// was one.
fn judge(kept: &[String], error: Option<&StorageError>) -> Finding {
    let stored = match kept.len() {
        1 => "1 token is stored there".to_owned(),
        n => format!("{n} tokens are stored there"),
    };
    match (error, kept) {
        (None, []) => Finding::ok("an entry can be written, read and removed"),
        (None, _) => Finding::ok(format!(
            "an entry can be written, read and removed; {stored}"
        )),
        (Some(error), []) => Finding::note(format!("{error}; no token is stored there")).by_hand(
            "to store tokens in files instead: git credential-hf login NAME --storage file",
        ),
        (Some(error), [first, ..]) => {
            Finding::problem(format!("{error}; {stored}")).by_hand(format!(
                "unlock it, or start its service; or log in again for each: \
                 {first} --storage file"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;
    use std::cell::{Cell, RefCell};

    /// Forgets, as if somebody else had removed the entry, so many times.
    #[derive(Default)]
    struct Shelf {
        record: RefCell<Option<Record>>,
        forgets: Cell<u32>,
        changes: bool,
    }

    impl Storage for Shelf {
        fn check(&self) -> Result<(), StorageError> {
            Ok(())
        }

        fn read(&self, _: &TokenName) -> Result<Record, StorageError> {
            if self.forgets.get() > 0 {
                self.forgets.set(self.forgets.get() - 1);
                return Err(StorageError::NotFound);
            }
            let mut record = self.record.borrow().clone().ok_or(StorageError::NotFound)?;
            if self.changes {
                record.secret = Secret::exact("other").unwrap();
            }
            Ok(record)
        }

        fn write(&self, _: &TokenName, record: &Record) -> Result<(), StorageError> {
            *self.record.borrow_mut() = Some(record.clone());
            Ok(())
        }

        fn delete(&self, _: &TokenName) -> Result<(), StorageError> {
            *self.record.borrow_mut() = None;
            Ok(())
        }
    }

    #[test]
    fn round_trips() {
        for (forgets, changes, works) in [
            (0, false, true),
            (1, false, true),
            (2, false, false),
            (0, true, false),
        ] {
            let shelf = Shelf {
                forgets: Cell::new(forgets),
                changes,
                ..Shelf::default()
            };
            assert_eq!(round_trip(&shelf).is_ok(), works);
            assert_eq!(shelf.record.borrow().is_none(), forgets < 2);
        }
    }

    #[test]
    fn a_dead_keyring_is_a_problem_for_who_has_tokens_there() {
        let dead = StorageError::Unavailable("no keyring is running on this machine".into());
        let again = || "git credential-hf login work".to_owned();
        for (kept, error, verdict) in [
            (&[][..], None, Verdict::Ok),
            (&[again(), again()], None, Verdict::Ok),
            (&[], Some(&dead), Verdict::Note),
            (&[again()], Some(&dead), Verdict::Problem),
        ] {
            assert_eq!(judge(kept, error).verdict, verdict);
        }
    }
}
