/** Metrics of HTTP requests: how many, how long, how they ended, and how many are under way. */
import { Gauge, Histogram, type Registry } from 'prom-client';
import type { HttpObserver } from '../http/metrics.ts';

/** A deposit takes about a millisecond on an idle service; beyond a second nobody cares how much it was. */
const SECONDS_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

/** All URLs without a route are one, so that whoever guesses URLs makes no new time series. */
const NO_ROUTE = 'unmatched';
const USUAL_METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
]);
const OTHER_METHOD = 'other';
const HUNG_UP = 'aborted';

export function httpMetrics(registry: Registry): HttpObserver {
  let inFlight = 0;
  const registers = [registry];
  new Gauge({
    name: 'openbank_http_requests_in_flight',
    help: 'HTTP requests that are being answered.',
    registers,
    collect() {
      this.set(inFlight);
    },
  });
  const durations = new Histogram({
    name: 'openbank_http_request_duration_seconds',
    help: 'Time from the head of an HTTP request to the end of its answer, by route template and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS_BUCKETS,
    registers,
  });
  const children = new Map<string, Histogram.Internal<'method' | 'route' | 'status'>>();
  return {
    onRequest() {
      inFlight += 1;
    },
    onAnswer(method, route, status, seconds) {
      inFlight -= 1;
      const shownMethod = route === undefined && !USUAL_METHODS.has(method) ? OTHER_METHOD : method;
      const shownRoute = route ?? NO_ROUTE;
      const shownStatus = String(status ?? HUNG_UP);
      const key = `${shownMethod} ${shownRoute} ${shownStatus}`;
      let child = children.get(key);
      if (!child) {
        child = durations.labels(shownMethod, shownRoute, shownStatus);
        children.set(key, child);
      }
      child.observe(seconds);
    },
  };
}
