package io.shadowkv.cli.serve;

import io.shadowkv.cli.process.Program;
import io.shadowkv.cli.process.Surroundings;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.IExecutionStrategy;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/// The settings of a server that come from the environment and from the file of `--config`. A flag
/// takes precedence over a variable, a variable over the file, the file over the default.
///
/// A setting's key is the long name of an option without its dashes, or `model`. The variable of
/// `max-batch` is `SHADOWKV_MAX_BATCH`.
public final class Settings {
    private static final String CONFIG = "config";
    private static final String MODEL = "model";
    private static final String PREFIX = "SHADOWKV_";

    /// Settings of which only one source counts: a flag with one key takes the place of a file with
    /// another.
    private static final List<Set<String>> TOGETHER =
            List.of(Set.of("api-key", "api-key-file"), Set.of(MODEL, "random", "layers"), Set.of("device", "devices"));

    /// Options that ask for something else than a setting.
    private static final Set<String> NO_SETTINGS = Set.of("help", "version", "debug", "show-config", CONFIG);

    /// Variables that the launcher and the build read.
    private static final Set<String> OTHER_VARIABLES =
            Set.of("SHADOWKV_COMMIT", "SHADOWKV_JAVA_OPTIONS", "SHADOWKV_MODULE_PATH", "SHADOWKV_UNDER");

    private record Setting(List<String> values, String origin) {}

    private final Map<String, ArgSpec> known;
    private final Map<String, Setting> settings = new LinkedHashMap<>();
    private final List<String> notes = new ArrayList<>();

    private Settings(Map<String, ArgSpec> known) {
        this.known = known;
    }

    /// No settings but flags.
    static Settings none() {
        return new Settings(Map.of());
    }

    /// Runs a command. If it is `serve`, the settings of its file and of the environment are added to
    /// its arguments first.
    ///
    /// @throws ParameterException if a setting cannot be read or is refused; the message says where it
    ///     comes from
    public static int execute(ParseResult parsed, IExecutionStrategy strategy) {
        ParseResult asked = parsed.subcommand();
        if (asked == null
                || !(asked.commandSpec().userObject() instanceof ServeCommand serve)
                || asked.isUsageHelpRequested()
                || asked.isVersionHelpRequested()) {
            return strategy.execute(parsed);
        }
        Surroundings surroundings = ((Program) parsed.commandSpec().userObject()).surroundings();
        Settings settings = of(asked, surroundings);
        serve.use(settings);
        try {
            return strategy.execute(settings.added(parsed, asked));
        } catch (ParameterException e) {
            throw settings.explained(e);
        }
    }

