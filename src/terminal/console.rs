//! Support for terminals on Windows: a console shows colours only if they are turned on, and the
//! terminal of Git Bash is a pipe to other programs.

#[cfg(windows)]
use std::io::IsTerminal;

/// Whether a terminal shows colours. Older consoles on Windows print the escape sequences instead.
pub(crate) fn shows_colours() -> bool {
    #[cfg(windows)]
    {
        static SHOWS: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
        *SHOWS.get_or_init(windows::turn_colours_on)
    }
    #[cfg(not(windows))]
    true
}

/// Whether a prompt can hide what is typed. Git Bash's terminal (mintty) is a pipe to other
/// programs, and shows what is typed before they get it.
pub(crate) fn hides_typing() -> bool {
    #[cfg(windows)]
    {
        !std::io::stdin().is_terminal() || windows::stdin_is_console()
    }
    #[cfg(not(windows))]
    true
}

#[cfg(windows)]
pub(crate) use windows::Keys;

#[cfg(windows)]
mod windows {
    use std::io;

    use crossterm_winapi::{Console, ConsoleMode, Handle, InputRecord};

    const ENABLE_VIRTUAL_TERMINAL_PROCESSING: u32 = 0x4;

    /// The key `Alt`. Releasing it after digits on the number pad enters a character.
    const VK_MENU: u16 = 0x12;

    pub(crate) fn turn_colours_on() -> bool {
        let mode = Handle::current_out_handle().map(ConsoleMode::from);
        match mode.and_then(|console| Ok((console.mode()?, console))) {
            Ok((mode, console)) => {
                let on = mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING;
                console.set_mode(on).is_ok()
            }
            // Only Git Bash's terminal is not a console, and it shows colours.
            Err(_) => true,
        }
    }

    pub(crate) fn stdin_is_console() -> bool {
        let mode = Handle::input_handle().map(ConsoleMode::from);
        mode.and_then(|console| console.mode()).is_ok()
    }

    /// Reads keys from the console. This does not change its mode, so there is nothing to restore
    /// when Ctrl-C ends the program.
    pub(crate) struct Keys(Console);

    impl Keys {
        /// Opens the console's keyboard.
        ///
        /// # Errors
        /// When there is no console.
        pub(crate) fn open() -> io::Result<Self> {
            Ok(Self(Console::from(Handle::current_in_handle()?)))
        }

        /// Waits for a key that has a character.
        ///
        /// # Errors
        /// When the console cannot be read.
        pub(crate) fn read(&self) -> io::Result<char> {
            loop {
                let InputRecord::KeyEvent(key) = self.0.read_single_input_event()? else {
                    continue;
                };
                if key.u_char != 0 && (key.key_down || key.virtual_key_code == VK_MENU) {
                    // Half of a surrogate pair is not a character. Tokens do not contain any.
                    let c = char::from_u32(u32::from(key.u_char));
                    return Ok(c.unwrap_or(char::REPLACEMENT_CHARACTER));
                }
            }
        }
    }
}
