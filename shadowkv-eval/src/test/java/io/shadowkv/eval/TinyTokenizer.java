package io.shadowkv.eval;

import io.shadowkv.text.IncrementalDetokenizer;
import io.shadowkv.text.Tokenizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The tokenizer of the pressure test's goldens. A token is a newline, a run of spaces and tabs, a
/// run of ASCII letters and digits, or any other single character. Ids are assigned in the order of
/// first use. Sequences begin with one special token.
public final class TinyTokenizer implements Tokenizer {
    private static final Pattern TOKEN = Pattern.compile("\\n|[ \\t]+|[A-Za-z0-9]+|[^\\n]", Pattern.DOTALL);

    private final Map<String, Integer> ids = new HashMap<>(Map.of("<s>", 0));
    private final List<String> tokens = new ArrayList<>(List.of("<s>"));

    @Override
    public int[] encode(String text, boolean addSpecialTokens) {
        List<Integer> found = new ArrayList<>();
        if (addSpecialTokens) {
            found.add(0);
        }
        Matcher token = TOKEN.matcher(text);
        while (token.find()) {
            found.add(ids.computeIfAbsent(token.group(), word -> {
                tokens.add(word);
                return tokens.size() - 1;
            }));
        }
        return found.stream().mapToInt(Integer::intValue).toArray();
    }

    @Override
    public int[] encodeAsText(String text) {
        return encode(text, false);
    }

    @Override
    public String decode(int[] coded, boolean skipSpecialTokens) {
        StringBuilder text = new StringBuilder();
        for (int id : coded) {
            text.append(id == 0 && skipSpecialTokens ? "" : tokens.get(id));
        }
        return text.toString();
    }

    @Override
    public int vocabularySize() {
        return tokens.size();
    }

    @Override
    public OptionalInt id(String token) {
        Integer id = ids.get(token);
        return id == null ? OptionalInt.empty() : OptionalInt.of(id);
    }

    @Override
    public String token(int id) {
        return tokens.get(id);
    }

    @Override
    public boolean isSpecial(int id) {
        return id == 0;
    }

    @Override
    public IncrementalDetokenizer detokenizer(boolean skipSpecialTokens) {
        throw new UnsupportedOperationException("this tokenizer has no incremental decoding");
    }

    @Override
    public void close() {}
}
