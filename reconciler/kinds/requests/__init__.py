"""From an endpoint's definition, data and secret values to the request that is sent."""
