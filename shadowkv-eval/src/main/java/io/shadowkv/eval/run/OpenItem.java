package io.shadowkv.eval.run;

import io.shadowkv.eval.Item;
import io.shadowkv.eval.Method;
import java.util.List;

/// A sample with the methods that have not answered it yet.
///
/// @param item the sample
/// @param methods at least one, in the run's order
public record OpenItem(Item item, List<Method> methods) {
    public OpenItem {
        methods = List.copyOf(methods);
    }
}
