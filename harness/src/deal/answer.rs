//! The formulas of the answers, one function each, from typed inputs to typed outputs.
//!
//! `PV` is the present value at the scenario's start. Equity is in none of the prices: it is valued for itself, by
//! [`subsidy`] and in the parties' present values.

use crate::units::{ChipHours, Count, KilowattYears, Quantity, Share, Tokens, Usd};
use crate::units::{UsdPerHour, UsdPerKilowattYear, UsdPerMillionTokens};

/// What a hour of useful work costs: `PV(paid + porting) / PV(chip-hours used · utilisation · availability)`. Idle
/// floors raise it, credits lower it.
pub fn effective_price(paid: Usd, useful: ChipHours) -> UsdPerHour {
    paid / useful
}

/// What a kilowatt in place costs for a year: `PV(paid + porting) / PV(chips in place · kW a chip · years)`.
pub fn price_of_power(paid: Usd, held: KilowattYears) -> UsdPerKilowattYear {
    paid / held
}

/// What a million output tokens cost, all of the cost on output: `PV(paid + porting) / PV(output tokens)`.
pub fn price_of_tokens(paid: Usd, output: Tokens) -> UsdPerMillionTokens {
    paid / output
}

/// A way to buy tokens by the hour of a chip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offer {
    /// Price of a chip-hour, averaged over the hours that the deal uses.
    pub price: UsdPerHour,
    /// Tokens of a paid hour: `rate · 3600 · utilisation · availability`.
    pub tokens_an_hour: Tokens,
}

impl Offer {
    /// What a million tokens cost there.
    pub fn price_of_tokens(&self) -> UsdPerMillionTokens {
        Usd(self.price.0) / self.tokens_an_hour
    }
}

/// The discount on the deal's price at which it ties with an alternative:
/// `1 − (p_G / p_T) · (x_T / x_G) + porting / (PV chip-hours · p_T)`, with `x` the tokens of a paid hour.
///
/// Below 0 the deal is the cheaper one already, by that share of its price.
pub fn break_even_discount(deal: Offer, alternative: Offer, porting: Usd, hours: ChipHours) -> Share {
    let prices = alternative.price.0 / deal.price.0;
    let speeds = deal.tokens_an_hour.0 / alternative.tokens_an_hour.0;
    Share(1.0 - prices * speeds + (porting / hours).0 / deal.price.0)
}

/// What an hour of an alternative may cost at most to match a price of tokens: `$/token · tokens of a paid hour`.
pub fn tie_price(tokens: UsdPerMillionTokens, alternative: Offer) -> UsdPerHour {
    UsdPerHour((tokens * alternative.tokens_an_hour).0)
}

/// What a quarter's floor takes without use behind it: `max(0, floor − bill)`.
pub fn stranded(floor: Usd, bill: Usd) -> Usd {
    Usd((floor.0 - bill.0).max(0.0))
}

/// Committed spend that returns to an investor over what it invests, undiscounted. Above 1 the money comes back with
/// more besides, as revenue.
pub fn circularity(committed: Usd, invested: Usd) -> Count {
    Count((committed / invested).value())
}

/// The share of the company that money buys: `amount / (valuation before the round + round)`.
pub fn stake(amount: Usd, valuation: Usd, round: Usd) -> Share {
    amount / (valuation + round)
}

/// What an issuer gains by an issue: cash in less the fair value of what it gives. Negative where the shares are worth
/// more than their price.
pub fn subsidy(cash: Usd, fair_value_over_cash: Count) -> Usd {
    cash * (1.0 - fair_value_over_cash.0)
}

