/// Answers the rows of a table: each row is a question about a document.
///
/// In: rows as JSON, one on each line. Consecutive rows of the same document share it: its text is
/// sent once, and the engine reads it once. Out: one line for each row, in the order in which the
/// answers are ready.
///
/// ```
/// {"key":1,"document":"In the beginning ...","question":"Who?","options":{"max_tokens":32}}
/// {"key":2,"question":"When?"}                          the document of the row before
/// {"key":1,"answer":"...","finish":"stop","prompt_tokens":900,"cached_tokens":880,"new_tokens":7}
/// {"key":2,"error":"the document has 200,000 tokens ..."}
/// ```
///
/// [io.shadowkv.eval.rows.RowLoop] reads and writes the lines; [io.shadowkv.eval.rows.EngineAnswerer]
/// asks the engine. A loop that is a worker of another process sends `{"ready":1}` first and
/// `{"alive":true}` every ten seconds, and stops as soon as its input ends;
/// [io.shadowkv.eval.rows.RowWorker] is the other side. Called by the command `answer` and by the
/// tasks of a cluster; next stop: `io.shadowkv.engine.serve`.
@NullMarked
package io.shadowkv.eval.rows;

import org.jspecify.annotations.NullMarked;
