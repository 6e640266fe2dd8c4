package io.shadowkv.cli.option;

import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.Backend;
import io.shadowkv.tensor.CloseAll;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/// The backends of one or several devices.
///
/// @param backends owned by this record, at least one
public record Devices(List<Backend> backends) implements AutoCloseable {
    /// Opens a backend for each device; on failure nothing stays open.
    ///
    /// @param numbers numbers of GPUs (`--devices`); empty for the device that `flags` name
    /// @throws ParameterException if a number is given twice or below 0, or `--device` is given as well
    public static Devices open(CommandSpec command, List<Integer> numbers, EngineFlags flags, PrintWriter err) {
        check(command, numbers);
        Devices devices = new Devices(new ArrayList<>());
        try {
            if (numbers.isEmpty()) {
                devices.backends.add(flags.openBackend(err).backend());
            }
            for (int number : numbers) {
                devices.backends.add(flags.openBackend(err, number).backend());
            }
            return devices;
        } catch (RuntimeException | Error e) {
            CloseAll.after(e, List.of(devices), Devices::close);
            throw e;
        }
    }

    private static void check(CommandSpec command, List<Integer> numbers) {
        boolean isGivenTwice = numbers.stream().distinct().count() < numbers.size();
        if (isGivenTwice || numbers.stream().anyMatch(number -> number < 0)) {
            throw new ParameterException(
                    command.commandLine(),
                    "--devices is " + numbers + "; expected different numbers of GPUs, 0 or more, such as 0,1");
        }
        if (!numbers.isEmpty() && command.commandLine().getParseResult().hasMatchedOption("--device")) {
            throw new ParameterException(
                    command.commandLine(), "--device and --devices are both given; give one of them");
        }
    }

    public int count() {
        return backends.size();
    }

    /// Opens an engine on each of the first devices; on failure none stays open. The engines get equal
    /// parts of the memory that they share, unless the options limit each of them.
    ///
    /// @param used number of devices
    /// @return engines that the caller must close before this record
    public List<Engine> engines(ModelSource model, EngineOptions options, int used) {
        List<Engine> engines = new ArrayList<>();
        try {
            EngineOptions each = shared(options, used);
            for (Backend backend : backends.subList(0, used)) {
                engines.add(model.open(backend, each));
            }
            return engines;
        } catch (RuntimeException | Error e) {
            CloseAll.after(e, engines, Engine::close);
            throw e;
        }
    }

    private EngineOptions shared(EngineOptions options, int used) {
        if (used == 1) {
            return options;
        }
        Backend first = backends.getFirst();
        boolean isOneMemory = first.isHostDevice();
        long device = options.deviceBytes() == 0 && isOneMemory
                ? first.availableBytes(Backend.Place.DEVICE) / used
                : options.deviceBytes();
        long host = options.hostBytes() == 0 && !isOneMemory
                ? first.availableBytes(Backend.Place.HOST) / used
                : options.hostBytes();
        return options.withMemoryLimits(device, host);
    }

    @Override
    public void close() {
        CloseAll.of(backends, Backend::close);
    }
}
