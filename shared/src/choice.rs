//! Choices of the wire: enums whose literals are said once.

/// An enum with the wire's literal of each variant.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$note:meta])* $variant:ident = $literal:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$note])* $variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The wire's literal.
            pub fn literal(self) -> &'static str {
                match self { $(Self::$variant => $literal),+ }
            }
        }
    };
}

pub(crate) use choice;
