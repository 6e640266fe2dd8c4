package io.shadowkv.eval.scbench;

import io.shadowkv.eval.Metric;
import io.shadowkv.eval.metric.AllReferences;
import io.shadowkv.eval.metric.PythonText;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Tests whether an answer repeats the described function (microsoft/MInference,
/// `scbench/repo_qa_utils.py`): of all functions asked for in the same repository it must be most
/// similar to that one, with a similarity of at least 0.8.
///
/// The script parses an answer's code block and uses the first function in it, or the whole block
/// if it finds none. This class has no parser and always uses the whole block.
///
/// @param name the function's name
/// @param functions all functions asked for in the repository, in the order of the file
record RepoQa(String name, List<Function> functions) {
    private static final double THRESHOLD = 0.8;
    private static final Pattern CODE_BLOCK = Pattern.compile(
            "^```(?:\\w+)?\\s*\\n(.*?)(?=^```)```",
            Pattern.DOTALL | Pattern.MULTILINE | Pattern.UNIX_LINES | Pattern.UNICODE_CHARACTER_CLASS);

    /// A function of a repository.
    ///
    /// @param name its name
    /// @param code its text
    record Function(String name, String code) {}

    Metric metric() {
        return new AllReferences("repoqa_pass@1_0.8", (answer, references) -> score(answer));
    }

    private double score(String answer) {
        String code = code(answer);
        String closest = "";
        double best = 0;
        for (Function function : functions) {
            double similarity = Bleu.similarity(code, function.code());
            if (similarity > best) {
                best = similarity;
                closest = function.name();
            }
        }
        return closest.equals(name) && best >= THRESHOLD ? 1 : 0;
    }

    private static String code(String answer) {
        String text = PythonText.strip(answer);
        Matcher block = CODE_BLOCK.matcher(text);
        return block.find() ? block.group(1) : text;
    }
}
