package io.shadowkv.cache;

/// Counts what a prompt cache has taken: rows of the current layer, and layers. Layers come one after
/// the other, each with the same number of rows.
public final class LayerProgress {
    private final int layers;
    private final int rows;
    private int count;
    private int finished;

    /// @param rows number of rows of each layer
    public LayerProgress(int layers, int rows) {
        this.layers = layers;
        this.rows = rows;
    }

    /// Rows of the current layer so far.
    public int count() {
        return count;
    }

    /// Layers that are finished.
    public int finished() {
        return finished;
    }

    public void add(int more) {
        count += more;
    }

    /// @throws IllegalStateException if another layer is due, or rows are missing
    public void finish(int layer) {
        if (layer != finished || count != rows) {
            throw new IllegalStateException("layer " + layer + " ends with " + count + " tokens after " + finished
                    + " layers; expected " + rows + " tokens, layer after layer");
        }
        finished++;
        count = 0;
    }

    /// @throws IllegalStateException if a layer is not finished
    public void checkFinished() {
        if (finished != layers) {
            throw new IllegalStateException(finished + " of " + layers + " layers are finished");
        }
    }
}
