package io.shadowkv.checkpoint;

import io.shadowkv.tensor.CodeLayout;
import io.shadowkv.tensor.GroupedWeight;
import io.shadowkv.tensor.GroupedWeight.Groups;
import io.shadowkv.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// How the linear layers of a quantised safetensors checkpoint are stored. Each layer has some
/// tensors of its own in place of, or in addition to, its `weight`.
///
/// @param method for messages
/// @param layout of the codes
/// @param groupOutputs rows that share a scale; 0 for all
/// @param groupInputs columns that share a scale; 0 for all
/// @param isOrdered true if the configuration says that groups were made in the order of the
///     activations (`desc_act`), so that their columns are not neighbours
/// @param quantisesActivations true if the checkpoint was made for 8-bit activations too
record QuantizedFormat(
        String method,
        CodeLayout layout,
        int groupOutputs,
        int groupInputs,
        boolean isOrdered,
        boolean quantisesActivations) {
    private static final String WEIGHT = ".weight";
    private static final String ANOTHER = ". Fetch the file again, or take another quantisation of the model";
    /// Suffixes of the tensors that are not weights of their own.
    private static final List<String> COMPANIONS =
            List.of(".weight_scale_inv", ".weight_scale", ".weight_shape", ".scales", ".qzeros", ".g_idx");

    private String codesSuffix() {
        return switch (layout) {
            case F8E4M3, I8 -> WEIGHT;
            case PACKED_8, PACKED_4 -> ".weight_packed";
            case GPTQ_4, AWQ_4 -> ".qweight";
        };
    }

    private String scalesSuffix() {
        return layout.isTransposed() ? ".scales" : method.equals("fp8") ? ".weight_scale_inv" : ".weight_scale";
    }

    /// True if the matrix `name` is stored in this format; embeddings and others are plain.
    boolean holds(Map<String, TensorFile> files, String name) {
        String codes = codes(name);
        TensorFile file = files.get(codes);
        return name.endsWith(WEIGHT)
                && file != null
                && (!codes.equals(name) || List.of("F8_E4M3", "I8").contains(file.typeName(name)));
    }

    /// A tensor that belongs to the matrix `name` in this format although the matrix is plain; empty if
    /// there is none.
    Optional<String> strayCompanion(Map<String, TensorFile> files, String name) {
        return COMPANIONS.stream()
                .map(suffix -> other(name, suffix))
                .filter(files::containsKey)
                .findFirst();
    }

    /// Number of weights that a stored tensor holds: 0 for scales and zero points.
    long weights(String name, String typeName, long elements) {
        if (COMPANIONS.stream().anyMatch(name::endsWith)) {
            return 0;
        }
        return typeName.equals("I32") && name.endsWith(codesSuffix())
                ? elements * (Integer.SIZE / layout.bits())
                : elements;
    }

    /// A view of the matrix `name`.
    ///
    /// @throws CheckpointException if a tensor is missing or has another shape or type
    GroupedWeight weight(Map<String, TensorFile> files, String name, int outputs, int inputs) {
        if (layout.isTransposed() && (outputs % 8 != 0 || inputs % 8 != 0)) {
            throw new CheckpointException(SafetensorsHeader.label(name) + " is [" + outputs + ", " + inputs + "] in "
                    + method + "; expected multiples of 8");
        }
        var groups = new Groups(
                outputs, inputs, groupOutputs == 0 ? outputs : groupOutputs, groupInputs == 0 ? inputs : groupInputs);
        Tensor codes = switch (layout) {
            case F8E4M3 -> tensor(files, codes(name), List.of("F8_E4M3"), outputs, inputs);
            case I8 -> tensor(files, codes(name), List.of("I8"), outputs, inputs);
            case PACKED_8 -> tensor(files, codes(name), List.of("I32"), outputs, Math.ceilDiv(inputs, 4));
            case PACKED_4 -> tensor(files, codes(name), List.of("I32"), outputs, Math.ceilDiv(inputs, 8));
            case GPTQ_4 -> tensor(files, codes(name), List.of("I32"), inputs / 8, outputs);
            case AWQ_4 -> tensor(files, codes(name), List.of("I32"), inputs, outputs / 8);
        };
        List<String> floating = List.of("BF16", "F16", "F32");
        Tensor scales = layout.isTransposed()
                ? tensor(files, other(name, scalesSuffix()), floating, groups.inputGroups(), outputs)
                : tensor(files, other(name, scalesSuffix()), floating, groups.outputGroups(), groups.inputGroups());
        Tensor zeros = layout.isTransposed()
                ? tensor(files, other(name, ".qzeros"), List.of("I32"), groups.inputGroups(), outputs / 8)
                : null;
        requireNeighbours(files, name);
        GroupedWeight weight = GroupedWeight.of(layout, codes, scales, zeros, groups);
        Tensor order = order(files, name, groups);
        return order == null ? weight : weight.ordered(order);
    }

    /// Compressed-tensors has zero points and orders in tensors that are not read.
    private void requireNeighbours(Map<String, TensorFile> files, String name) {
        for (String unread : List.of(".weight_zero_point", ".weight_g_idx")) {
            if (files.containsKey(other(name, unread))) {
                throw new CheckpointException(
                        describe(files, other(name, unread)) + "; expected none: this engine reads " + method
                                + " with symmetric groups of neighbours. Take the unquantised checkpoint");
            }
        }
    }

    /// GPTQ's `g_idx`: the group of each input. Null if the inputs of each group are neighbours.
    private @Nullable Tensor order(Map<String, TensorFile> files, String name, Groups groups) {
        String order = other(name, ".g_idx");
        boolean isNeeded = isOrdered && groups.inputGroups() > 1;
        if (layout != CodeLayout.GPTQ_4 || !files.containsKey(order) && !isNeeded) {
            return null;
        }
        Tensor tensor = tensor(files, order, List.of("I32"), groups.inputs());
        int[] group = tensor.segment().toArray(ValueLayout.JAVA_INT_UNALIGNED);
        int[] members = new int[groups.inputGroups()];
        boolean areNeighbours = true;
        for (int i = 0; i < group.length; i++) {
            if (group[i] < 0 || group[i] >= members.length) {
                throw new CheckpointException(describe(files, order) + " and puts input " + i + " into group "
                        + group[i] + "; expected a group from 0 to " + (members.length - 1) + ANOTHER);
            }
            members[group[i]]++;
            areNeighbours &= group[i] == i / groups.groupInputs();
        }
        for (int i = 0; i < members.length; i++) {
            int expected = Math.min(groups.groupInputs(), groups.inputs() - i * groups.groupInputs());
            if (members[i] != expected) {
                throw new CheckpointException(describe(files, order) + " and puts " + members[i] + " inputs into group "
                        + i + "; expected " + expected + ANOTHER);
            }
        }
        return areNeighbours ? null : tensor;
    }

    private String codes(String name) {
        return other(name, codesSuffix());
    }

    private static String other(String name, String suffix) {
        return name.substring(0, Math.max(0, name.length() - WEIGHT.length())) + suffix;
    }

    private static String describe(Map<String, TensorFile> files, String name) {
        TensorFile file = files.get(name);
        return file == null ? SafetensorsHeader.label(name) + " is missing" : file.describe(name);
    }

    /// A tensor of a known shape. A scale for a whole matrix may have fewer axes.
    private Tensor tensor(Map<String, TensorFile> files, String name, List<String> types, int... extents) {
        TensorFile file = files.get(name);
        String expected = "; expected " + Arrays.toString(extents) + " " + String.join(" or ", types) + " of " + method
                + ". The weights do not fit config.json; fetch both from the same place";
        if (file == null || !types.contains(file.typeName(name))) {
            throw new CheckpointException(describe(files, name) + expected);
        }
        Tensor tensor = file.tensor(name);
        boolean isOne = Arrays.stream(extents).allMatch(extent -> extent == 1) && tensor.elements() == 1;
        if (!isOne && !Arrays.equals(tensor.shape().toArray(), extents)) {
            throw new CheckpointException(describe(files, name) + expected);
        }
        return tensor;
    }
}
