package io.shadowkv.eval.statistics;

import io.shadowkv.eval.Method;
import io.shadowkv.report.plot.Quantity;
import java.util.regex.Pattern;

/// What methods are called where several lengths stand side by side.
public final class MethodNames {
    private MethodNames() {}

    /// The same method at every length.
    public static String byBudget(Method method) {
        return method.equals(Method.FULL) ? "full attention" : method.label();
    }

    /// Shares of the context in the place of tokens: the same name for budgets, and caches, that grow with the
    /// length.
    public static String byShare(Method method, int contextTokens) {
        Method.Shadow shadow = method.shadow();
        return shadow == null
                ? byBudget(method)
                : share(share(byBudget(method), "budget", contextTokens), "cached", contextTokens);
    }

    /// Puts the share in the place of the tokens that follow `word`, where it stands.
    private static String share(String name, String word, int contextTokens) {
        return Pattern.compile("(?<= " + word + " )\\d+")
                .matcher(name)
                .replaceFirst(tokens -> Quantity.share(Integer.parseInt(tokens.group()) / (double) contextTokens));
    }
}
