package io.shadowkv.cli.model;

import io.shadowkv.cache.KvCacheSpec;
import io.shadowkv.checkpoint.SafetensorsWriter;
import io.shadowkv.cli.option.CacheFlags;
import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.cli.option.OpenModel;
import io.shadowkv.cli.process.Program;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.tensor.DType;
import io.shadowkv.tensor.Shape;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/// `logits`: writes what a model computes for given token ids, to compare with another engine.
@Command(
        name = "logits",
        description = {
            "Writes the logits of given token ids, and ids generated greedily after them.",
            "The file holds float32 'logits' [positions, vocabulary] and int32 'generated' [N]. No tokenizer is needed."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Examples:",
            "  shadowkv logits ./model --ids ids.json --out logits.safetensors --method full",
            "  shadowkv logits ./model --ids ids.json --positions all --generate 32 --out all.safetensors",
            "  shadowkv logits ./model --ids ids.json --prefill 1000 --rank 64 --budget 512 --out tail.safetensors"
        })
public final class LogitsCommand implements Callable<Integer> {
    /// The rows to write.
    enum Positions {
        last,
        all
    }

    @ParentCommand
    private Program root;

    @Spec
    private CommandSpec spec;

    @Parameters(
            paramLabel = "MODEL",
            description = "A bundled model, a folder, a GGUF file, or ORG/NAME of a pulled model.")
    private String model;

    @Option(names = "--ids", paramLabel = "FILE.json", required = true, description = "A JSON array of token ids.")
    private Path idsFile;

    @Option(
            names = "--out",
            paramLabel = "FILE.safetensors",
            required = true,
            description = "The file to write; appears complete or not at all.")
    private Path out;

    @Option(
            names = "--prefill",
            paramLabel = "N",
            description = "Read the first N ids as a prompt and decode the others one by one. Default: all.")
    private @Nullable Integer prefill;

    @Option(
            names = "--positions",
            defaultValue = "last",
            description = "Positions whose logits are written: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private Positions positions;

    @Option(
            names = "--generate",
            paramLabel = "N",
            defaultValue = "0",
            description = "Then generate N ids greedily, even after an end of sequence. Default: ${DEFAULT-VALUE}.")
    private int generate;

    @Mixin
    private CacheFlags cache;

    @Mixin
    private EngineFlags flags;

    @SuppressWarnings("NullAway.Init") // picocli fills the annotated fields
    private LogitsCommand() {}

    @Override
    public Integer call() throws IOException {
        KvCacheSpec strategy = cache.spec();
        flags.options(strategy);
        if (generate < 0) {
            throw new ParameterException(spec.commandLine(), "--generate is " + generate + "; expected 0 or more");
        }
        int[] ids = TokenIds.read(idsFile);
        int read = prefill == null ? ids.length : prefill;
        if (read < 1 || read > ids.length) {
            throw new ParameterException(
                    spec.commandLine(), "--prefill is " + read + "; expected 1 to the number of ids, " + ids.length);
        }
        checkOut();
        Path folder = root.models().resolve(model);
        PrintWriter err = spec.commandLine().getErr();
        try (OpenModel open = OpenModel.open(folder, flags, strategy, err)) {
            Engine engine = open.engine();
            TokenIds.check(ids, engine.spec().vocabularySize(), idsFile.toString());
            int rows = positions == Positions.all ? ids.length : 1;
            write(engine, ids, read, rows, strategy.name());
            err.printf(
                    Locale.ROOT,
                    "%s: logits [%d, %d] and %d generated ids, %s%n",
                    out,
                    rows,
                    engine.spec().vocabularySize(),
                    generate,
                    strategy.name());
            err.flush();
        }
        return 0;
    }

    /// Refuses an unwritable path before anything is computed.
    private void checkOut() {
        Path folder = out.toAbsolutePath().getParent();
        if (folder == null || Files.isDirectory(out)) {
            throw new IllegalArgumentException(out + ": is a folder; --out names the file to write");
        }
        if (Files.exists(out) && !Files.isRegularFile(out)) {
            throw new IllegalArgumentException(out + ": is not a regular file; --out names the file to write");
        }
        if (!Files.isDirectory(folder)) {
            throw new IllegalArgumentException(out + ": the folder " + folder + " does not exist; create it first");
        }
        if (!Files.isWritable(folder)) {
            throw new IllegalArgumentException(
                    out + ": the folder " + folder + " cannot be written to; choose another place");
        }
    }

    /// Rows are written as they are computed, so that all positions of a long text do not need to
    /// fit in memory.
    private void write(Engine engine, int[] ids, int read, int rows, String method) {
        int vocabulary = engine.spec().vocabularySize();
        int[] generated = new int[generate];
        new SafetensorsWriter()
                .metadata("method", method)
                .metadata("family", engine.spec().family())
                .metadata("prefill_tokens", Integer.toString(read))
                .add("logits", DType.F32, Shape.of(rows, vocabulary), channel -> {
                    int[] made = compute(engine, ids, read, rowWriter(channel, vocabulary));
                    System.arraycopy(made, 0, generated, 0, generate);
                })
                .add("generated", Shape.of(generate), generated)
                .write(out);
    }

    private int[] compute(Engine engine, int[] ids, int read, Consumer<float[]> sink) throws IOException {
        try {
            return engine.logits(ids, read, positions == Positions.all, generate, sink);
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private Consumer<float[]> rowWriter(WritableByteChannel channel, int vocabulary) {
        ByteBuffer bytes = ByteBuffer.allocate(vocabulary * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        return row -> {
            if (root.cancellation().isRequested()) {
                throw new CancellationException("interrupted; " + out + " was not written");
            }
            bytes.clear().asFloatBuffer().put(row);
            try {
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
    }
}
