package io.shadowkv.cli.bench.serve;

import io.shadowkv.cli.bench.load.DocumentPool;
import io.shadowkv.cli.bench.load.Load;
import io.shadowkv.cli.bench.load.LoadSummary;
import java.util.List;
import java.util.Map;

/// A measured load.
///
/// @param via the server, or the bare engine
/// @param info what the server says about its model
/// @param load how often requests were sent
/// @param heldDocuments number of documents that the client kept at most; 0 if it kept none
/// @param readFirst documents that were read before the first request
/// @param readSeconds time until all of these were read
/// @param readings documents that were read while requests were sent
/// @param summary the figures
/// @param firstMessages the first message of each kind of failure
/// @param isCut true if the run was interrupted
record LoadResult(
        Via via,
        ServedInfo info,
        Load load,
        int heldDocuments,
        List<DocumentPool.Reading> readFirst,
        double readSeconds,
        List<DocumentPool.Reading> readings,
        LoadSummary summary,
        Map<String, String> firstMessages,
        boolean isCut) {
    /// What requests were sent to.
    enum Via {
        SERVER,
        ENGINE
    }

    LoadResult {
        readFirst = List.copyOf(readFirst);
        readings = List.copyOf(readings);
        firstMessages = Map.copyOf(firstMessages);
    }

    /// Name of the method, or of the model if the server does not say its method.
    String name() {
        String method = info.method().isEmpty() ? info.model() : info.method();
        if (via == Via.ENGINE) {
            return method + ", bare engine";
        }
        return engines() == 1 ? method : method + ", " + engines() + " engines";
    }

    /// Number of engines behind the server, as far as it says so.
    int engines() {
        return info.facts().path("engines").asInt(1);
    }

    /// Requests per second that meet the goal, with the time of the readings before the first request.
    double goodputWithReading() {
        return summary.goodRequests() / (summary.seconds() + readSeconds);
    }
}
