package io.shadowkv.cli.demo;

import io.shadowkv.cache.SelectionListener;
import java.util.ArrayList;
import java.util.List;

/// Records the selections made while questions are answered on a grid: a column is a step, a row is
/// a part of the text.
final class FetchRecorder implements SelectionListener {
    /// Shares of a row's chunks, over all heads, up to which a fetch is level 2 or level 3.
    static final double FEW = 0.05;

    static final double SOME = 0.15;
    private static final int MOST_ROWS = 128;

    private final int chunks;
    private final int rows;
    private final List<List<byte[]>> layers = new ArrayList<>();
    private final List<FetchMap.Turn> turns = new ArrayList<>();
    private int lastLayer = -1;
    private int turnStart;

    /// @param layers number of layers of the model
    /// @param chunks number of chunks of the text
    FetchRecorder(int layers, int chunks) {
        this.chunks = Math.max(1, chunks);
        this.rows = Math.min(MOST_ROWS, this.chunks);
        for (int layer = 0; layer < layers; layer++) {
            this.layers.add(new ArrayList<>());
        }
    }

    @Override
    public void selected(int layer, int slot, int position, int[][] missed, int[][] resident) {
        List<byte[]> columns = layers.get(layer);
        if (layer == lastLayer && !columns.isEmpty() && layers.size() > 1) {
            // A step with several rows, as in reading a question, selects once for all of them.
            return;
        }
        lastLayer = layer;
        columns.add(column(missed, resident));
    }

    private byte[] column(int[][] missed, int[][] resident) {
        byte[] column = new byte[rows];
        int[] fetched = new int[rows];
        for (int[] head : resident) {
            for (int chunk : head) {
                if (chunk < chunks) {
                    column[row(chunk)] = 1;
                }
            }
        }
        for (int[] head : missed) {
            for (int chunk : head) {
                if (chunk < chunks) {
                    fetched[row(chunk)]++;
                }
            }
        }
        for (int row = 0; row < rows; row++) {
            int count = fetched[row];
            double share = count / (missed.length * (double) chunks / rows);
            column[row] = count == 0 ? column[row] : (byte) (share <= FEW ? 2 : share <= SOME ? 3 : 4);
        }
        return column;
    }

    private int row(int chunk) {
        return (int) ((long) chunk * rows / chunks);
    }

    /// Ends a question; the steps since the last call belong to it.
    void endTurn() {
        int steps = steps();
        turns.add(new FetchMap.Turn(turnStart, steps));
        turnStart = steps;
        lastLayer = -1;
    }

    private int steps() {
        return layers.stream().mapToInt(List::size).min().orElse(0);
    }

    FetchMap map() {
        int steps = steps();
        byte[][][] levels = new byte[layers.size()][][];
        for (int layer = 0; layer < levels.length; layer++) {
            levels[layer] = layers.get(layer).subList(0, steps).toArray(new byte[0][]);
        }
        return new FetchMap(levels, turns, (double) chunks / rows);
    }
}
