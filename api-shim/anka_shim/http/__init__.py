"""HTTP as every resource needs it: server, edge, routes, bodies, envelope, OpenAPI document."""
