//! `config.toml`: every change that a command makes is made, and all else stays.

use std::path::Path;

use git_credential_hf::config::Config;
use git_credential_hf::config::edit::{Change, apply};
use git_credential_hf::model::endpoint::Endpoint;
use git_credential_hf::model::operation::Operation;
use git_credential_hf::model::pattern::Pattern;
use git_credential_hf::model::token_name::TokenName;
use git_credential_hf::storage::StorageKind;

use super::text;

/// Takes the text of a file.
pub fn check(data: &[u8]) {
    let text = text(data);
    let config = match Config::parse(Path::new("config.toml"), text) {
        Ok(config) => config,
        Err(error) => {
            let lines = text.split('\n').count();
            assert!(
                error
                    .place
                    .is_none_or(|(line, _)| (1..=lines).contains(&line))
            );
            return;
        }
    };
    let specificities = config.rules.iter().map(|rule| rule.pattern.specificity());
    assert!(specificities.is_sorted());

    let token = TokenName::existing("a new one");
    let corp = Endpoint::from_git("https", "hub.corp.example").expect("a host");
    let written = config.rules.iter().map(|rule| rule.pattern.clone());
    let new = [
        "acme",
        "datasets/acme/x",
        "acme/new-*",
        "https://hub.corp.example/acme/x",
    ];
    let new = new
        .iter()
        .map(|text| Pattern::parse(text).expect("a pattern"));
    for pattern in written.chain(new).take(8) {
        for operation in [None, Some(Operation::Fetch), Some(Operation::Push)] {
            changed(text, &config, &Change::SetRule(&pattern, &token, operation));
        }
        changed(text, &config, &Change::RemoveRule(&pattern));
    }
    changed(text, &config, &Change::SetDefault(None, Some(&token)));
    changed(text, &config, &Change::SetDefault(None, None));
    changed(
        text,
        &config,
        &Change::SetDefault(Some(&corp), Some(&token)),
    );
    changed(text, &config, &Change::SetStorage(StorageKind::File));
    changed(text, &config, &Change::SetStorage(StorageKind::Keyring));
    changed(text, &config, &Change::AddEndpoint(&corp));
}

fn changed(text: &str, before: &Config, change: &Change<'_>) {
    let after = apply(text, std::slice::from_ref(change)).expect("a valid file can be changed");
    let config = Config::parse(Path::new("config.toml"), &after);
    let config = config.unwrap_or_else(|error| panic!("{change:?}: {error}\n{after}"));
    // An empty file is given its version.
    if !is_blank(&after) {
        let twice = apply(&after, std::slice::from_ref(change)).expect("and once more");
        assert_eq!(twice, after, "a second time changes nothing");
    }
    assert_eq!(
        meaning(&config),
        expected(before, change),
        "{change:?}\n{after}"
    );
    others_stay(text, &after, change);
}

/// Everything that a configuration says, in one order.
fn meaning(config: &Config) -> Vec<String> {
    let Config {
        default,
        storage,
        hints,
        keyring_timeout,
        rules,
        endpoints,
        commands,
        defaults,
    } = config;
    let mut all = vec![
        format!("defaults {defaults:?}"),
        format!("default {default:?}"),
        format!("storage {storage:?}"),
        format!("hints {hints} timeout {keyring_timeout:?}"),
    ];
    all.extend(
        rules
            .iter()
            .map(|rule| format!("rule {} {:?} {:?}", rule.pattern, rule.fetch, rule.push)),
    );
    all.extend(
        endpoints
            .iter()
            .map(|endpoint| format!("endpoint {endpoint:?}")),
    );
    all.extend(
        commands
            .iter()
            .map(|command| format!("command {command:?}")),
    );
    all.sort();
    all
}

fn expected(before: &Config, change: &Change<'_>) -> Vec<String> {
    let mut config = before.clone();
    match change {
        Change::SetRule(pattern, token, operation) => {
            let same = |rule: &&mut git_credential_hf::config::Rule| rule.pattern == **pattern;
            match config.rules.iter_mut().find(same) {
                Some(rule) => rule.set(*operation, token),
                None => {
                    let mut rule = git_credential_hf::config::Rule {
                        pattern: (*pattern).clone(),
                        fetch: None,
                        push: None,
                    };
                    rule.set(*operation, token);
                    config.rules.push(rule);
                }
            }
        }
        Change::RemoveRule(pattern) => config.rules.retain(|rule| rule.pattern != **pattern),
        Change::SetDefault(None, name) => config.default = name.cloned(),
        Change::SetDefault(Some(endpoint), name) => {
            config.endpoints.entry((*endpoint).clone()).or_default();
            match name {
                Some(name) => config.defaults.insert((*endpoint).clone(), (*name).clone()),
                None => config.defaults.remove(*endpoint),
            };
        }
        Change::SetStorage(kind) => config.storage = Some(*kind),
        Change::AddEndpoint(endpoint) => {
            config.endpoints.entry((*endpoint).clone()).or_default();
        }
    }
    meaning(&config)
}

/// The lines of others stay, in their order: a change touches one line, what is removed takes
/// the comment right above it along, and no more.
fn others_stay(before: &str, after: &str, change: &Change<'_>) {
    // A file with both line endings comes out with one.
    let all_crlf = |text: &str| text.matches('\n').count() == text.matches("\r\n").count();
    assert!(
        !before.contains('\n') || !all_crlf(before) || all_crlf(after),
        "{after:?}"
    );
    let (before, after) = (before.replace("\r\n", "\n"), after.replace("\r\n", "\n"));
    let lines: Vec<&str> = before.split('\n').collect();
    let written: Vec<usize> = (0..lines.len())
        .filter(|at| !is_blank(lines[*at]))
        .collect();
    let now: Vec<&str> = after.split('\n').filter(|line| !is_blank(line)).collect();
    // All that a change touches stands together, so what is gone is between the same beginning
    // and the same end.
    let same = |(at, line): &(&usize, &&str)| lines[**at] == **line;
    let begin = written.iter().zip(&now).take_while(same).count();
    let left = written[begin..].iter().rev().zip(now[begin..].iter().rev());
    let end = written.len() - left.take_while(same).count();
    let gone = &written[begin..end];

    let (comments, values): (Vec<usize>, Vec<usize>) = gone
        .iter()
        .partition(|at| lines[**at].trim_start().starts_with('#'));
    // A line that is changed is gone as it was. What is over several lines is several.
    let opens = |line: &&str| {
        let value = line.split_once('=').map_or("", |(_, value)| value);
        ["\"\"\"", "'''", "[", "{"]
            .iter()
            .any(|word| value.contains(word))
    };
    let several = lines.iter().any(opens);
    assert!(
        values.len() <= 1 || several,
        "{change:?} took {gone:?} of\n{before}\n{after}"
    );
    let removes = matches!(
        change,
        Change::RemoveRule(_) | Change::SetDefault(None, None)
    );
    assert!(
        removes || comments.is_empty(),
        "{change:?} took {gone:?} of\n{before}\n{after}"
    );
    if let (Some(first), Some(last), false) = (gone.first(), gone.last(), several) {
        let blank = (*first..*last).any(|at| is_blank(lines[at]));
        assert!(!blank, "{change:?} took {gone:?} of\n{before}\n{after}");
    }
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}
