package io.shadowkv.eval;

/// Whose prompts LongBench and InfiniteBench are asked with.
public enum PromptVersion {
    /// The suites' own.
    OFFICIAL,
    /// Those of the paper's code (bytedance/ShadowKV, `data/utils.py`). They differ in five tasks
    /// of LongBench and in four of InfiniteBench, which has no `math_calc` there. The paper's code
    /// does not score either suite, so metrics and room for answers are the suites' own.
    SHADOWKV
}
