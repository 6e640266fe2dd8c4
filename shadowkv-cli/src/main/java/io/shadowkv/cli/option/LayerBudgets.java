package io.shadowkv.cli.option;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/// Budgets of the first layers, such as `8x,4096`: each a number of tokens, or a multiple of the budget.
public record LayerBudgets(List<Layer> layers) {
    private static final Pattern FORM = Pattern.compile("([1-9]\\d{0,8})|([1-9]\\d{0,3})[xX]");

    /// The largest number of tokens that [#FORM] takes.
    private static final int MOST_TOKENS = 999_999_999;

    /// The budget of one layer.
    ///
    /// @param tokens a number of tokens; 0 if the budget is a multiple
    /// @param times a multiple; 0 if the budget is a number of tokens
    record Layer(int tokens, int times) {
        /// @throws IllegalArgumentException if the multiple has too many tokens
        int of(int budget) {
            long wanted = tokens > 0 ? tokens : (long) times * budget;
            if (wanted > MOST_TOKENS) {
                throw new IllegalArgumentException(
                        "--layer-budgets has %dx, which of a budget of %,d tokens is %,d tokens; expected at most %,d. Give a smaller multiple, or a number of tokens"
                                .formatted(times, budget, wanted, MOST_TOKENS));
            }
            return (int) wanted;
        }
    }

    /// The tokens of each layer. A last layer with the budget of the others is left out.
    ///
    /// @param budget the budget of the other layers
    List<Integer> of(int budget) {
        List<Integer> tokens = new ArrayList<>();
        layers.forEach(layer -> tokens.add(layer.of(budget)));
        while (!tokens.isEmpty() && tokens.getLast() == budget) {
            tokens.removeLast();
        }
        return tokens;
    }

    /// Converts the argument of an option.
    static final class Converter implements ITypeConverter<LayerBudgets> {
        @Override
        public LayerBudgets convert(String value) {
            List<Layer> layers = new ArrayList<>();
            for (String part : value.split(",", -1)) {
                Matcher matcher = FORM.matcher(part.strip());
                if (!matcher.matches()) {
                    throw new TypeConversionException("'" + part
                            + "' is not a layer's budget; expected tokens, such as 4096, or a multiple of the budget,"
                            + " such as 8x");
                }
                layers.add(
                        matcher.group(1) != null
                                ? new Layer(Integer.parseInt(matcher.group(1)), 0)
                                : new Layer(0, Integer.parseInt(matcher.group(2))));
            }
            return new LayerBudgets(layers);
        }
    }
}
