//! The local server: every function of the template in one process, over an embedded DynamoDB, with
//! sandbox gateways and models of gateways beside it. For development and tests; never deployed.
//!
//! What differs from AWS is the platform, not the code: routes come from `template.yaml`
//! ([`routes`]), requests become API Gateway events ([`server`]), the store is spoken to through the
//! same client ([`embedded`]), what the stream, queue and follow-up function do is a loop over
//! [`follow_up`], and the clock can be moved ([`clock`]), while what is due on the way happens ([`play`]).

pub mod arguments;
pub mod clock;
pub mod embedded;
pub mod files;
pub mod follow_up;
pub mod identity;
pub mod methods;
pub mod modelled;
pub mod models;
pub mod play;
pub mod routes;
pub mod server;
pub mod start;
