package io.shadowkv.cli.model;

import io.shadowkv.cli.process.ByteSize;
import io.shadowkv.engine.MemoryPlan;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.model.spec.DecoderSpec;
import io.shadowkv.model.spec.LayerSpec;
import java.util.LinkedHashSet;
import java.util.Locale;
import java.util.Set;
import java.util.StringJoiner;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The output of `inspect`, as text and as JSON.
final class InspectReport {
    private InspectReport() {}

    /// The facts about the model, one per line.
    static String model(String name, ModelFacts facts, DecoderSpec decoder, Engine engine) {
        var text = new StringBuilder();
        var types = new StringJoiner(", ");
        facts.elementsByType()
                .forEach((type, elements) -> types.add(
                        facts.elementsByType().size() == 1
                                ? type
                                : String.format(Locale.ROOT, "%s %,d", type, elements)));
        text.append(name).append(" (").append(facts.folder()).append(")\n");
        row(text, "family", decoder.family());
        row(
                text,
                "parameters",
                String.format(Locale.ROOT, "%,d, %s, %s", facts.parameters(), types, ByteSize.text(facts.bytes())));
        row(
                text,
                "layers",
                String.format(
                        Locale.ROOT,
                        "%d, hidden size %,d, intermediate size %,d",
                        decoder.layers(),
                        decoder.hiddenSize(),
                        decoder.intermediateSize()));
        row(
                text,
                "heads",
                String.format(
                        Locale.ROOT,
                        "%d for queries, %d for keys and values, head dim %d",
                        decoder.queryHeads(),
                        decoder.kvHeads(),
                        decoder.headDim()));
        row(
                text,
                "vocabulary",
                String.format(
                        Locale.ROOT,
                        "%,d, embeddings %s",
                        decoder.vocabularySize(),
                        decoder.tiedEmbeddings() ? "tied" : "not tied"));
        row(
                text,
                "positions",
                String.format(
                        Locale.ROOT,
                        "RoPE theta %,.0f, %d of %d elements, %s, scaling %s",
                        decoder.rope().theta(),
                        decoder.rope().rotaryDim(),
                        decoder.headDim(),
                        decoder.rope().interleaved() ? "interleaved" : "halves",
                        decoder.rope().scaling().name()));
        LayerKinds.of(decoder).forEach((layers, kind) -> row(text, layers, kind));
        row(text, "context", String.format(Locale.ROOT, "%,d tokens%s", engine.contextTokens(), decoder.contextNote()));
        row(text, "KV type", engine.kvType().name());
        return text.toString();
    }

    private static void row(StringBuilder text, String name, String value) {
        text.append(String.format(Locale.ROOT, "  %-14s %s%n", name, value));
    }

    /// Both memory plans in columns; the items are those of one sequence.
    static String plans(MemoryPlan full, MemoryPlan shadow) {
        var text = new StringBuilder();
        text.append(String.format(
                Locale.ROOT,
                "memory of %,d tokens, batch %d %31s %14s%n",
                full.contextTokens(),
                full.batch(),
                full.strategy(),
                shadow.strategy()));
        Set<String> names = new LinkedHashSet<>();
        full.perSequence().parts().forEach(part -> names.add(label(part)));
        shadow.perSequence().parts().forEach(part -> names.add(label(part)));
        for (String name : names) {
            columns(text, "  " + name, part(full, name), part(shadow, name));
        }
        columns(
                text,
                "  one sequence, resident",
                bytes(full.perSequence().resident()),
                bytes(shadow.perSequence().resident()));
        columns(
                text,
                "  one sequence, offloaded",
                bytes(full.perSequence().offloaded()),
                bytes(shadow.perSequence().offloaded()));
        columns(text, "all " + full.batch() + ", resident", bytes(full.residentBytes()), bytes(shadow.residentBytes()));
        columns(
                text,
                "all " + full.batch() + ", offloaded",
                bytes(full.offloadedBytes()),
                bytes(shadow.offloadedBytes()));
        columns(text, "workspace", bytes(full.workspaceBytes()), bytes(shadow.workspaceBytes()));
        for (int i = 0; i < full.workspace().size(); i++) {
            MemoryPlan.Item part = full.workspace().get(i);
            columns(
                    text,
                    "  " + part.name(),
                    bytes(part.bytes()),
                    bytes(shadow.workspace().get(i).bytes()));
        }
        columns(
                text,
                full.heldWeightBytes() > 0 ? "weights, in device memory" : "weights, mapped",
                bytes(full.weightBytes()),
                bytes(shadow.weightBytes()));
        columns(
                text,
                full.hostIsDevice() ? "available in total" : "available in device memory",
                bytes(full.availableDeviceBytes()),
                bytes(shadow.availableDeviceBytes()));
        if (!full.hostIsDevice()) {
            columns(
                    text,
                    "available in host memory",
                    bytes(full.availableHostBytes()),
                    bytes(shadow.availableHostBytes()));
        }
        columns(text, "fits", full.isAdmitted() ? "yes" : "no", shadow.isAdmitted() ? "yes" : "no");
        columns(text, "largest batch", number(full.largestBatch()), number(shadow.largestBatch()));
        text.append(String.format(
                Locale.ROOT,
                "resident keys and values: full needs %.1f times as much as shadowkv%n",
                factor(full, shadow)));
        return text.toString();
    }

