//! Jobs of CI services: the exchange of their identity, and the action that sets a job up.

mod action;
mod exchange;
mod failures;
mod identity;
mod mounted;
