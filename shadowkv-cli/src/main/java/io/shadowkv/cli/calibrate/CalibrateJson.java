package io.shadowkv.cli.calibrate;

import io.shadowkv.engine.study.Calibration;
import io.shadowkv.engine.study.Divergence;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The results for programs.
final class CalibrateJson {
    private CalibrateJson() {}

    static ObjectNode of(String model, Calibration result) {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        root.put("model", model);
        root.put("index", result.spec().index().name());
        root.put("rank", result.spec().rank());
        root.put("sparse_budget", result.spec().sparseBudget());
        root.put("tokens", result.tokens());
        root.put("positions", result.positions());
        ObjectNode goal = root.putObject("goal");
        switch (result.goal()) {
            case Calibration.Goal.Mass wanted -> {
                if (wanted.share().isPresent()) {
                    goal.put("mass", wanted.share().getAsDouble());
                } else {
                    goal.put("part_of_median", Calibration.Goal.Mass.PART_OF_MEDIAN);
                }
            }
            case Calibration.Goal.Kl wanted -> goal.put("kl", wanted.nats());
        }
        ArrayNode layers = root.putArray("layers");
        for (int i = 0; i < result.layers().size(); i++) {
            layer(layers.addObject(), i, result.layers().get(i), result.spec().sparseBudget());
        }
        root.put("layer_budgets", CalibrateTable.option(result));
        divergence(root.putObject("current"), result.current());
        divergence(root.putObject("proposed"), result.proposed());
        return root;
    }

    private static void layer(ObjectNode node, int number, Calibration.Layer layer, int budget) {
        node.put("layer", number);
        ArrayNode held = node.putArray("held_at_doublings");
        layer.held().forEach(held::add);
        node.put("times", layer.times());
        node.put("budget", (long) layer.times() * budget);
        node.put("step_bytes", layer.stepBytes());
    }

    private static void divergence(ObjectNode node, Divergence divergence) {
        node.put("mean_kl", divergence.meanKl());
        node.put("max_kl", divergence.maxKl());
        node.put("top_one_agreement", divergence.topOneAgreement());
    }
}
