//! Stored payment methods: those of an account, and a view of the table that knows no tokens.
//!
//! A function that shows methods has no permission to read a token. IAM looks at what a request names, and one that
//! names no attributes asks for all of them: it is refused. So every read here says what it wants. And who lists
//! nothing need not hold what asks for a list, which would be a hundredth of its binary.

use aws_sdk_dynamodb::operation::get_item::builders::GetItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Select};
use kessai_shared::ports::{Pending, StoreFault, Vault};
use kessai_shared::stored::Item;
use kessai_shared::stored::method::{ACCOUNT, SHOWN};
use kessai_shared::stored::payment::{KEY, VERSION};

use super::{DynamoDb, convert, fault};

/// The index of the methods of accounts.
pub const INDEX: &str = "account";

/// The name of the format.
pub const FORMAT: &str = "f";

/// What a list has of each method.
pub const LISTED: [&str; 4] = [KEY, VERSION, FORMAT, SHOWN];

/// What may be read by whoever may not read tokens.
pub const WITHOUT_TOKENS: [&str; 5] = [KEY, VERSION, FORMAT, ACCOUNT, SHOWN];

/// Reads a page of an account's methods.
pub(super) type Page =
    for<'a> fn(&'a DynamoDb, &'a str, Option<&'a str>, u16) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>>;

impl DynamoDb {
    /// The same, to be listed, too.
    #[must_use]
    pub fn with_lists(self) -> Self {
        Self { page: Some(|table, account, after, limit| Box::pin(table.read_page(account, after, limit))), ..self }
    }

    /// The same as it is seen by whoever may not read tokens. Nothing is written through it: an item that was read
    /// without its token would lose it.
    #[must_use]
    pub fn without_tokens(self) -> Self {
        Self { only: Some(&WITHOUT_TOKENS), ..self }
    }

    /// One method more than was asked for shows that there are more. A page may also end early, at 1 MB.
    async fn read_page(&self, account: &str, after: Option<&str>, limit: u16) -> Result<(Vec<Item>, bool), StoreFault> {
        let request = self.client.query().table_name(&self.table).index_name(INDEX);
        let request = request
            .select(Select::SpecificAttributes)
            .projection_expression(projection(&LISTED))
            .limit(i32::from(limit) + 1)
            .expression_attribute_names(placeholder(ACCOUNT), ACCOUNT)
            .expression_attribute_values(":account", AttributeValue::S(account.to_owned()));
        let request =
            LISTED.iter().fold(request, |request, name| request.expression_attribute_names(placeholder(name), *name));
        let belongs = format!("{} = :account", placeholder(ACCOUNT));
        let request = match after {
            None => request.key_condition_expression(belongs),
            Some(after) => request
                .key_condition_expression(format!("{belongs} AND {} > :after", placeholder(KEY)))
                .expression_attribute_values(":after", AttributeValue::S(after.to_owned())),
        };
        let answer = request.send().await.map_err(fault)?;
        let ended_early = answer.last_evaluated_key.is_some();
        let found = answer.items.unwrap_or_default().into_iter();
        let mut page = found.map(convert::to_item).collect::<Result<Vec<_>, _>>().map_err(fault)?;
        let more = ended_early || page.len() > limit.into();
        page.truncate(limit.into());
        Ok((page, more))
    }
}

impl Vault for DynamoDb {
    fn of_account<'a>(
        &'a self,
        account: &'a str,
        after: Option<&'a str>,
        limit: u16,
    ) -> Pending<'a, Result<(Vec<Item>, bool), StoreFault>> {
        match self.page {
            Some(page) => page(self, account, after, limit),
            None => Box::pin(async { Err(StoreFault("this table was not opened to be listed".into())) }),
        }
    }
}

/// A read of these attributes only.
pub(super) fn only(request: GetItemFluentBuilder, names: &[&str]) -> GetItemFluentBuilder {
    let request = request.projection_expression(projection(names));
    names.iter().fold(request, |request, name| request.expression_attribute_names(placeholder(name), *name))
}

fn projection(names: &[&str]) -> String {
    names.iter().copied().map(placeholder).collect::<Vec<_>>().join(", ")
}

/// What stands for a name in expressions, where a name itself might mean something else.
fn placeholder(name: &str) -> String {
    format!("#{name}")
}
