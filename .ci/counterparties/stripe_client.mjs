// Stripe's own library for Node, of somebody who does not listen at api.stripe.com.

import { createRequire } from "node:module";

const require = createRequire(`${process.env.NODE_MODULES}/client.js`);
export const Stripe = require("stripe");

export function stripe(address, key, more = {}) {
  const base = new URL(address);
  const prefix = base.pathname.replace(/\/$/, "");
  // The library knows a host and a port, and no path before its own.
  const below = (url, init) => fetch(`${base.origin}${prefix}${new URL(url).pathname}${new URL(url).search}`, init);
  return new Stripe(key, {
    host: base.hostname,
    port: base.port,
    protocol: "http",
    httpClient: Stripe.createFetchHttpClient(below),
    maxNetworkRetries: 0,
    telemetry: false,
    ...more,
  });
}

// Whether this answer was given before.
export const replayed = (answer) => answer.lastResponse.headers.get("idempotent-replayed") === "true";
