package io.shadowkv.cache.prefill;

import io.shadowkv.op.AttendedRows;
import io.shadowkv.tensor.Tensor;
import java.util.List;

/// The attention of one text that is read, layer by layer. Owns its memory until closed.
public interface PromptAttention extends AutoCloseable {
    /// In which order rows must come.
    RowOrder order();

    /// Takes the queries of the last rows of the text in a layer whose keys are all there. Called once
    /// a layer if [RowOrder#observed] is not 0.
    ///
    /// @param rows the layer's keys and values; row t belongs to token t
    /// @param keyCount number of valid rows
    /// @param queries rotated, `[observed or fewer, queryHeads, headDim]`
    void observe(int layer, AttendedRows rows, int keyCount, Tensor queries, double scale);

    /// Causal attention of consecutive rows.
    ///
    /// @param rows the layer's keys and values; row t belongs to token t
    /// @param keyCount number of valid rows, at least up to the last query's
    /// @param firstToken position of the first query
    /// @param queries rotated, `[t, queryHeads, headDim]`
    /// @param out `[t, queryHeads, headDim]`
    void attend(int layer, AttendedRows rows, int keyCount, int firstToken, Tensor queries, double scale, Tensor out);

    /// How much was computed in each layer; empty if attention is exact. Waits for the backend. Must
    /// not be called after [#close].
    List<LayerDensity> densities();

    /// Frees the memory. Does nothing if it is closed already.
    @Override
    void close();
}
