package io.shadowkv.eval;

/// The source of LongBench's and InfiniteBench's prompts.
public enum PromptVersion {
    /// The suites' own prompts.
    OFFICIAL,
    /// The prompts of the paper's code (bytedance/ShadowKV, `data/utils.py`). They differ in five
    /// tasks of LongBench and in four of InfiniteBench, and InfiniteBench's `math_calc` is missing.
    /// The paper's code does not score either suite, so metrics and answer lengths are the suites'
    /// own.
    SHADOWKV
}
