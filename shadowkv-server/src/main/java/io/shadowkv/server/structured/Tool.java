package io.shadowkv.server.structured;

import tools.jackson.databind.JsonNode;

/// A function that the model may call.
///
/// @param name unique among the tools of a request
/// @param parameters JSON schema of its arguments
/// @param node the tool as the request gives it, for the chat template
public record Tool(String name, JsonNode parameters, JsonNode node) {}
