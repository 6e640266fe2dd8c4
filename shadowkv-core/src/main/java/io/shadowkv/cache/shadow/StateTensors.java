package io.shadowkv.cache.shadow;

import io.shadowkv.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The tensors of a sequence by the names that saved files give them.
final class StateTensors {
    private StateTensors() {}

    /// @param layers empty if the sequence is always kept whole
    static Map<String, Tensor> of(List<ResidentBuffer> resident, List<ShadowLayer> layers) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (int layer = 0; layer < resident.size(); layer++) {
            put(tensors, "layers." + layer + ".resident.", resident.get(layer).tensors());
            if (!layers.isEmpty()) {
                put(tensors, "layers." + layer + ".index.", layers.get(layer).tensors());
            }
        }
        return tensors;
    }

    private static void put(Map<String, Tensor> all, String prefix, List<Tensor> tensors) {
        for (int i = 0; i < tensors.size(); i++) {
            all.put(prefix + i, tensors.get(i));
        }
    }
}