    private static Settings of(ParseResult asked, Surroundings surroundings) {
        CommandSpec command = asked.commandSpec();
        Settings result = new Settings(known(command));
        try {
            Set<String> taken = result.given(asked);
            result.add(result.environment(surroundings, taken), taken);
            Path file = asked.matchedOptionValue(
                    "--" + CONFIG,
                    surroundings.variable(variable(CONFIG)).map(Path::of).orElse(null));
            if (file != null) {
                Map<String, Setting> read = new LinkedHashMap<>();
                SettingsFile.read(file, result.known)
                        .forEach((key, values) -> read.put(key, new Setting(values, file.toString())));
                result.add(read, taken);
            }
            return result;
        } catch (IllegalArgumentException e) {
            throw new ParameterException(command.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private static Map<String, ArgSpec> known(CommandSpec command) {
        Map<String, ArgSpec> known = new LinkedHashMap<>();
        known.put(MODEL, command.positionalParameters().getFirst());
        for (OptionSpec option : command.options()) {
            String key = option.longestName().substring(2);
            if (!option.hidden() && !NO_SETTINGS.contains(key)) {
                known.put(key, option);
            }
        }
        return known;
    }

    static String variable(String key) {
        return PREFIX + key.replace('-', '_').toUpperCase(Locale.ROOT);
    }

    /// The keys that the command line gives, with those that must not come from elsewhere then.
    private Set<String> given(ParseResult asked) {
        Set<String> given = new HashSet<>();
        known.forEach((key, option) -> {
            boolean isGiven = option instanceof OptionSpec flag
                    ? asked.hasMatchedOption(flag)
                    : !asked.matchedPositionals().isEmpty();
            if (isGiven) {
                given.addAll(together(key));
            }
        });
        return given;
    }

    private static Set<String> together(String key) {
        return TOGETHER.stream()
                .filter(group -> group.contains(key))
                .findFirst()
                .orElse(Set.of(key));
    }

    /// A variable that a flag replaces is not looked at.
    private Map<String, Setting> environment(Surroundings surroundings, Set<String> taken) {
        Map<String, Setting> found = new LinkedHashMap<>();
        Set<String> variables = new HashSet<>(OTHER_VARIABLES);
        variables.add(variable(CONFIG));
        known.forEach((key, option) -> {
            String name = variable(key);
            variables.add(name);
            if (key.startsWith("api-key")
                    && surroundings.environment().getOrDefault(name, "-").isBlank()) {
                // An empty secret must not open the server.
                throw new IllegalArgumentException(
                        name + " of the environment is empty; set it, or remove it to accept every request");
            }
            surroundings
                    .variable(name)
                    .filter(value -> !taken.contains(key))
                    .ifPresent(value -> found.put(key, setting(name, option, value)));
        });
        surroundings.environment().keySet().stream()
                .filter(name -> name.startsWith(PREFIX) && !variables.contains(name))
                .sorted()
                .forEach(name -> notes.add("ignored: " + name + " of the environment is not a setting of serve"));
        return found;
    }

    private static Setting setting(String name, ArgSpec option, String value) {
        String splits = option.splitRegex();
        List<String> values = splits.isEmpty() ? List.of(value) : Arrays.asList(value.split(splits, -1));
        SettingType type = SettingType.of(option);
        if (!values.stream().allMatch(type::accepts)) {
            String hint = value.startsWith("tcp://")
                    ? ". Kubernetes sets such variables for a service named shadowkv: give it another name, or set"
                            + " enableServiceLinks: false"
                    : "";
            throw new IllegalArgumentException(
                    name + " of the environment is \"" + value + "\"; expected " + type.expected(option) + hint);
        }
        return new Setting(values, name);
    }

    /// Adds what no source before this one has given.
    private void add(Map<String, Setting> source, Set<String> taken) {
        Set<String> added = new HashSet<>();
        source.forEach((key, setting) -> {
            if (!taken.contains(key)) {
                settings.put(key, setting);
                added.addAll(together(key));
            }
        });
        taken.addAll(added);
    }

    /// The command line again, with these settings after the command's name.
    private ParseResult added(ParseResult parsed, ParseResult asked) {
        if (settings.isEmpty()) {
            return parsed;
        }
        List<String> arguments = new ArrayList<>(parsed.originalArgs());
        List<String> added = new ArrayList<>();
        settings.forEach((key, setting) ->
                setting.values().forEach(value -> added.add(key.equals(MODEL) ? value : "--" + key + "=" + value)));
        arguments.addAll(arguments.indexOf(asked.commandSpec().name()) + 1, added);
        return parsed.commandSpec().commandLine().parseArgs(arguments.toArray(String[]::new));
    }

    /// A refusal that says where the refused settings come from.
    private ParameterException explained(ParameterException refused) {
        if (settings.isEmpty()) {
            return refused;
        }
        Setting setting = known.entrySet().stream()
                .filter(entry -> entry.getValue().equals(refused.getArgSpec()))
                .map(entry -> settings.get(entry.getKey()))
                .filter(found -> found != null)
                .findFirst()
                .orElse(null);
        String message = refused.getMessage()
                + (setting != null
                        ? " (from " + setting.origin() + ")"
                        : "; settings that are not flags: " + origins());
        return new ParameterException(refused.getCommandLine(), message, refused);
    }

    private String origins() {
        return settings.entrySet().stream()
                .map(entry -> entry.getKey() + " (" + entry.getValue().origin() + ")")
                .collect(Collectors.joining(", "));
    }

    /// Prints what is not on the command line: where settings come from, and what is ignored.
    void printNotes(PrintWriter err) {
        if (!settings.isEmpty()) {
            err.println("settings that are not flags: " + origins());
        }
        notes.forEach(err::println);
        err.flush();
    }

    /// Prints every setting with its value and where it comes from. Keys of clients are only counted.
    ///
    /// @param parsed the arguments with these settings
    void print(ParseResult parsed, PrintWriter out) {
        known.forEach((key, option) -> {
            Setting setting = settings.get(key);
            List<String> values = option instanceof OptionSpec flag
                    ? parsed.hasMatchedOption(flag) ? flag.originalStringValues() : List.of()
                    : parsed.matchedPositionals().isEmpty()
                            ? List.of()
                            : parsed.matchedPositionals().getFirst().originalStringValues();
            String origin = setting != null ? setting.origin() : values.isEmpty() ? "default" : "flag";
            out.printf(Locale.ROOT, "%-20s %-24s %s%n", key, shown(key, option, values), origin);
        });
        out.flush();
    }

    private static String shown(String key, ArgSpec option, List<String> values) {
        if (key.equals("api-key") && !values.isEmpty()) {
            return values.size() + (values.size() == 1 ? " key" : " keys");
        }
        if (!values.isEmpty()) {
            return SettingType.of(option) == SettingType.FLAG && values.equals(List.of(""))
                    ? "true"
                    : String.join(",", values);
        }
        @Nullable String standard = option.defaultValue();
        if (standard != null) {
            return standard;
        }
        return SettingType.of(option) == SettingType.FLAG ? "false" : "-";
    }
}