/// What a right to the deal is worth where it need not be taken: `max(0, PV(cost without) − PV(cost with))`. Its mean
/// over draws exceeds its value at the mean draw: that difference is the value of waiting to see.
pub fn option_value(without: Usd, with: Usd) -> Usd {
    Usd((without.0 - with.0).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_present_values_over_present_amounts() {
        // 120 $ for 100 chip-hours, of which 60 % · 80 % are useful: 120 / 48 = 2.5 $.
        assert_eq!(effective_price(Usd(120.0), ChipHours(100.0 * 0.6 * 0.8)), UsdPerHour(2.5));
        // 100 bn $ over 8 years of 2 GW: 100e9 / (2e6 kW · 8) = 6250 $ a kilowatt and year.
        assert_eq!(price_of_power(Usd(100e9), KilowattYears(2e6 * 8.0)), UsdPerKilowattYear(6250.0));
        // 30 $ for 20 million tokens: 1.50 $ a million.
        assert_eq!(price_of_tokens(Usd(30.0), Tokens(20e6)), UsdPerMillionTokens(1.5));
    }

    #[test]
    fn at_the_break_even_discount_tokens_cost_the_same() {
        // T: 2 $/h and 1 M tokens an hour; G: 3 $/h and 2 M: tokens at 2 $ against 1.5 $, so T must fall by a quarter.
        let deal = Offer { price: UsdPerHour(2.0), tokens_an_hour: Tokens(1e6) };
        let other = Offer { price: UsdPerHour(3.0), tokens_an_hour: Tokens(2e6) };
        assert_eq!(break_even_discount(deal, other, Usd(0.0), ChipHours(100.0)), Share(0.25));
        let discounted = Offer { price: UsdPerHour(2.0 * 0.75), ..deal };
        assert_eq!(discounted.price_of_tokens(), other.price_of_tokens());
        // Porting of 10 $ over 100 hours is 10 ct an hour, another 5 % of the price.
        let ported = break_even_discount(deal, other, Usd(10.0), ChipHours(100.0));
        assert!((ported.0 - 0.30).abs() < 1e-12);
        // G at 8 $: 4 $ a million; T is cheaper by its whole price: 1 − 4/2·... = 1 − 4·0.5 = −1.
        let dear = Offer { price: UsdPerHour(8.0), ..other };
        assert_eq!(break_even_discount(deal, dear, Usd(0.0), ChipHours(1.0)), Share(-1.0));
    }

    #[test]
    fn a_tie_price_buys_tokens_at_the_price_it_ties_with() {
        // Tokens at 2 $ a million, 3 M of them an hour: 6 $.
        let other = Offer { price: UsdPerHour(9.0), tokens_an_hour: Tokens(3e6) };
        let tie = tie_price(UsdPerMillionTokens(2.0), other);
        assert_eq!(tie, UsdPerHour(6.0));
        assert_eq!(Offer { price: tie, ..other }.price_of_tokens(), UsdPerMillionTokens(2.0));
    }

    #[test]
    fn floors_strand_what_bills_do_not_reach() {
        assert_eq!(stranded(Usd(80.0), Usd(50.0)), Usd(30.0));
        assert_eq!(stranded(Usd(80.0), Usd(90.0)), Usd(0.0));
    }

    #[test]
    fn equity_is_valued_for_itself() {
        // 100 bn $ of commitment over 50 bn $ of equity.
        assert_eq!(circularity(Usd(100e9), Usd(50e9)), Count(2.0));
        // 15 of a round of 110 on 730 before: 15 / 840.
        assert!((stake(Usd(15e9), Usd(730e9), Usd(110e9)).0 - 15.0 / 840.0).abs() < 1e-15);
        // Shares worth 1.2 times their price: the issuer gives 3 more than the 15 it gets.
        assert!((subsidy(Usd(15e9), Count(1.2)).0 + 3e9).abs() < 1e-3);
    }

    #[test]
    fn an_option_is_never_worth_less_than_nothing() {
        assert_eq!(option_value(Usd(100.0), Usd(70.0)), Usd(30.0));
        assert_eq!(option_value(Usd(100.0), Usd(130.0)), Usd(0.0));
    }
}
