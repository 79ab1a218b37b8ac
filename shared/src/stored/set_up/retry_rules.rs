//! Retry rules and their sets, as parts of a merchant's item.
//!
//! | attribute | holds |
//! |---|---|
//! | `name`, `about` | a set's name; what either is for |
//! | `active`, `default` | of a set: it is no draft; it is the default |
//! | `other` | of a set: the last retry may be made with another method |
//! | `set` | of a rule: which set it is of |
//! | `category`, `gateway`, `code` | of a rule: which failures it is about |
//! | `type`, `value`, `unit`, `most` | when it is tried again, each as the wire says it; absent where nothing is said |
//! | `made` | what it was made under, and of what |

use super::{decode_made, encode_made};
use crate::ids::GatewayId;
use crate::merchant::{ListedRule, ListedRuleSet};
use crate::recurring::ids::RuleSetId;
use crate::recurring::retry::{Category, IntervalType, IntervalUnit, RetryRule, RuleSetStatus, Timing};
use crate::stored::item::Item;
use crate::stored::reader::{Reader, Unreadable};

pub(super) fn encode_set(set: &ListedRuleSet) -> Item {
    let item = Item::new()
        .with("name", &set.name)
        .with_flag("active", set.status == RuleSetStatus::Active)
        .with_flag("default", set.is_default)
        .with_flag("other", set.can_use_other_method)
        .with_some("about", set.description.as_ref())
        .with_some("made", set.made.map(encode_made));
    with_timing(item, &set.defaults)
}

pub(super) fn decode_set(reader: &mut Reader) -> Result<ListedRuleSet, Unreadable> {
    Ok(ListedRuleSet {
        name: reader.text("name")?,
        status: if reader.flag("active")? { RuleSetStatus::Active } else { RuleSetStatus::Draft },
        is_default: reader.flag("default")?,
        can_use_other_method: reader.flag("other")?,
        defaults: timing(reader)?,
        description: reader.maybe_text("about")?,
        made: decode_made(reader, "made")?,
    })
}

pub(super) fn encode_rule(listed: &ListedRule) -> Item {
    let item = Item::new()
        .with("set", listed.set.as_str().to_owned())
        .with("category", listed.rule.category.literal())
        .with_some("gateway", listed.rule.gateway.map(|gateway| gateway.as_str().to_owned()))
        .with_some("code", listed.rule.code.as_ref())
        .with_some("about", listed.description.as_ref())
        .with_some("made", listed.made.map(encode_made));
    with_timing(item, &listed.rule.timing)
}

pub(super) fn decode_rule(reader: &mut Reader) -> Result<ListedRule, Unreadable> {
    let rule = RetryRule {
        category: reader.parsed("category", |text| one_of(Category::ALL, Category::literal, text))?,
        gateway: reader.maybe_parsed("gateway", GatewayId::parse)?,
        code: reader.maybe_text("code")?,
        timing: timing(reader)?,
    };
    Ok(ListedRule {
        set: reader.parsed("set", RuleSetId::parse)?,
        rule,
        description: reader.maybe_text("about")?,
        made: decode_made(reader, "made")?,
    })
}

fn with_timing(item: Item, timing: &Timing) -> Item {
    item.with_some("type", timing.interval_type.map(IntervalType::literal))
        .with_some("value", timing.interval_value.as_ref())
        .with_some("unit", timing.interval_unit.map(IntervalUnit::literal))
        .with_some("most", timing.maximum_retry_count)
}

fn timing(reader: &mut Reader) -> Result<Timing, Unreadable> {
    Ok(Timing {
        interval_type: reader.maybe_parsed("type", |text| one_of(IntervalType::ALL, IntervalType::literal, text))?,
        interval_value: reader.maybe_text("value")?,
        interval_unit: reader.maybe_parsed("unit", |text| one_of(IntervalUnit::ALL, IntervalUnit::literal, text))?,
        maximum_retry_count: reader.maybe_number("most")?,
    })
}

fn one_of<T: Copy>(all: &[T], literal: fn(T) -> &'static str, text: &str) -> Option<T> {
    all.iter().copied().find(|choice| literal(*choice) == text)
}
