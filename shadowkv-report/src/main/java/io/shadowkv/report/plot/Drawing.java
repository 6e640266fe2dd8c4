package io.shadowkv.report.plot;

/// A plot that can be part of a page.
public interface Drawing {
    /// Identifier, unique in the page.
    String id();

    /// Title, read aloud instead of the picture.
    String title();

    /// What the picture shows, in a sentence with its numbers.
    String description();

    /// An `<svg>` element for a page that has [PlotStyle]'s colours and rules.
    String inlineSvg();
}
