//! Stored methods as items of the vault.

mod broken;
mod carried;
mod golden;
mod round_trip;

use crate::method::Method;
use crate::stored::Item;
use crate::stored::method::StoredMethod;

fn item(method: &Method) -> Item {
    StoredMethod::following(None, method.clone()).to_item()
}

fn read(item: Item) -> Method {
    StoredMethod::from_item(item).expect("an item of ours").method
}
