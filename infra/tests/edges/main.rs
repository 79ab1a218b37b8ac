//! The edges against what stands on the other side: a DynamoDB, and servers that do what servers do.

#[cfg(test)]
mod agenda;
#[cfg(test)]
mod bus;
#[cfg(test)]
mod due;
#[cfg(test)]
mod embedded;
#[cfg(test)]
mod events;
#[cfg(test)]
mod http;
#[cfg(test)]
mod queue;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod store;
#[cfg(test)]
mod vault;
#[cfg(test)]
mod webhook;
