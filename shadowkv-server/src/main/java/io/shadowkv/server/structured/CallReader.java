package io.shadowkv.server.structured;

import java.util.List;

/// Finds calls of tools in the text of one answer, while it is generated. Used by one thread.
public interface CallReader {
    /// A reader for one answer to a request with tools.
    static CallReader of(ToolFields tools) {
        return tools.isRequired() ? new RequiredCallReader() : new AutoCallReader(tools.tools(), tools.isParallel());
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
