package io.shadowkv.cli.serve;

import picocli.CommandLine.Model.ArgSpec;

/// What kind of value a setting takes.
enum SettingType {
    FLAG("true or false"),
    WHOLE_NUMBER("a whole number"),
    TEXT("a text or a number");

    private final String description;

    SettingType(String description) {
        this.description = description;
    }

    static SettingType of(ArgSpec option) {
        Class<?> type = option.isMultiValue() ? option.auxiliaryTypes()[0] : option.type();
        if (type == boolean.class || type == Boolean.class) {
            return FLAG;
        }
        return type == int.class || type == Integer.class ? WHOLE_NUMBER : TEXT;
    }

    /// What a message says that was expected.
    String expected(ArgSpec option) {
        return option.isMultiValue() ? description + ", or a list of them" : description;
    }

    /// Whether a value of the environment is of this kind.
    boolean accepts(String value) {
        return switch (this) {
            case FLAG -> value.equals("true") || value.equals("false");
            case WHOLE_NUMBER -> value.matches("[+-]?\\d+");
            case TEXT -> true;
        };
    }
}
