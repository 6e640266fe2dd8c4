package io.shadowkv.server.structured;

import java.util.List;

/// Finds thoughts and calls of tools in the text of one answer, while it is generated. Used by one
/// thread.
public interface CallReader {
    /// A reader for one answer.
    ///
    /// @param thinking [Thinking#NONE] if a constraint leaves no room for thoughts
    static CallReader of(ToolFields tools, Thinking thinking) {
        if (tools.isRequired()) {
            return new RequiredCallReader();
        }
        CallReader reader =
                tools.tools().isEmpty() ? new TextReader() : new AutoCallReader(tools.tools(), tools.isParallel());
        return thinking == Thinking.NONE ? reader : new ThinkingReader(thinking, reader);
    }

    /// Takes more text.
    ///
    /// @return what has become certain; may be empty
    List<AnswerPart> push(String text);

    /// The text has ended.
    ///
    /// @return the rest
    List<AnswerPart> end();

    /// True if the answer ended with a complete call. Meaningful after [#end].
    boolean hasCalls();
}
