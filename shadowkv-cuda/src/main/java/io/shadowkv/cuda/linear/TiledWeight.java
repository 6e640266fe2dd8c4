package io.shadowkv.cuda.linear;

import io.shadowkv.tensor.PlacedWeight;
import io.shadowkv.tensor.Tensor;

/// A quantised weight in device memory; see `tiled_weight.cuh`.
///
/// @param tiles how it lies there
/// @param format the checkpoint's word for it, such as `Q4_K`
/// @param images U8 `[tiles of 128 rows · images of a row, bytes of an image]`
record TiledWeight(TileFormat tiles, String format, int outputs, int inputs, Tensor images) implements PlacedWeight {
    /// Bytes of all images. Rows are padded to a multiple of 128, columns to 256.
    @Override
    public long byteSize() {
        return images.byteSize();
    }
}
