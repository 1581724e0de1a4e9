"""The wire: requests, responses and stream events, as OpenAPI and the page's types know them."""
