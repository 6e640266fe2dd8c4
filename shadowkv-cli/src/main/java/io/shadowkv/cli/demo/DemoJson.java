package io.shadowkv.cli.demo;

import io.shadowkv.engine.MemoryPlan;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// The results for programs. A value that does not exist is null.
final class DemoJson {
    private DemoJson() {}

    static ObjectNode of(DemoResult result) {
        ObjectNode root = JsonMapper.shared().createObjectNode();
        setup(root.putObject("setup"), result.setup());
        ObjectNode machine = root.putObject("machine");
        machine.put("processor", result.machine().processor());
        machine.put("cores", result.machine().cores());
        machine.put("system", result.machine().system());
        machine.put("java", result.machine().java());
        machine.put("commit", result.machine().commitText());
        ArrayNode questions = root.putArray("questions");
        for (int i = 0; i < result.questions().size(); i++) {
            DemoResult.Question question = result.questions().get(i);
            ObjectNode node = questions.addObject();
            node.put("question", question.text());
            node.put("expected", question.expected());
            node.put("position", question.position());
            answer(node.putObject("full"), result.full().answers().get(i));
            answer(node.putObject("shadowkv"), result.shadow().answers().get(i));
        }
        outcome(root.putObject("full"), result.full());
        outcome(root.putObject("shadowkv"), result.shadow());
        ArrayNode speeds = root.putArray("decode_tokens_per_second");
        for (DemoResult.Speed speed : result.speeds()) {
            ObjectNode node = speeds.addObject();
            node.put("tokens", speed.tokens());
            number(node, "full", speed.full());
            number(node, "shadowkv", speed.shadow());
        }
        root.put("wall_seconds", result.wallSeconds());
        return root;
    }

    private static void setup(ObjectNode node, DemoResult.Setup setup) {
        node.put("model", setup.model());
        node.put("tokens", setup.tokens());
        node.put("text_tokens", setup.textTokens());
        node.put("seed", setup.seed());
        node.put("prefill", setup.prefill());
        node.put("kv_type", setup.kvType());
        node.put("backend", setup.backend());
        node.put("backend_reason", setup.backendReason());
        ObjectNode shadow = node.putObject("shadowkv");
        shadow.put("rank", setup.shadow().rank());
        shadow.put("index", setup.shadow().index().name());
        shadow.put("chunk_size", setup.shadow().unitTokens());
        shadow.put("sparse_budget", setup.shadow().sparseBudget());
        ArrayNode budgets = shadow.putArray("layer_budgets");
        setup.shadow().budget().firstLayers().forEach(budgets::add);
        shadow.put("outlier_chunks", setup.shadow().index().outlierUnits());
        shadow.put("local_tokens", setup.shadow().residency().localTokens());
        shadow.put("generated_tokens", setup.shadow().residency().generatedTokens());
    }

    private static void answer(ObjectNode node, DemoResult.Answer answer) {
        node.put("text", answer.text());
        node.put("right", answer.isRight());
    }

    private static void outcome(ObjectNode node, DemoResult.Outcome outcome) {
        node.put("right", outcome.right());
        node.put("prefill_seconds", outcome.prefillSeconds());
        node.put("seal_seconds", outcome.sealSeconds());
        node.put("turn_seconds", outcome.turnSeconds());
        number(node, "decode_tokens_per_second", outcome.speed());
        number(node, "hit_rate", outcome.hitRate());
        node.put("kept_whole", outcome.keptWhole());
        bytes(node.putObject("planned"), outcome.planned());
        bytes(node.putObject("measured"), outcome.measured());
    }

    private static void bytes(ObjectNode node, MemoryPlan.SequenceBytes bytes) {
        node.put("resident_bytes", bytes.resident());
        node.put("offloaded_bytes", bytes.offloaded());
        if (!bytes.parts().isEmpty()) {
            ObjectNode parts = node.putObject("parts");
            for (MemoryPlan.Item part : bytes.parts()) {
                parts.put(part.name(), part.bytes());
            }
        }
    }

    private static void number(ObjectNode node, String name, double value) {
        if (Double.isFinite(value)) {
            node.put(name, value);
        } else {
            node.putNull(name);
        }
    }
}
