package io.shadowkv.cli.bench.e2e;

import io.shadowkv.cli.process.Machine;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.op.OperationKind;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Results for programs. Every run is a complete object with all conditions of its measurement, so
/// that a line of a log can be read by itself. A value that does not exist is null.
final class E2eJson {
    private E2eJson() {}

    /// All runs, the speedup at each length that both methods ran, and the runs that failed.
    ///
    /// @param results the results of the runs
    static ObjectNode all(List<ObjectNode> runs, List<E2eResult> results, List<E2eFailure> failures) {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        root.putArray("runs").addAll(runs);
        ArrayNode gains = root.putArray("speed_ups");
        for (E2eResult full : results) {
            for (E2eResult shadow : results) {
                if (full.method().equals("full")
                        && shadow.method().equals("shadowkv")
                        && full.contextTokens() == shadow.contextTokens()) {
                    ObjectNode gain = gains.addObject();
                    gain.put("context_tokens", full.contextTokens());
                    gain.put("speed_up", shadow.tokensPerSecond() / full.tokensPerSecond());
                }
            }
        }
        ArrayNode failed = root.putArray("failures");
        for (E2eFailure failure : failures) {
            ObjectNode node = failed.addObject();
            node.put("method", failure.method());
            node.put("context_tokens", failure.contextTokens());
            node.put("message", failure.message());
        }
        return root;
    }

    /// One run.
    static ObjectNode run(E2eSetup setup, Machine machine, E2eResult result) {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        root.put("benchmark", "e2e");
        root.put("time", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        machine(root, machine);
        setup(root, setup);
        root.put("method", result.method());
        root.put("strategy", result.strategy());
        root.put("context_tokens", result.contextTokens());
        root.put("batch", result.batch());
        root.put("batch_is_largest", result.batchIsLargest());
        root.put("kept_whole", result.keptWhole());
        root.put("device_value_layers", result.deviceValueLayers());
        root.put("tokens_per_second", result.tokensPerSecond());
        number(root, "hit_rate", result.hitRate());
        prefill(root.putObject("prefill"), result.prefill());
        steps(root.putObject("step"), result);
        traffic(root.putObject("bytes_per_step"), setup, result);
        memory(root.putObject("memory"), result.memory());
        return root;
    }

    private static void machine(ObjectNode node, Machine machine) {
        node.put("commit", machine.commit());
        node.put("dirty", machine.isChanged());
        node.put("java", machine.java());
        node.put("processor", machine.processor());
        node.put("cores", machine.cores());
        node.put("system", machine.system());
    }

    private static void setup(ObjectNode node, E2eSetup setup) {
        node.put("backend", setup.backend());
        node.put("device", setup.device());
        node.put("model", setup.model());
        node.put("weights", setup.isRandom() ? "random" : "checkpoint");
        node.put("layers", setup.layers());
        node.put("weight_type", setup.weightType());
        node.put("kv_type", setup.kvType());
        node.put("prefill_chunk", setup.prefillRows());
        node.put("value_place", setup.valuePlace());
        node.put("prefill", setup.prefill());
        node.put("warmup_steps", setup.warmupSteps());
        node.put("timed_steps", setup.timedSteps());
        node.put("profiled_steps", setup.profiledSteps());
        node.put("clone_prefill", setup.clonesPrefill());
        number(node, "forced_hit_rate", setup.forcedHitRate().orElse(Double.NaN));
        number(node, "forced_density", setup.forcedDensity().orElse(Double.NaN));
        node.put("seed", setup.seed());
        Ceilings ceilings = setup.ceilings();
        if (ceilings != null) {
            ObjectNode measured = node.putObject("ceilings");
            measured.put("memory_bytes_per_second", ceilings.deviceBytesPerSecond());
            number(measured, "link_bytes_per_second", ceilings.linkBytesPerSecond());
        }
    }

    private static void prefill(ObjectNode node, E2eResult.Prefill prefill) {
        node.put("first_token_seconds", prefill.firstTokenSeconds());
        node.put("attention_seconds", prefill.attentionSeconds());
        node.put("index_seconds", prefill.indexSeconds());
        node.put("index_waited_seconds", prefill.waitedSeconds());
        node.put("selection_seconds", prefill.selectionSeconds());
        node.put("rest_seconds", prefill.restSeconds());
        node.put("density", prefill.density());
        ArrayNode layers = node.putArray("density_by_layer");
        prefill.densities().forEach(layer -> layers.add(layer.share()));
        parts(node.putObject("part_seconds"), prefill.partSeconds(), 1);
        node.put("prompts", prefill.prompts());
        node.put("all_seconds", prefill.allSeconds());
    }

    private static void steps(ObjectNode node, E2eResult result) {
        E2eResult.Steps steps = result.steps();
        node.put("median_ms", steps.medianSeconds() * 1e3);
        node.put("p10_ms", steps.quantileSeconds(0.1) * 1e3);
        node.put("p90_ms", steps.quantileSeconds(0.9) * 1e3);
        parts(node.putObject("part_ms"), steps.partSeconds(), 1e3);
    }

    private static void parts(ObjectNode node, Map<OperationKind, Double> values, double factor) {
        for (OperationKind part : OperationKind.values()) {
            Double value = values.get(part);
            if (value != null) {
                node.put(part.name().toLowerCase(Locale.ROOT), value * factor);
            }
        }
    }

    private static void traffic(ObjectNode node, E2eSetup setup, E2eResult result) {
        StepBytes bytes = result.bytes();
        double seconds = result.steps().medianSeconds();
        node.put("memory", Math.round(bytes.deviceTotal()));
        node.put("link", Math.round(bytes.link()));
        node.put("memory_bytes_per_second", bytes.deviceTotal() / seconds);
        node.put("link_bytes_per_second", bytes.link() / seconds);
        parts(node.putObject("memory_by_part"), bytes.device(), 1);
        Ceilings ceilings = setup.ceilings();
        if (ceilings != null) {
            double floor = bytes.floorSeconds(ceilings);
            node.put("floor_ms", floor * 1e3);
            node.put("floor_share", floor / seconds);
        }
    }

    private static void memory(ObjectNode node, E2eResult.Memory memory) {
        node.put("planned_device_bytes", memory.plannedDevice());
        node.put("measured_device_bytes", memory.measuredDevice());
        node.put("planned_host_bytes", memory.plannedHost());
        node.put("measured_host_bytes", memory.measuredHost());
        bytes(node.putObject("planned_parts"), memory.plannedParts());
        bytes(node.putObject("allocated_parts"), memory.allocatedParts());
    }

    private static void bytes(ObjectNode node, List<MemoryPlan.Item> parts) {
        parts.forEach(part -> node.put(part.name(), part.bytes()));
    }

    private static void number(ObjectNode node, String name, double value) {
        if (Double.isFinite(value)) {
            node.put(name, value);
        } else {
            node.putNull(name);
        }
    }
}
