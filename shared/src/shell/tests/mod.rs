//! The shell over a store in memory and a small gateway, in a world whose failures are made to order.

mod costs;
mod crashes;
mod deliveries;
mod faults;
mod fuse;
mod gateway;
mod generations;
mod limits;
mod lost;
mod notices;
mod shelf;
mod time;
mod vault;
mod world;
