package io.shadowkv.hub;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Checks names from a user or a server before they become parts of a path, and selects the files
/// that an engine needs.
final class HubNames {
    private static final Pattern REPOSITORY =
            Pattern.compile("(?:[A-Za-z0-9][A-Za-z0-9._-]{0,95}/)?[A-Za-z0-9][A-Za-z0-9._-]{0,95}");
    private static final Pattern COMMIT = Pattern.compile("[0-9a-zA-Z]{7,64}");
    private static final Pattern ETAG = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_-]{7,127}");
    private static final Pattern WEIGHTS = Pattern.compile("model(?:-\\d{1,9}-of-(\\d{1,9}))?\\.safetensors");
    private static final Pattern SMALL =
            Pattern.compile("(?:.*\\.(?:json|jinja|tiktoken)|tokenizer\\.model|" + "(?:merges|vocab)\\.txt)");

    private static final String SINGLE_WEIGHT_FILE = "model.safetensors";

    /// The folder in which transformers stores templates in addition to the default one, such as
    /// for tools.
    private static final Pattern CHAT_TEMPLATE = Pattern.compile("additional_chat_templates/[^/]+\\.jinja");

    private static final String GGUF = ".gguf";
    private static final int MAX_FILES = 10_000;
    private static final int MAX_PATTERN = 200;
    private static final int MAX_SHOWN = 20;

    private HubNames() {}

    /// @throws IllegalArgumentException if `repo` is not `NAME` or `ORG/NAME`
    static void checkRepository(String repo) {
        if (!REPOSITORY.matcher(repo).matches() || repo.contains("..") || repo.contains("--")) {
            throw new IllegalArgumentException("\"" + HubJson.shorten(repo)
                    + "\" is not a repository; expected ORG/NAME of letters," + " digits, '.', '_' and '-'");
        }
    }

    /// @throws IllegalArgumentException if `revision` is not a branch, tag or commit that can be a
    ///     file name
    static void checkRevision(String revision) {
        if (!isSafePath(revision)) {
            throw new IllegalArgumentException(
                    "\"" + HubJson.shorten(revision) + "\" is not a revision; expected a branch, a tag or a commit");
        }
    }

    /// True if a commit (40 hex digits on the public hub) can be the name of a folder.
    static boolean isCommit(String text) {
        return COMMIT.matcher(text).matches();
    }

    /// True if an ETag can be the name of a file in the cache.
    static boolean isEtag(String text) {
        return ETAG.matcher(text).matches();
    }

    /// The files of a repository that an engine reads: configurations, tokenizer files, and one set
    /// of weights.
    ///
    /// @param files every file name the server lists
    /// @throws HubException if the name of a needed file leads out of its folder, or if the weights
    ///     or `config.json` are missing
    static List<String> wanted(String repo, List<String> files) {
        Set<String> wanted = new LinkedHashSet<>();
        for (String file : files) {
            String base = file.substring(Math.max(file.lastIndexOf('/'), file.lastIndexOf('\\')) + 1);
            if (!SMALL.matcher(base).matches() && !base.endsWith(".safetensors")) {
                continue;
            }
            if (!isSafePath(file)) {
                throw new HubException(
                        repo + ": the server lists a file named \"" + HubJson.shorten(file)
                                + "\", which leads out of the folder. Nothing was downloaded; do not trust this server or repository");
            }
            // Folders (original/, onnx/, ...) contain the same model for other programs, with one
            // exception.
            if (!file.contains("/") || CHAT_TEMPLATE.matcher(file).matches()) {
                wanted.add(file);
            }
        }
        if (wanted.size() > MAX_FILES) {
            throw new HubException(
                    repo + ": the server lists " + wanted.size() + " configurations and weights; no model"
                            + " has more than " + MAX_FILES + ". Check the name and HF_ENDPOINT");
        }
        List<String> weights = weights(wanted);
        if (weights.isEmpty()
                && (files.contains("adapter_config.json") || files.contains("adapter_model.safetensors"))) {
            throw new HubException(repo + ": an adapter (such as LoRA) without the weights of the model that it"
                    + " changes. Merge it into its base model once with Python (merge_and_unload() of the peft library),"
                    + " or pull a repository of the merged model");
        }
        List<String> gguf = files.stream().filter(file -> file.endsWith(GGUF)).toList();
        if (weights.isEmpty() && !gguf.isEmpty()) {
            throw new HubException(repo + ": no *.safetensors among its " + files.size() + " files, but " + shown(gguf)
                    + ". Choose one of these, such as `shadowkv pull " + repo + " --file '*Q4_K_M*'`");
        }
        if (weights.isEmpty()) {
            throw new HubException(repo + ": no *.safetensors among its " + files.size()
                    + " files. The engine does not read" + " other formats; choose a repository with *.safetensors");
        }
        if (!wanted.contains("config.json")) {
            throw new HubException(repo + ": no config.json among its " + files.size()
                    + " files. Only models in the Hugging Face layout can be read");
        }
        wanted.removeIf(file -> file.endsWith(".safetensors") && !weights.contains(file));
        return List.copyOf(wanted);
    }

    /// Selects the files that match patterns: in a pattern `*` stands for any characters and `?` for
    /// one.
    ///
    /// @param listed every file name the server lists
    /// @throws HubException if a pattern matches no file, or a file that leads out of its folder
    static List<String> matching(String repo, List<String> patterns, List<String> listed) {
        Set<String> wanted = new LinkedHashSet<>();
        for (String pattern : patterns) {
            Pattern glob = glob(pattern);
            List<String> matches =
                    listed.stream().filter(file -> glob.matcher(file).matches()).toList();
            if (matches.isEmpty()) {
                List<String> gguf =
                        listed.stream().filter(file -> file.endsWith(GGUF)).toList();
                throw new HubException(repo + ": no file matches \"" + HubJson.shorten(pattern) + "\" among its "
                        + listed.size() + " files" + (gguf.isEmpty() ? "" : " (" + shown(gguf) + ")")
                        + ". Nothing was downloaded; check the pattern, or choose another repository or revision");
            }
            wanted.addAll(matches);
        }
        for (String file : wanted) {
            if (!isSafePath(file)) {
                throw new HubException(
                        repo + ": the server lists a file named \"" + HubJson.shorten(file)
                                + "\", which leads out of the folder. Nothing was downloaded; do not trust this server or repository");
            }
        }
        return List.copyOf(wanted);
    }

    /// True if each pattern matches one of the names.
    static boolean matchesAll(List<String> patterns, Set<String> names) {
        return patterns.stream()
                .map(HubNames::glob)
                .allMatch(glob ->
                        names.stream().anyMatch(name -> glob.matcher(name).matches()));
    }

    private static Pattern glob(String pattern) {
        StringBuilder regex = new StringBuilder();
        pattern.codePoints()
                .forEach(character -> regex.append(
                        switch (character) {
                            case '*' -> ".*";
                            case '?' -> ".";
                            default -> Pattern.quote(Character.toString(character));
                        }));
        return Pattern.compile(regex.toString(), Pattern.DOTALL);
    }

    /// @throws IllegalArgumentException if `pattern` is empty or too long to be meant
    static void checkPattern(String pattern) {
        if (pattern.isBlank() || pattern.length() > MAX_PATTERN) {
            throw new IllegalArgumentException("the pattern \"" + HubJson.shorten(pattern)
                    + "\" for files; expected 1 to " + MAX_PATTERN + " characters, such as *Q4_K_M*");
        }
    }

    private static String shown(List<String> files) {
        return files.stream().limit(MAX_SHOWN).map(HubJson::shorten).collect(Collectors.joining(", "))
                + (files.size() > MAX_SHOWN ? ", ..." : "");
    }

    /// Selects the requested files of a dataset.
    ///
    /// @param listed every file name the server lists
    /// @throws HubException if a requested file is not listed
    static List<String> present(String repo, List<String> asked, List<String> listed) {
        List<String> missing =
                asked.stream().filter(file -> !listed.contains(file)).toList();
        if (missing.isEmpty()) {
            return List.copyOf(new LinkedHashSet<>(asked));
        }
        long parquet = listed.stream().filter(file -> file.endsWith(".parquet")).count();
        String shown = listed.stream()
                .filter(file -> !file.endsWith(".parquet"))
                .limit(MAX_SHOWN)
                .map(HubJson::shorten)
                .collect(Collectors.joining(", "));
        throw new HubException(repo + ": has no " + String.join(", ", missing) + " among its " + listed.size()
                + " files" + (shown.isEmpty() ? "" : " (" + shown + (listed.size() > MAX_SHOWN ? ", ..." : "") + ")")
                + (parquet == 0
                        ? ""
                        : ". " + parquet + " of them are *.parquet, which cannot be read: convert those to one"
                                + " JSON object per line with another program")
                + ". Nothing was downloaded; check the names, or choose another repository or revision");
    }

    /// @throws IllegalArgumentException if `file` cannot be a name in a repository
    static void checkFile(String file) {
        if (!isSafePath(file)) {
            throw new IllegalArgumentException(
                    "\"" + HubJson.shorten(file) + "\" is not a file of a repository; expected NAME or FOLDER/NAME");
        }
    }

    /// Selects one set of weights: the single file if it exists, otherwise the numbered shards,
    /// otherwise all files that are not a second copy.
    private static List<String> weights(Set<String> names) {
        if (names.contains(SINGLE_WEIGHT_FILE)) {
            return List.of(SINGLE_WEIGHT_FILE);
        }
        List<String> shards =
                names.stream().filter(name -> WEIGHTS.matcher(name).matches()).toList();
        if (!shards.isEmpty()) {
            return shards;
        }
        return names.stream()
                .filter(name -> name.endsWith(".safetensors")
                        && !name.startsWith("consolidated")
                        && !name.startsWith("adapter_model"))
                .toList();
    }

    /// True if these files are a configuration and one complete set of weights.
    static boolean isWholeModel(Set<String> names) {
        List<String> weights = weights(names);
        List<Matcher> shards = weights.stream()
                .map(WEIGHTS::matcher)
                .filter(shard -> shard.matches() && shard.group(1) != null)
                .toList();
        return names.contains("config.json")
                && !weights.isEmpty()
                && shards.stream().allMatch(shard -> Integer.parseInt(shard.group(1)) == shards.size());
    }

    /// True if one of these files is a whole model by itself.
    static boolean hasGguf(Set<String> names) {
        return names.stream().anyMatch(name -> name.endsWith(GGUF));
    }

    private static boolean isSafePath(String name) {
        if (name.isEmpty() || name.length() > 500 || name.chars().anyMatch(HubNames::isUnsafe)) {
            return false;
        }
        for (String part : name.split("/", -1)) {
            if (part.isEmpty() || part.equals(".") || part.equals("..") || part.length() > 200) {
                return false;
            }
        }
        return true;
    }

    private static boolean isUnsafe(int character) {
        return character < ' ' || character == 127 || character == '\\' || character == ':';
    }
}
