package io.shadowkv.text.grammar;

import io.shadowkv.text.Json;
import io.shadowkv.text.grammar.regex.Dfa;
import io.shadowkv.text.grammar.regex.Effort;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Predicate;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;

/// Compiles a JSON schema (2020-12) to an automaton: a rule for each schema, shared by all that
/// refer to it. [Grammar] says which keywords are honoured.
final class SchemaCompiler {
    /// Keywords of which a schema has at most one, with nothing but annotations next to it.
    private static final List<String> ALONE = List.of("$ref", "anyOf", "oneOf", "allOf");

    /// Schemas within schemas, and references to references. Deeper ones would exceed the stack.
    private static final int DEEPEST = 500;

    /// At each place in a text where alternatives begin, all of them are looked at.
    private static final int MOST_ALTERNATIVES = 1_000;

    private final AutomatonBuilder builder = new AutomatonBuilder();
    private final Effort effort = Effort.limited();
    private final AnyJson any = new AnyJson(builder, effort);
    private final JsonNode root;
    private final Map<String, Integer> rules = new HashMap<>();
    private final Map<String, Dfa> formats = new HashMap<>();
    private int depth;
    /// The schemas that a schema stands for without a byte of its own, by pointer.
    private final Map<String, List<Schema>> aliases = new LinkedHashMap<>();

    private SchemaCompiler(JsonNode root) {
        this.root = root;
    }

    /// The automaton of the schema's values.
    ///
    /// @throws GrammarException if the schema cannot be enforced
    static AutomatonBuilder.Automaton compile(JsonNode schema) {
        SchemaCompiler compiler = new SchemaCompiler(schema);
        int rule = compiler.rule(new Schema(schema, ""));
        Set<String> done = new HashSet<>();
        compiler.aliases
                .values()
                .forEach(targets ->
                        targets.forEach(target -> compiler.checkAliases(target, new LinkedHashMap<>(), done)));
        return compiler.builder.build(rule);
    }

    AutomatonBuilder builder() {
        return builder;
    }

    AnyJson any() {
        return any;
    }

    /// What the patterns of the whole schema may cost.
    Effort effort() {
        return effort;
    }

    /// What a format allows, compiled when first asked for.
    Dfa format(String name, String pattern) {
        return formats.computeIfAbsent(name, key -> Dfa.ofPattern(pattern, effort));
    }

    /// The rule of a schema, compiled when first asked for.
    int rule(Schema schema) {
        Integer known = rules.get(schema.pointer());
        if (known != null) {
            return known;
        }
        if (depth == DEEPEST) {
            throw schema.refused("", "is nested more than " + DEEPEST + " schemas deep. Nest less");
        }
        depth++;
        try {
            int from = builder.state();
            rules.put(schema.pointer(), from);
            add(schema, from, builder.accepting());
            return from;
        } catch (AutomatonBuilder.StateLimitException e) {
            String keyword = List.of("enum", "const").stream()
                    .filter(schema::has)
                    .findFirst()
                    .orElse("");
            throw schema.refused(keyword, String.valueOf(e.getMessage()));
        } finally {
            depth--;
        }
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
        if (options.size() > MOST_ALTERNATIVES) {
            throw schema.refused(
                    keyword,
                    "has " + "%,d".formatted(options.size()) + " schemas; at most " + "%,d".formatted(MOST_ALTERNATIVES)
                            + " are supported. Give fewer");
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
        builder.texts(from, texts, to);
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
    ///
    /// @param path the schemas that led here, by pointer
    private void checkAliases(Schema schema, SequencedMap<String, Schema> path, Set<String> done) {
        if (path.containsKey(schema.pointer())) {
            Schema reference = path.sequencedValues().reversed().stream()
                    .filter(one -> one.has("$ref"))
                    .findFirst()
                    .orElse(schema);
            throw reference.refused("$ref", "leads back to itself, without a value in between");
        }
        if (done.add(schema.pointer())) {
            path.put(schema.pointer(), schema);
            for (Schema target : aliases.getOrDefault(schema.pointer(), List.of())) {
                checkAliases(target, path, done);
            }
            path.pollLastEntry();
        }
    }
}
