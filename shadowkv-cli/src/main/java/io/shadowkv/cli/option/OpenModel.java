package io.shadowkv.cli.option;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.Backend;
import io.shadowkv.text.chat.ChatTemplate;
import java.io.PrintWriter;
import java.nio.file.Path;

/// A model and its backend, which are closed together in the right order.
///
/// @param folder folder of the checkpoint
/// @param engine an engine on `backend`
/// @param backend owned by this record
public record OpenModel(Path folder, Engine engine, Backend backend) implements AutoCloseable {
    /// Opens the model; on failure, closes everything.
    public static OpenModel open(Path folder, EngineFlags flags, KvCacheSpec cache, PrintWriter err) {
        return open(folder, flags, flags.options(cache), err);
    }

    /// Opens the model with options of the engine that `flags` do not have; on failure nothing stays
    /// open.
    public static OpenModel open(Path folder, EngineFlags flags, EngineOptions options, PrintWriter err) {
        Backends.Choice choice = flags.openBackend(err);
        try {
            Engine engine = Engine.open(folder, choice.backend(), options);
            printNotes(engine, err);
            return new OpenModel(folder, engine, choice.backend());
        } catch (RuntimeException e) {
            choice.backend().close();
            throw e;
        }
    }

    /// Prints the notes about the checkpoint, one per line.
    public static void printNotes(Engine engine, PrintWriter err) {
        engine.notes().forEach(note -> err.println("note: " + note));
        err.flush();
    }

    /// True if the folder contains a chat template.
    public boolean hasChatTemplate() {
        return ChatTemplate.open(folder).isPresent();
    }

    @Override
    public void close() {
        engine.close();
        backend.close();
    }
}
