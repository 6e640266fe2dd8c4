package io.shadowkv.cli.eval;

import io.shadowkv.cli.option.EngineFlags;
import io.shadowkv.cli.process.Surroundings;
import io.shadowkv.engine.Cancellation;
import io.shadowkv.eval.EvalTask;
import io.shadowkv.eval.run.EvalPlan;
import io.shadowkv.eval.run.Examiner;
import io.shadowkv.eval.worker.WorkerCommand;
import io.shadowkv.eval.worker.WorkerProcess;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// Worker processes on this machine that run the same command line.
final class WorkerProcesses implements Examiners {
    /// Enough to read a large model from a slow disk.
    private static final Duration READY_WITHIN = Duration.ofMinutes(15);

    private final List<String> command;
    private final int workers;
    private final List<Integer> devices;
    private final boolean sharesThreads;
    private final String backend;
    private final Cancellation cancellation;

    /// @param arguments arguments of the command that runs
    /// @param devices GPUs that workers take in turn; empty leaves the choice to the backend
    /// @param err receives the choice of the backend
    /// @throws IllegalArgumentException if the command that started this program is unknown
    WorkerProcesses(
            Surroundings surroundings,
            List<String> arguments,
            int workers,
            List<Integer> devices,
            EngineFlags flags,
            Cancellation cancellation,
            PrintWriter err) {
        if (surroundings.self().isEmpty()) {
            throw new IllegalArgumentException("the command that started this program is not known, so it cannot start"
                    + " workers. Run without --workers and --devices");
        }
        this.command = new ArrayList<>(surroundings.self());
        this.command.addAll(arguments);
        this.workers = workers;
        this.devices = devices;
        this.sharesThreads = devices.isEmpty() && !flags.statesThreads();
        this.cancellation = cancellation;
        this.backend = flags.backendName(err);
        if (!devices.isEmpty() && backend.equals("cpu")) {
            throw new IllegalArgumentException(
                    "--devices names GPUs, but the backend is cpu. Use --workers instead, or run"
                            + " `shadowkv backends` to see why no GPU is used");
        }
    }

    @Override
    public String backend() {
        return backend;
    }

    @Override
    public List<Supplier<Examiner>> seats(EvalPlan plan, Map<String, EvalTask> tasks, Consumer<String> errors) {
        List<Supplier<Examiner>> seats = new ArrayList<>();
        for (int i = 0; i < workers; i++) {
            var worker = new WorkerCommand("worker " + i, command(i, plan.contextTokens()), READY_WITHIN);
            seats.add(() -> WorkerProcess.start(worker, plan, errors, cancellation::isRequested));
        }
        return seats;
    }

    private List<String> command(int number, int contextTokens) {
        List<String> whole = new ArrayList<>(command);
        whole.add("--worker-length");
        whole.add(Integer.toString(contextTokens));
        if (!devices.isEmpty()) {
            whole.add("--device");
            whole.add(devices.get(number % devices.size()).toString());
        }
        if (sharesThreads) {
            whole.add("--threads");
            whole.add(Integer.toString(Math.max(1, Runtime.getRuntime().availableProcessors() / workers)));
        }
        return whole;
    }

    @Override
    public void close() {
        // Nothing to do: every worker ends with the run that started it.
    }
}
