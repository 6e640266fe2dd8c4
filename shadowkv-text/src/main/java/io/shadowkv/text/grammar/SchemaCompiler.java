package io.shadowkv.text.grammar;

import io.shadowkv.text.Json;
import io.shadowkv.text.grammar.regex.Dfa;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;

/// Compiles a JSON schema (2020-12) to an automaton: a rule for each schema, shared by all that
/// refer to it. [Grammar] says which keywords are honoured.
final class SchemaCompiler {
    /// Keywords of which a schema has at most one, with nothing but annotations next to it.
    private static final List<String> ALONE = List.of("$ref", "anyOf", "oneOf", "allOf");

    private final AutomatonBuilder builder = new AutomatonBuilder();
    private final AnyJson any = new AnyJson(builder);
    private final JsonNode root;
    private final Map<String, Integer> rules = new HashMap<>();
    /// The schemas that a schema stands for without a byte of its own, by pointer.
    private final Map<String, List<Schema>> aliases = new LinkedHashMap<>();

    private SchemaCompiler(JsonNode root) {
        this.root = root;
    }

    /// The first state of the schema's rule.
    ///
    /// @throws GrammarException if the schema cannot be enforced
    static State compile(JsonNode schema) {
        SchemaCompiler compiler = new SchemaCompiler(schema);
        int rule = compiler.rule(new Schema(schema, ""));
        Set<String> done = new HashSet<>();
        compiler.aliases
                .values()
                .forEach(targets -> targets.forEach(target -> compiler.checkAliases(target, new ArrayList<>(), done)));
        return compiler.builder.build(rule);
    }

    AutomatonBuilder builder() {
        return builder;
    }

    AnyJson any() {
        return any;
    }

    /// The rule of a schema, compiled when first asked for.
    int rule(Schema schema) {
        Integer known = rules.get(schema.pointer());
        if (known != null) {
            return known;
        }
        int from = builder.state();
        rules.put(schema.pointer(), from);
        add(schema, from, builder.accepting());
        return from;
    }

    private void add(Schema schema, int from, int to) {
        JsonNode node = schema.node();
        if (node.isBoolean()) {
            if (node.booleanValue()) {
                builder.call(from, any.value(), to);
            }
            return;
        }
        if (!node.isObject()) {
            throw schema.refused("", "is " + Json.text(node) + "; a schema is an object, true or false");
        }
        for (String keyword : ALONE) {
            if (schema.has(keyword)) {
                schema.allowOnly(Set.of(keyword));
                addAlternatives(schema, keyword, from, to);
                return;
            }
        }
        if (schema.has("enum") || schema.has("const")) {
            addLiterals(schema, from, to);
        } else {
            TypedSchema.add(this, schema, from, to);
        }
    }

    private void addAlternatives(Schema schema, String keyword, int from, int to) {
        List<Schema> options = keyword.equals("$ref") ? List.of(referenced(schema)) : schema.children(keyword);
        if (options.isEmpty()) {
            throw schema.malformed(keyword, "at least one schema");
        }
        if (keyword.equals("allOf") && options.size() > 1) {
            throw schema.refused(
                    keyword, "has " + options.size() + " schemas; only one is supported. Merge them into one schema");
        }
        for (Schema option : options) {
            aliases.computeIfAbsent(schema.pointer(), key -> new ArrayList<>()).add(option);
            builder.call(from, rule(option), to);
        }
    }

    private Schema referenced(Schema schema) {
        String reference = schema.string("$ref");
        if (!reference.startsWith("#")) {
            throw schema.refused(
                    "$ref", "is \"" + reference + "\"; only references within the schema (#/$defs/...) are supported");
        }
        JsonNode target;
        String pointer;
        try {
            pointer = URLDecoder.decode(reference.substring(1).replace("+", "%2B"), StandardCharsets.UTF_8);
            target = root.at(JsonPointer.compile(pointer));
        } catch (IllegalArgumentException e) {
            throw schema.refused("$ref", "is \"" + reference + "\", which is not a JSON pointer");
        }
        if (target.isMissingNode()) {
            throw schema.refused("$ref", "is \"" + reference + "\"; the schema has nothing there");
        }
        return new Schema(target, pointer);
    }

    private void addLiterals(Schema schema, int from, int to) {
        schema.allowOnly(Set.of("enum", "const", "type"));
        List<JsonNode> values = new ArrayList<>();
        if (schema.has("enum")) {
            if (!schema.node().path("enum").isArray()
                    || schema.node().path("enum").isEmpty()) {
                throw schema.malformed("enum", "a list of values");
            }
            values.addAll(Json.elements(schema.node().path("enum")));
        }
        if (schema.has("const")) {
            JsonNode constant = schema.node().path("const");
            if (schema.has("enum") && !values.contains(constant)) {
                throw schema.refused("const", "is not in \"enum\"");
            }
            values = List.of(constant);
        }
        Set<String> types = schema.has("type") ? TypedSchema.types(schema) : Set.of();
        List<String> texts = values.stream()
                .filter(value -> types.isEmpty() || types.stream().anyMatch(type -> isOf(type, value)))
                .map(value -> text(schema, value))
                .toList();
        if (texts.isEmpty()) {
            throw schema.refused(schema.has("enum") ? "enum" : "const", "has no value of the type");
        }
        builder.dfa(from, Dfa.ofTexts(texts), to);
    }

    private static boolean isOf(String type, JsonNode value) {
        Predicate<JsonNode> test = switch (type) {
            case "object" -> JsonNode::isObject;
            case "array" -> JsonNode::isArray;
            case "string" -> JsonNode::isString;
            case "boolean" -> JsonNode::isBoolean;
            case "null" -> JsonNode::isNull;
            case "number" -> JsonNode::isNumber;
            default ->
                number -> number.isNumber()
                        && number.decimalValue().stripTrailingZeros().scale() <= 0;
        };
        return test.test(value);
    }

    private static String text(Schema schema, JsonNode value) {
        String text = Json.text(value);
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
            throw schema.refused(schema.has("enum") ? "enum" : "const", "has a value with a lone surrogate");
        }
        return text;
    }

    /// Refuses schemas that stand for themselves: they would be searched for ever.
    private void checkAliases(Schema schema, List<Schema> path, Set<String> done) {
        if (path.contains(schema)) {
            Schema reference = path.reversed().stream()
                    .filter(one -> one.has("$ref"))
                    .findFirst()
                    .orElse(schema);
            throw reference.refused("$ref", "leads back to itself, without a value in between");
        }
        if (done.add(schema.pointer())) {
            path.add(schema);
            for (Schema target : aliases.getOrDefault(schema.pointer(), List.of())) {
                checkAliases(target, path, done);
            }
            path.removeLast();
        }
    }
}
