package io.shadowkv.cuda;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/// Marks a class of tests that need a GPU. The build runs them, counted for themselves, where the driver's device file
/// is; elsewhere [GpuTestCountTest] says that they did not run.
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Tag("gpu")
@interface GpuTest {}
