package io.shadowkv.eval.report;

import io.shadowkv.eval.Method;
import io.shadowkv.eval.plot.Quantity;

/// What methods are called where several lengths stand side by side.
final class MethodNames {
    private MethodNames() {}

    /// The same method at every length.
    static String byBudget(Method method) {
        return method.equals(Method.FULL) ? "full attention" : method.label();
    }

    /// The share of the context that the budget is in the budget's place: the same name for budgets that grow with
    /// the length.
    static String byShare(Method method, int contextTokens) {
        Method.Shadow shadow = method.shadow();
        return shadow == null
                ? byBudget(method)
                : byBudget(method)
                        .replaceFirst(
                                " budget \\d+", " budget " + Quantity.share(shadow.budget() / (double) contextTokens));
    }
}
