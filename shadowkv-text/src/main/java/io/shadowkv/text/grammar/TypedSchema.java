package io.shadowkv.text.grammar;

import io.shadowkv.text.grammar.State.Counter;
import io.shadowkv.text.grammar.regex.Dfa;
import io.shadowkv.text.grammar.regex.Formats;
import io.shadowkv.text.grammar.regex.NumberRange;
import io.shadowkv.text.grammar.regex.RegexException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Adds the values of a schema of `type` and the keywords that belong to types.
///
/// Keywords of a type that a schema does not have bind nothing, as JSON schema says.
final class TypedSchema {
    private static final Set<String> BOUNDS = Set.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum");

    /// The keywords of each type; a schema without `type` has the types whose keywords it uses.
    private static final Map<String, Set<String>> KEYWORDS = Map.of(
            "object", Set.of("properties", "required", "additionalProperties"),
            "array", Set.of("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
            "string", Set.of("minLength", "maxLength", "pattern", "format"),
            "number", BOUNDS);

    private static final Set<String> TYPES =
            Set.of("object", "array", "string", "number", "integer", "boolean", "null");

    /// Numbers have at most 19 digits before the point.
    private static final BigDecimal LIMIT = BigDecimal.TEN.pow(19);

    /// An exponent of a billion would be a billion digits.
    private static final int MOST_DIGITS = 400;

    /// Where a property may come, all optional ones that may come next are looked at.
    private static final int MOST_PROPERTIES = 5_000;

    private final SchemaCompiler compiler;
    private final AutomatonBuilder builder;
    private final Schema schema;
    private final int from;
    private final int to;

    private TypedSchema(SchemaCompiler compiler, Schema schema, int from, int to) {
        this.compiler = compiler;
        this.builder = compiler.builder();
        this.schema = schema;
        this.from = from;
        this.to = to;
    }

    static void add(SchemaCompiler compiler, Schema schema, int from, int to) {
        Set<String> keywords = new TreeSet<>(Set.of("type"));
        KEYWORDS.values().forEach(keywords::addAll);
        schema.allowOnly(keywords);
        TypedSchema typed = new TypedSchema(compiler, schema, from, to);
        Set<String> types = types(schema);
        if (types.isEmpty()) {
            compiler.builder().call(from, compiler.any().value(), to);
        }
        types.forEach(typed::addType);
    }

    /// The types that a schema names or implies; none if it allows any value.
    static Set<String> types(Schema schema) {
        Set<String> types = new LinkedHashSet<>();
        if (!schema.has("type")) {
            KEYWORDS.forEach((type, keywords) -> {
                if (keywords.stream().anyMatch(schema::has)) {
                    types.add(type);
                }
            });
            return types;
        }
        types.addAll(schema.node().path("type").isString() ? List.of(schema.string("type")) : schema.strings("type"));
        if (types.isEmpty() || !TYPES.containsAll(types)) {
            throw schema.malformed("type", "one or several of " + String.join(", ", new TreeSet<>(TYPES)));
        }
        if (types.contains("number")) {
            types.remove("integer");
        }
        return types;
    }

    private void addType(String type) {
        switch (type) {
            case "object" -> addObject();
            case "array" -> addArray();
            case "string" -> addString();
            case "number" -> addNumber();
            case "integer" -> builder.dfa(from, numbers(0), to);
            case "boolean" -> builder.dfa(from, Dfa.ofTexts(List.of("true", "false")), to);
            default -> builder.text(from, "null", to);
        }
    }

    private void addObject() {
        Set<String> required = new LinkedHashSet<>(schema.has("required") ? schema.strings("required") : List.of());
        Set<String> names = new LinkedHashSet<>();
        if (schema.has("properties")) {
            if (!schema.node().path("properties").isObject()) {
                throw schema.malformed("properties", "an object of schemas");
            }
            names.addAll(schema.node().path("properties").propertyNames());
        }
        checkCount("properties", names.size());
        checkCount("required", required.size());
        List<ObjectRule.Property> properties = new ArrayList<>();
        for (String name : names) {
            int rule = compiler.rule(schema.child("properties", name));
            properties.add(new ObjectRule.Property(name, rule, required.contains(name)));
        }
        required.removeAll(names);
        int additional = additional(names.isEmpty());
        for (String name : required) {
            properties.add(new ObjectRule.Property(name, ruleOfUnlisted(name, additional), true));
        }
        try {
            ObjectRule.add(compiler.any(), from, properties, additional, to);
        } catch (RegexException e) {
            throw schema.refused(
                    "additionalProperties",
                    "to keep the names of the properties apart " + e.getMessage()
                            + ". Set it to false, or use fewer or shorter names");
        }
    }

    private void checkCount(String keyword, int count) {
        if (count > MOST_PROPERTIES) {
            throw schema.refused(
                    keyword,
                    "has " + "%,d".formatted(count) + " names; at most " + "%,d".formatted(MOST_PROPERTIES)
                            + " are supported. Divide the object into several");
        }
    }

    private int additional(boolean isOpen) {
        if (!schema.has("additionalProperties")) {
            return isOpen ? compiler.any().value() : ObjectRule.CLOSED;
        }
        Schema additional = schema.child("additionalProperties");
        boolean isFalse = additional.node().isBoolean() && !additional.node().booleanValue();
        return isFalse ? ObjectRule.CLOSED : compiler.rule(additional);
    }

    /// The rule of a required property that is not among the properties: additional ones have it.
    private int ruleOfUnlisted(String name, int additional) {
        if (additional == ObjectRule.CLOSED && schema.has("additionalProperties")) {
            throw schema.refused(
                    "required",
                    "\"" + name + "\" is required, but is not among the properties, and additionalProperties is false");
        }
        return additional == ObjectRule.CLOSED ? compiler.any().value() : additional;
    }

    private void addArray() {
        if (schema.has("uniqueItems") && schema.node().path("uniqueItems").asBoolean(true)) {
            throw schema.refused("uniqueItems", "cannot be enforced. Remove it");
        }
        if (schema.node().path("items").isArray()) {
            throw schema.refused("items", "is a list; use prefixItems for items with a schema each");
        }
        int min = schema.count("minItems", 0);
        int max = schema.count("maxItems", Counter.UNBOUNDED);
        checkOrder("minItems", min, "maxItems", max);
        List<Integer> prefix = schema.has("prefixItems")
                ? schema.children("prefixItems").stream().map(compiler::rule).toList()
                : List.of();
        int items = schema.has("items")
                ? compiler.rule(schema.child("items"))
                : compiler.any().value();
        ArrayRule.add(builder, from, prefix, items, min, max, to);
    }

    private void addString() {
        int min = schema.count("minLength", 0);
        int max = schema.count("maxLength", Counter.UNBOUNDED);
        checkOrder("minLength", min, "maxLength", max);
        Dfa pattern = pattern();
        if (pattern == null) {
            if (min == 0 && max == Counter.UNBOUNDED) {
                builder.call(from, compiler.any().string(), to);
            } else {
                StringRule.add(builder, from, min, max, to);
            }
            return;
        }
        if (min > 0 || max != Counter.UNBOUNDED) {
            Dfa other = pattern;
            pattern =
                    regular("maxLength", () -> other.and(Dfa.ofLength(min, max, compiler.effort()), compiler.effort()));
        }
        int begin = builder.state();
        int end = builder.state();
        builder.on(from, '"', begin);
        builder.dfa(begin, pattern, end);
        builder.on(end, '"', to);
    }

    /// What `pattern` and `format` allow, or null without both.
    private @Nullable Dfa pattern() {
        Dfa result = null;
        if (schema.has("pattern")) {
            String pattern = schema.string("pattern");
            result = regular("pattern", () -> Dfa.ofPattern(pattern, compiler.effort()));
        }
        if (schema.has("format")) {
            String name = schema.string("format");
            String pattern = Formats.pattern(name);
            if (pattern == null) {
                throw schema.refused(
                        "format",
                        "\"" + name + "\" is not supported; use one of " + String.join(", ", Formats.names()));
            }
            Dfa other = result;
            result = regular("format", () -> {
                Dfa format = compiler.format(name, pattern);
                return other == null ? format : other.and(format, compiler.effort());
            });
        }
        return result;
    }

    private Dfa regular(String keyword, Supplier<Dfa> made) {
        try {
            return made.get();
        } catch (RegexException e) {
            throw schema.refused(keyword, e.getMessage() + ". Simplify it");
        }
    }

    private void addNumber() {
        if (BOUNDS.stream().anyMatch(schema::has)) {
            builder.dfa(from, numbers(AnyJson.FRACTION_DIGITS), to);
        } else {
            builder.call(from, compiler.any().number(), to);
        }
    }

    /// The numbers within the bounds.
    private Dfa numbers(int fractionDigits) {
        BigDecimal low = LIMIT.negate();
        BigDecimal high = LIMIT;
        boolean isLowExclusive = true;
        boolean isHighExclusive = true;
        for (String keyword : List.of("minimum", "exclusiveMinimum")) {
            if (schema.has(keyword) && bound(keyword).compareTo(low) >= 0) {
                // Of two equal bounds the exclusive one binds, and it comes last.
                low = bound(keyword);
                isLowExclusive = keyword.equals("exclusiveMinimum");
            }
        }
        for (String keyword : List.of("maximum", "exclusiveMaximum")) {
            if (schema.has(keyword) && bound(keyword).compareTo(high) <= 0) {
                high = bound(keyword);
                isHighExclusive = keyword.equals("exclusiveMaximum");
            }
        }
        NumberRange range = new NumberRange(low, isLowExclusive, high, isHighExclusive, fractionDigits);
        Dfa numbers = low.compareTo(high) > 0 ? Dfa.ofTexts(List.of()) : Dfa.ofNumbers(range);
        if (numbers.isEmpty()) {
            String keyword = schema.has("minimum") || !schema.has("exclusiveMinimum") ? "minimum" : "exclusiveMinimum";
            throw schema.refused(
                    keyword,
                    "no number lies within the bounds, with at most 19 digits before the point and " + fractionDigits
                            + " behind it");
        }
        return numbers;
    }

    private BigDecimal bound(String keyword) {
        BigDecimal bound = schema.number(keyword);
        if (Math.abs((long) bound.scale()) > MOST_DIGITS || bound.precision() > MOST_DIGITS) {
            throw schema.malformed(keyword, "a number of at most " + MOST_DIGITS + " digits");
        }
        return bound;
    }

    private void checkOrder(String least, int min, String most, int max) {
        if (min > max) {
            throw schema.refused(least, "is " + min + ", \"" + most + "\" is " + max);
        }
    }
}
