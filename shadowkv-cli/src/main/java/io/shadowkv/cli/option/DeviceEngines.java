package io.shadowkv.cli.option;

import io.shadowkv.engine.EngineOptions;
import io.shadowkv.engine.serve.Backends;
import io.shadowkv.engine.serve.Engine;
import io.shadowkv.op.Backend;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/// Engines of one model, one for each device, which are closed together with their backends.
///
/// @param engines in the order of the devices
/// @param backends owned by this record
public record DeviceEngines(List<Engine> engines, List<Backend> backends) implements AutoCloseable {
    /// Opens an engine for each device; on failure nothing stays open. Engines that share a memory get
    /// equal parts of it, unless the options limit each of them.
    ///
    /// @param devices numbers of GPUs; empty for the device that `flags` name
    public static DeviceEngines open(
            ModelSource model, List<Integer> devices, EngineFlags flags, EngineOptions options, PrintWriter err) {
        DeviceEngines opened = new DeviceEngines(new ArrayList<>(), new ArrayList<>());
        try {
            if (devices.isEmpty()) {
                opened.backends.add(flags.openBackend(err).backend());
            }
            for (int device : devices) {
                Backends.Choice choice = flags.openBackend(err, device);
                opened.backends.add(choice.backend());
            }
            EngineOptions each = shared(options, opened.backends);
            for (Backend backend : opened.backends) {
                opened.engines.add(model.open(backend, each));
            }
            return opened;
        } catch (RuntimeException | Error e) {
            opened.close();
            throw e;
        }
    }

    private static EngineOptions shared(EngineOptions options, List<Backend> backends) {
        Backend first = backends.getFirst();
        int count = backends.size();
        if (count == 1) {
            return options;
        }
        boolean isOneMemory = first.isHostDevice();
        long device = options.deviceBytes() == 0 && isOneMemory
                ? first.availableBytes(Backend.Place.DEVICE) / count
                : options.deviceBytes();
        long host = options.hostBytes() == 0 && !isOneMemory
                ? first.availableBytes(Backend.Place.HOST) / count
                : options.hostBytes();
        return options.withMemoryLimits(device, host);
    }

    @Override
    public void close() {
        engines.forEach(Engine::close);
        backends.forEach(Backend::close);
    }
}
