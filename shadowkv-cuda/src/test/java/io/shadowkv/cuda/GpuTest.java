package io.shadowkv.cuda;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.Tag;

/// Marks a class of tests that need a GPU. If the machine has the driver's device file, the build
/// runs them and counts them separately; otherwise [GpuTestCountTest] reports that they did not
/// run.
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Tag("gpu")
@interface GpuTest {}
