/** Requests whose clients do not wait for the answer. */
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { installHttpMetrics } from '../../src/http/metrics.ts';
import { ServiceMetrics } from '../../src/metrics/service-metrics.ts';
import { eventually } from '../support/eventually.ts';
import { MetricsPage } from '../support/metrics-page.ts';

let app: FastifyInstance;
let url: string;
let metrics: ServiceMetrics;
/** Lets the answers of `/slow/:id` go. */
let answerSlowly: () => void;
beforeEach(async () => {
  metrics = new ServiceMetrics({ version: '1.2.3', role: 'api', node: 'here' });
  const waiting = new Promise<void>((resolve) => {
    answerSlowly = resolve;
  });
  app = Fastify();
  installHttpMetrics(app, metrics.requests);
  app.get('/slow/:id', async () => {
    await waiting;
    return 'done';
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  answerSlowly();
  await app.close();
});

const read = async () => new MetricsPage((await metrics.page()).text);

async function inFlight(count: number): Promise<void> {
  await eventually(`${count} in flight`, async () => {
    return (await read()).value('openbank_http_requests_in_flight') === count;
  });
}

it('are in flight until the client hangs up, and are counted as aborted', async () => {
  const hangUp = new AbortController();
  const aborted = fetch(`${url}/slow/1`, { signal: hangUp.signal }).catch((error: Error) => error.name);
  const patient = fetch(`${url}/slow/2`);
  await inFlight(2);
  hangUp.abort();
  expect(await aborted).toBe('AbortError');
  await inFlight(1);
  answerSlowly();
  expect(await (await patient).text()).toBe('done');
  await inFlight(0);
  expect((await read()).table('openbank_http_request_duration_seconds_count')).toEqual({
    'GET /slow/:id aborted': 1,
    'GET /slow/:id 200': 1,
  });
});
