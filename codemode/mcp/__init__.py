"""The MCP face: tools for models, on stdio and over HTTP, translated to calls of `Service` and `Session`."""