    private static double factor(MemoryPlan full, MemoryPlan shadow) {
        return (double) full.perSequence().resident() / shadow.perSequence().resident();
    }

    private static void columns(StringBuilder text, String name, String full, String shadow) {
        text.append(String.format(Locale.ROOT, "%-45s %14s %14s%n", name, full, shadow));
    }

    private static String label(MemoryPlan.Item part) {
        return part.name() + (part.isOffloaded() && !part.name().contains("offloaded") ? " (offloaded)" : "");
    }

    private static String part(MemoryPlan plan, String label) {
        return plan.perSequence().parts().stream()
                .filter(part -> label(part).equals(label))
                .map(part -> bytes(part.bytes()))
                .findFirst()
                .orElse("-");
    }

    private static String bytes(long bytes) {
        return ByteSize.text(bytes);
    }

    private static String number(int value) {
        return value == Integer.MAX_VALUE ? "no limit" : String.format(Locale.ROOT, "%,d", value);
    }

    /// All facts and plans, with bytes as numbers.
    static ObjectNode json(
            String name, ModelFacts facts, DecoderSpec decoder, Engine engine, MemoryPlan full, MemoryPlan shadow) {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        root.put("model", name).put("folder", facts.folder().toString()).put("family", decoder.family());
        root.put("parameters", facts.parameters()).put("weight_bytes", facts.bytes());
        ObjectNode types = root.putObject("elements_by_type");
        facts.elementsByType().forEach(types::put);
        root.put("layers", decoder.layers()).put("hidden_size", decoder.hiddenSize());
        root.put("intermediate_size", decoder.intermediateSize()).put("query_heads", decoder.queryHeads());
        root.put("kv_heads", decoder.kvHeads()).put("head_dim", decoder.headDim());
        root.put("vocabulary_size", decoder.vocabularySize()).put("tied_embeddings", decoder.tiedEmbeddings());
        root.put("context_tokens", engine.contextTokens())
                .put("kv_type", engine.kvType().name());
        if (!decoder.contextReason().isEmpty()) {
            root.put("context_reason", decoder.contextReason());
        }
        decoder.layerSpecs().stream()
                .mapToInt(LayerSpec::slidingWindow)
                .filter(window -> window > 0)
                .min()
                .ifPresent(window -> root.put("sliding_window", window));
        decoder.layerSpecs().forEach(layer -> root.withArray("layer_kinds").add(layer.describe()));
        engine.notes().forEach(root.putArray("notes")::add);
        root.putObject("rope")
                .put("theta", decoder.rope().theta())
                .put("rotary_dim", decoder.rope().rotaryDim())
                .put("interleaved", decoder.rope().interleaved())
                .put("scaling", decoder.rope().scaling().name());
        ObjectNode plans = root.putObject("plans");
        plan(plans.putObject(full.strategy()), full);
        plan(plans.putObject(shadow.strategy()), shadow);
        root.put("resident_factor", factor(full, shadow));
        return root;
    }

    private static void plan(ObjectNode target, MemoryPlan plan) {
        target.put("context_tokens", plan.contextTokens()).put("batch", plan.batch());
        ObjectNode sequence = target.putObject("per_sequence");
        sequence.put("resident_bytes", plan.perSequence().resident());
        sequence.put("offloaded_bytes", plan.perSequence().offloaded());
        var parts = sequence.putArray("parts");
        plan.perSequence()
                .parts()
                .forEach(part -> parts.addObject()
                        .put("name", part.name())
                        .put("bytes", part.bytes())
                        .put("offloaded", part.isOffloaded()));
        target.put("resident_bytes", plan.residentBytes()).put("offloaded_bytes", plan.offloadedBytes());
        target.put("workspace_bytes", plan.workspaceBytes()).put("weight_bytes", plan.weightBytes());
        target.put("held_weight_bytes", plan.heldWeightBytes()).put("device_bytes", plan.deviceBytes());
        target.put("available_device_bytes", plan.availableDeviceBytes());
        target.put("available_host_bytes", plan.availableHostBytes());
        target.put("host_is_device", plan.hostIsDevice());
        target.put("admitted", plan.isAdmitted()).put("largest_batch", plan.largestBatch());
    }
}
