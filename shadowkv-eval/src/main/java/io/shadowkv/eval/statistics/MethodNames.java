package io.shadowkv.eval.statistics;

import io.shadowkv.eval.Method;
import io.shadowkv.report.plot.Quantity;
import java.util.regex.Pattern;

/// Names of methods in tables and figures with several lengths.
public final class MethodNames {
    private MethodNames() {}

    /// A name for the same budget at every length.
    public static String byBudget(Method method) {
        return method.equals(Method.FULL) ? "full attention" : method.label();
    }

    /// A name with the budget as a share of the context: equal for budgets, and caches, that grow
    /// with the length.
    public static String byShare(Method method, int contextTokens) {
        Method.Shadow shadow = method.shadow();
        return shadow == null
                ? byBudget(method)
                : share(share(byBudget(method), "budget", contextTokens), "cached", contextTokens);
    }

    /// Replaces the tokens after `word` by their share of the context, if the name contains the
    /// word.
    private static String share(String name, String word, int contextTokens) {
        return Pattern.compile("(?<= " + word + " )\\d+")
                .matcher(name)
                .replaceFirst(tokens -> Quantity.share(Integer.parseInt(tokens.group()) / (double) contextTokens));
    }
}
