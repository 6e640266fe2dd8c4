/// Eigenvectors of a symmetric matrix in double precision: the subspace of a layer's keys.
@NullMarked
package io.shadowkv.cpu.eigen;

import org.jspecify.annotations.NullMarked;
